"""Promises about attachments when the disk, the database or the server fails."""

from __future__ import annotations

import errno
import itertools
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from flask import Flask
from sqlalchemy import delete, select

from dreamweb import accounts, attachments, db, entries, recordings, verify
from dreamweb.adapters import media
from dreamweb.errors import NotAttachable
from dreamweb.models import Attachment, Entry
from dreamweb.notes import Note
from dreamweb.storage import Storage
from dreamweb.tools import Tools
from tests.attachables import KINDS, PAGES, PDF, PNG, REFUSED
from tests.conftest import SAMPLES, Process, files_below
from tests.test_failures import Faults
from tests.test_recordings import adopt, away

MP3 = (SAMPLES / "sl-hisa.mp3").read_bytes()
LARGE = PNG + bytes(600_000)


@pytest.fixture
def entry(api: httpx.Client) -> str:
    return str(api.post("/entries", json={"text": "I was flying over a quiet sea."}).json()["id"])


def attach(api: httpx.Client, entry: str, data: bytes = PNG, client_id: str | None = None) -> httpx.Response:
    params = {"filename": "a.png"} | ({"client_id": client_id} if client_id else {})
    return api.post(f"/entries/{entry}/attachments", content=data, params=params)


def listed(api: httpx.Client, entry: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"/entries/{entry}").json()["attachments"]
    return found


def problems(app: Flask, tools: Tools) -> list[tuple[str, str]]:
    with app.app_context():
        return [(problem.kind, problem.subject) for problem in verify.verify(tools.storage).problems]


