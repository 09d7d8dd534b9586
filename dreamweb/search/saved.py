"""Keeps searches that somebody does again and again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from dreamweb.db import session
from dreamweb.errors import Invalid, NotFound
from dreamweb.models.account import Account
from dreamweb.models.search import SavedSearch
from dreamweb.search.query import parse
from dreamweb.words import say

MOST = 50
"""Searches that an account can keep."""

_LONGEST = 500


def every(account: Account) -> Sequence[SavedSearch]:
    """The latest first."""
    query = select(SavedSearch).where(SavedSearch.account_id == account.id)
    return session().scalars(query.order_by(SavedSearch.created_at.desc(), SavedSearch.id)).all()


def save(account: Account, typed: str) -> None:
    """Keep a search, as it was typed; saving it again changes nothing. Raises `Invalid`."""
    typed = " ".join(typed.split())
    if not parse(typed).clauses:
        raise Invalid(say("There is nothing to search for in this."), {"q": say("words to search for")})
    if len(typed) > _LONGEST:
        raise Invalid(say("A search of more than %(most)s characters cannot be kept. Shorten it.", most=_LONGEST))
    kept = session().scalars(select(SavedSearch.query).where(SavedSearch.account_id == account.id)).all()
    if typed in kept:
        return
    if len(kept) >= MOST:
        raise Invalid(say("You have kept %(most)s searches. Remove one first.", most=MOST))
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    row = {"id": uuid4(), "account_id": account.id, "query": typed}
    session().execute(dialect.insert(SavedSearch).values(row).on_conflict_do_nothing())


def remove(account: Account, search_id: UUID) -> None:
    """Raises `NotFound` when there is none, or it belongs to someone else."""
    search = session().scalar(
        select(SavedSearch).where(SavedSearch.id == search_id, SavedSearch.account_id == account.id)
    )
    if search is None:
        raise NotFound(say("There is no such saved search."))
    session().delete(search)
