"""Measures how long it takes to find what is nearest in meaning, in a small and in a large journal."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import insert, text

from bench import journal, searching
from bench.databases import Databases
from bench.report import Figure, megabytes, plain, seconds
from dreamweb import accounts, db, vectors
from dreamweb.db import Base, session, transaction
from dreamweb.models import Entry
from dreamweb.models.embedding import Embedding
from dreamweb.search import exact, index, near, pgvector

SMALL, LARGE = 5_000, 100_000

_DIMENSIONS = 384
_THEMES = 200
_BATCH = 2000
_ENGINE = "bench"
_MOST = 20


def measure(folder: Path, databases: Databases, *, quick: bool) -> list[Figure]:
    """Vectors of invented themes: those of one theme are alike, as those of dreams are."""
    figures: list[Figure] = []
    for kind in databases.kinds:
        for size in (SMALL, LARGE // 10 if quick else LARGE):
            home = folder / f"comparing-{kind}-{size}"
            home.mkdir()
            app = journal.application(home, databases.make(kind, f"comparing_{size}"), "dw_" + "b" * 32)
            rng = np.random.default_rng(size)
            themes = rng.normal(size=(_THEMES, _DIMENSIONS))
            with app.app_context():
                _fill(size, rng, themes)
                asked = [_vector(rng, themes) for _ in range(10 if quick else 30)]
                figures += _compare(f"{kind}, {size:,} entries", asked)
                db.db.engine.dispose()
    return figures


def _vector(rng: np.random.Generator, themes: Any) -> bytes:
    return vectors.pack(list(themes[rng.integers(_THEMES)] + 0.8 * rng.normal(size=_DIMENSIONS)))


def _fill(size: int, rng: np.random.Generator, themes: Any) -> None:
    owner = accounts.every()[0].id
    random_entries = random.Random(size)
    with db.db.engine.begin() as connection:
        index.drop(connection)  # no word is looked for
    for start in range(0, size, _BATCH):
        rows = [searching.entry(random_entries, owner, number) for number in range(start, min(start + _BATCH, size))]
        made = [
            {
                "entry_id": row["id"],
                "account_id": owner,
                "engine": _ENGINE,
                "dimensions": _DIMENSIONS,
                "language": "sl",
                "digest": "",
                "places": [[0, 100]],
                "vectors": _vector(rng, themes),
            }
            for row in rows
        ]
        with transaction() as current:
            current.execute(insert(Base.metadata.tables[Entry.__tablename__]), rows)
            current.execute(insert(Base.metadata.tables[Embedding.__tablename__]), made)
    with transaction() as current:
        current.execute(text("ANALYZE"))


def _compare(name: str, asked: list[bytes]) -> list[Figure]:
    account = accounts.every()[0].id
    every = [_timed(account, vector) for vector in asked]
    figures = [plain(f"{name}, compared with each", _spread([taken for taken, _ in every]))]
    if session().get_bind().dialect.name == "postgresql":
        db.end_reading()
        made, _ = searching.timed(partial(near.prepare, _ENGINE, _DIMENSIONS))
        if pgvector.is_there(_ENGINE, _DIMENSIONS):
            indexed = [_timed(account, vector) for vector in asked]
            agree = mean(
                len(set(one) & set(other)) / _MOST for (_, one), (_, other) in zip(every, indexed, strict=True)
            )
            weight = session().scalar(text("SELECT pg_total_relation_size('search_near')")) or 0
            figures += [
                plain("  by the index of pgvector", _spread([taken for taken, _ in indexed])),
                plain(f"  of the nearest {_MOST}, it finds", f"{agree:.1%}"),
                plain("  it was made in, and takes", f"{seconds(made)}, {megabytes(weight)}"),
            ]
    return figures


def _timed(account: UUID, vector: bytes) -> tuple[float, list[UUID]]:
    way = pgvector if _is_indexed() else exact
    taken, _ = searching.timed(partial(near.nearest, account, _ENGINE, vector))
    return taken, [found.entry_id for found in way.nearest(account, _ENGINE, vector, (), _MOST)]


def _is_indexed() -> bool:
    return session().get_bind().dialect.name == "postgresql" and pgvector.is_there(_ENGINE, _DIMENSIONS)


def _spread(taken: list[float]) -> str:
    return f"{seconds(median(taken))}, p95 {seconds(quantiles(taken, n=20)[-1])}"
