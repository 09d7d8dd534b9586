"""Reads entries as people look through them: as cards by night, by month, and on this night in earlier years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select, tuple_, union_all

from dreamweb import nights, paging
from dreamweb.db import session
from dreamweb.details import Filters
from dreamweb.entries import conditions, is_sample
from dreamweb.models.account import Account
from dreamweb.models.attachment import Attachment
from dreamweb.models.entry import Entry, Tag, entry_tags
from dreamweb.models.motif import EntryMotif, Motif

_EXCERPT = 400
"""Characters; a card shows fewer, and a text may have a million."""

_YEARS_BACK = 60


@dataclass(frozen=True)
class Card:
    """What is seen of an entry without opening it. `sample` marks one of those that we have written.

    Where the person has given no title and no mood, they are what was understood.
    """

    id: UUID
    kind: str
    status: str
    title: str | None
    excerpt: str | None
    dreamed_at: datetime
    deleted_at: datetime | None
    mood: str | None
    recall: str | None
    private: bool
    recorded: bool
    cut_off: bool
    duration_seconds: float | None
    attachments: int
    sample: bool
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """Cards, newest dream first, and the cursor of the next page, if there is one."""

    cards: Sequence[Card]
    next_cursor: str | None


def page(account: Account, filters: Filters, *, limit: int = 20, cursor: str | None = None) -> Page:
    """Raises `Malformed` for a cursor that is not from here."""
    return _page(_cards().where(Entry.account_id == account.id, *conditions(account, filters)), limit, cursor)


def having(motif: Motif, *, limit: int = 20, cursor: str | None = None) -> Page:
    """What a motif is found in. Raises `Malformed` for a cursor that is not from here."""
    query = _cards().join(EntryMotif, EntryMotif.entry_id == Entry.id)
    return _page(query.where(EntryMotif.motif_id == motif.id, Entry.deleted_at.is_(None)), limit, cursor)


def _page(query: Select[tuple[object, ...]], limit: int, cursor: str | None) -> Page:
    if cursor:
        query = query.where(tuple_(Entry.dreamed_at, Entry.id) < paging.position(cursor))
    found = _fetch(query.limit(limit + 1))
    cards = found[:limit]
    return Page(cards, paging.cursor(cards[-1].dreamed_at, cards[-1].id) if len(found) > limit else None)


def several(account: Account, ids: Sequence[UUID]) -> list[Card]:
    """Those of these entries that are outside the trash, in the order of their ids."""
    query = _cards().where(Entry.id.in_(ids), Entry.account_id == account.id, Entry.deleted_at.is_(None))
    cards = {card.id: card for card in _fetch(query)}
    return [cards[each] for each in ids if each in cards]


def by_night(cards: Iterable[Card], zone: ZoneInfo) -> list[tuple[date, list[Card]]]:
    """Each night with its cards, in the order they come in."""
    return [
        (night, list(group)) for night, group in groupby(cards, lambda card: nights.night_of(card.dreamed_at, zone))
    ]


def on_this_night(account: Account, night: date, zone: ZoneInfo, *, limit: int = 5) -> list[Card]:
    """What was dreamed on the same night of earlier years, the latest first."""
    earlier = nights.same_in_earlier_years(night, years=_YEARS_BACK)
    mine = select(Entry.id).where(Entry.account_id == account.id, Entry.deleted_at.is_(None))
    # One search in the index for each year: with OR between them, SQLite reads the whole journal instead.
    each_year = [
        mine.where(Entry.dreamed_at >= nights.begins(each, zone), Entry.dreamed_at < nights.ends(each, zone))
        for each in earlier
    ]
    query = _cards().where(Entry.id.in_(union_all(*each_year)))
    return _fetch(query.limit(limit))


def month(account: Account, first: date, zone: ZoneInfo) -> Counter[date]:
    """How many entries each night of a month has."""
    start, end = nights.month_of(first, zone)
    query = select(Entry.dreamed_at).where(
        Entry.account_id == account.id,
        Entry.deleted_at.is_(None),
        Entry.dreamed_at >= start,
        Entry.dreamed_at < end,
    )
    return Counter(nights.night_of(moment, zone) for moment in session().scalars(query))


def neighbours(account: Account, entry: Entry) -> tuple[UUID | None, UUID | None]:
    """The entry dreamed before this one, and the one dreamed after it."""
    mine = select(Entry.id).where(Entry.account_id == account.id, Entry.deleted_at.is_(None)).limit(1)
    place, here = tuple_(Entry.dreamed_at, Entry.id), (entry.dreamed_at, entry.id)
    before = mine.where(place < here).order_by(Entry.dreamed_at.desc(), Entry.id.desc())
    after = mine.where(place > here).order_by(Entry.dreamed_at, Entry.id)
    return session().scalar(before), session().scalar(after)


def _cards() -> Select[tuple[object, ...]]:
    attachments = select(func.count()).select_from(Attachment).where(Attachment.entry_id == Entry.id).scalar_subquery()
    shown = func.coalesce(Entry.text, Entry.cleaned_text, Entry.transcription)
    return select(
        Entry.id,
        Entry.kind,
        Entry.status,
        func.coalesce(Entry.title, Entry.analysis["title"].as_string()).label("title"),
        func.substr(shown, 1, _EXCERPT).label("excerpt"),
        Entry.dreamed_at,
        Entry.deleted_at,
        func.coalesce(Entry.mood, Entry.analysis["mood"].as_string()).label("mood"),
        Entry.recall,
        Entry.private,
        Entry.file_path.is_not(None).label("recorded"),
        Entry.cut_off,
        Entry.duration_seconds,
        attachments.label("attachments"),
        is_sample().label("sample"),
    ).order_by(Entry.dreamed_at.desc(), Entry.id.desc())


def _fetch(query: Select[tuple[object, ...]]) -> list[Card]:
    rows = session().execute(query).mappings().all()
    tags: dict[UUID, list[str]] = {row["id"]: [] for row in rows}
    if rows:
        named = select(entry_tags.c.entry_id, Tag.name).join(Tag).where(entry_tags.c.entry_id.in_(tags))
        for entry_id, name in session().execute(named.order_by(Tag.name)):
            tags[entry_id].append(name)
    return [Card(**{**row, "sample": bool(row["sample"])}, tags=tuple(tags[row["id"]])) for row in rows]
