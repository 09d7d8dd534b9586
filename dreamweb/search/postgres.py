"""Answers queries by the search index on PostgreSQL, and ranks what it finds as FTS5 does."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    REAL,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Uuid,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, TSVECTOR

from dreamweb.db import session
from dreamweb.models.entry import Entry
from dreamweb.search.needles import Needle

documents = table(
    "search_documents",
    column("id"),
    column("entry_id", Uuid()),
    column("account_id", Uuid()),
    column("words", TSVECTOR()),
    column("lemmas", TSVECTOR()),
    column("forms", TSVECTOR()),
    column("length"),
)

_COUNTED = 1000
"""Entries that are counted at most to learn how rare a word is; of a more frequent one, its share of the newest."""

_SAMPLE = 200
_ALL = 3000
"""Entries of a journal that are counted at most; of a larger one, it is estimated how many there are."""

# What a word counts by its label (D, C, B, A): texts not shown, the text, tags and motifs and names, the title.
_WEIGHTS = (0.05, 0.1, 0.3, 0.8)
_LEMMAS = (0.1, 0.1, 0.1, 0.8)
"""All lemmas but those of the title have the last label, and count as a word in a text does; see `_Part.worth`."""

_ALL_TERMS = math.pi**2 / 6
"""The sum of 1/n², by which `ts_rank` divides: of the same word again, it adds a quarter, a ninth, and so on."""


@dataclass(frozen=True)
class _Part:
    """One of the two vectors that are ranked by, and what is looked for in it: `terms` alternatives."""

    vector: str
    query: str
    terms: int
    weights: tuple[float, ...]

    def rank(self) -> ColumnElement[float]:
        """What `ts_rank` gives of it: 1 for one word in the text. Of alternatives, it gives the mean."""
        weights: ColumnElement[Any] = cast(list(self.weights), ARRAY(REAL()))
        rank = func.ts_rank(weights, documents.c[self.vector], cast(self.query, TSQUERY()))
        return self.terms * 10 * _ALL_TERMS * rank

    def often(self, rank: ColumnElement[float]) -> ColumnElement[float]:
        """How often it occurs, a word in the text counting 1: what is missing to the sum says how many came."""
        times = case((rank < 1.6, 1 / (_ALL_TERMS - rank) - 0.55), else_=rank)
        return self.worth * times

    @property
    def worth(self) -> float:
        """A lemma counts half: whoever types a form that is in the text means that."""
        return 0.5 if self.vector == "lemmas" else 1.0


def newest(
    account_id: UUID,
    wanted: Sequence[Sequence[Needle]],
    unwanted: Sequence[Needle],
    conditions: Sequence[ColumnElement[bool]],
    most: int,
    *,
    scored: bool,
) -> Select[Any]:
    """Entries that have, of every group, one of its needles, none of the unwanted, and fulfil the conditions.

    The newest `most` of them: `entry_id`, `dreamed_at`, and how well each fits as `score`, by BM25, as FTS5 does it.
    """
    rarity = _rarity(account_id, [needle for group in wanted for needle in group])
    ids = select(documents.c.id).where(documents.c.account_id == account_id, *_conditions(wanted, unwanted))
    if conditions:
        ids = ids.join(Entry, Entry.id == documents.c.entry_id).where(*conditions)
    # Where most entries fit, they are read from the newest on. Else by the words: PostgreSQL would not know that
    # looking into a vector is slow, and read all. The sum keeps it from reading in the order of the index.
    place = documents.c.id if rarity.expected(wanted) > 2 * most else documents.c.id + 0
    found = ids.order_by(place.desc()).limit(most).subquery()
    parts = [part for needle in rarity.having for part in _parts(needle)] if scored else []
    # A subquery of its own: else each rank would be worked out wherever it is written.
    ranked = (
        select(
            documents.c.entry_id,
            Entry.dreamed_at,
            documents.c.length,
            *(part.rank().label(f"rank_{number}") for number, part in enumerate(parts)),
        )
        .join(found, found.c.id == documents.c.id)
        .join(Entry, Entry.id == documents.c.entry_id)
        .offset(0)
        .subquery()
    )
    score = rarity.score(ranked) if scored else literal(0.0)
    return select(ranked.c.entry_id, ranked.c.dreamed_at, score.label("score"))


def fitting(
    account_id: UUID, wanted: Sequence[Sequence[Needle]], unwanted: Sequence[Needle]
) -> Sequence[ColumnElement[bool]]:
    """What entries fulfil that have, of every group, one of its needles, and none of the unwanted."""
    if not wanted and not unwanted:
        return []
    rows = select(documents.c.entry_id).where(documents.c.account_id == account_id, *_conditions(wanted, unwanted))
    return [Entry.id.in_(rows)]


def has(account_id: UUID, needle: Needle) -> ColumnElement[bool]:
    """Whether an entry has it."""
    return Entry.id.in_(select(documents.c.entry_id).where(documents.c.account_id == account_id, _matches(needle)))


def occurs_in(account_id: UUID, needle: Needle, most: int) -> Select[int]:
    """In how many entries of an account it occurs, counting to `most` only."""
    return _count(account_id, most, _matches(needle))


def _conditions(wanted: Sequence[Sequence[Needle]], unwanted: Sequence[Needle]) -> list[ColumnElement[bool]]:
    # Where only forms are wanted, all of them at once: the index then finds what has them all by itself.
    plain = [group for group in wanted if all(needle.forms and not needle.prefix for needle in group)]
    every = [" | ".join(f"'{form}'" for needle in group for form in needle.forms) for group in plain]
    together = [_has(documents.c.forms, " & ".join(f"({each})" for each in every))] if every else []
    others = [or_(*(_matches(needle) for needle in group)) for group in wanted if group not in plain]
    return [*together, *others, *(~_matches(each) for each in unwanted)]


def _count(account_id: UUID, most: int, condition: ColumnElement[bool]) -> Select[int]:
    # OFFSET keeps the two conditions apart: by the account alone, all vectors would be read.
    rows = select(documents.c.account_id).where(condition).offset(0).subquery()
    counted = select(rows.c.account_id).where(rows.c.account_id == account_id).limit(most).subquery()
    return select(func.count()).select_from(counted)


@dataclass(frozen=True)
class _Rarity:
    """In how many of how many entries each needle occurs, and how long entries are, in words."""

    entries: int
    length: float
    having: Mapping[Needle, float]

    def expected(self, wanted: Sequence[Sequence[Needle]]) -> float:
        """How many entries will be found, if words came independently."""
        share = 1.0
        for group in wanted:
            found = sum(self.having[needle] for needle in group)
            share *= min(1.0, found / max(1, self.entries))
        return share * self.entries

    def score(self, ranked: FromClause) -> ColumnElement[float]:
        """https://en.wikipedia.org/wiki/Okapi_BM25, with k1 = 1.2 and b = 0.75"""
        total: ColumnElement[float] = literal(0.0)
        long = 1.2 * (0.25 + 0.75 * ranked.c.length / self.length)
        ranks = iter(column for column in ranked.c if column.key.startswith("rank_"))
        for needle, having in self.having.items():
            rare = math.log((self.entries - having + 0.5) / (having + 0.5)) if having < self.entries else 0.0
            for part in _parts(needle):
                total = total + max(rare, 1e-6) * 2.2 * (1 - long / (part.often(next(ranks)) + long))
        return total


