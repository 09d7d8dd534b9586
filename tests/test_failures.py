"""Promises about what fails around us: the disk, the database, single system calls."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import shutil
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, select

from dreamweb import db, recordings
from dreamweb.models.entry import Entry
from dreamweb.tools import Tools
from tests.conftest import TOKEN, Person, Postgres, Process, files_below, locked, until, wav

pytestmark = pytest.mark.slow

MB = 1024 * 1024
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

Client = httpx.Client


def send(api: Client, data: bytes, how: str = "raw", client_id: str | None = None) -> httpx.Response:
    params = {"client_id": client_id} if client_id else {}
    if how == "form":
        return api.post("/upload", params=params, files={"file": ("dream.wav", data, "audio/wav")})
    if how == "chunked":
        return api.post("/upload", params=params, content=(data[at : at + 65536] for at in range(0, len(data), 65536)))
    return api.post("/upload", params=params, content=data, headers={"Content-Type": "audio/wav"})


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error_code", "")


def entries_of(api: Client) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get("/entries", params={"limit": 100}).json()["items"]
    return items


@pytest.fixture
def api(live: str, ana: Person) -> Iterator[Client]:
    """A client that does not keep its connection, so that no answer is late because of what follows the one before."""
    with Client(base_url=f"{live}/api/v1", headers=ana.headers | {"Connection": "close"}, timeout=60) as client:
        yield client


# --- Single system calls ---


class Faults:
    """Stands between the storage and the operating system, and lets the n-th call that touches its folder fail."""

    CALLS = ("open", "fchmod", "write", "pread", "fsync", "link", "mkdir", "unlink", "stat")

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self._root = str(root)
        self._left = -1
        self._number = 0
        self.failed = ""
        for name in self.CALLS:
            patch.setattr(os, name, self._wrap(name, getattr(os, name)))

    def arm(self, after: int, number: int) -> None:
        self._left, self._number, self.failed = after, number, ""

    def disarm(self) -> str:
        """Which call failed; empty when there were not so many."""
        self._left = -1
        return self.failed

    def _wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if self._left >= 0 and (touched := self._touched(args)):
                self._left -= 1
                if self._left < 0:
                    self.failed = f"{name} {touched}"
                    raise OSError(self._number, os.strerror(self._number))
            return call(*args, **kwargs)

        return wrapped

    def _touched(self, args: tuple[Any, ...]) -> str:
        for arg in args[:2]:
            try:
                path = str(Path(f"/proc/self/fd/{arg}").readlink()) if isinstance(arg, int) else str(os.fspath(arg))
            except (OSError, TypeError):
                continue
            if path.startswith(self._root):
                return path.removeprefix(self._root)
        return ""


@pytest.fixture
def faults(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> Faults:
    return Faults(tools.storage.root, monkeypatch)


def check_whole(app: Flask, tools: Tools) -> None:
    """No row without its file, no file without row or note, nothing partial; and after adoption only whole entries."""
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
    return {key for key in db.session().scalars(select(Entry.file_path)) if key}


@pytest.mark.fault
@pytest.mark.parametrize(("how", "size"), [("raw", 600_000), ("form", 30_000)])
@pytest.mark.parametrize(
    ("database_kind", "number"),
    # The storage is the same: what kind of error it is has nothing to do with the database.
    [("sqlite", errno.EIO), ("sqlite", errno.ENOSPC), ("postgresql", errno.EIO)],
    indirect=["database_kind"],
    ids=["sqlite-broken", "sqlite-full", "postgresql-broken"],
)
def test_whichever_system_call_fails_an_upload_is_kept_whole_or_not_at_all(
    api: Client, app: Flask, tools: Tools, faults: Faults, how: str, size: int, number: int
) -> None:
    seen = []
    for n in itertools.count():
        client_id = str(uuid.uuid4())
        data = wav(size)
        faults.arm(n, number)
        answer = send(api, data, how, client_id)
        failed = faults.disarm()
        if not failed:
            assert answer.status_code == 201
            break
        seen.append(f"{failed} -> {answer.status_code}")
        if answer.status_code != 201:
            assert code_of(answer) in {(500, "STORAGE_ERROR"), (507, "STORAGE_FULL"), (503, "INTERNAL_ERROR")}, failed
        check_whole(app, tools)
        again = send(api, data, how, client_id)
        assert again.status_code in (200, 201), f"{failed}, then {again.text}"
        assert again.json()["sha256"] == entries_of(api)[0]["sha256"]
        assert len(files_below(tools.storage.root)) == 1, failed
        assert api.delete(f"/entries/{again.json()['id']}", params={"permanent": True}).status_code == 204
        assert files_below(tools.storage.root) == [], failed
        for folder in tools.storage.root.glob("2*"):
            folder.rmdir()  # as on a new day
    assert len(seen) >= 12, seen


def test_whichever_system_call_fails_a_deletion_is_done_or_can_be_done_again(
    api: Client, app: Flask, tools: Tools, faults: Faults
) -> None:
    seen = []
    for n in itertools.count():
        entry = send(api, wav(20_000)).json()
        faults.arm(n, errno.EIO)
        answer = api.delete(f"/entries/{entry['id']}", params={"permanent": True})
        failed = faults.disarm()
        seen.append(f"{failed} -> {answer.status_code}")
        assert code_of(answer) == (500, "STORAGE_ERROR") if answer.status_code != 204 else True, failed
        if answer.status_code == 204:
            assert api.get(f"/entries/{entry['id']}").status_code == 404
        else:
            assert api.get(f"/entries/{entry['id']}/audio").status_code == 200
        check_whole(app, tools)
        assert api.delete(f"/entries/{entry['id']}", params={"permanent": True}).status_code in (204, 404)
        assert files_below(tools.storage.root) == [], failed
        if not failed:
            break
    assert len(seen) >= 6, seen


# --- The disk is full ---


@contextmanager
def client_of(process: Process) -> Iterator[Client]:
    headers = HEADERS | {"Connection": "close"}
    with Client(base_url=f"{process.url}/api/v1", headers=headers, timeout=60) as client:
        yield client


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of its own with room for so many bytes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk; the tests with a quota show the same")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("how", ["raw", "form", "chunked"])
def test_a_disk_that_fills_up_while_a_recording_arrives_keeps_nothing_of_it(
    serving: Process, tmp_path: Path, how: str
) -> None:
    with small_disk(tmp_path / "disk", 3 * MB) as disk:
        serving.configure(audio_storage_path=disk / "audio")
        serving.constants["dreamweb.storage.RESERVE"] = -(10**12)  # nothing is refused before it does not fit
        serving.start()
        with client_of(serving) as api:
            first = send(api, wav(MB))
            assert first.status_code == 201
            before = shutil.disk_usage(disk).free
            size = MB + MB // 2 if how == "form" else 2 * MB + MB // 2
            client_id, big = str(uuid.uuid4()), wav(size)
            for _ in range(3):
                assert code_of(send(api, big, how, client_id)) == (507, "STORAGE_FULL")
                assert len(files_below(disk)) == 1
                until(lambda: shutil.disk_usage(disk).free == before)  # nor is it held by a file without a name
            assert send(api, wav(MB // 4), how).status_code == 201
            assert len(entries_of(api)) == 2
            for entry in entries_of(api):
                api.delete(f"/entries/{entry['id']}", params={"permanent": True})
            if how == "form":
                big = big[:MB]  # written twice, and two MB do fit
            assert send(api, big, how, client_id).status_code == 201
        serving.stop()


@pytest.mark.parametrize("how", ["raw", "form", "chunked"])
def test_a_quota_that_is_reached_while_a_recording_arrives_keeps_nothing_of_it(
    serving: Process, settings: dict[str, Any], how: str
) -> None:
    serving.start()
    root = settings["data_dir"] / "audio"
    client_id, big = str(uuid.uuid4()), wav(2 * MB)
    with client_of(serving) as api:
        _, most = resource.prlimit(serving.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(serving.pid, resource.RLIMIT_FSIZE, (MB, most))
        for _ in range(3):
            assert code_of(send(api, big, how, client_id)) == (507, "STORAGE_FULL")
            assert files_below(root) == []
        assert send(api, wav(100_000), how).status_code == 201
        assert "File too large" in serving.log.read_text()
        resource.prlimit(serving.pid, resource.RLIMIT_FSIZE, (most, most))
        assert send(api, big, how, client_id).status_code == 201
        assert len(entries_of(api)) == len(files_below(root)) == 2


@pytest.mark.parametrize("how", ["raw", "form"])
def test_the_last_megabytes_of_a_disk_are_left_to_the_database(serving: Process, tmp_path: Path, how: str) -> None:
    with small_disk(tmp_path / "disk", 52 * MB) as disk:
        serving.configure(audio_storage_path=disk / "audio")
        serving.start()
        with client_of(serving) as api:
            assert code_of(send(api, wav(3 * MB), how)) == (507, "STORAGE_FULL")
            assert files_below(disk) == []
            assert send(api, wav(MB // 2), how).status_code == 201
        serving.stop()


# --- The database is away ---


def check_kept_for_later(answer: httpx.Response, root: Path, data: bytes) -> None:
    assert code_of(answer) == (503, "DATABASE_ERROR")
    assert int(answer.headers["Retry-After"]) > 0
    recording, note = sorted(files_below(root), key=lambda path: path.suffix, reverse=True)
    assert (recording.suffix, note.suffix) == (".wav", ".json")
    assert recording.read_bytes() == data


@pytest.mark.parametrize("how", ["raw", "form"])
def test_a_recording_survives_a_locked_database_and_becomes_an_entry_afterwards(
    serving: Process, settings: dict[str, Any], database_kind: str, how: str
) -> None:
    serving.constants |= {"dreamweb.housekeeping.EVERY": 1, "dreamweb.db.LOCK_WAIT": 2}
    serving.start()
    root = settings["data_dir"] / "audio"
    client_id, data = str(uuid.uuid4()), wav(700_000)
    with client_of(serving) as api:
        account = api.get("/tokens").status_code  # the token is used, which writes
        assert account == 200
        with locked(settings["database_url"]):
            answer = send(api, data, how, client_id)
            check_kept_for_later(answer, root, data)
            line = next(line for line in serving.log.read_text().splitlines() if "the recording is kept" in line)
            assert "| ERROR |" in line
            assert f"file={root}" in line
            assert "account=" in line
            assert httpx.get(f"{serving.url}/health", timeout=10).status_code == 200
        until(lambda: len(entries_of(api)) == 1)
        until(lambda: len(files_below(root)) == 1)
        again = send(api, data, how, client_id)
        assert again.status_code == 200
        assert len(entries_of(api)) == len(files_below(root)) == 1
        assert api.get(f"/entries/{again.json()['id']}/audio").content == data


def test_a_recording_sent_again_before_it_is_adopted_is_still_one_entry(
    serving: Process, settings: dict[str, Any], database_kind: str
) -> None:
    serving.constants |= {"dreamweb.housekeeping.EVERY": 3600, "dreamweb.db.LOCK_WAIT": 1}
    serving.start()
    root = settings["data_dir"] / "audio"
    client_id, data = str(uuid.uuid4()), wav(30_000)
    with client_of(serving) as api:
        entries_of(api)
        with locked(settings["database_url"]):
            for _ in range(2):
                assert send(api, data, "raw", client_id).status_code == 503
        assert send(api, data, "raw", client_id).status_code == 201
        assert len(entries_of(api)) == 1
    repaired = serving.run("verify", "--repair")
    assert repaired.returncode == 0, repaired.stdout
    assert len(files_below(root)) == 1
    with client_of(serving) as api:
        assert send(api, data, "raw", client_id).status_code == 200
        assert len(entries_of(api)) == 1


def test_what_was_deleted_for_good_does_not_come_back_from_what_waited_for_the_database(
    serving: Process, settings: dict[str, Any], database_kind: str
) -> None:
    serving.constants |= {"dreamweb.housekeeping.EVERY": 3600, "dreamweb.db.LOCK_WAIT": 1}
    serving.start()
    client_id, data = str(uuid.uuid4()), wav(30_000)
    with client_of(serving) as api:
        entries_of(api)
        with locked(settings["database_url"]):
            assert send(api, data, "raw", client_id).status_code == 503
        entry = send(api, data, "raw", client_id).json()
        assert api.delete(f"/entries/{entry['id']}", params={"permanent": True}).status_code == 204
    assert serving.run("verify", "--repair").returncode == 0
    with client_of(serving) as api:
        assert entries_of(api) == []
    assert files_below(settings["data_dir"] / "audio") == []


@pytest.fixture
def on_own_postgres(own_postgres: Postgres, tmp_path: Path) -> Iterator[Process]:
    settings = {"data_dir": tmp_path / "data", "database_url": own_postgres.url}
    process = Process(settings, tmp_path / "serve.log")
    process.configure(admin_username="ana", admin_password="correct horse", api_token=TOKEN)
    process.constants["dreamweb.housekeeping.EVERY"] = 1
    process.start()
    yield process
    process.kill()


def seconds_of_health(process: Process) -> float:
    """Of the quickest of three answers: a busy machine may delay one, but an absent database must not."""

    def seconds() -> float:
        started = time.monotonic()
        answer = httpx.get(f"{process.url}/health", timeout=10)
        assert answer.status_code == 503
        assert answer.json()["database"] == "disconnected"
        return time.monotonic() - started

    return min(seconds() for _ in range(3))


def test_a_recording_survives_that_postgresql_is_stopped(
    own_postgres: Postgres, on_own_postgres: Process, tmp_path: Path
) -> None:
    check_survival(own_postgres.stop, own_postgres.start, on_own_postgres, tmp_path / "data" / "audio")


@pytest.mark.fault
def test_a_recording_survives_that_postgresql_hangs(
    own_postgres: Postgres, on_own_postgres: Process, tmp_path: Path
) -> None:
    check_survival(own_postgres.freeze, own_postgres.thaw, on_own_postgres, tmp_path / "data" / "audio")


def check_survival(away: Callable[[], None], back: Callable[[], None], process: Process, root: Path) -> None:
    client_id, data = str(uuid.uuid4()), wav(700_000)
    with client_of(process) as api:
        assert entries_of(api) == []
        away()
        try:
            check_kept_for_later(send(api, data, "raw", client_id), root, data)
            unknown = api.post("/upload", content=wav(20_000), headers={"Authorization": "Bearer dw_unknown"})
            assert unknown.status_code == 503
            assert seconds_of_health(process) < 1.2
            assert len(files_below(root)) == 2
        finally:
            back()
        until(lambda: httpx.get(f"{process.url}/health").status_code == 200)
        until(lambda: len(entries_of(api)) == 1)
        until(lambda: len(files_below(root)) == 1)
        assert send(api, data, "raw", client_id).status_code == 200
        assert len(entries_of(api)) == len(files_below(root)) == 1


def test_a_recording_survives_that_postgresql_is_first_locked_and_then_stopped(
    own_postgres: Postgres, on_own_postgres: Process, tmp_path: Path
) -> None:
    root = tmp_path / "data" / "audio"
    sent = [(str(uuid.uuid4()), wav(30_000)) for _ in range(2)]
    with client_of(on_own_postgres) as api:
        with locked(own_postgres.url):
            assert send(api, sent[0][1], "raw", sent[0][0]).status_code == 503
        own_postgres.stop()
        assert send(api, sent[1][1], "raw", sent[1][0]).status_code == 503
        assert len(list(root.rglob("*.wav"))) == 2
        own_postgres.start()
        until(lambda: len(entries_of(api)) == 2)


def test_a_recording_survives_a_connection_that_is_lost_while_its_token_is_looked_up(
    own_postgres: Postgres, on_own_postgres: Process, tmp_path: Path
) -> None:
    waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    data = wav(30_000)
    with client_of(on_own_postgres) as api, ThreadPoolExecutor(1) as pool:
        assert entries_of(api) == []
        with psycopg.connect(own_postgres.url) as other, psycopg.connect(own_postgres.url, autocommit=True) as admin:
            other.execute("LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE")
            answer = pool.submit(send, api, data)
            until(lambda: admin.execute(waiting).rowcount > 0)
        assert answer.result().status_code in (201, 503)
        until(lambda: len(entries_of(api)) == 1)
        assert api.get(f"/entries/{entries_of(api)[0]['id']}/audio").content == data


@pytest.mark.fault
def test_recordings_that_come_while_postgresql_goes_and_comes_are_entries_in_the_end(
    own_postgres: Postgres, on_own_postgres: Process, tmp_path: Path
) -> None:
    sent = [(str(uuid.uuid4()), wav(60_000)) for _ in range(30)]
    answers = []
    with client_of(on_own_postgres) as api:
        assert entries_of(api) == []
        for number, (client_id, data) in enumerate(sent):
            if number in (8, 18):
                own_postgres.stop()
            if number in (12, 22):
                own_postgres.start()
            answers.append(send(api, data, "raw", client_id).status_code)
        assert set(answers) == {201, 503}
        until(lambda: len(entries_of(api)) == 30)
        for client_id, data in sent:
            again = send(api, data, "raw", client_id)
            assert again.status_code == 200
            assert Path(again.json()["file_path"]).read_bytes() == data
        assert len(entries_of(api)) == len(files_below(tmp_path / "data" / "audio")) == 30


# --- The database refuses ---


def refusing(kind: str, url: str) -> None:
    """Let the database itself refuse every new recording of ours with a violated condition."""
    if kind == "sqlite":
        refuse_by_trigger(kind, url, "RAISE(ABORT, 'no')")
    else:
        with psycopg.connect(url) as other:
            other.execute("ALTER TABLE dream_entries ADD CONSTRAINT none CHECK (size_bytes < 0) NOT VALID")


def refuse_by_trigger(kind: str, url: str, how: str) -> None:
    if kind == "sqlite":
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute(f"CREATE TRIGGER no BEFORE INSERT ON dream_entries BEGIN SELECT {how}; END")
        connection.close()
    else:
        with psycopg.connect(url) as other:
            body = f"CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {how}; END $$"
            other.execute(body.encode())
            other.execute(
                "CREATE CONSTRAINT TRIGGER no AFTER INSERT ON dream_entries DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION no()"
            )


def check_refused(api: Client, tools: Tools, how: str) -> None:
    for client_id in (None, str(uuid.uuid4())):
        assert code_of(send(api, wav(30_000), how, client_id)) == (500, "DATABASE_ERROR")
    assert files_below(tools.storage.root) == []
    assert entries_of(api) == []


@pytest.mark.parametrize("how", ["raw", "form"])
def test_when_the_database_refuses_the_row_nothing_is_kept(
    api: Client, tools: Tools, database_kind: str, database_url: str, how: str
) -> None:
    refusing(database_kind, database_url)
    check_refused(api, tools, how)


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.parametrize("code", ["disk_full", "check_violation", "read_only_sql_transaction"])
def test_when_postgresql_refuses_the_commit_nothing_is_kept(
    api: Client, tools: Tools, database_kind: str, database_url: str, code: str
) -> None:
    refuse_by_trigger(database_kind, database_url, f"RAISE EXCEPTION 'no' USING ERRCODE = '{code}'")
    check_refused(api, tools, "raw")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_when_sqlite_may_only_read_nothing_is_kept(
    settings: dict[str, Any], ana: Person, database_url: str, request: pytest.FixtureRequest
) -> None:
    app: Flask = request.getfixturevalue("app")
    with app.app_context():
        event.listen(db.db.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
        db.db.engine.dispose()
    check_refused(request.getfixturevalue("api"), request.getfixturevalue("tools"), "raw")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_when_sqlite_is_full_nothing_is_kept(
    app: Flask, ana: Person, database_kind: str, request: pytest.FixtureRequest
) -> None:
    with app.app_context():
        event.listen(db.db.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1"))
        db.db.engine.dispose()
    api: Client = request.getfixturevalue("api")
    tools: Tools = request.getfixturevalue("tools")
    codes = {code_of(send(api, wav(20_000))) for _ in range(60)}
    assert (500, "DATABASE_ERROR") in codes
    assert codes <= {(500, "DATABASE_ERROR"), (201, "")}
    assert len(files_below(tools.storage.root)) == len(entries_of(api))
