"""Looks, every half minute, at what a crash or an absent database has left, and empties the trash when it is time."""

from __future__ import annotations

import threading
import time

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from dreamweb import log, recordings
from dreamweb.errors import DreamWebError
from dreamweb.storage import Storage

EVERY = 30
"""Seconds between two looks."""

_TRASH_EVERY = 3600

logger = log.Logger(__name__)


def start(app: Flask, storage: Storage, stopping: threading.Event) -> threading.Thread:
    """Begin at once, in a thread of its own that ends with the process or soon after `stopping` is set."""
    thread = threading.Thread(target=_keep, args=(app, storage, stopping), name="housekeeping", daemon=True)
    thread.start()
    return thread


def _keep(app: Flask, storage: Storage, stopping: threading.Event) -> None:
    trash_at = 0.0
    while not stopping.is_set():
        with app.app_context():
            try:
                if storage.has_notes():
                    recordings.adopt(storage)
                if time.monotonic() >= trash_at:
                    recordings.empty_trash(storage)
                    trash_at = time.monotonic() + _TRASH_EVERY
            except SQLAlchemyError as error:
                logger.warning("Housekeeping waits for the database", error=type(error).__name__)
            except (DreamWebError, OSError):
                logger.error("Housekeeping failed", exc_info=True)
        stopping.wait(EVERY)
