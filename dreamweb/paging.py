"""Names a position in a list that is read page by page, in a text that says nothing to clients."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from dreamweb.errors import Malformed
from dreamweb.words import say

_WRONG = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


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


_MERGED = {"words": False, "merged": True}


@dataclass(frozen=True)
class Ranked:
    """A position in a list that is ranked: by words alone, or `merged` with what is near in meaning."""

    score: float
    moment: datetime
    row_id: UUID
    merged: bool

    @property
    def place(self) -> tuple[float, datetime, UUID]:
        return self.score, self.moment, self.row_id


def ranked_cursor(row: Ranked) -> str:
    """The position behind this row."""
    return _write([row.score, row.moment.isoformat(), str(row.row_id), "merged" if row.merged else "words"])


def ranked_position(cursor: str) -> Ranked:
    """What `ranked_cursor` was made of. Raises `Malformed` when it is not from there."""
    try:
        score, moment, row_id, merged = _read(cursor)
        place = Ranked(float(score), datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id), _MERGED[merged])
    except _WRONG:
        raise _malformed() from None
    if not math.isfinite(place.score):
        raise _malformed()
    return place


def _write(parts: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _read(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))


def _malformed() -> Malformed:
    return Malformed(say("This cursor is not from here. Start again without one."))
