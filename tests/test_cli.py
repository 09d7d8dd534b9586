"""Promises about the commands, run as a person would run them."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import SAMPLES, TOKEN, Databases, Process, files_below, wav

pytestmark = pytest.mark.slow

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
MP3 = SAMPLES / "sl-hisa.mp3"


@pytest.fixture
def settings(database_kind: str, databases: Databases, tmp_path: Path) -> dict[str, Any]:
    """An installation that was never started: its database is empty."""
    return {"database_url": databases.empty_url(database_kind, tmp_path), "data_dir": tmp_path / "data"}


def token_of(process: Process) -> str:
    assert process.run("account", "add", "ana", "--password-stdin", typed="correct horse\n").returncode == 0
    made = process.run("token", "add", "--account", "ana", "--name", "test")
    assert made.returncode == 0
    assert made.stdout.startswith("dw_")
    assert made.stdout.count("\n") == 1
    return made.stdout.strip()


def test_the_first_start_says_where_it_listens_and_how_to_make_the_first_account(process: Process) -> None:
    process.start()
    process.stop()
    said = process.log.read_text()
    assert f"listens on http://127.0.0.1:{process.port}" in said
    assert "account add NAME" in said
    token_of(process)
    process.log.unlink()
    process.start()
    process.stop()
    assert "account add" not in process.log.read_text()


def test_the_program_says_what_it_can_do_and_which_version_it_is(process: Process) -> None:
    said = process.run("--help")
    assert said.returncode == 0
    for command in ("account", "serve", "token", "upgrade", "verify"):
        assert f"  {command} " in said.stdout
    assert "Flask application" not in said.stdout
    assert process.run("--version").stdout.startswith("DreamWeb, version ")


def test_from_nothing_to_a_kept_recording_in_two_commands(process: Process) -> None:
    process.start()
    headers = {"Authorization": f"Bearer {token_of(process)}"}
    answer = httpx.post(f"{process.url}/api/v1/upload", files={"file": MP3.read_bytes()}, headers=headers)
    assert answer.status_code == 201
    process.kill()
    process.start()
    entry = httpx.get(f"{process.url}/api/v1/entries/{answer.json()['id']}", headers=headers).json()
    assert Path(entry["file_path"]).read_bytes() == MP3.read_bytes()


def test_curl_sends_a_recording_as_the_readme_says(serving: Process) -> None:
    if not shutil.which("curl"):
        pytest.fail("curl is missing")
    serving.start()
    upload = f"{serving.url}/api/v1/upload"
    common = ["curl", "-sS", "--fail", "-H", f"Authorization: Bearer {TOKEN}"]
    for arguments in (["-F", f"file=@{MP3}"], ["--data-binary", f"@{MP3}"], ["-T", str(MP3), "-X", "POST"]):
        done = subprocess.run([*common, *arguments, upload], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert '"status":"stored"' in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_by_signal_is_clean(process: Process, number: int) -> None:
    process.start()
    process.signal(number)
    assert process.wait() == 0
    assert "Traceback" not in process.log.read_text()


def test_accounts_and_tokens_are_managed_from_the_command_line(process: Process) -> None:
    token_of(process)
    added = process.run("account", "add", "Žiga", "--password-stdin", typed="correct horse\n")
    assert added.returncode == 0
    listed = process.run("account", "list").stdout.splitlines()
    assert [line.split("\t")[:3] for line in listed] == [["ana", "owner", "active"], ["Žiga", "member", "active"]]
    tokens = process.run("token", "list", "--account", "ANA").stdout.splitlines()
    token_id = tokens[0].split("\t")[0]
    assert process.run("token", "revoke", "--account", "ana", token_id).returncode == 0
    assert process.run("token", "list", "--account", "ana").stdout == ""


def test_a_forgotten_password_is_replaced_and_an_account_shut_out_from_the_command_line(serving: Process) -> None:
    serving.start()

    def status(password: str) -> int:
        tokens = f"{serving.url}/api/v1/tokens"
        return httpx.post(tokens, json={"name": "x"}, auth=("ana", password)).status_code

    changed = serving.run("account", "password", "Ana", "--password-stdin", typed="battery staple\n")
    assert changed.returncode == 0, changed.stderr
    assert (status("correct horse"), status("battery staple")) == (401, 201)
    assert serving.run("account", "disable", "ana").returncode == 2  # the only owner
    eva = ("account", "add", "Eva", "--role", "owner", "--password-stdin")
    assert serving.run(*eva, typed="correct horse\n").returncode == 0
    assert serving.run("account", "disable", "ana").returncode == 0
    assert "ana\towner\tdisabled" in serving.run("account", "list").stdout
    assert httpx.get(f"{serving.url}/api/v1/entries", headers=HEADERS).status_code == 401
    assert serving.run("account", "enable", "ana").returncode == 0
    assert httpx.get(f"{serving.url}/api/v1/entries", headers=HEADERS).status_code == 200


REFUSED: list[tuple[tuple[str, ...], str | None, str]] = [
    (("account", "password", "ana", "--password-stdin"), "short\n", "password"),
    (("account", "password", "nobody", "--password-stdin"), "long enough\n", "no account"),
    (("account", "disable", "ana"), None, "only owner"),
    (("account", "add", "ana", "--password-stdin"), "long enough\n", "already"),
    (("account", "add", "Ana ", "--password-stdin"), "long enough\n", "already"),
    (("account", "add", "bor", "--password-stdin"), "short\n", "password"),
    (("account", "add", "", "--password-stdin"), "long enough\n", "name"),
    (("token", "add", "--account", "nobody", "--name", "x"), None, "no account"),
]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_a_command_refuses_is_said_in_a_sentence(process: Process) -> None:
    assert process.run("account", "add", "ana", "--password-stdin", typed="correct horse\n").returncode == 0
    for arguments, typed, said in REFUSED:
        done = process.run(*arguments, typed=typed)
        assert done.returncode == 2, arguments
        assert said in done.stderr, arguments
        assert "Traceback" not in done.stderr, arguments


def test_the_settings_can_make_the_first_account_and_token(settings: dict[str, Any], tmp_path: Path) -> None:
    settings |= {"admin_username": "ana", "admin_password": "correct horse"}
    settings["api_token"] = "dw_known_from_the_very_start"
    process = Process(settings, tmp_path / "log")

    def status(token: str) -> int:
        return httpx.get(f"{process.url}/api/v1/entries", headers={"Authorization": f"Bearer {token}"}).status_code

    try:
        process.start()
        assert status("dw_known_from_the_very_start") == 200
        made = httpx.post(f"{process.url}/api/v1/tokens", json={"name": "x"}, auth=("ana", "correct horse"))
        assert made.status_code == 201
        process.stop()
        process = Process(settings | {"api_token": "dw_another_one_that_is_known"}, tmp_path / "log")
        process.start()
        assert (status("dw_known_from_the_very_start"), status("dw_another_one_that_is_known")) == (401, 200)
        assert status(made.json()["token"]) == 200
    finally:
        process.kill()


def test_four_processes_that_upgrade_at_once_do_no_harm(process: Process) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: process.run("upgrade"), range(4)))
    assert [each.returncode for each in done] == [0] * 4, [each.stderr for each in done]
    assert sorted(each.stdout for each in done) == [
        "The database is up to date.\n",
        "The database is up to date.\n",
        "The database is up to date.\n",
        "The database was upgraded.\n",
    ]


def test_verify_finds_what_is_missing_changed_and_orphaned_and_repairs_what_it_can(serving: Process) -> None:
    serving.start()

    def send(name: str) -> dict[str, Any]:
        answer = httpx.post(
            f"{serving.url}/api/v1/upload", files={"file": (name, (SAMPLES / name).read_bytes())}, headers=HEADERS
        )
        body: dict[str, Any] = answer.json()
        return body

    good, missing, changed = send("sl-hisa.mp3"), send("en-key.flac"), send("sl-hisa.ogg")
    assert serving.run("verify").returncode == 0
    data = bytearray(Path(changed["file_path"]).read_bytes())
    data[-1] ^= 1
    Path(changed["file_path"]).write_bytes(data)
    Path(missing["file_path"]).unlink()
    orphan = Path(good["file_path"]).with_name("orphan.ogg")
    shutil.copy(SAMPLES / "sl-hisa.ogg", orphan)
    stale = Path(good["file_path"]).parent.parent / ".incoming" / "left-over"
    stale.write_bytes(b"half")
    done = serving.run("verify")
    assert done.returncode == 1
    assert set(done.stdout.splitlines()) == {
        f"missing\t{missing['id']}",
        f"changed\t{changed['id']}",
        f"orphaned\t{orphan.parent.name}/orphan.ogg",
        f"stale\t{stale}",
    }
    repaired = serving.run("verify", "--repair")
    assert repaired.returncode == 1  # a missing and a changed recording need a backup
    assert len(repaired.stdout.splitlines()) == 2
    assert not stale.exists()
    entries = httpx.get(f"{serving.url}/api/v1/entries", headers=HEADERS).json()["items"]
    adopted = next(entry for entry in entries if entry["saved_filename"] == "orphan.ogg")
    played = httpx.get(f"{serving.url}/api/v1/entries/{adopted['id']}/audio", headers=HEADERS)
    assert played.content == (SAMPLES / "sl-hisa.ogg").read_bytes()
    assert len(files_below(Path(good["file_path"]).parent)) == 3


def test_an_orphan_is_given_to_nobody_when_there_are_several_accounts(
    serving: Process, settings: dict[str, Any]
) -> None:
    serving.start()
    assert serving.run("account", "add", "bor", "--password-stdin", typed="correct horse\n").returncode == 0
    folder = Path(settings["data_dir"]) / "audio" / "2025-01-31"
    folder.mkdir()
    shutil.copy(MP3, folder / "orphan.mp3")
    assert serving.run("verify", "--repair").returncode == 1
    assert serving.run("verify", "--repair", "--account", "bor").returncode == 0
    assert serving.run("verify").returncode == 0


def test_an_address_that_is_taken_ends_the_start_with_a_sentence(process: Process, settings: dict[str, Any]) -> None:
    process.start()
    done = process.run("serve")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("dreamweb: HOST, PORT: cannot listen on 127.0.0.1:")


def test_flask_and_waitress_find_the_application(tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    routes = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "dreamweb", "routes"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "/api/v1/upload" in routes.stdout, routes.stderr
    code = "import dreamweb, waitress; waitress.create_server(dreamweb.create_app(), port=0).close()"
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_jobs_are_listed_cancelled_done_again_and_added_from_the_command_line(serving: Process) -> None:
    serving.start()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    sent = httpx.post(f"{serving.url}/api/v1/upload", content=wav(20_000), headers=headers).json()
    (job, step, state, progress, entry, reason) = serving.run("jobs", "list").stdout.rstrip("\n").split("\t")
    assert (step, state, progress, entry, reason) == ("audio", "waiting", "-", sent["id"], "-")
    assert serving.run("jobs", "cancel", job).returncode == 0
    assert open_job(serving)[1] == "transcribe"  # the next one goes on without it
    assert serving.run("jobs", "cancel", job).returncode == 2  # it has ended
    assert serving.run("jobs", "retry", job).returncode == 0
    assert "0 entries" in serving.run("jobs", "add").stderr  # it waits already
    while found := open_job(serving):
        assert serving.run("jobs", "cancel", found[0]).returncode == 0
    assert "1 entry waits" in serving.run("jobs", "add", "--account", "ana").stderr
    unknown = serving.run("jobs", "retry", "00000000-0000-4000-8000-000000000000")
    assert (unknown.returncode, unknown.stderr.startswith("dreamweb: There is no job")) == (2, True)


def open_job(process: Process) -> list[str]:
    """The first line of the list, if there is one."""
    lines = process.run("jobs", "list").stdout.splitlines()
    return lines[0].split("\t") if lines else []
