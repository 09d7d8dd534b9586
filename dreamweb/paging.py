"""Names a position in a list that is read page by page, in a text that says nothing to clients."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

from dreamweb.errors import Malformed
from dreamweb.words import say


def cursor(moment: datetime, row_id: UUID) -> str:
    """The position behind the row with this time and id."""
    text = json.dumps([moment.isoformat(), str(row_id)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position(cursor: str) -> tuple[datetime, UUID]:
    """What `cursor` was made of. Raises `Malformed` when it is not from here."""
    try:
        moment, row_id = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise Malformed(say("This cursor is not from here. Start again without one.")) from None
