"""Makes, fills and takes away the search index, which the database keeps by itself from then on."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection, Uuid, bindparam, text

from dreamweb.search.index import postgres, sqlite

PREFIX = "search_"
"""What every table, view, trigger and function of the index is called with."""


class Keeper(Protocol):
    """What each kind of database does in its own way; its module says more."""

    ENLIST: str
    REWRITE: str
    FOREIGN: str | None

    def create(self, connection: Connection) -> None: ...

    def seize(self, connection: Connection) -> None: ...

    def drop(self, connection: Connection) -> None: ...

    def fill(self, connection: Connection) -> None: ...

    def is_whole(self, connection: Connection) -> bool: ...

    def is_sound(self, connection: Connection) -> bool: ...


def create(connection: Connection) -> None:
    """Make the index anew, empty."""
    _of(connection).create(connection)


def seize(connection: Connection) -> None:
    """Keep everybody else from writing what is in the index, until the transaction ends.

    Raises `OperationalError` when others do not let us; then it can be tried again.
    """
    _of(connection).seize(connection)


def drop(connection: Connection) -> None:
    """Take the index away, and all that keeps it."""
    _of(connection).drop(connection)


def fill(connection: Connection) -> None:
    """Read every entry into an index that was just made."""
    _of(connection).fill(connection)


def enlist(connection: Connection) -> None:
    """Give every entry its place in an index that was just made; none is read yet, see `rewrite`."""
    connection.execute(text(_of(connection).ENLIST))


def is_whole(connection: Connection) -> bool:
    """Whether all of it is there; what stands in it may be damaged nevertheless."""
    return _of(connection).is_whole(connection)


def is_sound(connection: Connection) -> bool:
    """Whether what stands in it can be read and written; looks into all of it, in a transaction that may write."""
    return _of(connection).is_sound(connection)


def rewrite(connection: Connection, entry_id: UUID) -> None:
    """Read an entry into the index again, or for the first time; one in the trash is not."""
    statement = text(_of(connection).REWRITE).bindparams(bindparam("entry", type_=Uuid()))
    connection.execute(statement, {"entry": entry_id})


def drop_foreign(connection: Connection) -> None:
    """Take out of the index what belongs to no document of it."""
    if statement := _of(connection).FOREIGN:
        connection.execute(text(statement))


def _of(connection: Connection) -> Keeper:
    return sqlite if connection.dialect.name == "sqlite" else postgres
