"""Claims and runs jobs: the one dictionary from a step's name to its function, and a loop that only a stop ends."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import click
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from dreamweb import config, db, jobs, log, reindexing, signals
from dreamweb.adapters.children import Watch
from dreamweb.adapters.embedding import Embedder
from dreamweb.adapters.language import Language
from dreamweb.adapters.speech import Speech
from dreamweb.db import end_reading, session, transaction
from dreamweb.errors import DreamWebError, Permanent, Skipped, Transient
from dreamweb.jobs import Claim, LostError
from dreamweb.models.entry import Entry
from dreamweb.pipeline import analyse, audio, course, embed, forget, index, signs, tidy, transcribe, trial
from dreamweb.pipeline.outcome import CancelledError, Outcome, WithdrawnError, keep, used
from dreamweb.pipeline.work import Done, Hands
from dreamweb.tools import Tools
from dreamweb.words import say

STEPS: dict[str, Callable[[Hands, Entry, Watch], Done]] = {
    "audio": audio.run,
    "transcribe": transcribe.run,
    "tidy": tidy.run,
    "analyse": analyse.run,
    "index": index.run,
}

FOR_ALL: dict[str, Callable[[Hands, dict[str, Any], Watch], Done]] = {
    "trial": trial.run,
    "sign": signs.run,
    "embed": embed.run,
    "forget": forget.run,
}
"""Steps that belong to no entry; they are given what was asked."""

LOOK_EVERY = 0.5
"""Seconds between two looks for something to do; the time from an upload to its first step is half of it."""

BEAT_EVERY = 2.0
"""Seconds between two looks at whether the job is still wanted. Only some of them write that we live."""

_WRITE_EVERY = 10.0
_AWAY_SECONDS = 5.0
_LANGUAGE_IDLE = 300.0
_LONGEST_NAME = 200

_BROKEN = say("Something went wrong that we did not foresee. The log says more.")
_POISON = say("This step has ended its worker three times. It is not tried again by itself.")

logger = log.Logger(__name__)


class StoppedError(Exception):
    """The worker shall end: what it does is given back."""


@dataclass
class Worker:
    """One worker: it does one job at a time. `name` tells it from all others."""

    app: Flask
    hands: Hands
    name: str
    pause: timedelta = timedelta(0)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Work until `stopping` is set; a database that is away is waited for."""
        while not self.stopping.is_set():
            try:
                with self.app.app_context():
                    if not self.step():
                        self.stopping.wait(LOOK_EVERY)
            except SQLAlchemyError as error:
                with self.app.app_context():
                    db.report(error)
                self.stopping.wait(_AWAY_SECONDS)
            except Exception:
                logger.error("The worker met what it did not foresee", exc_info=True)
                self.stopping.wait(_AWAY_SECONDS)

    def step(self) -> bool:
        """Do one job, if there is one; inside an application context."""
        claimed = jobs.claim(self.name, pause=self.pause)
        if claimed is None:
            return False
        started = time.monotonic()
        with suppress(LostError):
            outcome = self._do(claimed)
            if outcome is not None:
                outcome = self._keep(claimed, outcome)
                logger.info(
                    "A step has ended",
                    job=claimed.id,
                    step=claimed.step,
                    entry=claimed.entry_id,
                    outcome=type(outcome).__name__,
                    ms=round((time.monotonic() - started) * 1000),
                )
        return True

    def _keep(self, claimed: Claim, outcome: Outcome) -> Outcome:
        """Write what came of a job, and answer what was written. Raises `LostError`."""
        try:
            _insist(lambda: keep(claimed, outcome), self.stopping)
        except (SQLAlchemyError, ValueError, OverflowError) as error:
            if db.is_away(error):
                raise
            # What the database refuses now, it would refuse again.
            logger.error("What a step has made cannot be kept", step=claimed.step, error=type(error).__name__)
            failed = Permanent(_BROKEN, used=used(outcome))
            _insist(lambda: keep(claimed, failed), self.stopping)
            return failed
        return outcome

    def _do(self, claimed: Claim) -> Outcome | None:
        """What came of a job; None when it was given back."""
        if claimed.crashes >= jobs.MAX_CRASHES:
            return Permanent(_POISON)
        if claimed.cancelling:  # its worker has ended before it could say so
            return CancelledError()
        pulse = _Pulse(self, claimed)
        try:
            with pulse:
                return self._call(claimed, pulse.watch)
        except (CancelledError, WithdrawnError) as error:
            return error
        except StoppedError:
            _insist(lambda: jobs.give_back(claimed), self.stopping)
        except (Transient, Permanent, Skipped) as error:
            return error
        except DreamWebError as error:
            return Permanent(error.detail)
        except SQLAlchemyError as error:
            db.report(error)
            return Transient(say("The database was away."))
        except LostError:
            raise
        except Exception:
            logger.error("A step failed in a way that was not foreseen", step=claimed.step, exc_info=True)
            return Transient(_BROKEN) if claimed.attempts < jobs.MAX_CRASHES else Permanent(_BROKEN)
        return None

    def _call(self, claimed: Claim, watch: Watch) -> Done:
        if claimed.entry_id is None:
            return FOR_ALL[claimed.step](self.hands, claimed.request or {}, watch)
        entry = _begin(claimed)
        if entry.deleted_at is not None:
            raise Skipped(say("This entry is in the trash."))
        return STEPS[claimed.step](self.hands, entry, watch)


