"""Asks the server of an engine over HTTP: the one that was named and no other, and not for ever."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from dreamweb.adapters.children import leave
from dreamweb.errors import Permanent, Transient
from dreamweb.words import Said, clean

_CONNECT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_REASON_LETTERS = 200

LATER = frozenset((408, 409, 425, 429))
"""Refusals that may pass, besides those of 500 and more."""


@dataclass(frozen=True)
class Answer:
    """What the server has answered; whether it makes sense is for others to say."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(frozen=True)
class Troubles:
    """What people are told of this server when it does not answer."""

    slow: Said
    unreachable: Said
    broken: Said
    impossible: Said
    nonsense: Said


def post(
    url: str, key: str, patience: float, troubles_of: Callable[[str], Troubles], *, most_bytes: int, **content: Any
) -> Answer:
    """Send what httpx takes as `content` (json, or data and files), and read at most `most_bytes` within `patience`.

    Raises `Transient` and `Permanent`, in the words of `troubles_of` the server, which it names without a password.
    """
    troubles = troubles_of(_where(url))
    leave()
    headers = [(b"Authorization", f"Bearer {key}".encode())] if key else []
    try:
        # Neither a proxy of the environment nor a redirection may take a dream anywhere else.
        with (
            httpx.Client(
                timeout=httpx.Timeout(patience, connect=min(patience, _CONNECT_SECONDS)),
                trust_env=False,
                follow_redirects=False,
            ) as client,
            client.stream("POST", url, headers=headers, **content) as answer,
        ):
            return Answer(answer.status_code, answer.headers, _body(answer, patience, troubles, most_bytes))
    except httpx.TimeoutException:
        raise Transient(troubles.slow) from None
    except httpx.ConnectError:
        raise Transient(troubles.unreachable) from None
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL):
        raise Permanent(troubles.impossible) from None
    except (httpx.TransportError, httpx.DecodingError):
        raise Transient(troubles.broken) from None


def _body(answer: httpx.Response, patience: float, troubles: Troubles, most_bytes: int) -> bytes:
    deadline = time.monotonic() + patience
    body = b""
    for data in answer.iter_bytes():
        body += data
        if len(body) > most_bytes:
            raise Transient(troubles.nonsense)
        if time.monotonic() > deadline:
            raise Transient(troubles.slow)
    return body


def _where(url: str) -> str:
    """The server, without a name and password that may stand in its address; also of an address that is wrong."""
    return re.split(r"[/?#]", url.partition("//")[2])[0].rpartition("@")[2]


def retry_after(answer: Answer) -> float | None:
    """Seconds, from the header Retry-After (RFC 9110, 10.2.3): a number, or a date."""
    said = answer.headers.get("Retry-After", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        try:
            when = parsedate_to_datetime(said)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        seconds = (when - datetime.now(UTC)).total_seconds()
    return min(max(0.0, seconds), _LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else None


def reason(answer: Answer, key: str) -> str:
    """What the server says of its refusal, where OpenAI's API says it; never with the key in it."""
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    for name in ("error", "message", "detail"):
        said = said[name] if isinstance(said, dict) and name in said else said
    text = clean(said)[:_REASON_LETTERS] if isinstance(said, str) else ""
    return (text.replace(key, "...") if key else text) or "-"


def number(said: object) -> float | None:
    """A number as it is, or None for whatever else somebody has sent."""
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        return None
    try:
        found = float(said)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
