"""Counts what is in the entries found: tags, motifs, moods and years, by which a search can be narrowed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from dreamweb import nights
from dreamweb.db import session
from dreamweb.models.entry import Entry, Tag, entry_tags
from dreamweb.models.motif import EntryMotif, Motif
from dreamweb.search.conditions import Sought, found_mood
from dreamweb.search.finding import MOST, newest

_SHOWN = 12


@dataclass(frozen=True)
class Count:
    """A value, and how many of the entries found have it."""

    name: str
    entries: int


@dataclass(frozen=True)
class Facets:
    """Of each kind the most frequent values first; the years in their order, the latest first."""

    tags: Sequence[Count]
    motifs: Sequence[Count]
    moods: Sequence[Count]
    years: Sequence[Count]


def facets(sought: Sought, zone: ZoneInfo, near: Sequence[UUID] = ()) -> Facets:
    """Of more than `MOST` entries, only the newest count. Those that are listed because they are `near` count, too."""
    having = newest(sought, scored=False).limit(MOST).subquery()
    words = select(having.c.entry_id, having.c.dreamed_at)
    beside = select(Entry.id, Entry.dreamed_at).where(Entry.id.in_(near))
    found = (words.union(beside) if near else words).subquery()
    number = func.count().label("number")
    tags = (
        select(Tag.name, number)
        .join(entry_tags, entry_tags.c.tag_id == Tag.id)
        .join(found, found.c.entry_id == entry_tags.c.entry_id)
        .group_by(Tag.name)
        .order_by(number.desc(), Tag.name)
    )
    motifs = (
        select(Motif.name, number)
        .join(EntryMotif, EntryMotif.motif_id == Motif.id)
        .join(found, found.c.entry_id == EntryMotif.entry_id)
        .where(Motif.hidden.is_(False))
        .group_by(Motif.id, Motif.name)
        .order_by(number.desc(), Motif.name)
    )
    rows = session().execute(
        select(found.c.dreamed_at, found_mood()).join_from(found, Entry, Entry.id == found.c.entry_id)
    )
    moods: Counter[str] = Counter()
    years: Counter[int] = Counter()
    for moment, mood in rows:
        years[nights.night_of(moment, zone).year] += 1
        if mood:
            moods[mood] += 1
    return Facets(
        tags=[Count(*row) for row in session().execute(tags.limit(_SHOWN))],
        motifs=[Count(*row) for row in session().execute(motifs.limit(_SHOWN))],
        moods=[Count(*each) for each in sorted(moods.items(), key=lambda each: (-each[1], each[0]))[:_SHOWN]],
        years=[Count(str(year), number) for year, number in sorted(years.items(), reverse=True)[:_SHOWN]],
    )
