"""Measures searches in a small and a large journal beside the bare SQL of each database, and what the index costs."""

from __future__ import annotations

import random
import time
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import insert, text

from bench import journal
from bench.databases import Databases
from bench.report import Figure, at_most, megabytes, plain, seconds
from dreamweb import accounts, db, entries, reindexing
from dreamweb.db import Base, session, transaction
from dreamweb.details import Details, Filters
from dreamweb.models import Account, Entry
from dreamweb.search import conditions, finding, index, query, results

SMALL, LARGE = 1_000, 100_000

_ZONE = ZoneInfo("Europe/Ljubljana")
_WORDS = 40_000
_BATCH = 2000
_SAVES = 200


def measure(folder: Path, databases: Databases, *, quick: bool) -> list[Figure]:
    """Each search in both journals in turn, and after each the bare SQL, so that a noisy machine disturbs all alike."""
    large = LARGE // 10 if quick else LARGE
    figures: list[Figure] = []
    for kind in databases.kinds:
        apps = []
        for size in (SMALL, large):
            home = folder / f"searching-{kind}-{size}"
            home.mkdir()
            app = journal.application(home, databases.make(kind, f"searching_{size}"), "dw_" + "b" * 32)
            figures += _fill(app, kind, size)
            apps.append(app)
        for name, typed in _queries().items():
            figures += _compare(kind, name, typed, apps, rounds=10 if quick else 30)
        figures += _costs(apps[-1], kind)
        for app in apps:
            with app.app_context():
                db.db.engine.dispose()
    return figures


