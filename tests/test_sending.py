"""Promises about `dreamweb send`: what it says has arrived has arrived, once, and no file is touched."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.conftest import SAMPLES, TOKEN, Person, Process, free_port, until, wav

ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""What has nothing to do with databases."""

Entry = dict[str, Any]

SEND = [sys.executable, "-m", "dreamweb", "send", "--settle", "0.4"]


class Laptop:
    """A machine that has the package, and nothing of a server."""

    def __init__(self, home: Path, url: str, token: str) -> None:
        self.home = home
        self.home.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "DREAMWEB_URL": url,
            "DREAMWEB_TOKEN": token,
        }
        self.said = home / "said"
        self._running: list[subprocess.Popen[bytes]] = []

    def send(self, *arguments: str | bytes | Path, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SEND, *arguments],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Send beside the test; what it says is added to `said`."""
        with self.said.open("ab") as said:
            process = subprocess.Popen(
                [*SEND, *arguments], env=self.environment, cwd=self.home, stdout=said, stderr=said
            )
        self._running.append(process)
        return process

    def has_said(self, text: str) -> bool:
        return self.said.exists() and text in self.said.read_text()

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait(10)


class Relay:
    """Stands on the way to the journal: tells who came, and plays what can happen on the way."""

    def __init__(self, behind: str) -> None:
        self._behind = int(behind.rpartition(":")[2])
        self.canned: list[bytes] = []
        """Answers to the next requests, in place of the journal's; none of them gets there."""
        self.swallowed = 0
        """How many of the journal's answers get lost."""
        self.came: list[float] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._one, args=(self._listening.accept()[0],), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with closing(client), suppress(OSError):
            while request := whole_request(client):
                self.came.append(time.monotonic())
                if self.canned:
                    client.sendall(self.canned.pop(0))
                    return
                with socket.create_connection(("127.0.0.1", self._behind)) as journal:
                    journal.sendall(request.replace(b"Connection: keep-alive", b"Connection: close", 1))
                    answer = b"".join(iter(lambda: journal.recv(65536), b""))
                if self.swallowed:
                    self.swallowed -= 1
                    return
                client.sendall(answer)
                return

    def close(self) -> None:
        self._listening.close()


def whole_request(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := client.recv(65536)):
            return b""
        data += more
    length = re.search(rb"(?i)content-length: (\d+)", data)
    missing = int(length[1] if length else 0) - len(data.partition(b"\r\n\r\n")[2])
    while missing > 0 and (more := client.recv(65536)):
        data += more
        missing -= len(more)
    return data


