"""Has the embedding engine read the entries that it has not read yet, the newest first; those of everybody.

It is no step of an entry: many are read at once in less time than one by one, and what was written before there was an
engine is read like everything else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from dreamweb import embeddings, jobs
from dreamweb.adapters.children import Watch
from dreamweb.adapters.embedding import Passage
from dreamweb.db import end_reading, transaction
from dreamweb.embeddings import Unread
from dreamweb.errors import Permanent, Skipped
from dreamweb.pipeline.work import Done, Hands, nothing
from dreamweb.search import near
from dreamweb.words import say

_AT_ONCE = 16
"""Entries that the engine is given together."""

_LONGEST = 20.0
"""Seconds after which the rest is left to another job: somebody may have said a dream meanwhile, and waits."""


def run(hands: Hands, _request: dict[str, Any], watch: Watch) -> Done:
    engines = hands.tools.engines
    if not engines.may_embed(private=False):
        raise Skipped(say("There is no embedding engine, or it is on another machine and nothing is sent outside."))
    ends = time.monotonic() + _LONGEST
    letters = 0
    while found := embeddings.unread(engines.embedding, _AT_ONCE):
        end_reading()  # nothing is held while an engine works
        watch.check()
        _keep(hands, found, _read(hands, found, watch))
        letters += sum(len(each.text) for each in found)
        if time.monotonic() > ends:
            with transaction():
                jobs.nudge("embed")
            break
    end_reading()
    return Done(nothing, engine=engines.embedding.name, amount=letters)


def _read(hands: Hands, found: Sequence[Unread], watch: Watch) -> list[list[Passage]]:
    """The passages of each; of one that the engine cannot read, none. Raises when it can read none of them."""
    engine = hands.tools.engines.embedding
    texts = [(each.title, each.text) for each in found if each.title or each.text]
    try:
        made = hands.embedder.passages(engine, texts, watch) if texts else []
    except Permanent:
        if len(texts) == 1:
            raise
        made = _one_by_one(hands, texts, watch)
    passages = iter(made)
    return [next(passages) if each.title or each.text else [] for each in found]


def _one_by_one(hands: Hands, texts: Sequence[tuple[str, str]], watch: Watch) -> list[list[Passage]]:
    made: list[list[Passage]] = []
    refused: Permanent | None = None
    for text in texts:
        try:
            made += hands.embedder.passages(hands.tools.engines.embedding, [text], watch)
        except Permanent as error:
            refused = error
            made.append([])
    if refused is not None and not any(made):
        raise refused  # it is not about the texts
    return made


def _keep(hands: Hands, found: Sequence[Unread], made: Sequence[Sequence[Passage]]) -> None:
    engine = hands.tools.engines.embedding
    if dimensions := next((len(passages[0].vector) for passages in made if passages), 0):
        near.prepare(engine.name, dimensions)
    with transaction():
        for read, passages in sorted(zip(found, made, strict=True), key=lambda pair: pair[0].entry_id):
            places = [(each.start, each.end) for each in passages]
            kept = embeddings.keep(read, engine, places, [each.vector for each in passages])
            if kept is not None:
                near.keep(kept)
