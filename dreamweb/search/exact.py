"""Compares a vector with that of every entry; for SQLite, and for PostgreSQL without pgvector.

It reads all vectors for each question and keeps none: those of ten years of dreams are read in some milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, String, Table, select, type_coerce

from dreamweb.db import Base, session
from dreamweb.models.embedding import Embedding
from dreamweb.models.entry import Entry

if TYPE_CHECKING:
    import numpy as np

# As tables, and identifiers as they are: to make objects of all of them would take most of the time.
_embeddings: Table = Base.metadata.tables[Embedding.__tablename__]
_entries: Table = Base.metadata.tables[Entry.__tablename__]

_AT_ONCE = 2000
"""Entries whose vectors are in memory at the same time."""


@dataclass(frozen=True)
class Found:
    """An entry, its language, and the cosine of its nearest passage."""

    entry_id: UUID
    language: str
    likeness: float


def nearest(
    account_id: UUID, engine: str, vector: bytes, conditions: Sequence[ColumnElement[bool]], most: int
) -> list[Found]:
    """The nearest entries that fulfil the conditions; also those in the trash, where there is no condition."""
    query = _of_account(account_id, engine, vector)
    if conditions:
        query = query.where(_embeddings.c.entry_id.in_(select(Entry.id).where(*conditions)))
    found: list[tuple[float, str, str]] = []
    for rows, likeness in _compared(query, vector):
        best = likeness.argsort()[::-1][:most]
        found += [(-float(likeness[place]), str(rows[place].entry_id), rows[place].language) for place in best]
    return [Found(UUID(entry_id), language, -apart) for apart, entry_id, language in sorted(found)[:most]]


def newest(account_id: UUID, engine: str, vector: bytes, most: int) -> list[tuple[str, float]]:
    """How near each of the newest entries is, and its language."""
    compared = _compared(of_newest(account_id, engine, vector, most), vector)
    pairs = (pair for rows, likeness in compared for pair in zip(rows, likeness, strict=True))
    return [(row.language, float(cosine)) for row, cosine in pairs]


def of_newest(account_id: UUID, engine: str, vector: bytes, most: int) -> Select[Any]:
    """Identifier, language and vectors of the newest entries outside the trash that can be compared with this one."""
    joined = _of_account(account_id, engine, vector).join(_entries, _entries.c.id == _embeddings.c.entry_id)
    kept = joined.where(_entries.c.account_id == account_id, _entries.c.deleted_at.is_(None))
    return kept.order_by(_entries.c.dreamed_at.desc(), _entries.c.id.desc()).limit(most)


def _of_account(account_id: UUID, engine: str, vector: bytes) -> Select[Any]:
    columns = (type_coerce(_embeddings.c.entry_id, String()), _embeddings.c.language, _embeddings.c.vectors)
    return select(*columns).where(
        _embeddings.c.account_id == account_id,
        _embeddings.c.engine == engine,
        _embeddings.c.dimensions == len(vector),
    )


def _compared(query: Select[Any], vector: bytes) -> Iterator[tuple[Sequence[Row[Any]], np.ndarray]]:
    """Some entries at a time, and the cosine of the nearest passage of each."""
    import numpy as np  # noqa: PLC0415 -- 16 MB that only who has an embedding engine needs

    wanted = np.frombuffer(vector, np.int8).astype(np.float32)
    wanted /= np.linalg.norm(wanted) or 1.0
    for rows in session().execute(query.execution_options(yield_per=_AT_ONCE)).partitions():
        passages = np.frombuffer(b"".join([row.vectors for row in rows]), np.int8).reshape(-1, len(vector))
        passages = passages.astype(np.float32)
        cosines = passages @ wanted / np.maximum(np.sqrt(np.einsum("ij,ij->i", passages, passages)), 1e-9)
        counts = np.array([len(row.vectors) // len(vector) for row in rows])
        yield rows, np.maximum.reduceat(cosines, np.concatenate(([0], counts.cumsum()[:-1])))
