"""Finds the entries whose meaning is nearest to a vector: by pgvector where that is, else by comparing with each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select

from dreamweb import vectors
from dreamweb.db import session
from dreamweb.models.embedding import Embedding
from dreamweb.models.entry import Entry
from dreamweb.search import exact, pgvector
from dreamweb.search.spreads import Spreads

UNUSUAL = 2.7
"""Deviations: what is nearer than that is meant. With less, a search for what is in no dream finds some."""

_NEWEST = 300
"""Entries by which it is told how near entries usually are."""

_COMPARED = 100
"""Nearest entries that are looked at; some of them may be in the trash."""


@dataclass(frozen=True)
class Near:
    """An entry that is near, and by how many deviations it is nearer than entries usually are."""

    entry_id: UUID
    dreamed_at: datetime
    unusual: float


def prepare(engine: str, dimensions: int) -> None:
    """Make ready for vectors of this engine. Commits by itself."""
    if _is_postgresql():
        pgvector.prepare(engine, dimensions)


def tidy() -> None:
    """Forget what was said of entries by what was forgotten itself. Commits by itself."""
    if _is_postgresql():
        pgvector.tidy()


def keep(embedding: Embedding) -> None:
    """Take over what was made of an entry, in the same transaction."""
    if _is_postgresql() and pgvector.is_there(embedding.engine, embedding.dimensions):
        pgvector.keep(embedding)


def nearest(account_id: UUID, engine: str, vector: bytes, conditions: Sequence[ColumnElement[bool]] = ()) -> list[Near]:
    """Of the entries outside the trash that fulfil the conditions, those that are nearest, the nearest first.

    Only vectors of the same engine are compared. How near is unusual is learned from the newest entries: what a cosine
    says differs from model to model, and from language to language. In a journal of a few entries nothing is.
    """
    way = pgvector if _is_postgresql() and pgvector.is_there(engine, len(vector)) else exact
    spreads = Spreads(way.newest(account_id, engine, vector, _NEWEST))
    mine = (Entry.account_id == account_id, *conditions) if conditions else ()
    found = way.nearest(account_id, engine, vector, mine, _COMPARED)
    ranked = {each.entry_id: spreads.unusual(each.likeness, each.language) for each in found}
    # Whatever else is kept of them: what an entry meant is known by its embedding, and by nothing else.
    known = select(Entry.id, Entry.dreamed_at).join(Embedding, Embedding.entry_id == Entry.id)
    known = known.where(Embedding.engine == engine, Embedding.dimensions == len(vector))
    rows = session().execute(
        known.where(Entry.id.in_(ranked), Entry.account_id == account_id, Entry.deleted_at.is_(None))
    )
    near = [Near(entry_id, moment, ranked[entry_id]) for entry_id, moment in rows]
    return sorted(near, key=lambda each: (each.unusual, each.dreamed_at, each.entry_id), reverse=True)


def passage(embedding: Embedding, vector: bytes) -> tuple[int, int]:
    """Where in its text an entry is nearest."""
    size = embedding.dimensions
    each = [embedding.vectors[start : start + size] for start in range(0, len(embedding.vectors), size)]
    likeness = [vectors.cosine(one, vector) for one in each]
    start, end = embedding.places[likeness.index(max(likeness))]
    return start, end


def _is_postgresql() -> bool:
    return session().get_bind().dialect.name == "postgresql"