def _begin(claimed: Claim) -> Entry:
    """The entry as it is now; it says from here on that it is being processed."""
    entry = session().get(Entry, claimed.entry_id, populate_existing=True)
    if entry is None:
        raise LostError
    waiting = entry.status != "processing"
    end_reading()  # nothing is held while a step works
    if waiting:
        with transaction():
            locked = session().get(Entry, entry.id, with_for_update=True, populate_existing=True)
            if locked is None:
                raise LostError
            course.settle(locked)
            entry = locked
    return entry


def _insist(task: Callable[[], None], stopping: threading.Event) -> None:
    """Try until the database takes it: what took an hour to make is not thrown away because of a lock.

    Even a worker that shall stop tries for a while. Raises `LostError`.
    """
    pause, tries = 0.2, 0
    while True:
        try:
            return task()
        except SQLAlchemyError as error:
            tries += 1
            if not db.report(error) and tries >= _MOST_TRIES and not reindexing.mend(suspected=db.is_damage(error)):
                raise  # it is refused, not away, and the search index is not why
            if stopping.is_set() and tries >= _MOST_TRIES:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _AWAY_SECONDS)


_MOST_TRIES = 4


class _Pulse:
    """Says, from a thread of its own, that the worker lives, and learns whether its job is still wanted."""

    def __init__(self, worker: Worker, claimed: Claim) -> None:
        self._worker, self._claimed = worker, claimed
        self._progress: float | None = None
        self._verdict: type[Exception] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self.watch = Watch(self._tell, self._check, self._leave)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _tell(self, share: float) -> None:
        self._progress = share

    def _check(self) -> None:
        if self._worker.stopping.is_set():
            raise StoppedError
        if self._verdict:
            raise self._verdict

    def _leave(self) -> None:
        """By what is true at this moment. A database that is away is waited for: it may say that nothing may leave."""
        _insist(self._look, self._worker.stopping)
        self._check()

    def _look(self) -> None:
        with self._worker.app.app_context():  # a session of its own, beside the step's
            if jobs.look(self._claimed):
                raise CancelledError
            if session().scalar(select(Entry.private).where(Entry.id == self._claimed.entry_id)):
                raise WithdrawnError

    def _beat(self) -> None:
        written = time.monotonic()
        # A job that was cancelled is ours until its step has noticed: else another worker would begin it as well.
        while not self._over.wait(BEAT_EVERY) and self._verdict is not LostError:
            try:
                with self._worker.app.app_context():
                    if jobs.look(self._claimed):
                        self._verdict = CancelledError
                    if time.monotonic() - written >= _WRITE_EVERY:
                        jobs.beat(self._claimed, self._progress)
                        written = time.monotonic()
            except LostError:
                self._verdict = LostError
            except SQLAlchemyError as error:
                logger.debug("The worker cannot say that it lives", error=type(error).__name__)


# --- As a process of its own ---


def build(settings: config.Settings) -> tuple[Flask, Tools]:
    """An application with a database and nothing else: a worker has no pages, and no memory for them."""
    log.configure("DEBUG" if settings.debug else settings.log_level)
    app = Flask("dreamweb.worker", static_folder=None, template_folder=None)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=db.engine_options(settings.database, pool_size=2, max_overflow=2),
    )
    db.db.init_app(app)
    with app.app_context():
        db.prepare(db.db.engine)
    return app, Tools.of(settings)


@click.command("worker")
@click.option("--slot", type=int, hidden=True, help="Of the workers beside a server, which one this is.")
@click.option("--parent", type=int, hidden=True, help="The process of that server; without it, the worker ends.")
def command(slot: int | None, parent: int | None) -> None:
    """Run jobs until stopped. Beside `dreamweb serve` there is one already (WORKERS); more need PostgreSQL."""
    settings = config.load()
    app, tools = build(settings)
    hands = Hands(tools, Speech(tools.engines.speech), Language(_LANGUAGE_IDLE), Embedder())
    pause = timedelta(seconds=60 / settings.calls_per_minute if settings.calls_per_minute else 0)
    worker = Worker(app, hands, _name(settings.data_dir, slot), pause, signals.stopping())
    tempfile.tempdir = str(tools.storage.temporary_folder)  # not a small /tmp in memory

    if parent is not None:
        _end_with_parent(worker, parent)
    lock = _alone(settings.data_dir, slot, worker.stopping) if slot is not None else None
    if slot is not None and lock is None:
        return
    try:
        with app.app_context(), suppress(SQLAlchemyError):
            jobs.free(worker.name)
            jobs.schedule("forget", timedelta(days=1))
            if tools.engines.may_embed(private=False):
                with transaction():
                    jobs.nudge("embed")
        worker.run()
    finally:
        hands.speech.end()
        hands.language.end()
        hands.embedder.end()
        if lock is not None:
            os.close(lock)


def _name(folder: Path, slot: int | None) -> str:
    host = socket.gethostname()
    name = f"{host}/{os.getpid()}-{token_hex(4)}" if slot is None else f"{host}{folder.absolute()}/{slot}"
    return name[-_LONGEST_NAME:]


def _alone(folder: Path, slot: int, stopping: threading.Event) -> int | None:
    """Wait for the lock of this slot: then what another worker did in it can be given back. None: we shall stop."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / f"worker-{slot}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    while not stopping.is_set():
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        stopping.wait(LOOK_EVERY)
    os.close(lock)
    return None


def _end_with_parent(worker: Worker, parent: int) -> None:
    """When the server was killed, its workers end: the next server starts its own."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        worker.stopping.set()

    threading.Thread(target=look, name="parent", daemon=True).start()


def main() -> None:
    """For the console script, without what the other commands load."""
    command.main(sys.argv[2:], prog_name="dreamweb worker")
