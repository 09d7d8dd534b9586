"""Has the embedding engine read the entries that it has not read yet, the newest first; those of everybody.

It is no step of an entry: many are read at once in less time than one by one, and what was written before there was an
engine is read like everything else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from dreamweb import embeddings, jobs
from dreamweb.adapters.children import Watch
from dreamweb.adapters.embedding import Passage
from dreamweb.db import end_reading, transaction
from dreamweb.embeddings import Unread
from dreamweb.errors import Permanent, Skipped, Transient
from dreamweb.pipeline.outcome import WithdrawnError
from dreamweb.pipeline.trial import DREAMS
from dreamweb.pipeline.work import Done, Hands, nothing
from dreamweb.search import near
from dreamweb.words import say

_AT_ONCE = 16
_LETTERS_AT_ONCE = 20_000
"""Entries, and letters of them, that the engine is given together."""

_LONGEST = 20.0
"""Seconds after which the rest is left to another job: somebody may have said a dream meanwhile, and waits."""

_Texts = Sequence[tuple[str, str]]
"""Titles and texts."""


def run(hands: Hands, _request: dict[str, Any], watch: Watch) -> Done:
    engines = hands.tools.engines
    if not engines.may_embed(private=False):
        raise Skipped(say("There is no embedding engine, or it is on another machine and nothing is sent outside."))
    near.tidy()
    ends = time.monotonic() + _LONGEST
    letters = dimensions = 0
    while found := embeddings.unread(engines.embedding, _AT_ONCE, _LETTERS_AT_ONCE):
        end_reading()  # nothing is held while an engine works
        watch.check()
        made = _read(hands, found, replace(watch, leave=partial(_leave, hands, found, watch)))
        before, dimensions = dimensions, next((len(each[0].vector) for each in made if each), dimensions)
        if dimensions != before:
            near.prepare(engines.embedding.name, dimensions)
            with transaction():
                embeddings.forget_others(engines.embedding, dimensions)
        _keep(hands, found, made)
        letters += sum(len(each.text) for each in found)
        if time.monotonic() > ends:
            with transaction():
                jobs.nudge("embed")
            break
    end_reading()
    return Done(nothing, engine=engines.embedding.name, amount=letters)


def _leave(hands: Hands, found: Sequence[Unread], watch: Watch) -> None:
    watch.leave()
    may_go = embeddings.may_be_read(hands.tools.engines.embedding, found)
    end_reading()
    if not may_go:
        raise WithdrawnError


def _read(hands: Hands, found: Sequence[Unread], watch: Watch) -> list[list[Passage]]:
    """The passages of each; none of one that the engine cannot read. Raises when it can read nothing at all."""
    texts = [(each.title, each.text) for each in found if each.title or each.text]
    try:
        made = _passages(hands, texts, watch) if texts else []
    except (Transient, Permanent) as error:
        if _has_too_much_to_do(error):
            raise
        made = [_alone(hands, text, watch) for text in texts]
    passages = iter(made)
    return [next(passages) if each.title or each.text else [] for each in found]


def _alone(hands: Hands, text: tuple[str, str], watch: Watch) -> list[Passage]:
    """The passages of one text; none, if it is that text which the engine fails at twice, and no other.

    Some servers answer certain texts with an error of their own for ever: nobody else's dreams wait for those.
    """
    for _ in range(2):
        try:
            [made] = _passages(hands, [text], watch)
        except (Transient, Permanent) as error:
            if _has_too_much_to_do(error):
                raise
            _passages(hands, [("", DREAMS["en"][0])], watch)
        else:
            return made
    return []


def _has_too_much_to_do(error: Transient | Permanent) -> bool:
    return isinstance(error, Transient) and error.retry_after is not None


def _passages(hands: Hands, texts: _Texts, watch: Watch) -> list[list[Passage]]:
    return hands.embedder.passages(hands.tools.engines.embedding, texts, watch)


def _keep(hands: Hands, found: Sequence[Unread], made: Sequence[Sequence[Passage]]) -> None:
    engine = hands.tools.engines.embedding
    with transaction():
        for read, passages in sorted(zip(found, made, strict=True), key=lambda pair: pair[0].entry_id):
            places = [(each.start, each.end) for each in passages]
            kept = embeddings.keep(read, engine, places, [each.vector for each in passages])
            if kept is not None:
                near.keep(kept)
