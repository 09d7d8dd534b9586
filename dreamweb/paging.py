"""Names a position in a list that is read page by page, in a text that says nothing to clients."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from dreamweb.errors import Malformed
from dreamweb.words import say

_WRONG = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)


def cursor(moment: datetime, row_id: UUID) -> str:
    """The position behind the row with this time and id."""
    return _write([moment.isoformat(), str(row_id)])


def position(cursor: str) -> tuple[datetime, UUID]:
    """What `cursor` was made of. Raises `Malformed` when it is not from here."""
    try:
        moment, row_id = _read(cursor)
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id)
    except _WRONG:
        raise _malformed() from None


def ranked_cursor(score: float, moment: datetime, row_id: UUID) -> str:
    """The position behind the row with this score, time and id."""
    return _write([score, moment.isoformat(), str(row_id)])


def ranked_position(cursor: str) -> tuple[float, datetime, UUID]:
    """What `ranked_cursor` was made of. Raises `Malformed` when it is not from there."""
    try:
        score, moment, row_id = _read(cursor)
        place = float(score), datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id)
    except _WRONG:
        raise _malformed() from None
    if not math.isfinite(place[0]):
        raise _malformed()
    return place


def _write(parts: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _read(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))


def _malformed() -> Malformed:
    return Malformed(say("This cursor is not from here. Start again without one."))
