"""Reads what is in the search index, and what would be in it if it were made anew."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from dreamweb.db import end_reading, session, transaction
from dreamweb.models import Entry
from dreamweb.search import index

_CONTENT = {
    "sqlite": "SELECT entry_id, account_id, title, shown, heard, tags, motifs, files, title_lemmas, lemmas "
    "FROM search_documents LEFT JOIN search_index ON search_index.rowid = search_documents.id",
    "postgresql": "SELECT entry_id, account_id, words::text, lemmas::text, forms::text, length FROM search_documents",
}


class _UndoneError(Exception):
    """Ends a transaction whose changes nobody wants."""


def content() -> dict[UUID, tuple[Any, ...]]:
    """Of each entry in the index, by its id, everything that is found of it."""
    rows = session().execute(text(_CONTENT[session().get_bind().dialect.name])).all()
    found = {UUID(str(row[0])): tuple(row[1:]) for row in rows}
    assert len(found) == len(rows)
    return found


def made_anew() -> dict[UUID, tuple[Any, ...]]:
    """The same of an index that is made now; the one that is there stays."""
    made: dict[UUID, tuple[Any, ...]] = {}
    try:
        with transaction():
            index.create(session().connection())
            index.fill(session().connection())
            made = content()
            raise _UndoneError
    except _UndoneError:
        return made


def check_quickly() -> None:
    """That reading every entry into the index again changes nothing."""
    end_reading()
    with suppress(_UndoneError), transaction():
        before = content()
        for entry_id in session().scalars(select(Entry.id)).all():
            index.rewrite(session().connection(), entry_id)
        assert content() == before
        raise _UndoneError


def check() -> int:
    """That the index says what the entries say; answers how many it has."""
    end_reading()
    found = content()
    if session().get_bind().dialect.name == "sqlite":
        # It compares the index with its own copy of the texts. https://www.sqlite.org/fts5.html#the_integrity_check_command
        with transaction():
            session().execute(text("INSERT INTO search_index (search_index) VALUES ('integrity-check')"))
            rows = session().scalar(text("SELECT count(*) FROM search_index"))
            assert rows == len(found), "the index has what belongs to no entry"
    end_reading()
    assert found == made_anew()
    end_reading()
    return len(found)