def _rarity(account_id: UUID, needles: Sequence[Needle]) -> _Rarity:
    needles = list(dict.fromkeys(needles))
    # The planner takes looking into a vector for as cheap as comparing two numbers, and would rather read them all.
    # Until the transaction ends, which does nothing but search.
    session().execute(text("SET LOCAL enable_seqscan = off"))
    mine = select(documents).where(documents.c.account_id == account_id).order_by(documents.c.id.desc())
    sample = mine.limit(_SAMPLE).subquery()
    counted = select(
        select(func.count()).select_from(mine.limit(_ALL).subquery()).scalar_subquery(),
        select(func.avg(sample.c.length)).scalar_subquery(),
        text("(SELECT reltuples FROM pg_class WHERE oid = 'search_documents'::regclass)"),
        *(_count(account_id, _COUNTED, _matches(needle)).scalar_subquery() for needle in needles),
    )
    entries, length, estimated, *counts = session().execute(counted).one()
    entries = entries if entries < _ALL else max(entries, int(estimated))
    having: dict[Needle, float] = dict(zip(needles, counts, strict=True))
    common = [needle for needle, count in having.items() if count >= _COUNTED]
    if common:
        shares = [func.avg(cast(_matches(needle, sample), Integer)) for needle in common]
        for needle, share in zip(common, session().execute(select(*shares)).one(), strict=True):
            having[needle] = max(_COUNTED, float(share or 0) * entries)
    return _Rarity(entries, float(length or 1), having)


def _parts(needle: Needle) -> list[_Part]:
    words = [f"'{form}'" for form in needle.forms]
    parts = [_Part("lemmas", " | ".join(words), len(words), _LEMMAS)] if words else []
    if needle.prefix or not words:
        words.append(_in_a_row(needle))
    return [_Part("words", " | ".join(words), len(words), _WEIGHTS), *parts]


def _matches(needle: Needle, of: FromClause = documents) -> ColumnElement[bool]:
    """The index is asked for words in any vector; those that are meant as they stand are looked for in the first."""
    found = [_has(of.c.forms, " | ".join(f"'{form}'" for form in needle.forms))] if needle.forms else []
    if needle.prefix or not needle.forms:
        together = _in_a_row(needle)
        found.append(and_(_has(of.c.forms, together.replace("<->", "&")), _has(of.c.words, together)))
    return or_(*found)


def _has(vector: ColumnElement[Any], query: str) -> ColumnElement[bool]:
    return vector.bool_op("@@")(cast(query, TSQUERY()))


def _in_a_row(needle: Needle) -> str:
    last = f"'{needle.tokens[-1]}'{':*' if needle.prefix else ''}"
    return " <-> ".join([*(f"'{token}'" for token in needle.tokens[:-1]), last])
