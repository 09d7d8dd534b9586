"""Workers are killed, frozen and robbed of their database; every step is done in the end, and hardly any twice."""

from __future__ import annotations

import fcntl
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from flask import Flask
from sqlalchemy import select

from dreamweb import entries, jobs, supervision
from dreamweb import worker as worker_module
from dreamweb.db import session, transaction
from dreamweb.details import Details
from dreamweb.errors import Used
from dreamweb.models.version import ModelCall
from dreamweb.pipeline.work import Done, nothing
from dreamweb.processing import control
from tests import chat_server as chat
from tests.chat_server import ChatServer, chat_server
from tests.conftest import SAMPLES, TOKEN, Person, Postgres, Process, locked, until
from tests.embedding_server import embedding_server
from tests.speech_server import SENTENCE, Reply, Speaking, speech_server
from tests.test_meaning import OTHERS, SEA
from tests.working import Working

pytestmark = pytest.mark.fault

STEPS = ["audio", "transcribe", "tidy", "analyse", "index"]
SECONDS = 120


class Code:
    """What stands in a program as it is written here."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __repr__(self) -> str:
        return self.code


LEASE = Code("__import__('datetime').timedelta(seconds=3)")


@pytest.fixture
def speech() -> Iterator[Speaking]:
    with speech_server() as speaking:
        yield speaking


@pytest.fixture
def models() -> Iterator[ChatServer]:
    with chat_server() as server:
        yield server


@pytest.fixture
def journal(serving: Process, speech: Speaking, models: ChatServer) -> Process:
    """A server with slow engines on real sockets; no worker of its own yet."""
    serving.configure(speech_engine="server", speech_model="whisper-1", speech_url=speech.url)
    serving.configure(language_models="server:llama", language_url=models.url, log_level="INFO")
    return serving


@contextmanager
def client_of(process: Process) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=f"{process.url}/api/v1", headers=headers, timeout=30) as client:
        yield client


def upload(api: httpx.Client) -> str:
    sent = api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes())
    assert sent.status_code == 201, sent.text
    return str(sent.json()["id"])


def jobs_of(api: httpx.Client, entry: str) -> dict[str, dict[str, Any]]:
    answer = api.get(f"/entries/{entry}/jobs")
    return {job["step"]: job for job in answer.json()["items"]} if answer.is_success else {}


def states(api: httpx.Client, entry: str) -> dict[str, str]:
    return {step: job["status"] for step, job in jobs_of(api, entry).items()}


def all_done(api: httpx.Client, entry: str) -> bool:
    return states(api, entry) == dict.fromkeys(STEPS, "done")


def worker_of(process: Process) -> psutil.Process:
    found: list[psutil.Process] = []

    def look() -> bool:
        children = psutil.Process(process.pid).children()
        found[:] = [child for child in children if "worker" in child.cmdline()]
        return bool(found)

    until(look)
    return found[0]


def slow(speech: Speaking, models: ChatServer, step: str) -> None:
    """Let the engines be slow once, in the step that shall be disturbed."""
    if step == "transcribe":
        segment = {"id": 0, "start": 0.0, "end": 5.0, "text": SENTENCE, "avg_logprob": -0.2, "no_speech_prob": 0.0}
        heard = {"text": SENTENCE, "language": "slovenian", "duration": 5.8, "segments": [segment]}
        speech.replies = [Reply(wait_seconds=3, body=json.dumps(heard).encode())]
    if step == "tidy":
        models.then(slowly, chat.honest)
    if step == "analyse":
        models.then(chat.honest, slowly, chat.honest)


def slowly(handler: Any, asked: Any) -> None:
    handler.server.over.wait(3)
    chat.honest(handler, asked)


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_in_any_step_repeats_that_step_and_no_other(journal: Process, step: str) -> None:
    journal.start()
    plain = dict(journal.constants)
    with client_of(journal) as api:
        entry = upload(api)
        # The worst moment: all of the work is done, and nothing of it is kept yet.
        late = f"lambda *given: (before[{step!r}](*given), __import__('time').sleep(2))[0]"
        steps = f"(lambda before: {{**before, {step!r}: {late}}})(dreamweb.worker.STEPS)"
        journal.constants |= {"dreamweb.worker.STEPS": Code(steps), "dreamweb.jobs.LEASE": LEASE}
        worker = journal.spawn("worker")
        until(lambda: states(api, entry).get(step) == "running", SECONDS)
        time.sleep(1)
        worker.kill()
        worker.wait()
        assert states(api, entry)[step] == "running"
        journal.constants = plain
        other = journal.spawn("worker")
        until(lambda: all_done(api, entry), SECONDS)
        attempts = {name: job["attempts"] for name, job in jobs_of(api, entry).items()}
        assert attempts == {name: 2 if name == step else 1 for name in STEPS}
        assert api.get(f"/entries/{entry}/audio").content == (SAMPLES / "sl-hisa.mp3").read_bytes()
        assert api.get(f"/entries/{entry}").json()["status"] == "ready"
        end(other)
    journal.stop()


def test_a_killed_server_goes_on_where_it_was(journal: Process, speech: Speaking, models: ChatServer) -> None:
    slow(speech, models, "transcribe")
    journal.configure(workers=1)
    journal.start()
    with client_of(journal) as api:
        worker = worker_of(journal)
        entry = upload(api)
        until(lambda: states(api, entry).get("transcribe") == "running", SECONDS)
        journal.kill()
        worker.wait(10)  # it sees that its server is gone
        journal.start()
        until(lambda: all_done(api, entry), SECONDS)
        assert {name: job["attempts"] for name, job in jobs_of(api, entry).items()}["audio"] == 1
    journal.stop()


def test_a_worker_killed_while_meanings_are_read_leaves_none_out(journal: Process) -> None:
    with embedding_server(replies=[Reply(wait_seconds=5, body=b"{}")]) as comparing:
        journal.configure(embedding_engine="server", embedding_model="m", embedding_url=comparing.url, workers=1)
        journal.start()
        with client_of(journal) as api:
            sea = ""
            for text in (*OTHERS, SEA):
                sea = api.post("/entries", json={"text": text}).json()["id"]
            until(lambda: bool(comparing.asked), SECONDS)
            worker = worker_of(journal)
            worker.kill()
            worker.wait(10)

            def found() -> bool:
                items = api.get("/search", params={"q": "ocean"}).json()["items"]
                return [item["entry"]["id"] for item in items] == [sea]

            until(found, SECONDS)
            assert set(comparing.texts) == {*OTHERS, SEA, "ocean"}
        journal.stop()


def test_thirty_recordings_survive_fifteen_random_kills(
    journal: Process, say_how_many: Callable[[str, int], None]
) -> None:
    randomly = random.Random(int(os.environ.get("DREAMWEB_SEED", "5")))
    journal.configure(workers=1)
    journal.start()
    killed_in: Counter[str] = Counter()
    with client_of(journal) as api:
        sent = [upload(api) for _ in range(30)]
        for _ in range(15):
            time.sleep(randomly.uniform(0.3, 1.5))
            worker = worker_of(journal)
            killed_in.update(step for entry in sent for step, state in states(api, entry).items() if state == "running")
            worker.kill()
            worker.wait(10)
        until(lambda: all(all_done(api, entry) for entry in sent), 3 * SECONDS)
        jobs = [job for entry in sent for job in jobs_of(api, entry).values()]
        assert len(jobs) == 150
        # A kill repeats the one step that was in flight.
        assert sum(job["attempts"] - 1 for job in jobs) <= 15
    journal.stop()
    for step, count in killed_in.items():
        say_how_many(f"kills in the step {step}", count)


def test_a_worker_that_is_stopped_gives_its_job_back_at_once(
    journal: Process, speech: Speaking, models: ChatServer
) -> None:
    slow(speech, models, "tidy")
    journal.start()
    with client_of(journal) as api:
        entry = upload(api)
        worker = journal.spawn("worker")
        until(lambda: states(api, entry).get("tidy") == "running", SECONDS)
        started = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
        assert time.monotonic() - started < 5
        assert states(api, entry)["tidy"] == "waiting"
        other = journal.spawn("worker")
        until(lambda: all_done(api, entry), SECONDS)
        assert {job["attempts"] for job in jobs_of(api, entry).values()} == {1}
        end(other)
    journal.stop()


def end(*workers: subprocess.Popen[bytes]) -> None:
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    for worker in workers:
        assert worker.wait(20) == 0


def catches(pid: int, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(re.findall(r"SigCgt:\s*(\w+)", status)[0], 16) >> (number - 1) & 1)


def test_a_worker_frozen_past_its_lease_writes_nothing_when_it_thaws(
    journal: Process, speech: Speaking, models: ChatServer
) -> None:
    models.then(slowly, chat.honest)  # the first to tidy is slow
    journal.constants |= {"dreamweb.jobs.LEASE": LEASE, "dreamweb.worker.BEAT_EVERY": 0.2}
    journal.start()
    with client_of(journal) as api:
        entry = upload(api)
        frozen = journal.spawn("worker")
        until(lambda: states(api, entry).get("tidy") == "running", SECONDS)
        frozen.send_signal(signal.SIGSTOP)
        other = journal.spawn("worker")
        until(lambda: all_done(api, entry), SECONDS)
        before = api.get(f"/entries/{entry}").json()
        frozen.send_signal(signal.SIGCONT)
        time.sleep(4)
        assert api.get(f"/entries/{entry}").json() == before
        assert jobs_of(api, entry)["tidy"]["attempts"] == 2
        second = upload(api)  # it works on, with what is next
        until(lambda: all_done(api, second), SECONDS)
        end(frozen, other)
    journal.stop()


def test_two_workers_do_two_hundred_dreams_and_each_step_once(
    journal: Process, say_how_many: Callable[[str, int], None]
) -> None:
    journal.configure(language_models="local")
    journal.start()
    with client_of(journal) as api:
        sent = [
            api.post("/entries", json={"text": f"I was flying over the sea {number}."}).json()["id"]
            for number in range(200)
        ]
        started = time.monotonic()
        workers = [journal.spawn("worker") for _ in range(2)]
        done = {"analyse": "done", "index": "done"}
        until(lambda: states(api, sent[-1]) == done, 3 * SECONDS)
        until(lambda: all(states(api, entry) == done for entry in sent), 3 * SECONDS)
        seconds = time.monotonic() - started
        assert {job["attempts"] for entry in sent for job in jobs_of(api, entry).values()} == {1}
        end(*workers)
    journal.stop()
    say_how_many("steps a second, by two workers", round(400 / seconds))


def test_a_job_that_kills_its_worker_is_given_up_and_holds_nothing_up(journal: Process) -> None:
    poison = Code("{**dreamweb.worker.STEPS, 'tidy': lambda *_: __import__('os')._exit(9)}")
    journal.start()
    with client_of(journal) as api:
        entry = upload(api)
        journal.constants |= {"dreamweb.worker.STEPS": poison, "dreamweb.jobs.LEASE": LEASE}
        statuses = [work_until_it_ends(journal, lambda: states(api, entry).get("index") == "done") for _ in range(4)]
        assert statuses == [9, 9, 9, 0]
        jobs = jobs_of(api, entry)
        assert jobs["tidy"]["status"] == "failed"
        assert "three times" in jobs["tidy"]["reason"]
        assert jobs["analyse"]["status"] == "done"
        assert api.get(f"/entries/{entry}").json()["transcription"]
    journal.stop()


def work_until_it_ends(journal: Process, over: Callable[[], bool]) -> int:
    worker = journal.spawn("worker")
    until(lambda: worker.poll() is not None or over(), SECONDS)
    worker.send_signal(signal.SIGTERM)
    return worker.wait(20)


def test_a_database_locked_just_as_a_step_finishes_is_waited_for(
    journal: Process, speech: Speaking, models: ChatServer, database_url: str
) -> None:
    models.then(slowly, chat.honest)
    journal.configure(workers=1)
    journal.start()
    with client_of(journal) as api:
        entry = upload(api)
        until(lambda: states(api, entry).get("tidy") == "running", SECONDS)
        with locked(database_url, "dream_entries, jobs IN EXCLUSIVE MODE"):
            time.sleep(20)  # the answer comes meanwhile
        until(lambda: all_done(api, entry), SECONDS)
        assert {job["attempts"] for job in jobs_of(api, entry).values()} == {1}
        assert len([asked for asked in models.asked if asked.is_tidying]) == 1
    journal.stop()


@pytest.mark.parametrize("away", ["stopped", "frozen"])
def test_a_postgresql_gone_for_twenty_seconds_just_as_a_step_finishes_is_waited_for(
    own_postgres: Postgres, tmp_path: Path, speech: Speaking, models: ChatServer, away: str
) -> None:
    models.then(slowly, chat.honest)
    journal = Process({"data_dir": tmp_path / "data", "database_url": own_postgres.url}, tmp_path / "serve.log")
    journal.configure(admin_username="ana", admin_password="correct horse", api_token=TOKEN, workers=1)
    journal.configure(speech_engine="server", speech_url=speech.url)
    journal.configure(language_models="server:llama", language_url=models.url)
    journal.start()
    try:
        with client_of(journal) as api:
            entry = upload(api)
            until(lambda: states(api, entry).get("tidy") == "running", SECONDS)
            go, come = {
                "stopped": (own_postgres.stop, own_postgres.start),
                "frozen": (own_postgres.freeze, own_postgres.thaw),
            }[away]
            go()
            time.sleep(20)
            come()
            until(lambda: all_done(api, entry), SECONDS)
            assert {job["attempts"] for job in jobs_of(api, entry).values()} == {1}
            assert len([asked for asked in models.asked if asked.is_tidying]) == 1
        journal.stop()
    finally:
        journal.kill()


def test_an_idle_worker_and_its_server_keep_little_memory(
    journal: Process, say_how_many: Callable[[str, int], None]
) -> None:
    journal.start()
    with client_of(journal) as api:
        assert api.get("/entries").status_code == 200
        alone = psutil.Process(journal.pid).memory_full_info().rss
        worker = journal.spawn("worker")
        time.sleep(3)
        more = psutil.Process(worker.pid).memory_full_info().uss
        say_how_many("kB of an idle worker's own", more // 1024)
        say_how_many("kB of the server", alone // 1024)
        assert more < 60 * 2**20
        entry = upload(api)
        until(lambda: all_done(api, entry), SECONDS)
        grown = psutil.Process(journal.pid).memory_full_info().rss - alone
        say_how_many("kB more of the server after a recording was processed", grown // 1024)
        assert grown < 20 * 2**20
        end(worker)
    journal.stop()


def test_a_worker_whose_server_is_gone_ends_by_itself(journal: Process) -> None:
    journal.start()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    # As if the server had been killed while its worker was starting.
    assert journal.spawn("worker", "--slot", "0", "--parent", str(gone.pid)).wait(30) == 0
    journal.stop()


def test_a_worker_that_waits_for_another_to_end_can_be_stopped(journal: Process, tmp_path: Path) -> None:
    journal.start()
    with (tmp_path / "data" / "worker-0.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = journal.spawn("worker", "--slot", "0", "--parent", str(os.getpid()))
        until(lambda: catches(waiting.pid, signal.SIGTERM), SECONDS)
        time.sleep(1)  # it has started, and waits
        assert waiting.poll() is None
        started = time.monotonic()
        end(waiting)
        assert time.monotonic() - started < 5
    journal.stop()


def test_a_worker_that_cannot_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program, log = tmp_path / "python", tmp_path / "started"
    monkeypatch.setattr(sys, "executable", str(program))
    stopping = threading.Event()
    keeping = supervision.start(1, stopping)
    try:
        time.sleep(1)
        assert keeping.is_alive()
        partly = tmp_path / "partly"
        partly.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec sleep 60\n')
        partly.chmod(0o700)
        partly.rename(program)
        until(log.exists)
        assert log.read_text().split() == ["-m", "dreamweb", "worker", "--slot", "0", "--parent", str(os.getpid())]
    finally:
        stopping.set()
        keeping.join(20)
    assert not keeping.is_alive()


def write(app: Flask, person: Person) -> None:
    with app.app_context(), transaction():
        entries.create(person.account, Details(text="I was flying over the sea."))


def test_a_cancelled_step_that_does_not_look_is_not_begun_by_another(
    app: Flask, ana: Person, work: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEASE", timedelta(seconds=3))
    monkeypatch.setattr(worker_module, "BEAT_EVERY", 0.2)
    monkeypatch.setattr(worker_module, "_WRITE_EVERY", 0.5)
    begun, over = threading.Event(), threading.Event()

    def deaf(*_: object) -> Done:
        begun.set()
        over.wait(60)
        return Done(nothing)

    monkeypatch.setitem(worker_module.STEPS, "analyse", deaf)
    write(app, ana)
    working_on = threading.Thread(target=work.all)
    working_on.start()
    try:
        assert begun.wait(30)
        with app.app_context(), transaction():
            control.cancel(ana.account, work.jobs()["analyse"].id)
        time.sleep(6)  # twice the lease
        with app.app_context():
            assert jobs.claim("other") is None
    finally:
        over.set()
        working_on.join(30)
    assert work.jobs()["analyse"].crashes == 0


def test_a_job_that_was_cancelled_before_its_worker_died_is_not_done_again(
    app: Flask, ana: Person, work: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setitem(worker_module.STEPS, "analyse", lambda *_: begun.append("once more"))
    write(app, ana)
    with app.app_context():
        claimed = jobs.claim("dead")
        assert claimed
        with transaction():
            control.cancel(ana.account, claimed.id)
        jobs.free("dead")
    work.all()
    assert (work.jobs()["analyse"].state, begun) == ("cancelled", [])


def test_what_a_server_says_of_its_use_can_always_be_kept(
    app: Flask, ana: Person, work: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "server:" + "m" * 300
    used = [Used(name, 9 * 10**18, -1, float("nan"))]
    monkeypatch.setitem(worker_module.STEPS, "analyse", lambda *_: Done(nothing, engine=name, used=used))
    write(app, ana)
    work.all()
    assert (work.jobs()["analyse"].state, work.jobs()["analyse"].engine) == ("done", name[:200])
    with app.app_context():
        call = session().scalars(select(ModelCall)).one()
        assert (call.engine, call.tokens_in, call.tokens_out, call.cost) == (name[:200], 10**9, 0, None)


@pytest.mark.parametrize("broken", ["refused", "not text"])
def test_a_job_whose_outcome_is_refused_has_failed_and_its_cost_is_kept(
    app: Flask, ana: Person, work: Working, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def refused(entry: Any) -> None:
        if broken == "refused":
            entry.created_at = None
        else:
            entry.title = "\ud800"

    monkeypatch.setitem(worker_module.STEPS, "analyse", lambda *_: Done(refused, used=[Used("server:m", 7, 2, 0.1)]))
    write(app, ana)
    work.all()
    job = work.jobs()["analyse"]
    assert (job.state, job.attempts) == ("failed", 1)
    with app.app_context():
        assert session().scalars(select(ModelCall.tokens_in)).one() == 7
