"""Answers queries by the search index on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    Select,
    Uuid,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
)

from dreamweb.models.entry import Entry
from dreamweb.search.index.sqlite import COLUMNS
from dreamweb.search.needles import Needle

# What a word in a column counts, beside a word in the text; as in `search.postgres`.
_WEIGHTS = {
    "title": 8.0,
    "shown": 1.0,
    "heard": 0.5,
    "tags": 3.0,
    "motifs": 3.0,
    "files": 3.0,
    "title_lemmas": 4.0,
    "lemmas": 0.5,
}
_PLAIN = "{title shown heard tags motifs files}"

documents = table("search_documents", column("id"), column("entry_id", Uuid()), column("account_id", Uuid()))
_index = table("search_index", column("rowid"), column("search_index"))


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

    The newest `most` of them: `entry_id`, `dreamed_at`, and how well each fits as `score`, by BM25.
    https://www.sqlite.org/fts5.html#the_bm25_function
    """
    score: ColumnElement[float] = literal(0.0)
    if wanted:
        # By this number, not by the same one of the documents: FTS5 reads in its order, and stops after the newest.
        query = _matching(_all(wanted, unwanted)).order_by(_index.c.rowid.desc())
        if scored:
            weights = ", ".join(str(_WEIGHTS[name]) for name in COLUMNS)
            score = literal_column(f"-bm25(search_index, {weights})", Float())
    else:
        query = select(documents).where(*fitting(account_id, wanted, unwanted)).order_by(documents.c.id.desc())
    query = query.join(Entry, Entry.id == documents.c.entry_id)
    columns = (documents.c.entry_id, Entry.dreamed_at, score.label("score"))
    return query.with_only_columns(*columns).where(documents.c.account_id == account_id, *conditions).limit(most)


def fitting(
    account_id: UUID, wanted: Sequence[Sequence[Needle]], unwanted: Sequence[Needle]
) -> Sequence[ColumnElement[bool]]:
    """What entries fulfil that have, of every group, one of its needles, and none of the unwanted."""
    if wanted:
        return [_are_in(account_id, _all(wanted, unwanted))]
    return [~_are_in(account_id, _match(each)) for each in unwanted]


def has(account_id: UUID, needle: Needle) -> ColumnElement[bool]:
    """Whether an entry has it."""
    return _are_in(account_id, _match(needle))


def occurs_in(account_id: UUID, needle: Needle, most: int) -> Select[int]:
    """In how many entries of an account it occurs, counting to `most` only."""
    rows = _matching(_match(needle)).where(documents.c.account_id == account_id).limit(most)
    return select(func.count()).select_from(rows.subquery())


def _are_in(account_id: UUID, match: str) -> ColumnElement[bool]:
    return Entry.id.in_(_matching(match).where(documents.c.account_id == account_id))


def _matching(match: str) -> Select[Any]:
    joined = _index.join(documents, documents.c.id == _index.c.rowid)
    return select(documents.c.entry_id).select_from(joined).where(_index.c.search_index.bool_op("MATCH")(match))


def _all(wanted: Sequence[Sequence[Needle]], unwanted: Sequence[Needle]) -> str:
    match = " AND ".join(f"({' OR '.join(map(_match, group))})" for group in wanted)
    return f"({match}) NOT ({' OR '.join(map(_match, unwanted))})" if unwanted else match


def _match(needle: Needle) -> str:
    """Tokens and forms are letters and digits only; in quotation marks, none is taken for an operator."""
    forms = [f'"{form}"' for form in needle.forms]
    if needle.prefix or not forms:
        forms.append(f'{_PLAIN} : "{" ".join(needle.tokens)}"{" *" if needle.prefix else ""}')
    return f"({' OR '.join(forms)})"
