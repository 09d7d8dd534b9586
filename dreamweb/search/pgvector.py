"""Finds what is nearest to a vector by an HNSW index, on a PostgreSQL that has the extension pgvector.

Its table is as disposable as the rest of the search index: it is made of the table of embeddings, whenever it is not
there or is of another engine. https://github.com/pgvector/pgvector
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    String,
    TableClause,
    Uuid,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.exc import DatabaseError
from sqlalchemy.types import UserDefinedType

from dreamweb import db, log, vectors
from dreamweb.db import session, transaction
from dreamweb.models.embedding import Embedding
from dreamweb.models.entry import Entry
from dreamweb.search.exact import Found, of_newest

_MOST_DIMENSIONS = 4000
"""What an index of half-precision vectors can have; they keep the whole numbers that ours are."""

_VERSION = (0, 8)
"""Older ones stop looking where the nearest are somebody else's."""

_AT_ONCE = 200
"""Entries that are read and written together when the table is made."""

_PASSAGES = 3
"""So many times as many passages are looked at as entries are wanted: an entry may be near with several."""

logger = log.Logger(__name__)


class _HalfVector(UserDefinedType[str]):
    """Numbers of half precision, written like `[1,-2,3]`."""

    cache_ok = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **_: Any) -> str:
        return f"halfvec({self.dimensions})" if self.dimensions else "halfvec"


_tried: set[tuple[str, str, int]] = set()
"""For which database, engine and dimensions this process has tried to make the table."""

_near = table(
    "search_near",
    column("entry_id", Uuid()),
    column("account_id", Uuid()),
    column("language", String()),
    column("near", _HalfVector()),
)


def is_there(engine: str, dimensions: int) -> bool:
    """Whether the table is there, and of this engine."""
    described = select(func.obj_description(func.to_regclass("search_near"), "pg_class"))
    return session().scalar(described) == _description(engine, dimensions)


def prepare(engine: str, dimensions: int) -> None:
    """Make the table for this engine, of all that is known, if it is not there and pgvector is. Commits by itself.

    It is made beside the one that is there, which is read until then. In each process, it is tried once.
    """
    wanted = (str(session().connection().engine.url), engine, dimensions)
    if wanted in _tried or dimensions > _MOST_DIMENSIONS or is_there(engine, dimensions):
        return
    try:
        if _has_extension():
            _make(engine, dimensions)
    except DatabaseError as error:
        if db.is_away(error):
            raise
        # Without it, everything is found all the same.
        logger.warning("pgvector is there, and cannot be used", error=type(error).__name__)
    _tried.add(wanted)


def _make(engine: str, dimensions: int) -> None:
    told = _description(engine, dimensions).replace("'", "''").replace(":", r"\:")
    with transaction():
        for statement in (
            "SET LOCAL statement_timeout = 0",
            # An index that does not fit into this is made on the disk, in three times the time. In parallel, it would
            # have to fit into the shared memory, of which a container has 64 MB.
            "SET LOCAL maintenance_work_mem = '256MB'",
            "SET LOCAL max_parallel_maintenance_workers = 0",
            "DROP TABLE IF EXISTS search_near_new",
            f"""CREATE TABLE search_near_new (
                entry_id uuid NOT NULL,
                account_id uuid NOT NULL,
                language text NOT NULL,
                near halfvec({dimensions}) NOT NULL
            )""",
            f"COMMENT ON TABLE search_near_new IS '{told}'",
        ):
            session().execute(text(statement))
        _fill(engine, dimensions)
        for statement in (
            "CREATE INDEX ON search_near_new (entry_id)",
            "CREATE INDEX ON search_near_new USING hnsw (near halfvec_cosine_ops)",
            "ANALYZE search_near_new",
            "DROP TABLE IF EXISTS search_near",
            "ALTER TABLE search_near_new RENAME TO search_near",
        ):
            session().execute(text(statement))


def tidy() -> None:
    """Take out what belongs to no embedding any more."""
    if session().scalar(select(func.to_regclass("search_near"))):
        known = exists().where(Embedding.entry_id == _near.c.entry_id)
        with transaction():
            session().execute(delete(_near).where(~known))


def keep(embedding: Embedding) -> None:
    """Take over what was made of an entry, in the same transaction."""
    session().execute(delete(_near).where(_near.c.entry_id == embedding.entry_id))
    _add(_near, [embedding])


def nearest(
    account_id: UUID, _engine: str, vector: bytes, conditions: Sequence[ColumnElement[bool]], most: int
) -> list[Found]:
    """As `exact.nearest`, but without conditions by the index, which may miss one of a hundred."""
    distance = _near.c.near.op("<=>", return_type=Float())(_written(vector)).label("distance")
    query = select(_near.c.entry_id, _near.c.language, distance).where(_near.c.account_id == account_id)
    if conditions:
        fitting = query.where(_near.c.entry_id.in_(select(Entry.id).where(*conditions))).offset(0).subquery()
        query = select(fitting).order_by(fitting.c.distance)
    else:
        session().execute(text("SET LOCAL hnsw.ef_search = 300"))
        session().execute(text("SET LOCAL hnsw.iterative_scan = strict_order"))
        query = query.order_by(distance)
    found: dict[UUID, Found] = {}
    for entry_id, language, apart in session().execute(query.limit(_PASSAGES * most)):
        found.setdefault(entry_id, Found(entry_id, language, 1 - apart))
    return list(found.values())[:most]


def newest(account_id: UUID, engine: str, vector: bytes, most: int) -> list[tuple[str, float]]:
    """As `exact.newest`."""
    ids = of_newest(account_id, engine, vector, most).with_only_columns(Embedding.entry_id)
    distance = _near.c.near.op("<=>", return_type=Float())(_written(vector))
    nearest = select(_near.c.language, 1 - func.min(distance)).where(_near.c.entry_id.in_(ids))
    rows = session().execute(nearest.group_by(_near.c.entry_id, _near.c.language))
    return [(language, cosine) for language, cosine in rows]


def _has_extension() -> bool:
    """Whether pgvector is there and new enough; it is made ready where that is allowed."""
    installed = text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    version = session().scalar(installed)
    if version is None and session().scalar(text("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")):
        with transaction():
            session().execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        version = session().scalar(installed)
    return version is not None and tuple(map(int, version.split(".")[:2])) >= _VERSION


def _fill(engine: str, dimensions: int) -> None:
    query = select(Embedding).where(Embedding.engine == engine, Embedding.dimensions == dimensions)
    for rows in session().scalars(query.execution_options(yield_per=_AT_ONCE)).partitions():
        _add(table("search_near_new", *(column(each.name, each.type) for each in _near.c)), rows)


def _add(into: TableClause, embeddings: Iterable[Embedding]) -> None:
    rows = [
        {
            "entry_id": each.entry_id,
            "account_id": each.account_id,
            "language": each.language,
            "near": _text(each.vectors[start : start + each.dimensions]),
        }
        for each in embeddings
        for start in range(0, len(each.vectors), max(1, each.dimensions))
    ]
    if rows:
        session().execute(insert(into), rows)


def _description(engine: str, dimensions: int) -> str:
    return f"{dimensions} of {engine}"


def _written(vector: bytes) -> ColumnElement[str]:
    return cast(literal(_text(vector), String()), _HalfVector(len(vector)))


def _text(vector: bytes) -> str:
    return str(vectors.numbers(vector)).replace(" ", "")
