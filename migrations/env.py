"""Runs the migrations inside the application, in one transaction on either database."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import text

from dreamweb.db import UTCDateTime
from dreamweb.search import index

migrate = current_app.extensions["migrate"]


def render_item(kind: str, item: Any, _autogen_context: Any) -> str | bool:
    """Migrations name no class of ours: they must run unchanged when the code has moved on."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


def run() -> None:
    with migrate.db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:
            # A changed table is copied and dropped, which would delete its dependants' rows. The pragma does nothing
            # inside a transaction, so it goes to the driver. https://www.sqlite.org/foreignkeys.html
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
            connection.execution_options(dreamweb_writes=True)
        context.configure(
            connection=connection,
            target_metadata=migrate.db.metadata,
            render_item=render_item,
            include_name=lambda name, kind, _of: kind != "table" or not name.startswith(index.PREFIX),
            transactional_ddl=True,
            **migrate.configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
            if sqlite and (broken := connection.execute(text("PRAGMA foreign_key_check")).first()):
                raise RuntimeError(f"The migration would leave a row of {broken[0]!r} without what it belongs to.")
        connection.invalidate()  # its pragma must not come back from the pool


run()
