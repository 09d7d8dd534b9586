"""`dreamweb reindex` mends the search index while the server runs, and goes on where it was stopped."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from dreamweb import db, entries, reindexing, vocabulary
from dreamweb.db import end_reading, session, transaction
from dreamweb.details import Changes, Details
from dreamweb.models import Entry
from tests.conftest import TOKEN, Person, Process, until
from tests.indexed import check, content
from tests.working import Working

HEADERS = {"Authorization": f"Bearer {TOKEN}"}

_WORDS = ("hiša", "morje", "babica", "flying", "teeth", "clock", "čoln", "café", "naïve", "window", "stairs", "train")


def write_many(person: Person, count: int, seed: int = 1) -> list[Entry]:
    randomly = random.Random(seed)
    with transaction():
        return [
            entries.create(
                person.account,
                Details(
                    title=f"number{chr(97 + at % 26)}{chr(97 + at // 26 % 26)}",
                    text=" ".join(randomly.choices(_WORDS, k=20)),
                    tags=[randomly.choice(_WORDS)],
                ),
            )
            for at in range(count)
        ]


def run(*, anew: bool = False) -> int:
    """All of it; answers how many entries were read."""
    length = reindexing.begin(anew=anew)
    assert sum(reindexing.reindex()) == length
    return length


def execute(*statements: str) -> None:
    with transaction():
        for statement in statements:
            session().execute(text(statement))


def words_of(person: Person) -> set[str]:
    end_reading()
    return set(vocabulary.every(person.account.id))


_HARM = {
    "sqlite": (
        "UPDATE search_index SET shown = 'nonsense', tags = 'nothing' WHERE rowid % 3 = 0",
        "DELETE FROM search_documents WHERE id % 4 = 0",
        "INSERT INTO search_index (rowid, title) VALUES (1000000, 'of nobody')",
        "DELETE FROM search_index WHERE rowid % 5 = 0",
    ),
    "postgresql": (
        "UPDATE search_documents SET words = to_tsvector('simple', 'nonsense'), lemmas = '' WHERE id % 3 = 0",
        "DELETE FROM search_documents WHERE id % 4 = 0",
    ),
}


@pytest.mark.usefixtures("inside")
def test_whatever_is_wrong_or_missing_in_the_index_is_right_again(ana: Person, bor: Person, database_kind: str) -> None:
    trashed = write_many(ana, 30)[0].id
    write_many(bor, 10)
    with transaction():
        entries.trash(ana.account, trashed)
    execute(*_HARM[database_kind])
    document: dict[str, Any] = {"entry_id": trashed, "account_id": ana.account.id}
    if database_kind == "postgresql":
        document |= {"words": "", "lemmas": "", "forms": "", "length": 1}
    columns = ", ".join(document)
    values = ", ".join(f":{name}" for name in document)
    ids = {
        name: value.hex if hasattr(value, "hex") and database_kind == "sqlite" else value
        for name, value in document.items()
    }
    with transaction():
        session().execute(text(f"INSERT INTO search_documents ({columns}) VALUES ({values})"), ids)
    with pytest.raises(AssertionError):
        check()
    run()
    assert check() == 39
    assert trashed not in content()


@pytest.mark.usefixtures("inside")
def test_nothing_is_wrong_when_nothing_was(ana: Person) -> None:
    write_many(ana, 12)
    before = content()
    numbers = numbers_by_entry()
    assert run() == 12
    assert run() == 12, "it begins again when it was done"
    assert content() == before
    assert numbers_by_entry() == numbers
    check()


@pytest.mark.usefixtures("inside")
def test_an_empty_journal_has_an_index_too(ana: Person) -> None:
    assert run() == run(anew=True) == 0
    write_many(ana, 1)
    assert check() == 1


def numbers_by_entry() -> dict[str, int]:
    end_reading()
    return {
        str(entry): number for entry, number in session().execute(text("SELECT entry_id, id FROM search_documents"))
    }


@pytest.mark.usefixtures("inside")
def test_an_index_that_was_made_anew_has_the_newest_dream_last(ana: Person) -> None:
    made = write_many(ana, 10)
    moments = random.Random(3).sample(range(1, 29), 10)
    with transaction():
        for entry, day in zip(made, moments, strict=True):
            entries.change(ana.account, entry.id, Changes(dreamed_at=datetime(2024, 2, day, 5, tzinfo=UTC)))
    run(anew=True)
    end_reading()
    query = text("SELECT entry_id FROM search_documents ORDER BY id")
    found = [str(each).replace("-", "") for each in session().scalars(query)]
    assert found == [entry.id.hex for _, entry in sorted(zip(moments, made, strict=True), key=lambda each: each[0])]
    check()


# --- Words ---


@pytest.mark.usefixtures("inside")
def test_the_words_of_a_journal_are_those_that_occur_in_it(ana: Person, bor: Person) -> None:
    with transaction():
        entries.create(ana.account, Details(title="Naslov", text="Babičina hiša, o'clock in the NIGHT", tags=["morje"]))
        gone = entries.create(ana.account, Details(text="secret words"))
        entries.create(bor.account, Details(text="secret boat"))
        vocabulary.add(ana.account.id, ["secret", "words", "nikoli", "hiša"])
    with transaction():
        entries.delete(ana.account, gone.id)
    run()
    assert words_of(ana) == {"naslov", "babičina", "hiša", "clock", "the", "night", "morje"} - {"clock"}
    assert words_of(bor) == {"secret", "boat"}


@pytest.mark.usefixtures("inside")
def test_words_that_were_read_before_it_was_stopped_stay(ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "_AT_ONCE", 1)
    with transaction():
        first = entries.create(ana.account, Details(text="elephant"))
        entries.create(ana.account, Details(text="giraffe"))
        vocabulary.add(ana.account.id, ["nikoli"])
    reindexing.begin()
    assert next(reindexing.reindex()) == 1  # and is stopped here
    assert reindexing.begin() == 1, "it goes on"
    with transaction():
        entries.change(ana.account, first.id, Changes(title="Zebra"))
        vocabulary.add(ana.account.id, ["zebra"])
    assert list(reindexing.reindex()) == [1]
    assert words_of(ana) == {"elephant", "giraffe", "zebra"}
    check()


# --- Damage ---

_DAMAGE = {
    "sqlite": (
        "UPDATE search_index_data SET block = x'00112233445566778899'",
        "DELETE FROM search_index_data",
        "DELETE FROM search_index_config",
        "DROP TABLE search_index_data",
        "DROP TABLE search_index_content",
        "DROP TABLE search_index",
        "DROP TABLE search_documents",
        "DROP TABLE search_progress",
        "DROP VIEW search_source",
        "DROP TRIGGER search_entries_update",
    ),
    "postgresql": (
        "DROP TABLE search_documents",
        "DROP TABLE search_progress",
        "DROP TRIGGER search_motifs ON motifs",
        "ALTER TABLE dream_entries DISABLE TRIGGER search_entries",
        "DROP FUNCTION search_words CASCADE",
        "DROP FUNCTION search_entries CASCADE",
        "DROP FUNCTION search_write",
    ),
}
_STOPS_SAVING = {"sqlite": (0, 1, 3, 4, 5, 6, 8), "postgresql": (0, 4, 6)}
_QUIET = {"sqlite": 9, "postgresql": 3}


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("number", range(10))
def test_a_damaged_index_is_noticed_and_can_be_made_anew(ana: Person, database_kind: str, number: int) -> None:
    if number >= len(_DAMAGE[database_kind]):
        pytest.skip("so many kinds of damage are tried on SQLite only")
    write_many(ana, 25)
    execute(_DAMAGE[database_kind][number])
    db.db.engine.dispose()
    with pytest.raises(reindexing.DamagedError):
        run()
    assert run(anew=True) == 25
    assert check() == 25
    write_many(ana, 1)
    assert check() == 26
    if database_kind == "sqlite":
        assert session().scalar(text("PRAGMA integrity_check")) == "ok"


@pytest.fixture
def at_work(serving: Process) -> Process:
    """A server that looks after itself more often."""
    serving.constants |= {"dreamweb.housekeeping.EVERY": 0.3}
    serving.start()
    return serving


def saves(process: Process) -> bool:
    entry = {"title": "Said at night", "text": "The sea."}
    return httpx.post(f"{process.url}/api/v1/entries", json=entry, headers=HEADERS).status_code == 201


def is_right(app: Flask) -> bool:
    with app.app_context(), suppress(AssertionError, SQLAlchemyError):
        return check() == session().scalar(select(func.count()).select_from(Entry))
    return False


def test_a_damaged_index_keeps_nobody_from_saving_for_long(
    app: Flask, ana: Person, at_work: Process, database_kind: str
) -> None:
    for number in _STOPS_SAVING[database_kind]:
        assert saves(at_work)
        with app.app_context():
            execute(_DAMAGE[database_kind][number])
            db.db.engine.dispose()
        assert not saves(at_work)
        until(lambda: saves(at_work))
        until(lambda: is_right(app))


def test_a_server_that_is_killed_while_it_mends_goes_on_when_it_starts(
    app: Flask, ana: Person, serving: Process, monkeypatch: pytest.MonkeyPatch, database_kind: str
) -> None:
    serving.constants |= {"dreamweb.housekeeping.EVERY": 0.3, "dreamweb.reindexing._AT_ONCE": 5}
    serving.constants |= {"dreamweb.reindexing._LONGEST": 0.05}
    with app.app_context():
        write_many(ana, 400)
        execute(_DAMAGE[database_kind][0])
        db.db.engine.dispose()
    serving.start()

    def reached() -> int:
        with app.app_context(), suppress(SQLAlchemyError):
            return session().scalar(text("SELECT reached FROM search_progress")) or 0
        return 0

    until(lambda: reached() > 20)
    serving.kill()
    with app.app_context():
        assert 0 < (session().scalar(text("SELECT reached FROM search_progress")) or 0) < 400
    assert not is_right(app)
    serving.start()
    until(lambda: is_right(app), 60)


def test_what_a_worker_has_made_is_kept_though_the_index_was_damaged(
    app: Flask, api: httpx.Client, work: Working, database_kind: str
) -> None:
    entry = api.post("/entries", json={"text": "I was flying over the sea."}).json()["id"]
    with app.app_context():
        execute(_DAMAGE[database_kind][0])
        db.db.engine.dispose()
    work.all()
    assert api.get(f"/entries/{entry}").json()["analysis"]
    with app.app_context():
        reindexing.go_on(threading.Event())
        assert not reindexing.is_unfinished()
        assert check() == 1


def test_an_index_that_nothing_keeps_any_more_is_mended_when_the_server_starts(
    app: Flask, ana: Person, at_work: Process, database_kind: str
) -> None:
    at_work.kill()
    with app.app_context():
        execute(_DAMAGE[database_kind][_QUIET[database_kind]])
        write_many(ana, 3)
        db.db.engine.dispose()
    at_work.start()
    until(lambda: is_right(app))


def test_the_command_says_what_helps_and_does_it(app: Flask, ana: Person, process: Process, database_kind: str) -> None:
    with app.app_context():
        write_many(ana, 3)
        execute("DROP TABLE search_documents")
        db.db.engine.dispose()
    refused = process.run("reindex")
    assert refused.returncode == 2
    assert "reindex --anew`" in refused.stderr
    done = process.run("reindex", "--anew")
    assert done.returncode == 0, done.stderr
    assert "3 entries were read into the search index." in done.stderr
    with app.app_context():
        assert check() == 3


def test_the_command_needs_the_database_of_this_version(process: Process, databases: Any, tmp_path: Any) -> None:
    process.configure(database_url=f"sqlite:///{tmp_path / 'nothing.sqlite3'}")
    refused = process.run("reindex", "--anew")
    assert refused.returncode == 2
    assert "dreamweb upgrade" in refused.stderr


# --- Meanwhile ---


@pytest.mark.parametrize("anew", [False, True], ids=["again", "anew"])
def test_entries_are_saved_and_found_while_the_index_is_made(
    app: Flask,
    ana: Person,
    monkeypatch: pytest.MonkeyPatch,
    say_how_many: Callable[[str, int], None],
    database_kind: str,
    anew: bool,
) -> None:
    monkeypatch.setattr(reindexing, "_AT_ONCE", 5)
    stopping, saved, failed = threading.Event(), [0], list[BaseException]()

    def save() -> None:
        try:
            with app.app_context():
                while not stopping.is_set():
                    first, second = write_many(ana, 2, saved[0])
                    with transaction():
                        entries.change(ana.account, first.id, Changes(title=f"changed {saved[0]}"))
                    with transaction():
                        entries.delete(ana.account, second.id)
                    time.sleep(0.01)  # nobody saves so much that no second writer could
                    saved[0] += 1
        except BaseException as error:
            failed.append(error)
            raise

    with app.app_context():
        kept = {entry.id for entry in write_many(ana, 100)}
        thread = threading.Thread(target=save)
        thread.start()
        reindexing.begin(anew=anew)
        for _ in reindexing.reindex():
            end_reading()
            assert anew or kept <= set(content()), "what is in the index is found all the time"
        until(lambda: saved[0] > 10 or bool(failed))
        stopping.set()
        thread.join(20)
        assert not failed
        session().expunge_all()
        assert check() > 100
    say_how_many(f"entries saved while the index was made, {database_kind}", saved[0])


@pytest.mark.usefixtures("inside")
def test_two_at_once_share_the_work(app: Flask, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "_AT_ONCE", 5)
    write_many(ana, 50)
    execute("UPDATE search_documents SET account_id = account_id")
    shares: list[int] = []

    def other() -> None:
        with app.app_context():
            shares.append(sum(reindexing.reindex()))

    reindexing.begin()
    thread = threading.Thread(target=other)
    thread.start()
    shares.append(sum(reindexing.reindex()))
    thread.join(20)
    assert sum(shares) == 50
    assert run() == 50
    check()


@pytest.mark.fault
@pytest.mark.parametrize("anew", [False, True], ids=["again", "anew"])
def test_killed_in_the_middle_it_goes_on_and_misses_no_entry(
    app: Flask, ana: Person, process: Process, database_kind: str, anew: bool, say_how_many: Callable[[str, int], None]
) -> None:
    process.constants |= {"dreamweb.reindexing._AT_ONCE": 10, "dreamweb.reindexing._PAUSE": 0.02}
    with app.app_context():
        write_many(ana, 2000)
        execute(_HARM[database_kind][0], _HARM[database_kind][1])
        end_reading()
    reached = text("SELECT max(reached) FROM search_progress")
    killed, places = 0, [0]
    while killed < 5:
        running = process.spawn("reindex", *(["--anew"] if anew and not killed else []))
        with app.app_context():

            def went_on(running: subprocess.Popen[bytes] = running) -> bool:
                end_reading()
                return (session().scalar(reached) or 0) > places[-1] + 50 or running.poll() is not None

            until(went_on, 60)
            running.kill()
            running.wait(10)
            end_reading()
            place = session().scalar(reached)
            end_reading()
        if place is None:  # it was quicker than we were
            break
        assert place > places[-1]
        places.append(place)
        killed += 1
        with app.app_context():
            write_many(ana, 1, killed)
            db.db.engine.dispose()
    done = process.run("reindex")
    assert done.returncode == 0, done.stderr
    with app.app_context():
        assert check() == 2000 + killed
        assert session().scalar(reached) is None
    assert killed >= 3
    say_how_many(f"reindexing processes killed, {database_kind}", killed)
