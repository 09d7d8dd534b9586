"""Promises of the server itself: slow clients, a clean stop, bodies that are written once, and those it refuses."""

from __future__ import annotations

import json
import signal
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import TOKEN, Process, files_below, until, wav

MB = 1024 * 1024
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def database_kind() -> str:
    """Nothing here depends on the database."""
    return "sqlite"


@pytest.fixture
def root(settings: dict[str, Any]) -> Path:
    """The folder of the recordings."""
    folder: Path = settings["data_dir"] / "audio"
    return folder


def upload(process: Process, data: bytes, **more: Any) -> httpx.Response:
    return httpx.post(f"{process.url}/api/v1/upload", content=data, headers=HEADERS, timeout=60, **more)


def upload_form(process: Process, data: bytes) -> httpx.Response:
    files = {"file": ("dream.wav", data)}
    return httpx.post(f"{process.url}/api/v1/upload", files=files, headers=HEADERS, timeout=60)


def begin(process: Process, size: int, *lines: str) -> socket.socket:
    """A connection on which an upload of so many bytes is announced."""
    connection = socket.create_connection(("127.0.0.1", process.port), timeout=60)
    head = ["POST /api/v1/upload HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}", *lines]
    head += [f"Content-Length: {size}"] if size else []
    connection.sendall("\r\n".join([*head, "", ""]).encode())
    return connection