def canned(status: str, body: str = "", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@pytest.fixture
def laptop(live: str, make_person: Callable[..., Person], tmp_path: Path) -> Iterator[Laptop]:
    """Ana's, with a token that may only add recordings."""
    laptop = Laptop(tmp_path / "laptop", live, make_person("ana", scopes=("upload",)).token)
    yield laptop
    laptop.stop()


@pytest.fixture
def relay(live: str, laptop: Laptop) -> Iterator[Relay]:
    relay = Relay(live)
    laptop.environment["DREAMWEB_URL"] = relay.url
    yield relay
    relay.close()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder for recordings."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def entries(api: httpx.Client) -> list[Entry]:
    items: list[Entry] = api.get("/entries", params={"limit": 100}).json()["items"]
    return items


def arrived(api: httpx.Client) -> list[str]:
    """The SHA-256 of what is in the journal."""
    return sorted(entry["sha256"] for entry in entries(api))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recording(folder: Path, name: str = "dream.wav", size: int = 20_000) -> Path:
    path = folder / name
    path.write_bytes(wav(size))
    return path


# --- One file ---


def test_a_recording_arrives_with_what_is_said_of_it(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    path = stick / "Hiša ob morju.mp3"
    shutil.copy2(SAMPLES / "sl-hisa.mp3", path)
    said = ("--title", "Hiša", "--tags", "morje,hiša", "--tags", "sea", "--language", "sl")
    done = laptop.send(path, *said, "--dreamed-at", "2025-01-31T04:10+01:00")
    assert done.returncode == 0, done.stderr
    (entry,) = entries(api)
    assert done.stdout == f"sent\t{entry['url']}\t{path}\n"
    assert (entry["title"], entry["tags"], entry["language"]) == ("Hiša", ["hiša", "morje", "sea"], "sl")
    assert entry["dreamed_at"] == "2025-01-31T03:10:00.000000Z"
    assert entry["original_filename"] == path.name
    assert Path(entry["file_path"]).read_bytes() == path.read_bytes()


def test_the_same_recording_again_stays_one_entry(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    path, copy = recording(stick), stick / "copy of it.wav"
    shutil.copy2(path, copy)
    assert laptop.send(path).stdout.startswith("sent\t")
    shutil.rmtree(laptop.home / ".local")  # and with it what was remembered
    again = laptop.send(path, copy)
    assert [line.split("\t")[0] for line in again.stdout.splitlines()] == ["known", "known"]
    assert again.stderr == "0 sent, 2 there already, 0 not sent.\n"
    assert len(entries(api)) == 1


@ON_ONE
def test_an_answer_that_gets_lost_makes_no_second_entry(
    laptop: Laptop, api: httpx.Client, relay: Relay, stick: Path
) -> None:
    relay.swallowed = 1
    done = laptop.send(recording(stick))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("known\t")
    assert len(entries(api)) == 1
    assert len(relay.came) == 2


@pytest.mark.fault
def test_a_server_that_is_killed_in_the_middle_gets_it_when_it_is_back(serving: Process, tmp_path: Path) -> None:
    path = recording(tmp_path, size=4_900_000)
    laptop = Laptop(tmp_path / "laptop", serving.url, TOKEN)
    serving.start()
    serving.signal(signal.SIGSTOP)  # it has the connection and takes nothing in any more
    sending = laptop.start(path)
    try:
        sender = psutil.Process(sending.pid)
        until(lambda: any(each.status == psutil.CONN_ESTABLISHED for each in sender.net_connections()))
        time.sleep(0.2)
        assert sending.poll() is None
        serving.kill()
        until(lambda: laptop.has_said("trying again"))
        serving.start()
        assert sending.wait(60) == 0, laptop.said.read_text()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        (entry,) = httpx.get(f"{serving.url}/api/v1/entries", headers=headers).json()["items"]
        assert entry["sha256"] == sha256(path)
    finally:
        laptop.stop()


@ON_ONE
@pytest.mark.fault
def test_a_server_that_asks_for_patience_gets_it(laptop: Laptop, api: httpx.Client, relay: Relay, stick: Path) -> None:
    relay.canned = [
        canned("503 Service Unavailable", '{"detail": "The database is away."}', "Retry-After: 2"),
        canned("200 OK", "<title>Sign in to this hotel</title>", "Content-Type: text/html"),
        b"",
    ]
    done = laptop.send(recording(stick))
    assert done.returncode == 0, done.stderr
    assert len(entries(api)) == 1
    assert relay.came[1] - relay.came[0] >= 2
    for words in ("The database is away; trying again in 2 s", "sign-in to this network", "cannot be reached"):
        assert words in done.stderr


@ON_ONE
@pytest.mark.fault
def test_a_server_that_does_not_come_back_is_given_up_on(laptop: Laptop, stick: Path) -> None:
    laptop.environment["DREAMWEB_URL"] = f"http://127.0.0.1:{free_port()}"
    done = laptop.send(recording(stick), "--give-up-after", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not sent: the journal cannot be reached" in done.stderr


@ON_ONE
def test_what_the_journal_refuses_is_said_and_the_rest_is_sent(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    wrong = {"none.wav": b"no sound at all", "empty.wav": b"", "large.wav": wav(6 * 1024 * 1024)}
    for name, data in wrong.items():
        (stick / name).write_bytes(data)
    good = [recording(stick, "a.wav"), recording(stick, "b.wav")]
    os.mkfifo(stick / "pipe.wav")
    bad = [*(stick / name for name in wrong), stick / "missing.wav", stick / "pipe.wav", stick]
    done = laptop.send(good[0], *bad, good[1])
    assert done.returncode == 1
    assert arrived(api) == sorted(map(sha256, good))
    for path in bad:
        assert f"{path}: not sent: " in done.stderr
    for why in ("larger than 5 MB", "it is empty", "no such file", "a folder", "no ordinary file"):
        assert why in done.stderr
    assert done.stderr.endswith("2 sent, 0 there already, 6 not sent.\n")


@ON_ONE
@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("DREAMWEB_TOKEN", "dw_" + "x" * 32, "token"),
        ("DREAMWEB_TOKEN", "dw_ x", "no token"),
        ("DREAMWEB_TOKEN", "", "DREAMWEB_TOKEN"),
        ("DREAMWEB_URL", "", "DREAMWEB_URL"),
        ("DREAMWEB_URL", "dreams.local", "no address"),
        ("DREAMWEB_URL", "http://ana:secret@dreams.local", "without a name"),
        ("DREAMWEB_URL", "http://[", "no address"),
        ("DREAMWEB_URL", "{live}/elsewhere", "no journal at this address"),
    ],
)
def test_a_wrong_token_or_address_ends_it_with_one_sentence(
    laptop: Laptop, live: str, stick: Path, setting: str, value: str, said: str
) -> None:
    laptop.environment[setting] = value.format(live=live)
    done = laptop.send(recording(stick, "a.wav"), recording(stick, "b.wav"))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


@ON_ONE
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            canned("301 Moved", "", "Location: https://dreams/"),
            "leads on to https://dreams",
        ),
        (canned("404 Not Found", "<p>nginx</p>"), "no journal at this address"),
        (canned("422 Unprocessable", '{"detail": "tags: too long"}'), "tags: too long"),
    ],
)
def test_what_would_be_refused_for_every_recording_ends_it(
    laptop: Laptop, relay: Relay, stick: Path, answer: bytes, said: str
) -> None:
    relay.canned = [answer] * 2
    done = laptop.send(recording(stick, "a.wav"), recording(stick, "b.wav"))
    assert done.returncode == 2
    assert said in done.stderr
    assert len(relay.came) == 1


