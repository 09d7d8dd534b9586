"""The last step: keeps every word of an entry as its lemma, and finds the person's own dream signs by them."""

from __future__ import annotations

from importlib.metadata import version

from dreamweb import motifs, versions
from dreamweb.adapters.children import Watch
from dreamweb.db import end_reading
from dreamweb.models.entry import Entry
from dreamweb.pipeline.work import Done, Hands


def run(hands: Hands, entry: Entry, watch: Watch) -> Done:
    text = versions.all_text(entry)
    found = hands.language.lemmatise(text, entry.language, watch)
    signs = {sign.id: sign.name for sign in motifs.signs(entry.account_id)}
    end_reading()
    # In the language of this entry: a sign is named once, and dreamt of in two.
    wanted = {motif: hands.language.lemmatise(name, found.language, watch).lemmas for motif, name in signs.items()}

    def write(current: Entry) -> None:
        if versions.all_text(current) == text:  # else it was changed meanwhile, and is indexed next
            current.lemmas = f" {' '.join(found.lemmas)} "
            motifs.drop_unjustified(current, text)
            motifs.find_signs(current, wanted, found.lemmas, found.words)

    return Done(write, engine=f"simplemma {version('simplemma')}", amount=len(text))
