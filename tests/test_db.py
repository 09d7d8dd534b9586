"""Promises about the database: migrations, durability, and what a transaction means."""

from __future__ import annotations

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from dreamweb import accounts, create_app, db
from dreamweb.config import resource
from dreamweb.models import Account, Entry
from dreamweb.search import index
from tests.conftest import Databases


def test_models_and_migrations_agree(app: Flask) -> None:
    with app.app_context(), db.db.engine.connect() as connection:
        # The search index is no table of ours: it is made by `search.index`, and the tests of search look at it.
        ours = {"include_name": lambda name, kind, _of: kind != "table" or not name.startswith(index.PREFIX)}
        context = MigrationContext.configure(connection, opts={"compare_server_default": False, **ours})
        assert compare_metadata(context, db.db.metadata) == []


def test_every_migration_can_be_taken_back_and_applied_again(app: Flask) -> None:
    migrations = str(resource("migrations"))
    with app.app_context():
        flask_migrate.downgrade(directory=migrations, revision="base")
        assert inspect(db.db.engine).get_table_names() == ["alembic_version"]
        assert db.upgrade(resource("migrations")) is True
        assert db.upgrade(resource("migrations")) is False
        assert "dream_entries" in inspect(db.db.engine).get_table_names()


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    database_kind: str, databases: Databases, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(data_dir=tmp_path, database_url=databases.empty_url(database_kind, tmp_path))  # type: ignore[arg-type]
    with app.app_context():
        monkeypatch.setattr("alembic.op.create_index", lambda *_args, **_values: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            db.upgrade(resource("migrations"))
        assert set(inspect(db.db.engine).get_table_names()) <= {"alembic_version"}
        monkeypatch.undo()
        assert db.upgrade(resource("migrations")) is True
        db.db.engine.dispose()


def test_the_table_has_the_columns_of_the_contract(app: Flask) -> None:
    with app.app_context():
        columns = {column["name"]: column for column in inspect(db.db.engine).get_columns("dream_entries")}
        postgres = db.db.engine.dialect.name == "postgresql"
    for name in ("uploaded_at", "created_at", "updated_at"):
        assert columns[name]["nullable"] is False
        assert columns[name]["default"]
        assert str(columns[name]["type"]) == ("TIMESTAMP" if postgres else "DATETIME")
        assert not postgres or columns[name]["type"].timezone  # type: ignore[attr-defined]
    assert str(columns["saved_filename"]["type"]) == str(columns["original_filename"]["type"]) == "VARCHAR(255)"
    assert not postgres or (str(columns["metadata"]["type"]), str(columns["id"]["type"])) == ("JSONB", "UUID")


def test_a_recorded_entry_is_whole_or_not_there(app: Flask) -> None:
    with app.app_context(), db.transaction():
        account = accounts.add("ana", None)
    for missing in ("original_filename", "saved_filename", "file_path"):
        names = {"original_filename": "a", "saved_filename": "b", "file_path": "c"} | {missing: None}
        with app.app_context(), pytest.raises(IntegrityError), db.transaction() as session:
            session.add(Entry(account_id=account.id, **names))


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_what_sqlite_has_committed_is_on_disk(app: Flask) -> None:
    with app.app_context():
        for pragma, wanted in (("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1)):
            assert db.session().scalar(text(f"PRAGMA {pragma}")) == wanted


def test_a_transaction_that_fails_changes_nothing_and_the_session_goes_on(app: Flask) -> None:
    def fail() -> None:
        with db.transaction() as session:
            session.add(Account(name="x", name_key="x", role="member"))
            session.flush()
            raise ZeroDivisionError

    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            fail()
        assert accounts.count() == 0
        with db.transaction():
            accounts.add("ana", None)
        assert accounts.count() == 1
