"""The fourth step: finds what a dream is about, and the exact words that say so."""

from __future__ import annotations

from dataclasses import asdict

from dreamweb import motifs, versions
from dreamweb.adapters.children import Watch
from dreamweb.analysis import FoundMotif
from dreamweb.db import now
from dreamweb.errors import Skipped
from dreamweb.models.entry import Entry
from dreamweb.pipeline.work import Done, Hands, storable
from dreamweb.words import say


def run(hands: Hands, entry: Entry, watch: Watch) -> Done:
    text = versions.best_text(entry)
    if not text:
        raise Skipped(say("There is no text yet that could be understood."))
    models, spent = hands.models(entry)
    found = hands.language.analyse(text, entry.language, models, watch)

    def write(current: Entry) -> None:
        if versions.best_text(current) == text:  # else it was changed meanwhile, and is analysed next
            kept = storable(asdict(found.analysis))
            found_motifs = [FoundMotif(**each) for each in kept.pop("motifs")]
            # The motifs first: who has locked them may be waiting for what the database indexes with the entry.
            motifs.found(current, found_motifs, found.engine)
            current.analysis = kept | {"engine": found.engine, "made_at": now().isoformat()}
            current.language = current.language or found.analysis.language

    reason = spent or next(iter(found.failed), None)
    return Done(write, engine=found.engine, amount=len(text), used=found.used, reason=reason, outside=found.outside)
