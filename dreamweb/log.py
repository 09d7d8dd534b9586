"""Writes structured log lines that carry the request they belong to, and never what was dreamt."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

# Bare in a log line; anything else is written as a JSON string, so that no value can forge a line or a field.
_PLAIN = re.compile(r"[\w.:/@+-]+", re.ASCII)


class Logger:
    """Logs a message in words with named values beside it: `log.info("Upload received", size=12)`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, **fields: object) -> None:
        self._write(logging.DEBUG, message, fields)

    def info(self, message: str, **fields: object) -> None:
        self._write(logging.INFO, message, fields)

    def warning(self, message: str, **fields: object) -> None:
        self._write(logging.WARNING, message, fields)

    def error(self, message: str, *, exc_info: bool = False, **fields: object) -> None:
        self._write(logging.ERROR, message, fields, exc_info=exc_info)

    def _write(self, level: int, message: str, fields: dict[str, object], exc_info: bool = False) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, message, extra={"fields": fields}, exc_info=exc_info)


class _Formatter(logging.Formatter):
    """`2025-01-31 14:30:22.123 | INFO | dreamweb.api.upload | Message | request_id=... size=...`, in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(sep=" ", timespec="milliseconds")[:23]
        fields: dict[str, Any] = dict(getattr(record, "fields", {}))
        if current := request_id.get():
            fields = {"request_id": current, **fields}
        parts = [when, record.levelname, record.name, _one_line(record.getMessage())]
        if fields:
            parts.append(" ".join(f"{name}={_value(value)}" for name, value in fields.items()))
        line = " | ".join(parts)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def configure(level: str) -> None:
    """Send every log line at `level` or above to standard error, in our format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("dreamweb").setLevel(level)
    # waitress warns whenever requests queue for a thread, which is what they are meant to do.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)


def _one_line(text: str) -> str:
    """Without what could end or hide a line: control characters, separators, marks that turn the direction."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else _one_line(json.dumps(text, ensure_ascii=False))
