"""Looks, every half minute, at what a crash or a damaged or absent database has left; hourly at what is too old."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from dreamweb import db, finishing, log, playback, recordings, reindexing, sessions
from dreamweb.db import transaction
from dreamweb.tools import Tools

EVERY = 30
"""Seconds between two looks."""

_TRASH_EVERY = 3600

logger = log.Logger(__name__)


def start(app: Flask, tools: Tools, stopping: threading.Event) -> threading.Thread:
    """Begin at once, in a thread of its own that ends with the process or soon after `stopping` is set."""
    thread = threading.Thread(target=_keep, args=(app, tools, stopping), name="housekeeping", daemon=True)
    thread.start()
    return thread


def _keep(app: Flask, tools: Tools, stopping: threading.Event) -> None:
    trash_at, storage = 0.0, tools.storage
    reading: threading.Thread | None = None
    while not stopping.is_set():
        if _attempt(app, _mend_index) and not (reading and reading.is_alive()):
            # Beside everything else: of a large journal it takes minutes.
            read = partial(_attempt, app, partial(reindexing.go_on, stopping))
            reading = threading.Thread(target=read, name="reindexing", daemon=True)
            reading.start()
        _attempt(app, lambda: recordings.adopt(storage) if storage.notes.any() else 0)
        _attempt(app, lambda: finishing.finish_idle(tools, tools.capture_idle))
        if time.monotonic() >= trash_at:
            trash_at = time.monotonic() + _TRASH_EVERY
            _attempt(app, storage.sweep)
            _attempt(app, lambda: recordings.empty_trash(storage))
            _attempt(app, lambda: playback.sweep(storage))
            _attempt(app, _forget_sessions)
        stopping.wait(EVERY)
    if reading:
        reading.join()


def _mend_index() -> bool:
    """Make a damaged index anew, and say whether it has to be read into."""
    suspected = db.damaged.is_set()
    db.damaged.clear()
    return reindexing.mend(suspected=suspected) or reindexing.is_unfinished()


def _forget_sessions() -> int:
    with transaction():
        return sessions.end_old()


def _attempt(app: Flask, task: Callable[[], object]) -> object:
    """What came of it; None when it failed, which is logged."""
    with app.app_context():
        try:
            return task()
        except SQLAlchemyError as error:
            logger.warning("Housekeeping waits for the database", error=type(error).__name__)
        except Exception:
            logger.error("Housekeeping failed", exc_info=True)
    return None