@dataclass(frozen=True)
class _Language:
    """Invented words, as often as words are: the n-th is said a n-th as often as the first."""

    words: Sequence[str]
    sums: Sequence[float]

    def text(self, rng: random.Random, length: int) -> str:
        picked = [self.words[bisect(self.sums, rng.random() * self.sums[-1])] for _ in range(max(3, length // 6))]
        return " ".join(picked)


def _language() -> _Language:
    rng = random.Random(6)
    syllables = [a + b + c for a in "bdgjklmnprstvzčšž" for b in "aeiou" for c in ("", "", "r", "n", "l", "j", "m")]
    words = list(dict.fromkeys("".join(rng.choices(syllables, k=rng.choice((1, 2, 2, 3)))) for _ in range(2 * _WORDS)))
    words = words[:_WORDS]
    return _Language(words, list(accumulate(1 / number for number in range(1, len(words) + 1))))


_LANGUAGE = _language()


def _queries() -> dict[str, str]:
    words = _LANGUAGE.words
    return {
        "two words": f"{words[300]} {words[900]}",
        "a rare word": words[20_000],
        "a word of every entry": words[0],
        "three common words": " ".join(words[1:4]),
        "ten words": " ".join(words[10:20]),
        "a phrase": f'"{words[0]} {words[1]}"',
        "a beginning of two letters": f"{words[5][:2]}*",
        "two letters, while typing": words[5][:2],
    }


def _fill(app: Flask, kind: str, size: int) -> list[Figure]:
    rng = random.Random(size)
    with app.app_context():
        owner = accounts.every()[0]
        with db.db.engine.begin() as connection:
            index.drop(connection)
        for start in range(0, size, _BATCH):
            rows = [entry(rng, owner.id, number) for number in range(start, min(start + _BATCH, size))]
            with transaction() as current:
                current.execute(insert(Base.metadata.tables[Entry.__tablename__]), rows)
        with transaction() as current:
            current.execute(text("ANALYZE"))
        started = time.perf_counter()
        with db.db.engine.begin() as connection:
            index.create(connection)
            index.fill(connection)
        taken = time.perf_counter() - started
        with transaction() as current:
            current.execute(text("ANALYZE"))
        letters = session().scalar(text("SELECT sum(length(text)) FROM dream_entries")) or 1
        weight = _weight()
        db.end_reading()
        if size == SMALL:
            return []
        begun = time.perf_counter()
        reindexing.begin()
        read = sum(reindexing.reindex())
        while_used = time.perf_counter() - begun
    return [
        plain(f"{kind}, {size:,} entries indexed anew", f"{seconds(taken)}, {size / taken:,.0f} a second"),
        plain(
            "  the same by `dreamweb reindex`, which lets others in",
            f"{seconds(while_used)}, {read / while_used:,.0f} a second",
        ),
        plain("  the index", f"{megabytes(weight)}, {weight / letters:.1f} times the texts"),
    ]


def _weight() -> int:
    """Bytes of the index and of what keeps it."""
    if session().get_bind().dialect.name == "sqlite":
        # FTS5 keeps the texts once more beside its lists of words.
        columns = " + ".join(f"coalesce(sum(length(c{number})), 0)" for number in range(8))
        sizes = ("SELECT sum(length(block)) FROM search_index_data", f"SELECT {columns} FROM search_index_content")
        return sum(session().scalar(text(each)) or 0 for each in sizes)
    return session().scalar(text("SELECT pg_total_relation_size('search_documents')")) or 0


def entry(rng: random.Random, account_id: UUID, number: int) -> dict[str, Any]:
    """The row of an entry of everyday length."""
    moment = journal.NEWEST - number * journal.APART
    dream = _LANGUAGE.text(rng, int(rng.lognormvariate(6.6, 0.6)))
    return {
        "id": UUID(int=rng.getrandbits(128), version=4),
        "account_id": account_id,
        "status": "ready",
        "title": _LANGUAGE.text(rng, 30),
        "text": dream,
        "lemmas": f" {dream} ",
        "language": "sl",
        "dreamed_at": moment,
        "metadata": {},
        "uploaded_at": moment,
        "created_at": moment,
        "updated_at": moment,
    }


def _compare(kind: str, name: str, typed: str, apps: Sequence[Flask], rounds: int) -> list[Figure]:
    typing = name.endswith("typing")
    small: list[float] = []
    large: list[float] = []
    bare: list[float] = []
    shown: list[float] = []
    found = finding.Found((), 0, False, None)
    for number in range(rounds + 2):
        for times, app in zip((small, large), apps, strict=True):
            with app.app_context():
                account = accounts.every()[0]
                taken, (sought, found) = timed(partial(_search, account, typed, typing=typing))
                bare_taken, _ = timed(partial(_bare, typed, typing=typing))
                shown_taken, _ = timed(partial(results.results, sought, found.hits))
            if number > 1:  # the first ones warm up
                times.append(taken)
        if number > 1:
            bare.append(bare_taken)
            shown.append(shown_taken)
    p95 = quantiles(large, n=20)[-1]
    return [
        plain(f"{kind}, {name}", f"{seconds(median(large))}, p95 {seconds(p95)}; {found.total:,} found"),
        at_most(f"  against the bare SQL ({seconds(median(bare))})", median(large) / median(bare), 1.5),
        plain(f"  against {SMALL:,} entries ({seconds(median(small))})", f"{median(large) / median(small):.1f}"),
        plain("  its twenty results, with their words marked", seconds(median(shown))),
    ]


def timed(task: Callable[[], Any]) -> tuple[float, Any]:
    """How many seconds it takes, in a transaction of its own, and what comes of it."""
    db.end_reading()
    started = time.perf_counter()
    found = task()
    return time.perf_counter() - started, found


def _search(account: Account, typed: str, *, typing: bool) -> tuple[conditions.Sought, finding.Found]:
    sought = conditions.seek(account, query.parse(typed), Filters(), _ZONE, typing=typing)
    return sought, finding.find(sought)


def _bare(typed: str, *, typing: bool) -> None:
    """What one would write by hand for the same words, without lemmas, accounts and trash."""
    words = typed.strip('"*').split()
    if session().get_bind().dialect.name == "sqlite":
        match = " ".join(f'"{word}"' for word in words)
        match = f'"{" ".join(words)}"' if '"' in typed else match
        match += "*" if typing or "*" in typed else ""
        found = "SELECT entry_id FROM search_index JOIN search_documents ON id = search_index.rowid"
        found += " WHERE search_index MATCH :q ORDER BY rank LIMIT 20"
    else:
        folded = [word.translate(str.maketrans("čšž", "csz")) for word in words]
        match = (" <-> " if '"' in typed else " & ").join(f"'{word}'" for word in folded)
        match += ":*" if typing or "*" in typed else ""
        found = "SELECT entry_id FROM search_documents WHERE forms @@ CAST(:q AS tsquery)"
        found += " AND words @@ CAST(:q AS tsquery)" if '"' in typed else ""
        found += " ORDER BY ts_rank(words, CAST(:q AS tsquery)) DESC LIMIT 20"
    session().execute(text(found), {"q": match}).all()


def _costs(app: Flask, kind: str) -> list[Figure]:
    """What the index adds to saving an entry: the same saves with it, and after it was taken away."""
    rng = random.Random(2)

    def save() -> None:
        details = Details(title=_LANGUAGE.text(rng, 30), text=_LANGUAGE.text(rng, 1000), tags=["sea", "house"])
        with transaction():
            entries.create(accounts.every()[0], details)

    with app.app_context():
        with_index = [timed(save)[0] for _ in range(_SAVES)]
        with db.db.engine.begin() as connection:
            index.drop(connection)
        without = [timed(save)[0] for _ in range(_SAVES)]
    added = (median(with_index) - median(without)) * 1000
    return [at_most(f"{kind}, ms that the index adds to saving an entry", added, 5, "{:.1f}")]
