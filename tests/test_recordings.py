"""Promises about what happens when adoption, deletion and late commits meet."""

from __future__ import annotations

import threading
import uuid
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from flask import Flask
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError

from dreamweb import accounts, db, entries, files, housekeeping, recordings, verify
from dreamweb.models import Account, Entry
from dreamweb.notes import Note
from dreamweb.storage import Storage
from dreamweb.tools import Tools
from tests.conftest import SAMPLES, Person

MP3 = (SAMPLES / "sl-hisa.mp3").read_bytes()


def away() -> OperationalError:
    """As when the connection is lost while COMMIT is on its way."""
    return OperationalError("COMMIT", {}, psycopg.OperationalError("server closed the connection"))


def adopt(app: Flask, tools: Tools) -> int:
    with app.app_context():
        return recordings.adopt(tools.storage)


def listed(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/entries").json()["items"]
    return found


@pytest.fixture
def left_note(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An entry whose note was not dropped: the server was killed just behind the commit."""
    with monkeypatch.context() as patch:
        patch.setattr(Note, "drop", Note.keep)
        made: dict[str, Any] = api.post("/upload", content=MP3).json()
    return made


def test_a_commit_that_arrives_while_its_note_is_settled_keeps_its_recording(
    api: httpx.Client, app: Flask, tools: Tools, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, late = entries.create, {}

    def lose(_account: Account, *row: Any) -> Entry:
        late["row"] = row
        raise away()

    monkeypatch.setattr(entries, "create", lose)
    assert api.post("/upload", content=MP3, params={"client_id": str(uuid.uuid4())}).status_code == 503
    monkeypatch.setattr(entries, "create", create)
    get = accounts.get

    def arrive(account_id: uuid.UUID) -> Any:
        """Between the look for the row and the look for its `client_id`, from another connection."""
        found = get(account_id)
        db.end_reading()
        thread = threading.Thread(target=commit)
        thread.start()
        thread.join()
        return found

    def commit() -> None:
        with app.app_context(), db.transaction():
            create(ana.account, *late["row"])

    monkeypatch.setattr(accounts, "get", arrive)
    assert adopt(app, tools) == 0
    (entry,) = listed(api)
    assert api.get(f"/entries/{entry['id']}/audio").content == MP3


def test_what_is_deleted_for_good_while_its_note_is_settled_does_not_come_back(
    api: httpx.Client, app: Flask, tools: Tools, left_note: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    size, looking, go = Storage.size, threading.Event(), threading.Event()

    def slow(self: Storage, key: str) -> int | None:
        found = size(self, key)
        if threading.current_thread().name == "adopting":
            looking.set()
            go.wait(10)
        return found

    monkeypatch.setattr(Storage, "size", slow)
    adopting = threading.Thread(target=adopt, args=(app, tools), name="adopting")
    adopting.start()
    looking.wait(10)
    answers: list[int] = []
    path = f"/entries/{left_note['id']}?permanent=true"
    deleting = threading.Thread(target=lambda: answers.append(api.delete(path).status_code))
    deleting.start()
    deleting.join(0.5)
    go.set()
    adopting.join(10)
    deleting.join(10)
    assert answers == [204]
    assert adopt(app, tools) == 0
    assert listed(api) == []
    assert list(tools.storage.keys()) == []


def test_adoption_sees_what_was_deleted_after_its_request_had_begun_to_read(
    api: httpx.Client, app: Flask, tools: Tools
) -> None:
    key = "/".join(Path(api.post("/upload", content=MP3).json()["file_path"]).parts[-2:])

    def delete_and_die() -> None:
        with app.app_context(), db.transaction() as session:
            session.execute(delete(Entry))

    with app.app_context():
        assert accounts.count() == 1  # a transaction is open now, and on SQLite sees the past
        thread = threading.Thread(target=delete_and_die)
        thread.start()
        thread.join()
        tools.storage.notes.write("remove-x", {"action": "remove", "key": key}).keep()
        recordings.adopt(tools.storage)
        assert list(tools.storage.keys()) == []
        assert verify.verify(tools.storage).problems == []


def test_a_recording_sent_again_without_a_client_id_after_the_database_was_away_is_one_entry(
    api: httpx.Client, app: Flask, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(entries, "create", lambda *_: (_ for _ in ()).throw(away()))
        assert api.post("/upload", content=MP3).status_code == 503
    assert api.post("/upload", content=MP3).status_code == 201
    assert adopt(app, tools) == 0
    assert len(listed(api)) == len(list(tools.storage.keys())) == 1


def test_the_same_bytes_sent_twice_on_purpose_are_two_entries(api: httpx.Client) -> None:
    assert [api.post("/upload", content=MP3).status_code for _ in range(2)] == [201, 201]
    assert len(listed(api)) == 2


@pytest.mark.parametrize("text", [b"[]", b"{", b"\xff", b'{"action": "add"}', b'{"action": "remove"}', b"7"])
def test_a_note_that_makes_no_sense_keeps_no_other_from_being_settled(
    api: httpx.Client, app: Flask, tools: Tools, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tools.storage.notes.folder / "0.json").write_bytes(text)
    with monkeypatch.context() as patch:
        patch.setattr(entries, "create", lambda *_: (_ for _ in ()).throw(away()))
        assert api.post("/upload", content=MP3).status_code == 503
    assert adopt(app, tools) == 1
    (entry,) = listed(api)
    assert api.delete(f"/entries/{entry['id']}?permanent=true").status_code == 204
    with app.app_context():
        assert verify.verify(tools.storage).problems == []


def test_housekeeping_goes_on_after_whatever_goes_wrong(
    app: Flask, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "EVERY", 0.01)
    attempts = threading.Semaphore(0)

    def fail(_storage: Storage) -> int:
        attempts.release()
        raise ZeroDivisionError

    monkeypatch.setattr(recordings, "adopt", fail)
    tools.storage.notes.write("x", {}).keep()
    stopping = threading.Event()
    thread = housekeeping.start(app, tools, stopping)
    for _ in range(3):
        assert attempts.acquire(timeout=10)
    stopping.set()
    thread.join(10)


def test_what_cannot_be_read_or_lies_elsewhere_is_said_and_the_rest_is_checked(
    api: httpx.Client, app: Flask, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (api.post("/upload", content=MP3).json() for _ in range(2))
    root = tools.storage.root
    (root / "lost+found").mkdir(mode=0o000)
    (root / "loose.ogg").write_bytes(MP3)
    digest = files.sha256_of

    def broken_disk(file: Any) -> str:
        if file.name == bad["file_path"]:
            raise OSError(5, "Input/output error")
        return digest(file)

    monkeypatch.setattr("dreamweb.verify.sha256_of", broken_disk)
    with app.app_context():
        report = verify.verify(tools.storage)
    assert {(problem.kind, problem.subject) for problem in report.problems} == {
        ("unreadable", bad["id"]),
        ("stray", str(root / "loose.ogg")),
    }
    assert report.checked == 2
    assert good["id"] != bad["id"]


def test_a_token_revoked_here_does_not_count_while_the_database_is_away(
    api: httpx.Client, live: str, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = api.post("/tokens", json={"name": "Old phone", "scopes": ["upload"]}).json()
    upload, headers = f"{live}/api/v1/upload", {"Authorization": f"Bearer {made['token']}"}
    assert httpx.post(upload, content=MP3, headers=headers).status_code == 201
    api.delete(f"/tokens/{made['id']}")

    def gone(_secret: str) -> None:
        raise away()

    monkeypatch.setattr(accounts, "by_token", gone)
    assert httpx.post(upload, content=MP3, headers=headers).status_code == 503
