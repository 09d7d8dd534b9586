"""The last step: keeps every word of an entry as its lemma, and finds the person's own dream signs by them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

from dreamweb import embeddings, jobs, motifs, versions, vocabulary
from dreamweb.adapters import forms
from dreamweb.adapters.children import Watch
from dreamweb.db import end_reading
from dreamweb.models.entry import Entry
from dreamweb.pipeline.work import Done, Hands

_GIVEN = frozenset(("recording", "attachment"))
"""What a file is called that came without a name."""


def phrases(hands: Hands, names: Iterable[str], languages: Sequence[str], watch: Watch) -> set[tuple[str, ...]]:
    """The lemmas by which a sign is found in texts of these languages: it is named once, and dreamt of in two."""
    names = sorted(names)
    made = {tuple(hands.language.lemmatise(name, each, watch).lemmas) for name in names for each in languages}
    # A lemma is none of its own lemma in every language: each counts as it is, too.
    return {phrase for phrase in made | {tuple(name.casefold().split()) for name in names} if phrase}


def named(hands: Hands, names: Iterable[str], watch: Watch) -> list[str]:
    """The lemmas of what tags and files are called, in both languages: a name is no text that would show its own.

    Without those that are there as they stand, which is known already, and would count twice.
    """
    text = "\n".join(name for name in names if name and name not in _GIVEN).lower()
    if not text:
        return []
    made = {word for each in forms.LANGUAGES for word in hands.language.lemmatise(text, each, watch).lemmas}
    return sorted(word for word in made - {word for _, _, word in forms.words(text)} if word.isalpha())


def run(hands: Hands, entry: Entry, watch: Watch) -> Done:
    text, title = versions.all_text(entry), versions.shown_title(entry)
    found = hands.language.lemmatise(text, entry.language, watch)
    of_title = hands.language.lemmatise(title or "", found.language, watch)
    signs = motifs.signs(entry.account_id)
    files = [file.original_filename for file in entry.attachments] + [entry.original_filename or ""]
    names = [tag.name for tag in entry.tags] + [Path(name).stem for name in files]
    end_reading()
    of_names = named(hands, names, watch)
    wanted = {motif: phrases(hands, names, [found.language], watch) for motif, names in signs.items()}

    def write(current: Entry) -> None:
        if (versions.all_text(current), versions.shown_title(current)) != (text, title):
            return  # it was changed meanwhile, and is indexed next
        # The motifs first: who has locked them may be waiting for what the database indexes with the entry.
        motifs.drop_unjustified(current, text)
        motifs.find_signs(current, wanted, found.lemmas, found.words)
        # Those of names in a line of their own: what counts words of the texts stops there.
        current.lemmas = f" {' '.join(found.lemmas)} " + (f"\n {' '.join(of_names)} " if of_names else "")
        current.title_lemmas = " ".join(of_title.lemmas)
        vocabulary.add(current.account_id, [*found.words, *of_title.words, *(tag.name for tag in current.tags)])
        embeddings.forget_outdated(current)
        if hands.tools.engines.may_embed(private=current.private):
            jobs.nudge("embed")

    return Done(write, engine=f"simplemma {version('simplemma')}", amount=len(text))
