"""Looks for a new dream sign of somebody's own in all the entries that are there already."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import load_only

from dreamweb import jobs, motifs
from dreamweb.adapters.children import Watch
from dreamweb.db import end_reading, session, transaction
from dreamweb.errors import Skipped
from dreamweb.models.entry import Entry
from dreamweb.models.motif import Motif
from dreamweb.pipeline.index import phrases
from dreamweb.pipeline.work import Done, Hands, nothing
from dreamweb.words import say

_SOME = 25
"""Entries that are enqueued in one transaction: others want to write, too."""


def run(hands: Hands, request: dict[str, Any], watch: Watch) -> Done:
    """`request` is `{"motif_id": ...}`; the lemma by which it is merged with what engines find is not known before."""
    sign = session().get(Motif, UUID(request["motif_id"]), populate_existing=True)
    end_reading()
    if sign is None or not sign.sign:
        raise Skipped(say("This dream sign is not there any more."))
    if sign.lemma == sign.name.casefold():  # as the person has typed it; what an engine has found has its own
        lemma = " ".join(hands.language.lemmatise(sign.name, None, watch).lemmas)
        with transaction():
            motifs.set_lemma(sign.id, lemma)
    names = motifs.signs(sign.account_id).get(sign.merged_into_id or sign.id, ())
    end_reading()
    lemmas = {" ".join(phrase) for phrase in phrases(hands, names, ("sl", "en"), watch)}
    _look_again(sign.account_id, lemmas, watch)
    return Done(nothing)


def _look_again(account_id: UUID, lemmas: Iterable[str], watch: Watch) -> None:
    """Let the step *index* find it where it can be found: in the entries that have its lemmas."""
    having = [Entry.lemmas.contains(f" {lemma} ", autoescape=True) for lemma in sorted(lemmas)]
    if not having:  # it was taken away meanwhile
        return
    found = session().scalars(select(Entry.id).where(Entry.account_id == account_id, or_(*having))).all()
    end_reading()
    for start in range(0, len(found), _SOME):
        watch.check()
        begun = time.monotonic()
        with transaction():
            some = select(Entry).where(Entry.id.in_(found[start : start + _SOME])).order_by(Entry.id)
            # Only what a job needs: the texts of some entries are long.
            few = some.options(load_only(Entry.id, Entry.account_id)).with_for_update(of=Entry)
            for entry in session().scalars(few):
                jobs.enqueue(entry, "index", priority=jobs.BACKLOG)
        watch.progress(start / len(found))
        # SQLite lets in whoever asks first, and who waits asks ten times a second: half of the time is theirs.
        time.sleep(time.monotonic() - begun)
