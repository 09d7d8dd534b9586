"""Says whether the database and the storage answer: `GET /health`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Flask, current_app
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from dreamweb.api import schemas
from dreamweb.api.openapi import documented
from dreamweb.db import db, now
from dreamweb.errors import StorageFailed
from dreamweb.tools import Tools

blueprint = Blueprint("health", __name__)

_PATIENCE = 0.8
"""Seconds within which a part must answer to count as healthy."""

_VERSION = version("dreamweb")


class _Check:
    """One question that may hang: asked in a thread of its own, and never twice at the same time."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._healthy = False

    def start(self) -> threading.Thread:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._healthy = False
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            return self._thread

    def answer(self, thread: threading.Thread) -> bool:
        thread.join(_PATIENCE / 2)
        return not thread.is_alive() and self._healthy

    def _run(self) -> None:
        self._healthy = self._ask()


def init_app(app: Flask, tools: Tools) -> None:
    def database() -> bool:
        try:
            with app.app_context(), db.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            return False
        return True

    def storage() -> bool:
        try:
            tools.storage.check_writable()
        except StorageFailed:
            return False
        return True

    app.extensions["dreamweb_health"] = (_Check(database), _Check(storage))


@blueprint.get("/health")
@documented("health", answers={200: schemas.Health, 503: schemas.Health}, security={})
def health() -> tuple[dict[str, Any], int]:
    """Tell whether everything works; needs no token and answers within a second."""
    checks: tuple[_Check, _Check] = current_app.extensions["dreamweb_health"]
    threads = [check.start() for check in checks]
    database, storage = (check.answer(thread) for check, thread in zip(checks, threads, strict=True))
    healthy = database and storage
    answer = schemas.Health(
        status="healthy" if healthy else "unhealthy",
        database="connected" if database else "disconnected",
        storage="writable" if storage else "not writable",
        timestamp=now(),
        version=_VERSION,
    )
    return answer.model_dump(mode="json"), 200 if healthy else 503