def answer_on(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    response = HTTPResponse(connection)
    response.begin()
    body: dict[str, Any] = json.loads(response.read())
    return response.status, body


def in_hand(process: Process, root: Path) -> list[str]:
    """The files below the storage that the server has open, with a name or without."""
    found = []
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(f"{root}/"):
            found.append(target)
    return found


def written(process: Process) -> int:
    """Bytes that the server has handed to write(2) and its kin so far; sockets are not counted."""
    lines = Path(f"/proc/{process.pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["wchar"])


# --- Slow clients ---


@pytest.mark.fault
def test_twenty_slow_uploads_do_not_keep_a_normal_one_waiting(serving: Process) -> None:
    serving.configure(web_threads=4)
    serving.start()
    data = wav(200_000)

    def seconds() -> float:
        started = time.monotonic()
        assert upload(serving, wav(60_000)).status_code == 201
        return time.monotonic() - started

    alone = max(seconds() for _ in range(3))
    slow = [begin(serving, len(data)) for _ in range(20)]
    done = threading.Event()
    sent = 0

    def trickle() -> None:
        nonlocal sent
        while not done.wait(1):
            for connection in slow:
                connection.sendall(data[sent : sent + 1000])
            sent += 1000

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        time.sleep(1.5)
        beside = []
        for _ in range(6):
            beside.append(seconds())
            time.sleep(0.5)
    finally:
        done.set()
        thread.join()
    assert sent >= 3000
    assert statistics.median(beside) < max(3 * alone, 2)  # were they in the way, it would be minutes for each
    for connection in slow:
        connection.sendall(data[sent:])
    assert [answer_on(connection)[0] for connection in slow] == [201] * 20
    for connection in slow:
        connection.close()


# --- A clean stop ---


def refuses_connections(process: Process) -> bool:
    try:
        socket.create_connection(("127.0.0.1", process.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # taken in just before the socket was closed
        return False
    return False


@pytest.mark.fault
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("size", [100_000, 2 * MB])
def test_a_stop_in_the_middle_of_an_upload_finishes_it(serving: Process, root: Path, number: int, size: int) -> None:
    serving.start()
    data = wav(size)
    with httpx.Client() as idle, begin(serving, len(data)) as connection:
        assert idle.get(f"{serving.url}/health").status_code == 200  # and its connection stays open
        connection.sendall(data[: size // 2])
        time.sleep(0.3)
        serving.signal(number)
        until(lambda: refuses_connections(serving))
        time.sleep(1)
        connection.sendall(data[size // 2 :])
        status, body = answer_on(connection)
        started = time.monotonic()
        assert serving.wait(20) == 0
        assert time.monotonic() - started < 15  # half of what is waited for requests that do not end
    assert status == 201
    assert Path(body["file_path"]).read_bytes() == data
    assert len(files_below(root)) == 1
    assert "Stopped in the middle" not in serving.log.read_text()
    serving.start()
    entry = httpx.get(f"{serving.url}/api/v1/entries/{body['id']}", headers=HEADERS)
    assert entry.json()["sha256"] == body["sha256"]


def test_connections_that_are_only_open_do_not_delay_a_stop(serving: Process) -> None:
    serving.start()
    with httpx.Client() as client, socket.create_connection(("127.0.0.1", serving.port)) as silent:
        assert client.get(f"{serving.url}/health").status_code == 200
        started = time.monotonic()
        serving.signal(signal.SIGTERM)
        assert serving.wait(20) == 0
        assert time.monotonic() - started < 15
        assert silent.recv(1) == b""


@pytest.mark.fault
def test_a_client_that_never_finishes_is_cut_off_when_the_grace_is_over(serving: Process, root: Path) -> None:
    serving.constants["dreamweb.server.GRACE"] = 2
    serving.start()
    with begin(serving, 2 * MB) as connection:
        connection.sendall(wav(MB))
        until(lambda: in_hand(serving, root) != [])
        started = time.monotonic()
        serving.signal(signal.SIGTERM)
        assert serving.wait(20) == 0
        assert 1.5 < time.monotonic() - started < 15
        connection.settimeout(20)
        with suppress(ConnectionResetError):  # instead of an end, when bytes were still on their way
            assert connection.recv(1) == b""
    assert "Stopped in the middle of requests" in serving.log.read_text()
    assert files_below(root) == []


# --- What is written ---


def test_a_raw_body_is_written_once_and_a_form_twice(serving: Process) -> None:
    serving.start()
    size = 4 * MB
    upload(serving, wav(20_000))
    counts = {}
    for name, send in (("raw", upload), ("form", upload_form)):
        before = written(serving)
        assert send(serving, wav(size)).status_code == 201
        counts[name] = (written(serving) - before) / size
    assert 1 <= counts["raw"] < 1.1
    assert 2 <= counts["form"] < 2.1


def test_what_is_announced_to_be_too_large_is_refused_in_json_before_it_is_written(
    serving: Process, root: Path
) -> None:
    serving.start()
    upload(serving, wav(20_000))
    for send in (upload, upload_form):
        before = written(serving)
        answer = send(serving, wav(7 * MB))  # the limit is 5
        assert (answer.status_code, answer.json()["error_code"]) == (413, "FILE_TOO_LARGE")
        assert answer.json()["request_id"]
        assert written(serving) - before < 100_000
    assert len(files_below(root)) == 1


def test_a_body_of_unknown_length_is_refused_when_it_turns_out_too_large(serving: Process, root: Path) -> None:
    serving.start()
    data = wav(64 * 1024)
    answer = httpx.post(f"{serving.url}/api/v1/upload", content=(data for _ in range(160)), headers=HEADERS, timeout=60)
    assert (answer.status_code, answer.json()["error_code"]) == (413, "FILE_TOO_LARGE")
    until(lambda: in_hand(serving, root) == [])
    assert files_below(root) == []
    assert upload(serving, data).status_code == 201


def test_when_the_disk_is_nearly_full_a_body_is_refused_before_it_is_written(serving: Process, root: Path) -> None:
    serving.constants["dreamweb.storage.RESERVE"] = 10**15
    serving.start()
    upload(serving, wav(20_000))

    def in_chunks(process: Process, data: bytes) -> httpx.Response:
        pieces = (data[at : at + 65_536] for at in range(0, len(data), 65_536))
        return httpx.post(f"{process.url}/api/v1/upload", content=pieces, headers=HEADERS, timeout=60)

    for send in (upload, upload_form, in_chunks):
        before = written(serving)
        answer = send(serving, wav(3 * MB))
        assert (answer.status_code, answer.json()["error_code"]) == (507, "STORAGE_FULL")
        assert written(serving) - before < 100_000
    assert files_below(root) == []
    assert httpx.get(f"{serving.url}/health").status_code == 200


def test_a_stranger_without_a_token_cannot_fill_the_disk(serving: Process, root: Path) -> None:
    serving.start()
    address, data = f"{serving.url}/api/v1/upload", wav(3 * MB)
    pieces = (data[at : at + 65_536] for at in range(0, len(data), 65_536))
    for content in (data, pieces):
        before = written(serving)
        answer = httpx.post(address, content=content, timeout=60)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")
        assert written(serving) - before < 100_000
    assert files_below(root) == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"BROKEN\r\n\r\n",
        b"GET / HTTP/9.9 more\r\n\r\n",
        b"POST /api/v1/upload HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon here\r\n\r\n",
        b"POST /api/v1/upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnothex\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_a_broken_request_is_answered_in_json(serving_once: str, request_bytes: bytes) -> None:
    host, port = serving_once.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request_bytes)
        status, body = answer_on(connection)
    assert (status, body["error_code"]) == (400, "INVALID_REQUEST")
    assert body["detail"]
    assert body["request_id"]
    assert httpx.get(f"{serving_once}/health").status_code == 200


@pytest.fixture
def serving_once(live: str) -> str:
    return live


# --- Clients that hang up, and file systems that know no files without a name ---


@contextmanager
def half_sent(process: Process, root: Path, *, form: bool = False) -> Iterator[socket.socket]:
    lines = ["Content-Type: multipart/form-data; boundary=b"] if form else []
    start = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n' if form else b""
    with begin(process, 2 * MB, *lines) as connection:
        connection.sendall(start + wav(MB))
        until(lambda: in_hand(process, root) != [])
        yield connection


@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize("named", [False, True])
def test_a_client_that_hangs_up_in_the_middle_leaves_nothing(
    serving: Process, root: Path, form: bool, named: bool
) -> None:
    if named:
        serving.constants["os.O_TMPFILE"] = 0
    serving.start()
    with half_sent(serving, root, form=form):
        assert bool(files_below(root)) == named
    until(lambda: in_hand(serving, root) == [])
    assert files_below(root) == []
    assert upload(serving, wav(50_000)).status_code == 201


def test_where_every_file_has_a_name_uploads_work_and_leave_only_themselves(serving: Process, root: Path) -> None:
    serving.constants["os.O_TMPFILE"] = 0  # what a kernel or a file system without it comes to: a folder is opened
    serving.start()
    for send in (upload, upload_form):
        for size in (30_000, MB):
            data = wav(size)
            answer = send(serving, data)
            assert answer.status_code == 201
            assert Path(answer.json()["file_path"]).read_bytes() == data
            assert Path(answer.json()["file_path"]).stat().st_mode & 0o777 == 0o644
    assert send(serving, b"not a recording" * 1000).status_code == 400
    until(lambda: len(files_below(root)) == 4)
    assert serving.run("verify").returncode == 0


def test_verify_finds_and_sweeps_what_a_crash_has_left_but_not_what_is_in_use(serving: Process, root: Path) -> None:
    serving.constants["os.O_TMPFILE"] = 0
    serving.start()
    with half_sent(serving, root):
        serving.kill()
    (stale,) = files_below(root)
    found = serving.run("verify")
    assert (found.returncode, found.stdout.strip()) == (1, f"stale\t{stale}")
    kept = stale.read_bytes()
    assert serving.run("verify", "--repair").returncode == 0
    assert files_below(root) == []
    stale.write_bytes(kept)  # and once more, for the server itself to find
    serving.start()
    until(lambda: files_below(root) == [])
    with half_sent(serving, root) as connection:
        (used,) = files_below(root)
        assert serving.run("verify", "--repair").returncode == 0
        assert files_below(root) == [used]
        data = wav(2 * MB)
        connection.sendall(data[MB:])
        assert answer_on(connection)[0] == 201
    assert serving.run("verify").returncode == 0


@pytest.mark.fault
def test_verify_beside_a_busy_server_reports_nothing(serving: Process) -> None:
    serving.constants["os.O_TMPFILE"] = 0
    serving.start()
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            made = upload(serving, wav(30_000)).json()
            address = f"{serving.url}/api/v1/entries/{made['id']}"
            assert httpx.delete(address, params={"permanent": True}, headers=HEADERS).status_code == 204

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        results = [serving.run("verify") for _ in range(4)]
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert [(each.returncode, each.stdout) for each in results] == [(0, "")] * 4
