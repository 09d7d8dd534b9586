"""Promises about kill -9 at any moment: what was acknowledged is there, and nothing is there twice or by halves."""

from __future__ import annotations

import hashlib
import os
import queue
import random
import struct
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import SAMPLES, Process, files_below, wav

pytestmark = pytest.mark.fault

TOKEN = "dw_" + "t" * 32
UPLOADS = 400
CLIENTS = 4
LIMIT = 300
"""Seconds until clients and kills must be done."""


@dataclass
class Dream:
    """One recording on a client: it is sent until it is acknowledged, and some are deleted again for good."""

    data: bytes
    filename: str
    how: str
    deleted_later: bool
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: dict[str, Any] = field(default_factory=dict)
    deleted: bool = False


def dreams(randomly: random.Random) -> list[Dream]:
    mp3 = (SAMPLES / "sl-hisa.mp3").read_bytes()
    flac = (SAMPLES / "en-key.flac").read_bytes()
    made = []
    for number in range(UPLOADS):
        kind = randomly.choice(["wav", "wav", "wav", "mp3", "flac"])
        if kind == "wav":
            size = randomly.choice([20_000, 200_000, 600_000, 2_000_000])
            data = wav(randomly.randint(size // 2, size), randomly)
        elif kind == "mp3":
            data = mp3 + b"TAG" + f"Dream {number} {randomly.random()}".encode().ljust(125, b"\0")
        else:
            # Behind the four letters and the first block, one of padding that holds what makes this file its own.
            own = str(randomly.random()).encode()
            data = flac[:42] + struct.pack(">I", 0x01000000 | len(own)) + own + flac[42:]
        made.append(Dream(data, f"{number}.{kind}", randomly.choice(["raw", "form"]), randomly.random() < 0.25))
    return made


class Clients:
    """Phones that send what they have, and send it again whenever the server was not there to say that it has it."""

    def __init__(self, process: Process, work: list[Dream]) -> None:
        self.counts: Counter[str] = Counter()
        self.under_way: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._url = f"{process.url}/api/v1"
        self._queue: queue.SimpleQueue[Dream] = queue.SimpleQueue()
        for dream in work:
            self._queue.put(dream)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as client:
            while not self._over.is_set():
                try:
                    dream = self._queue.get_nowait()
                except queue.Empty:
                    return
                answer = self._until_answered(client, "upload", self._request_of(dream))
                if answer is None:
                    return
                self.counts[f"upload {answer.status_code}"] += 1
                if answer.status_code not in (200, 201):
                    self.wrong.append(answer.text)
                    continue
                dream.answer = answer.json()
                if dream.deleted_later:
                    address = f"{self._url}/entries/{dream.answer['id']}"
                    answer = self._until_answered(client, "delete", ("DELETE", address, {"params": {"permanent": "1"}}))
                    if answer is not None and answer.status_code not in (204, 404):
                        self.wrong.append(answer.text)
                    dream.deleted = answer is not None

    def _request_of(self, dream: Dream) -> tuple[str, str, dict[str, Any]]:
        params = {"client_id": dream.client_id, "tags": "sea, house"}
        if dream.how == "form":
            return "POST", f"{self._url}/upload", {"params": params, "files": {"file": (dream.filename, dream.data)}}
        return "POST", f"{self._url}/upload", {"params": params | {"filename": dream.filename}, "content": dream.data}

    def _until_answered(
        self, client: httpx.Client, what: str, request: tuple[str, str, dict[str, Any]]
    ) -> httpx.Response | None:
        method, address, more = request
        while not self._over.is_set():
            self.under_way[what] += 1
            try:
                answer = client.request(method, address, **more)
                if answer.status_code != 503:
                    return answer
                self.counts["answered 503"] += 1
            except httpx.ConnectError:
                time.sleep(0.1)
            except httpx.HTTPError:
                self.counts[f"{what} broken off"] += 1
            finally:
                self.under_way[what] -= 1
        return None


def notes_in(root: Path) -> list[str]:
    return [path.name for path in (root / ".notes").iterdir()]


def kill_at_random(process: Process, clients: Clients, randomly: random.Random, root: Path) -> Counter[str]:
    """Kill and start again until the clients are done."""
    hits: Counter[str] = Counter()
    deadline = time.monotonic() + LIMIT
    while clients.busy():
        assert time.monotonic() < deadline, f"not done in {LIMIT} s: {clients.counts}"
        wait_until = time.monotonic() + randomly.uniform(0.1, 2)
        while time.monotonic() < wait_until and clients.busy():
            time.sleep(0.01)
        moment = randomly.choice(["any", "add", "remove", "remove"])
        patience = time.monotonic() + 5
        while moment != "any" and clients.busy() and time.monotonic() < patience:
            # Between the note and the row, or between the row and the file: a few milliseconds, so wait for one.
            if any(name.startswith("remove-") == (moment == "remove") for name in notes_in(root)):
                time.sleep(randomly.uniform(0, 0.002 if moment == "remove" else 0.01))
                break
        if not clients.busy():
            break
        hits["kills"] += 1
        hits["in an upload"] += clients.under_way["upload"] > 0
        hits["in a deletion"] += clients.under_way["delete"] > 0
        process.kill()
        removals = sum(name.startswith("remove-") for name in notes_in(root))
        hits["left notes of deletions"] += removals
        hits["left notes of uploads"] += len(notes_in(root)) - removals
        process.start()
    return hits


def test_every_acknowledged_recording_survives_kill_9(
    process: Process, settings: dict[str, Any], database_kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("DREAMWEB_SEED") or random.SystemRandom().randrange(10**9))
    say(capsys, f"{database_kind}: DREAMWEB_SEED={seed}")
    randomly = random.Random(seed)
    root: Path = settings["data_dir"] / "audio"
    process.configure(admin_username="ana", admin_password="correct horse", api_token=TOKEN, log_level="INFO")
    process.start()
    sent = dreams(randomly)
    started = time.monotonic()
    clients = Clients(process, sent)
    try:
        hits = kill_at_random(process, clients, randomly, root)
    finally:
        clients.stop()
    seconds = time.monotonic() - started

    assert clients.wrong == []
    with httpx.Client(base_url=f"{process.url}/api/v1", headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        check_all_there(client, sent)
    process.stop()
    assert process.wait() == 0
    repaired = process.run("verify", "--repair")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    again = process.run("verify")
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    kept = [dream for dream in sent if not dream.deleted]
    assert files_below(root) == sorted(Path(dream.answer["file_path"]) for dream in kept)
    process.start()
    with httpx.Client(base_url=f"{process.url}/api/v1", headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        assert sorted(entry["client_id"] for entry in entries_of(client)) == sorted(dream.client_id for dream in kept)

    size = sum(len(dream.data) for dream in sent) // 1_000_000
    say(
        capsys,
        f"{database_kind}: {len(sent)} uploads ({size} MB), {len(sent) - len(kept)} deleted again, in {seconds:.0f} s; "
        f"{dict(hits)}; {dict(clients.counts)}; repair: {repaired.stderr.splitlines()[-1]}",
    )
    assert hits["kills"] >= 8
    assert hits["in an upload"] >= 5
    assert hits["in a deletion"] >= 1


def say(capsys: pytest.CaptureFixture[str], line: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{line}\n")


def check_all_there(client: httpx.Client, sent: list[Dream]) -> None:
    listed = entries_of(client)
    assert max(Counter(entry["client_id"] for entry in listed).values()) == 1
    by_client_id = {entry["client_id"]: entry for entry in listed}
    for dream in sent:
        if dream.deleted:
            assert dream.client_id not in by_client_id
            assert not Path(dream.answer["file_path"]).exists()
            assert client.get(f"/entries/{dream.answer['id']}/audio").status_code == 404
        else:
            entry = by_client_id[dream.client_id]
            assert entry["id"] == dream.answer["id"]
            assert entry["tags"] == ["house", "sea"]
            assert entry["sha256"] == dream.answer["sha256"] == hashlib.sha256(dream.data).hexdigest()
            assert Path(entry["file_path"]).read_bytes() == dream.data
            assert client.get(f"/entries/{entry['id']}/audio").content == dream.data


def entries_of(client: httpx.Client) -> list[dict[str, Any]]:
    """All of them, those in the trash too."""
    found: list[dict[str, Any]] = []
    for trash in ("0", "1"):
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": "100", "trash": trash} | ({"cursor": cursor} if cursor else {})
            page = client.get("/entries", params=params).json()
            found += page["items"]
            cursor = page["next_cursor"]
    return found
