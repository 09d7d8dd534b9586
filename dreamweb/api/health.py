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


class _Asking(threading.Thread):
    """One question, being asked."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        super().__init__(daemon=True)
        self.healthy = False
        self._ask = ask

    def run(self) -> None:
        self.healthy = self._ask()


class _Check:
    """A question that may hang: asked in a thread of its own, and never twice at the same time."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asking: _Asking | None = None

    def start(self) -> _Asking:
        """Ask, or join in the question that is being asked."""
        with self._lock:
            if self._asking is None or not self._asking.is_alive():
                self._asking = _Asking(self._ask)
                self._asking.start()
            return self._asking


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
    database, storage = (_answer(asking) for asking in [check.start() for check in checks])
    healthy = database and storage
    answer = schemas.Health(
        status="healthy" if healthy else "unhealthy",
        database="connected" if database else "disconnected",
        storage="writable" if storage else "not writable",
        timestamp=now(),
        version=_VERSION,
    )
    return answer.model_dump(mode="json"), 200 if healthy else 503


def _answer(asking: _Asking) -> bool:
    asking.join(_PATIENCE / 2)
    return asking.healthy