@ON_ONE
def test_a_certificate_that_is_not_trusted_ends_it_until_it_is(laptop: Laptop, stick: Path, tmp_path: Path) -> None:
    path, key, certificate = recording(stick), tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {certificate}"
    subprocess.run([*made.split(), "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    body = json.dumps({"id": "1", "sha256": sha256(path), "url": "https://dreams/entries/1"})

    def serve(listening: ssl.SSLSocket) -> None:
        while True:
            with suppress(ssl.SSLError):  # who does not trust us hangs up
                with listening.accept()[0] as client:
                    assert whole_request(client)
                    client.sendall(canned("201 Created", body))
                return

    with context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True) as listening:
        serving = threading.Thread(target=serve, args=(listening,), daemon=True)
        serving.start()
        laptop.environment["DREAMWEB_URL"] = f"https://localhost:{listening.getsockname()[1]}"
        refused = laptop.send(path)
        laptop.environment["SSL_CERT_FILE"] = str(certificate)
        sent = laptop.send(path)
        serving.join(10)
    assert refused.returncode == 2
    assert "does not trust the certificate" in refused.stderr
    assert (sent.returncode, sent.stdout) == (0, f"sent\thttps://dreams/entries/1\t{path}\n")


@ON_ONE
def test_another_sha256_than_that_of_the_file_is_no_confirmation(laptop: Laptop, relay: Relay, stick: Path) -> None:
    body = json.dumps({"id": "1", "sha256": "0" * 64, "url": "http://dreams/entries/1"})
    relay.canned = [canned("201 Created", body)]
    done = laptop.send(recording(stick), "--move-to", stick / "sent")
    assert (done.returncode, done.stdout) == (1, "")
    assert "other bytes" in done.stderr
    assert not (stick / "sent").exists()
    assert (stick / "dream.wav").exists()


# --- What a file is ---


@ON_ONE
def test_a_name_may_be_anything(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    names = (b"sanje \xe8.wav", b"new\nline.wav", b"--title.wav", "ž" * 120 + ".wav", b"esc\x1b[2J.wav")
    for name in names:
        Path(os.fsdecode(stick), os.fsdecode(name)).write_bytes(wav(20_000))
    done = laptop.send("--", *sorted(stick.iterdir()))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(names)
    assert "\x1b" not in done.stdout + done.stderr
    shown = {entry["original_filename"] for entry in entries(api)}
    assert "sanje \N{REPLACEMENT CHARACTER}.wav" in shown
    assert "--title.wav" in shown


@ON_ONE
def test_a_link_stands_for_its_recording(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    path, link, broken = recording(stick), stick / "link.wav", stick / "broken.wav"
    link.symlink_to(path)
    broken.symlink_to(stick / "nothing")
    assert laptop.send(link, "--move-to", stick / "sent").returncode == 0
    assert laptop.send(broken).returncode == 1
    assert arrived(api) == [sha256(path)]
    assert link.is_symlink()


@ON_ONE
def test_a_file_that_still_grows_is_sent_when_it_is_whole(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    whole, path = wav(200_000), stick / "dream.wav"
    path.write_bytes(whole[:20_000])
    sending = laptop.start(path)
    for at in range(20_000, 200_000, 20_000):
        time.sleep(0.15)
        with path.open("ab") as file:
            file.write(whole[at : at + 20_000])
    assert sending.wait(60) == 0, laptop.said.read_text()
    assert arrived(api) == [hashlib.sha256(whole).hexdigest()]


@ON_ONE
@pytest.mark.fault
def test_a_recording_that_changes_while_it_is_sent_does_not_arrive_as_half_of_both(
    serving: Process, tmp_path: Path
) -> None:
    """The server is stopped, so that the sender is held up in the middle; the file changes; the server goes on."""
    path = recording(tmp_path, size=20_000_000)
    serving.configure(max_file_size_mb=100)
    serving.start()
    laptop = Laptop(tmp_path / "laptop", serving.url, TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        serving.signal(signal.SIGSTOP)
        sending = laptop.start(path)
        sender = psutil.Process(sending.pid)
        until(lambda: any(each.status == psutil.CONN_ESTABLISHED for each in sender.net_connections()))
        time.sleep(0.5)
        other = wav(30_000)
        path.write_bytes(other)
        serving.signal(signal.SIGCONT)
        assert sending.wait(60) == 0, laptop.said.read_text()
        assert laptop.has_said("changed meanwhile")
        (entry,) = httpx.get(f"{serving.url}/api/v1/entries", headers=headers).json()["items"]
        assert entry["sha256"] == hashlib.sha256(other).hexdigest()
    finally:
        laptop.stop()


DAY = "2024-03-09T02:30:00.000000Z"
TODAY = "today"


@ON_ONE
@pytest.mark.parametrize(
    ("sample", "modified", "dreamed"),
    [
        ("sl-vlak.wav", "2024-03-09T02:30:00", DAY),
        ("sl-vlak.wav", "1980-01-01T00:00:00", TODAY),  # a recorder whose clock was never set
        ("sl-vlak.wav", "2000-01-01T00:12:00", TODAY),
        ("sl-vlak.wav", "2090-01-01T00:00:00", TODAY),
        ("sl-hisa.mp3", "2025-03-09T02:30:00", "2024-"),  # it says itself when it was recorded
    ],
)
def test_when_it_was_dreamed_is_told_by_the_file_if_that_can_be_believed(
    laptop: Laptop, api: httpx.Client, stick: Path, sample: str, modified: str, dreamed: str
) -> None:
    path = Path(shutil.copy(SAMPLES / sample, stick))
    moment = datetime.fromisoformat(modified).replace(tzinfo=UTC).timestamp()
    os.utime(path, (moment, moment))
    assert laptop.send(path).returncode == 0
    found = entries(api)[0]["dreamed_at"]
    if dreamed == TODAY:
        assert datetime.now(UTC) - datetime.fromisoformat(found) < timedelta(minutes=5)
    else:
        assert found.startswith(dreamed)


@ON_ONE
@pytest.mark.fault
def test_a_large_recording_takes_little_memory(laptop: Laptop, stick: Path) -> None:
    path = stick / "night.wav"
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    with socket.create_server(("127.0.0.1", 0)) as sink:
        laptop.environment["DREAMWEB_URL"] = f"http://127.0.0.1:{sink.getsockname()[1]}"
        process = laptop.start(path)
        client, _ = sink.accept()
        with client:
            left = path.stat().st_size
            while left > 0:
                left -= len(client.recv(1 << 20))
            peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
            client.sendall(canned("400 Bad Request", '{"detail": "That is no recording."}'))
            assert process.wait(30) == 1
    assert laptop.has_said("That is no recording")
    assert peak
    assert int(peak[1]) < 80_000


# --- How it is asked ---


@ON_ONE
def test_address_and_token_may_stand_in_a_file_of_ones_own(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    path, config = recording(stick), laptop.home / ".config/dreamweb/send.toml"
    url, token = (laptop.environment.pop(f"DREAMWEB_{name}") for name in ("URL", "TOKEN"))
    nowhere = laptop.send(path)
    assert nowhere.returncode == 2
    assert str(config) in nowhere.stderr
    config.parent.mkdir(parents=True)
    config.write_text(f'url = "{url}/"\ntoken = "{token}"\n')
    config.chmod(0o600)
    assert (laptop.send(path).returncode, len(entries(api))) == (0, 1)
    config.chmod(0o644)
    warned = laptop.send(path)
    assert warned.returncode == 0
    assert f"chmod 600 {config}" in warned.stderr
    for text, said in (("url = ", "not TOML"), ('token = "x"\nurl = "http://x"\ntokn = 1', "tokn"), ("url = 5", "url")):
        config.write_text(text)
        done = laptop.send(path, "--config", config)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert laptop.send(path, "--config", stick / "missing.toml").returncode == 2


@ON_ONE
def test_what_cannot_be_meant_is_asked_back(laptop: Laptop, stick: Path) -> None:
    path = recording(stick)
    wrong: list[tuple[str | Path, ...]] = [
        (),
        (path, "--watch", stick),
        (path, path, "--title", "Two"),
        ("--watch", stick, "--title", "Many"),
        ("--watch", stick, "--move-to", stick),
        (path, "--dreamed-at", "yesterday"),
        (path, "--token", "dw_x"),  # others on the machine would see it
    ]
    for arguments in wrong:
        done = laptop.send(*arguments)
        assert done.returncode == 2, arguments
        assert "Usage" in done.stderr


@ON_ONE
def test_sending_needs_nothing_of_a_server(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    laptop.environment |= {"DATABASE_URL": "nonsense", "PORT": "none", "DATA_DIR": "/proc/none"}
    assert laptop.send(recording(stick)).returncode == 0
    look = "import sys; sys.argv = ['dreamweb', 'send', '--help']; from dreamweb.__main__ import main\n"
    look += "try: main()\nexcept SystemExit: print({'flask', 'sqlalchemy', 'werkzeug', 'httpx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], env=laptop.environment, capture_output=True, text=True)
    assert done.stdout.endswith("set()\n"), done.stderr


@ON_ONE
def test_only_who_looks_on_sees_a_progress_bar(laptop: Laptop, stick: Path) -> None:
    path = recording(stick)
    assert laptop.send(path).stderr == ""
    main, terminal = pty.openpty()
    with subprocess.Popen([*SEND, path], env=laptop.environment, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        seen = b""
        with suppress(OSError):
            while more := os.read(main, 4096):
                seen += more
        assert process.stdout
        assert process.stdout.read().startswith(b"known\t")
    os.close(main)
    assert b"100%" in seen
    assert b"waiting for the answer" in seen


# --- A folder ---


@ON_ONE
def test_what_appears_in_a_watched_folder_is_sent_once_it_keeps_still(
    laptop: Laptop, api: httpx.Client, stick: Path
) -> None:
    laptop.start("--watch", stick / "RECORD", "--tags", "stick")
    until(lambda: laptop.has_said("Waiting for"))
    (stick / "RECORD" / "A").mkdir(parents=True)
    whole, path = wav(100_000), stick / "RECORD" / "A" / "REC001.WAV"
    recording(stick / "RECORD", ".hidden.wav")
    (stick / "RECORD" / "readme.txt").write_text("of the recorder")
    for at in range(0, 100_000, 20_000):
        with path.open("ab") as file:
            file.write(whole[at : at + 20_000])
        time.sleep(0.15)
    until(lambda: bool(entries(api)))
    (entry,) = entries(api)
    assert (entry["sha256"], entry["tags"]) == (hashlib.sha256(whole).hexdigest(), ["stick"])
    assert path.read_bytes() == whole


@ON_ONE
@pytest.mark.fault
def test_a_watcher_that_is_killed_neither_repeats_nor_forgets(
    laptop: Laptop, api: httpx.Client, relay: Relay, stick: Path
) -> None:
    paths = [recording(stick, f"{number}.wav") for number in range(6)]
    for wanted in (1, 3, 5):
        relay.swallowed = 1  # it is in the journal, and the watcher does not know
        watcher = laptop.start("--watch", stick)
        until(lambda: len(entries(api)) >= wanted)  # noqa: B023
        watcher.kill()
        watcher.wait()
    relay.swallowed = 0
    laptop.start("--watch", stick)
    until(lambda: len(entries(api)) == 6)
    paths.append(recording(stick, "last.wav"))
    until(lambda: laptop.has_said(f"{paths[-1]}\n"))
    assert arrived(api) == sorted(map(sha256, paths))
    laptop.stop()
    with (laptop.home / ".local/state/dreamweb/sent.jsonl").open("ab") as memory:
        memory.write(b'{"sha256": "of a line that was cut o')
    came = len(relay.came)
    watcher = laptop.start("--watch", stick)
    paths.append(recording(stick, "really the last.wav"))
    until(lambda: laptop.has_said(f"{paths[-1]}\n"))
    assert len(relay.came) == came + 1
    watcher.send_signal(signal.SIGINT)
    assert watcher.wait(10) == 130
    assert laptop.said.read_text().endswith("1 sent, 0 there already, 0 not sent.\n")
    assert {path.name for path in stick.iterdir()} == {path.name for path in paths}


@ON_ONE
@pytest.mark.fault
def test_what_was_deleted_from_the_journal_is_not_brought_back_by_a_watcher(
    laptop: Laptop, api: httpx.Client, stick: Path
) -> None:
    path = recording(stick)
    watcher = laptop.start("--watch", stick)
    until(lambda: laptop.has_said("sent\t"))
    watcher.kill()
    assert api.delete(f"/entries/{entries(api)[0]['id']}", params={"permanent": True}).status_code == 204
    path.touch()
    path.rename(stick / "renamed.wav")
    laptop.start("--watch", stick)
    recording(stick, "other.wav")
    until(lambda: laptop.has_said("other.wav"))
    assert len(entries(api)) == 1


@ON_ONE
@pytest.mark.fault
def test_a_watcher_goes_on_without_what_the_journal_refuses(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    bad = stick / "a.wav"
    bad.write_bytes(b"no sound")
    laptop.start("--watch", stick)
    until(lambda: laptop.has_said("a.wav: not sent"))
    good = recording(stick, "b.wav")
    until(lambda: bool(entries(api)))
    time.sleep(1)
    assert laptop.said.read_text().count("a.wav") == 1
    bad.write_bytes(wav(30_000))  # now it is one
    until(lambda: arrived(api) == sorted(map(sha256, (good, bad))))


@ON_ONE
@pytest.mark.fault
def test_a_watcher_waits_for_a_journal_that_is_away(
    laptop: Laptop, api: httpx.Client, relay: Relay, stick: Path
) -> None:
    relay.canned = [b"", canned("302 Found", "", "Location: http://hotel/"), canned("507 Insufficient Storage")]
    paths = [recording(stick, f"{number}.wav") for number in range(3)]
    laptop.start("--watch", stick)
    until(lambda: len(entries(api)) == 3)
    assert arrived(api) == sorted(map(sha256, paths))


@ON_ONE
def test_a_watcher_whose_token_was_revoked_ends_and_says_why(laptop: Laptop, stick: Path) -> None:
    laptop.environment["DREAMWEB_TOKEN"] = "dw_" + "x" * 32
    recording(stick)
    assert laptop.start("--watch", stick).wait(30) == 2
    assert laptop.has_said("token")


@ON_ONE
@pytest.mark.fault
def test_what_has_arrived_can_be_moved_and_never_covers_another(laptop: Laptop, api: httpx.Client, stick: Path) -> None:
    sent = stick / "sent"
    sent.mkdir()
    (sent / "a.wav").write_text("of somebody else")
    paths = [recording(stick, name) for name in ("a.wav", "b.wav")]
    data = [path.read_bytes() for path in paths]
    (stick / "c.wav").write_bytes(b"no sound")
    assert laptop.send(paths[1]).returncode == 0  # sent earlier, moved by the watcher
    laptop.start("--watch", stick, "--move-to", sent)
    until(lambda: (sent / "a (2).wav").exists() and not paths[0].exists() and not paths[1].exists())
    assert (sent / "a.wav").read_text() == "of somebody else"
    assert [(sent / "a (2).wav").read_bytes(), (sent / "b.wav").read_bytes()] == data
    until(lambda: laptop.has_said("c.wav: not sent"))
    assert (stick / "c.wav").exists()
    assert len(entries(api)) == 2


@ON_ONE
@pytest.mark.fault
def test_what_goes_to_another_disk_is_whole_there_before_it_goes_here(
    laptop: Laptop, api: httpx.Client, stick: Path
) -> None:
    elsewhere = Path("/dev/shm") / f"dreamweb-{os.getpid()}-{time.time_ns()}"
    if not elsewhere.parent.is_dir() or elsewhere.parent.stat().st_dev == stick.stat().st_dev:
        pytest.skip("there is only one disk here")
    try:
        path = recording(stick)
        digest, modified = sha256(path), path.stat().st_mtime
        assert laptop.send(path, "--move-to", elsewhere).returncode == 0
        (moved,) = elsewhere.iterdir()
        assert (sha256(moved), moved.stat().st_mtime) == (digest, modified)
        assert not path.exists()
        assert arrived(api) == [digest]
    finally:
        shutil.rmtree(elsewhere, ignore_errors=True)


@ON_ONE
@pytest.mark.fault
def test_whatever_is_killed_and_when_every_recording_arrives_once(
    serving: Process, stick: Path, tmp_path: Path
) -> None:
    seed = int(os.environ.get("DREAMWEB_SEED", "4"))
    chance = random.Random(seed)
    serving.start()
    laptop = Laptop(tmp_path / "laptop", serving.url, TOKEN)
    watching = laptop.start("--watch", stick)
    paths: list[Path] = []
    try:
        for number in range(30):
            paths.append(stick / f"{number}.wav")
            paths[-1].write_bytes(wav(chance.randrange(20_000, 2_000_000), chance))
            time.sleep(chance.uniform(0.2, 1.2))
            if chance.random() < 0.6:
                watching.kill()
                watching.wait()
                watching = laptop.start("--watch", stick)
            else:
                serving.kill()
                time.sleep(chance.uniform(0, 0.5))
                serving.start()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=f"{serving.url}/api/v1", headers=headers) as api:
            until(lambda: len(arrived(api)) >= len(paths), 120)
            assert arrived(api) == sorted(map(sha256, paths)), f"DREAMWEB_SEED={seed}"
    finally:
        laptop.stop()
