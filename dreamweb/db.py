"""Gives the session, the rules every table follows, and `transaction()`: the one place that commits."""

from __future__ import annotations

import fcntl
import os
import select
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    URL,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    TypeDecorator,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session

from dreamweb import log

LOCK_WAIT = 5
"""Seconds a statement waits for another writer before it is answered that the database is busy."""

JSONColumn = JSON().with_variant(JSONB(), "postgresql")

OptionalJSONColumn = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""In which None is the database's NULL."""

# To psycopg it is an operational error, but it comes from a server that is there and has rolled back.
# https://www.postgresql.org/docs/17/errcodes-appendix.html
_DISK_FULL = "53100"

_UPGRADE_LOCK = 0x447265616D  # "Dream": any number of ours, the same in every process


damaged = threading.Event()
"""Set by `report` when the database could not read what it has itself written."""

logger = log.Logger(__name__)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# What was read stays readable after its transaction: views render after committing.
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: timezone-aware in Python, TIMESTAMPTZ on PostgreSQL, naive UTC on SQLite, which has no such type."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    return datetime.now(UTC)


def session() -> Session:
    """The session of the current request, command or job."""
    return db.session()


def end_reading() -> None:
    """End the transaction that reading has begun: nothing is held while we work, and the next look sees what is new."""
    session().commit()


@contextmanager
def transaction() -> Iterator[Session]:
    """Everything written inside is committed together at the end, or not at all.

    Ends a reading transaction that is still open: it may have read what has changed since, and SQLite refuses
    to let such a one write (SQLITE_BUSY_SNAPSHOT, https://www.sqlite.org/rescode.html).
    """
    end_reading()
    current = session()
    current.connection(execution_options={"dreamweb_writes": True})
    try:
        yield current
        current.commit()
    except BaseException:
        current.rollback()
        raise


def is_away(error: BaseException) -> bool:
    """Whether a database error means that it is locked, stopped or out of reach, so that trying again may help."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.OperationalError):
        # The low byte is the primary code. https://www.sqlite.org/rescode.html
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)
    if getattr(error.orig, "sqlstate", None) == _DISK_FULL:
        return False
    return error.connection_invalidated or isinstance(error, OperationalError)


def is_damage(error: BaseException) -> bool:
    """Whether a database error means that something in the database cannot be read any more.

    https://www.sqlite.org/rescode.html and https://www.postgresql.org/docs/17/errcodes-appendix.html, class XX.
    """
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_CORRUPT or (getattr(error.orig, "sqlstate", None) or "").startswith("XX")


def report(error: SQLAlchemyError) -> bool:
    """Write into the log what the database said, and no dream with it; answers whether it is away."""
    if is_away(error):
        logger.error("The database is away", error=getattr(error, "orig", error))
        return True
    if is_damage(error):
        damaged.set()
    # Not the whole error: PostgreSQL quotes the row, and with it the dream, in its second line.
    reason = str(getattr(error, "orig", error)).partition("\n")[0]
    statement = getattr(error, "statement", None)
    logger.error("The database refused a statement", error=type(error).__name__, reason=reason, statement=statement)
    return False


def engine_options(url: URL, *, pool_size: int, max_overflow: int) -> dict[str, Any]:
    """What `create_engine` needs for this database."""
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": max_overflow, "pool_timeout": LOCK_WAIT}
    options["hide_parameters"] = True  # they are dreams, and errors are logged
    if url.get_backend_name() == "sqlite":
        return options | {"connect_args": {"timeout": LOCK_WAIT}}
    # tcp_user_timeout: a server whose cable was pulled is noticed in ten seconds, not in fifteen minutes.
    # https://www.postgresql.org/docs/17/libpq-connect.html
    return options | {
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": LOCK_WAIT,
            "tcp_user_timeout": 10_000,
            "options": f"-c timezone=UTC -c lock_timeout={LOCK_WAIT}s -c statement_timeout=60s -c jit=off",
        },
    }


def prepare(engine: Engine) -> None:
    """Make SQLite keep what it has confirmed, check foreign keys, and leave `BEGIN` to us."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    else:
        engine.dialect.do_ping = _postgresql_answers  # type: ignore[method-assign, assignment]


def _sqlite_connect(connection: sqlite3.Connection, _record: object) -> None:
    # Python's sqlite3 would begin transactions by itself, and too late for reads.
    connection.isolation_level = None
    # WAL does not fsync each commit unless synchronous is FULL. https://www.sqlite.org/pragma.html#pragma_synchronous
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _sqlite_begin(connection: Connection) -> None:
    # A transaction that will write takes its place in the queue at once; a deferred one could be refused in the middle.
    writes = connection.get_execution_options().get("dreamweb_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_answers(connection: Any) -> bool:
    """Whether an idle psycopg connection still is one; SQLAlchemy's own question would wait for ever."""
    server = connection.pgconn
    answer = select.poll()
    answer.register(server.socket, select.POLLIN)
    try:
        server.send_query(b"")
        server.flush()
        while server.is_busy():
            if not answer.poll(LOCK_WAIT * 1000):
                return False
            server.consume_input()
        while server.get_result():
            pass
    except connection.OperationalError:
        return False
    return not connection.broken


def upgrade(migrations: Path) -> bool:
    """Bring the tables up to the newest migration; safe when several processes do so at once.

    Needs an application context. Returns whether anything had to be done.
    """
    with one_at_a_time():
        if is_current(migrations):
            return False
        import flask_migrate  # noqa: PLC0415 -- 11 MB that a worker does without

        flask_migrate.upgrade(directory=str(migrations))
        return True


def is_current(migrations: Path) -> bool:
    """Whether the tables are those of the newest migration."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 -- 11 MB that a worker does without
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    with db.engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    return revision == ScriptDirectory(str(migrations)).get_current_head()


def hold_alone(name: str) -> None:
    """Let nobody else who asks for the same name go on, until this transaction ends. On SQLite, writers are alone."""
    if session().get_bind().dialect.name == "postgresql":
        session().execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """For what only one process may do with this database at a time; the others wait."""
    engine = db.engine
    if engine.dialect.name == "sqlite":
        database = Path(engine.url.database or "dreamweb")
        database.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(f"{database}.upgrade", os.O_RDWR | os.O_CREAT, 0o600), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # A second process waits here for as long as the first one's migration takes.
            connection.execute(text("SET lock_timeout = 0"))
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _UPGRADE_LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _UPGRADE_LOCK})
                connection.invalidate()  # its settings must not come back from the pool
