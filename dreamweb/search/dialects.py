"""Chooses how queries are answered: each kind of database does it in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Select

from dreamweb.db import session
from dreamweb.search import postgres, sqlite
from dreamweb.search.needles import Needle


class Dialect(Protocol):
    """What `search.sqlite` and `search.postgres` both have; they say more."""

    def newest(
        self,
        account_id: UUID,
        wanted: Sequence[Sequence[Needle]],
        unwanted: Sequence[Needle],
        conditions: Sequence[ColumnElement[bool]],
        most: int,
        *,
        scored: bool,
    ) -> Select[Any]: ...

    def fitting(
        self, account_id: UUID, wanted: Sequence[Sequence[Needle]], unwanted: Sequence[Needle]
    ) -> Sequence[ColumnElement[bool]]: ...

    def has(self, account_id: UUID, needle: Needle) -> ColumnElement[bool]: ...

    def occurs_in(self, account_id: UUID, needle: Needle, most: int) -> Select[int]: ...


def current() -> Dialect:
    """That of the database of the session."""
    return sqlite if session().get_bind().dialect.name == "sqlite" else postgres
