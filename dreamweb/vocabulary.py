"""Remembers which words occur in the entries of each account, so that a mistyped one can be told from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from dreamweb.db import session
from dreamweb.models.search import LONGEST_WORD, JournalWord

_SHORTEST = 3
_AT_ONCE = 1000


def kept(words: Iterable[str]) -> set[str]:
    """As they are remembered; words without a letter, and very short and long ones, are nothing that anybody types."""
    stems = (word.lower().replace("’", "'").partition("'")[0] for word in words)
    return {word for word in stems if _SHORTEST <= len(word) <= LONGEST_WORD and word.isalpha()}


def add(account_id: UUID, words: Iterable[str]) -> None:
    """Remember words; in order, so that two who add the same ones do not wait for each other."""
    new = sorted(kept(words))
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    for start in range(0, len(new), _AT_ONCE):
        rows = [{"account_id": account_id, "word": word} for word in new[start : start + _AT_ONCE]]
        session().execute(dialect.insert(JournalWord).values(rows).on_conflict_do_nothing())


def of_length(account_id: UUID, shortest: int, longest: int) -> Sequence[str]:
    """All words of an account that have so many letters. Some may occur in no entry any more."""
    length = func.length(JournalWord.word)
    query = select(JournalWord.word).where(JournalWord.account_id == account_id, length.between(shortest, longest))
    return session().scalars(query).all()


def every(account_id: UUID) -> Sequence[str]:
    """All words of an account, in order."""
    query = select(JournalWord.word).where(JournalWord.account_id == account_id)
    return session().scalars(query.order_by(JournalWord.word)).all()


def forget(account_id: UUID, words: Sequence[str]) -> None:
    """Remember these words no longer; at most a few hundred at once."""
    session().execute(delete(JournalWord).where(JournalWord.account_id == account_id, JournalWord.word.in_(words)))
