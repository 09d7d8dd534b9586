"""Finds entries by what was typed, and puts the best first."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_

from dreamweb import paging
from dreamweb.db import session
from dreamweb.models.entry import Entry
from dreamweb.search import dialects
from dreamweb.search.conditions import Sought
from dreamweb.search.fusing import reciprocal
from dreamweb.search.near import Near

Sort = Literal["relevance", "time"]

MOST = 5000
"""Of more entries than these, only the newest are ranked and counted: whoever types so common a word types another."""

_MEANING = 0.8
"""What a rank by meaning counts: whoever types a word that is there means that."""

DEEPEST = 500
"""Entries that are listed by relevance at most."""


@dataclass(frozen=True)
class Hit:
    """An entry that was found, and how well it fits; the number says something only beside those of the same search.

    `by_meaning`: only that is why it was found.
    """

    entry_id: UUID
    score: float
    dreamed_at: datetime
    by_meaning: bool = False


@dataclass(frozen=True)
class Found:
    """A page of hits, and of how many; with `more` there are at least so many. The total is of first pages only."""

    hits: Sequence[Hit]
    total: int
    more: bool
    next_cursor: str | None


def find(
    sought: Sought,
    *,
    sort: Sort = "relevance",
    limit: int = 20,
    cursor: str | None = None,
    near: Sequence[Near] | None = None,
) -> Found:
    """Search. Without any word there is nothing to rank by: then the newest dream comes first.

    By relevance, entries that are `near` in meaning are merged with those that have the words; None where that is not
    known, or not asked for. The next page of a merged list then stays the next one.
    Raises `Malformed` for a cursor that is not from such a search.
    """
    if sort == "relevance" and sought.wanted:
        return _by_relevance(sought, near, limit, cursor)
    return _by_time(sought, limit, cursor)


def newest(sought: Sought, *, scored: bool) -> Select[Any]:
    """Identifier, score and time of all that fit, but of no more than the newest `MOST` and one."""
    return dialects.current().newest(
        sought.account.id, sought.wanted, sought.unwanted, sought.conditions, MOST + 1, scored=scored
    )


def is_merged(cursor: str) -> bool:
    """Whether a list that is ranked goes on here among what is near in meaning. Raises `Malformed`."""
    return paging.ranked_position(cursor).merged


def _by_relevance(sought: Sought, near: Sequence[Near] | None, limit: int, cursor: str | None) -> Found:
    at = paging.ranked_position(cursor) if cursor else None
    if at and at.merged and near is None:
        return Found((), 0, False, cursor)
    found = newest(sought, scored=True).subquery()
    query = select(found, func.count().over().label("total"))
    query = query.order_by(found.c.score.desc(), found.c.dreamed_at.desc(), found.c.entry_id.desc()).limit(DEEPEST)
    rows = session().execute(query).all()
    total = rows[0].total if rows else 0
    hits = [Hit(row.entry_id, row.score, row.dreamed_at) for row in rows]
    merged = near is not None and (at is None or at.merged)
    if near is not None and merged:
        hits = _merged(hits, near, _having_words(sought, hits, near, total))
        total += sum(hit.by_meaning for hit in hits)
    if at:
        hits = [hit for hit in hits if (hit.score, hit.dreamed_at, hit.entry_id) < at.place]
    return _page(
        hits,
        limit,
        total,
        lambda hit: paging.ranked_cursor(paging.Ranked(hit.score, hit.dreamed_at, hit.entry_id, merged)),
    )


def _having_words(sought: Sought, hits: Sequence[Hit], near: Sequence[Near], total: int) -> set[UUID]:
    """Of all that will be listed, what has the words; it may rank too low by them to be among the hits."""
    listed = {hit.entry_id for hit in hits}
    others = [each.entry_id for each in near if each.entry_id not in listed]
    if total <= len(hits) or not others:
        return listed
    fitting = dialects.current().fitting(sought.account.id, sought.wanted, sought.unwanted)
    return listed | set(session().scalars(select(Entry.id).where(Entry.id.in_(others), *fitting, *sought.conditions)))


def _merged(hits: Sequence[Hit], near: Sequence[Near], by_words: Set[UUID]) -> list[Hit]:
    scores = reciprocal([[each.entry_id for each in hits], [each.entry_id for each in near]], (1.0, _MEANING))
    moments = {hit.entry_id: hit.dreamed_at for hit in hits} | {each.entry_id: each.dreamed_at for each in near}
    merged = [Hit(each, scores[each], moment, each not in by_words) for each, moment in moments.items()]
    return sorted(merged, key=lambda hit: (hit.score, hit.dreamed_at, hit.entry_id), reverse=True)


def _by_time(sought: Sought, limit: int, cursor: str | None) -> Found:
    fitting = dialects.current().fitting(sought.account.id, sought.wanted, sought.unwanted)
    every = select(Entry.id, Entry.dreamed_at).where(
        Entry.account_id == sought.account.id, Entry.deleted_at.is_(None), *fitting, *sought.conditions
    )
    total = 0
    query = every.order_by(Entry.dreamed_at.desc(), Entry.id.desc()).limit(limit + 1)
    if cursor:
        query = query.where(tuple_(Entry.dreamed_at, Entry.id) < paging.position(cursor))
    else:
        total = session().scalar(select(func.count()).select_from(every.limit(MOST + 1).subquery())) or 0
    hits = [Hit(row.id, 0.0, row.dreamed_at) for row in session().execute(query)]
    return _page(hits, limit, total, lambda hit: paging.cursor(hit.dreamed_at, hit.entry_id))


def _page(hits: Sequence[Hit], limit: int, total: int, cursor: Callable[[Hit], str]) -> Found:
    page = hits[:limit]
    following = cursor(page[-1]) if len(hits) > limit else None
    return Found(page, min(total, MOST), total > MOST, following)