@contextmanager
def losing_commits(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The database is away just when the row would be written."""

    def lose(_file: object) -> Attachment:
        raise away()

    with patch.context() as now:
        now.setattr(attachments, "_write", lose)
        yield


def check_whole(app: Flask, tools: Tools) -> None:
    """No row without its file, no file without row or note; and after adoption only whole attachments."""
    storage = tools.storage
    with app.app_context():
        assert rows() <= set(storage.keys())
        assert set(storage.keys()) - rows() <= storage.notes.held()
        assert storage.stale() == []
        db.session().commit()
        recordings.adopt(storage)
        kept = rows()
    assert files_below(storage.root) == sorted(storage.path(key) for key in kept)


def rows() -> set[str]:
    return set(db.session().scalars(select(Attachment.file_path)))


def test_what_came_while_the_database_was_away_is_attached_when_it_is_back(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id = str(uuid.uuid4())
    with losing_commits(monkeypatch):
        answer = attach(api, entry, PNG, client_id)
    assert (answer.status_code, answer.json()["error_code"]) == (503, "DATABASE_ERROR")
    assert sorted(path.suffix for path in files_below(tools.storage.root)) == [".json", ".png"]
    assert problems(app, tools) == []
    assert adopt(app, tools) == 1
    (made,) = listed(api, entry)
    assert (made["original_filename"], made["content_type"]) == ("a.png", "image/png")
    assert api.get(f"/attachments/{made['id']}").content == PNG
    again = attach(api, entry, PNG, client_id)
    assert (again.status_code, again.json()) == (200, made)
    assert len(files_below(tools.storage.root)) == 1
    assert len(api.get("/entries").json()["items"]) == 1  # it is no recording


@pytest.mark.parametrize("named", [True, False])
def test_what_is_sent_again_before_it_is_adopted_is_attached_once(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, named: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id = str(uuid.uuid4()) if named else None
    with losing_commits(monkeypatch):
        assert attach(api, entry, PNG, client_id).status_code == 503
    assert attach(api, entry, PNG, client_id).status_code == 201
    assert adopt(app, tools) == 0
    assert len(listed(api, entry)) == len(files_below(tools.storage.root)) == 1


def test_what_waited_under_a_client_id_that_was_given_away_meanwhile_is_attached_all_the_same(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id = str(uuid.uuid4())
    with losing_commits(monkeypatch):
        assert attach(api, entry, PNG, client_id).status_code == 503
    assert attach(api, entry, PDF, client_id).status_code == 201
    assert adopt(app, tools) == 1
    assert {one["content_type"] for one in listed(api, entry)} == {"image/png", "application/pdf"}


def test_a_deleted_attachment_does_not_come_back_from_what_waited_for_the_database(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id = str(uuid.uuid4())
    with losing_commits(monkeypatch):
        assert attach(api, entry, PNG, client_id).status_code == 503
    with monkeypatch.context() as patch:
        patch.setattr(Note, "drop", Note.keep)  # and killed just behind the commit
        made = attach(api, entry, PNG, client_id).json()
    assert api.delete(f"/attachments/{made['id']}").status_code == 204
    assert adopt(app, tools) == 0
    assert listed(api, entry) == []
    assert files_below(tools.storage.root) == []


@pytest.mark.parametrize("query", ["", "?permanent=true"])
def test_what_waited_for_the_database_follows_its_entry(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with losing_commits(monkeypatch):
        assert attach(api, entry).status_code == 503
    assert api.delete(f"/entries/{entry}{query}").status_code == 204
    adopt(app, tools)
    assert len(files_below(tools.storage.root)) == (0 if query else 1)
    if not query:
        assert len(api.post(f"/entries/{entry}/restore").json()["attachments"]) == 1


def test_a_note_whose_entry_is_gone_leaves_nothing(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with losing_commits(monkeypatch):
        assert attach(api, entry).status_code == 503
    with app.app_context(), db.transaction() as session:
        session.execute(delete(Entry))
    assert adopt(app, tools) == 0
    assert files_below(tools.storage.root) == []


def test_deleting_an_attachment_leaves_the_notes_of_recordings_to_be_adopted(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(entries, "create", lambda *_: (_ for _ in ()).throw(away()))
        assert api.post("/upload", content=MP3).status_code == 503
    made = attach(api, entry).json()
    assert api.delete(f"/attachments/{made['id']}").status_code == 204
    assert len(tools.storage.notes.held()) == 1
    assert adopt(app, tools) == 1
    assert len(api.get("/entries").json()["items"]) == 2


def test_an_attachment_that_arrives_while_its_entry_is_deleted_for_good_leaves_no_file(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach(api, entry)
    put, placed, go = Storage.put, threading.Event(), threading.Event()

    def slow(self: Storage, scratch: Any, key: str) -> None:
        put(self, scratch, key)
        placed.set()
        go.wait(10)

    monkeypatch.setattr(Storage, "put", slow)
    answers: list[int] = []
    sending = threading.Thread(target=lambda: answers.append(attach(api, entry, PDF).status_code))
    sending.start()
    placed.wait(10)
    assert api.delete(f"/entries/{entry}?permanent=true").status_code == 204
    go.set()
    sending.join(10)
    assert answers == [404]
    assert files_below(tools.storage.root) == []


@pytest.mark.parametrize(
    ("database_kind", "number"),
    [("sqlite", errno.EIO), ("sqlite", errno.ENOSPC)],
    indirect=["database_kind"],
    ids=["broken", "full"],
)
def test_whichever_system_call_fails_a_file_is_attached_whole_or_not_at_all(
    api: httpx.Client, app: Flask, tools: Tools, entry: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, seen = Faults(tools.storage.root, monkeypatch), []
    for n in itertools.count():
        client_id = str(uuid.uuid4())
        faults.arm(n, number)
        answer = attach(api, entry, LARGE, client_id)
        failed = faults.disarm()
        if not failed:
            assert answer.status_code == 201
            break
        seen.append(f"{failed} -> {answer.status_code}")
        assert answer.status_code in (201, 500, 507), seen[-1]
        check_whole(app, tools)
        again = attach(api, entry, LARGE, client_id)
        assert again.status_code in (200, 201), f"{failed}, then {again.text}"
        assert len(files_below(tools.storage.root)) == 1, failed
        assert api.delete(f"/attachments/{again.json()['id']}").status_code == 204
        assert files_below(tools.storage.root) == [], failed
        for folder in tools.storage.root.glob("2*"):
            folder.rmdir()  # as on a new day
    assert len(seen) >= 12, seen


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", ["attachment", "entry"])
def test_whichever_system_call_fails_a_deletion_is_done_or_can_be_done_again(
    api: httpx.Client, app: Flask, tools: Tools, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, seen = Faults(tools.storage.root, monkeypatch), []
    for n in itertools.count():
        entry = api.post("/entries", json={"text": "x"}).json()["id"]
        made = [attach(api, entry, data).json() for data in (PNG, PDF)]
        path = f"/attachments/{made[0]['id']}" if what == "attachment" else f"/entries/{entry}?permanent=true"
        faults.arm(n, errno.EIO)
        answer = api.delete(path)
        failed = faults.disarm()
        seen.append(f"{failed} -> {answer.status_code}")
        assert answer.status_code in (204, 500), seen[-1]
        if answer.status_code == 500:
            assert api.get(f"/attachments/{made[0]['id']}").content == PNG
        check_whole(app, tools)
        assert api.delete(path).status_code in (204, 404)
        assert api.delete(f"/entries/{entry}?permanent=true").status_code in (204, 404)
        assert files_below(tools.storage.root) == [], failed
        if not failed:
            break
    assert len(seen) >= 6, seen


def test_verify_finds_attachments_that_are_missing_changed_or_nobodys_and_makes_no_entries_of_them(
    api: httpx.Client, app: Flask, tools: Tools, entry: str
) -> None:
    missing, changed, nobodys, good = (attach(api, entry, data).json() for data in (PNG, PDF, MP3, LARGE))
    places = {path.read_bytes(): path for path in files_below(tools.storage.root)}
    places[PNG].unlink()
    places[PDF].write_bytes(PDF[:-1] + b"?")
    with app.app_context(), db.transaction() as session:
        session.execute(delete(Attachment).where(Attachment.id == uuid.UUID(nobodys["id"])))
    found = {
        ("missing", f"attachments/{missing['id']}"),
        ("changed", f"attachments/{changed['id']}"),
        ("detached", "/".join(places[MP3].parts[-2:])),
    }
    assert set(problems(app, tools)) == found
    with app.app_context():
        report = verify.verify(tools.storage)
        assert (report.checked, verify.count()) == (3, 3)
        owner = db.session().get(Entry, uuid.UUID(entry))
        assert owner
        verify.repair(tools, report, accounts.get(owner.account_id))
        assert (report.repaired, len(report.problems)) == (0, 3)
    assert len(api.get("/entries").json()["items"]) == 1
    assert places[MP3].read_bytes() == MP3
    assert good["id"] in {one["id"] for one in listed(api, entry)}


@pytest.mark.fault
@pytest.mark.parametrize("moment", ["before the row", "before the file", "behind the row"])
def test_what_a_killed_server_leaves_of_an_attachment_is_all_or_nothing(
    process: Process, settings: dict[str, Any], database_kind: str, moment: str
) -> None:
    """kill -9, at each step of attaching."""
    token = "dw_" + "t" * 32
    process.configure(admin_username="ana", admin_password="correct horse", api_token=token)
    process.start()
    root = Path(settings["data_dir"]) / "audio"
    with httpx.Client(base_url=f"{process.url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as api:
        entry = api.post("/entries", json={"text": "x"}).json()["id"]
        process.kill()
        process.constants["dreamweb.app.killed_at"] = Killed(moment)
        process.start()
        client_id = str(uuid.uuid4())
        with pytest.raises(httpx.HTTPError):
            attach(api, entry, PNG, client_id)
        process.wait()
        assert len(files_below(root)) == (1 if moment == "before the file" else 2)
        process.constants.clear()
        assert process.run("verify", "--repair").returncode == 0
        process.start()
        assert len(listed(api, entry)) == (0 if moment == "before the file" else 1)
        again = attach(api, entry, PNG, client_id)
        assert again.status_code == (201 if moment == "before the file" else 200)
        assert api.get(f"/attachments/{again.json()['id']}").content == PNG
        assert [path.read_bytes() for path in files_below(root)] == [PNG]


class Killed:
    """To be set in a server before it starts: at that moment it ends as by kill -9."""

    AT: ClassVar[dict[str, str]] = {
        "before the file": "dreamweb.storage.Storage, 'put'",
        "before the row": "dreamweb.attachments, '_write'",
        "behind the row": "dreamweb.notes.Note, 'drop'",
    }

    def __init__(self, moment: str) -> None:
        self._moment = moment

    def __repr__(self) -> str:
        return f"setattr({self.AT[self._moment]}, lambda *_: __import__('os').kill(__import__('os').getpid(), 9))"


def test_only_what_attachments_are_called_is_taken_for_one() -> None:
    name = f"attachment_{uuid.uuid4()}_20250131T143022.png"
    assert attachments.is_attachment(f"2025-01-31/{name}")
    for other in (f"x{name}", f"{uuid.uuid4()}_20250131T143022.mp3", "attachment_1.mp3", "attachment.mp3"):
        assert not attachments.is_attachment(f"2025-01-31/{other}")


def test_a_file_that_begins_like_any_kind_but_goes_on_otherwise_breaks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x"
    every = [data for data, _ in KINDS.values()] + list(REFUSED.values()) + list(PAGES.values())
    for data in every:
        for cut in (*range(1, min(len(data), 40)), len(data) // 2):
            path.write_bytes(data[:cut])
            with path.open("rb") as file:
                try:
                    found = media.recognise(file.fileno())
                except NotAttachable:
                    continue
            assert found.extension in media.FORMATS
