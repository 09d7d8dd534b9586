"""Hears with a server that speaks OpenAI's `/v1/audio/transcriptions`, and believes what it answers with care.

The request and its answer: https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import io
import json
import math
import time
import wave
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from dreamweb.adapters.speech_child.pieces import Piece, Word, aligned, clean, is_too_much
from dreamweb.adapters.speech_child.slicing import HERTZ, Slice
from dreamweb.errors import Permanent, Transient
from dreamweb.words import Said, say

_LANGUAGES = {"sl": "sl", "slovenian": "sl", "slovene": "sl", "en": "en", "english": "en"}

_CONNECT_SECONDS = 10.0
_MOST_BYTES = 8 * 2**20
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_REASON_LETTERS = 200

# A server's last segment may end with the window of thirty seconds that the model was given.
_BEYOND_SECONDS = 30.0

_LATER = {408, 409, 425, 429}


class Server:
    """One recording's way through the server. `patience` of the question is how many seconds an answer may take."""

    def __init__(self, question: dict[str, Any]) -> None:
        self._url = f"{question['url'].rstrip('/')}/audio/transcriptions"
        self._key: str = question["key"]
        self._fields = {"model": question["model"]} | ({"prompt": question["words"]} if question["words"] else {})
        self._patience: float = question["patience"]
        self._plain = False
        self.language = question["language"]
        self.name = f"server: {question['model']}"

    def hear(self, heard: Slice) -> Iterator[Piece]:
        """See `hearing.Engine`. Raises `Transient` and `Permanent`."""
        status, headers, body = self._ask(heard)
        if status in (400, 422) and not self._plain:
            # Some models give the text alone, and their servers refuse to be asked for more.
            self._plain = True
            status, headers, body = self._ask(heard)
        if status != 200:
            raise self._refusal(status, headers, body)
        said = _json(body)
        pieces = _pieces(said, heard)
        if self.language is None and pieces:
            self.language = _LANGUAGES.get(str(said.get("language", "")).strip().lower())
        return iter(pieces)

    def _ask(self, heard: Slice) -> tuple[int, httpx.Headers, bytes]:
        fields: dict[str, Any] = {**self._fields, "response_format": "json" if self._plain else "verbose_json"}
        if not self._plain:
            fields["timestamp_granularities[]"] = ["word", "segment"]
        if self.language:
            fields["language"] = self.language
        headers = [(b"Authorization", f"Bearer {self._key}".encode())] if self._key else []
        try:
            # Neither a proxy of the environment nor a redirection may take a dream anywhere else.
            with (
                httpx.Client(
                    timeout=httpx.Timeout(self._patience, connect=_CONNECT_SECONDS),
                    trust_env=False,
                    follow_redirects=False,
                ) as client,
                client.stream(
                    "POST",
                    self._url,
                    data=fields,
                    files={"file": ("dream.wav", _wav(heard), "audio/wav")},
                    headers=headers,
                ) as answer,
            ):
                return answer.status_code, answer.headers, self._body(answer)
        except httpx.TimeoutException:
            raise Transient(_TOO_SLOW) from None
        except httpx.ConnectError:
            raise Transient(
                say("The speech server %(server)s cannot be reached. Is it running?", server=self._where())
            ) from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL):
            raise Permanent(
                say("The speech server cannot be asked in this way. Check SPEECH_URL and SPEECH_KEY.")
            ) from None
        except (httpx.TransportError, httpx.DecodingError):
            raise Transient(
                say("The connection to the speech server %(server)s broke.", server=self._where())
            ) from None

    def _body(self, answer: httpx.Response) -> bytes:
        deadline = time.monotonic() + self._patience
        body = b""
        for data in answer.iter_bytes():
            body += data
            if len(body) > _MOST_BYTES:
                raise Transient(_NONSENSE)
            if time.monotonic() > deadline:
                raise Transient(_TOO_SLOW)
        return body

    def _where(self) -> str:
        """The server without a name and password that may stand in its address."""
        return urlsplit(self._url).netloc.rpartition("@")[2]

    def _refusal(self, status: int, headers: httpx.Headers, body: bytes) -> Transient | Permanent:
        if status == 429:
            return Transient(
                say("The speech server has too much to do, or its limit is reached."), retry_after=_wait(headers)
            )
        if status in _LATER or status >= 500:
            return Transient(
                say("The speech server failed (status %(status)s).", status=status), retry_after=_wait(headers)
            )
        if status in (401, 403):
            return Permanent(say("The speech server does not accept the key. Check SPEECH_KEY."))
        if status == 413:
            return Permanent(
                say("The speech server takes no files of %(size)s MB. Raise its limit.", size=_WAV_MEGABYTES)
            )
        if 300 <= status < 400:
            return Permanent(say("The speech server points to another address. Set SPEECH_URL to that one."))
        reason = self._reason(body)
        if status == 404:
            return Permanent(
                say(
                    "The speech server does not know this address or this model. Check SPEECH_URL, which mostly ends "
                    "with /v1, and SPEECH_MODEL. It says: %(reason)s",
                    reason=reason,
                )
            )
        return Permanent(
            say("The speech server refuses (status %(status)s). It says: %(reason)s", status=status, reason=reason)
        )

    def _reason(self, body: bytes) -> str:
        """What the server says of its refusal, where OpenAI's API says it; never with the key in it."""
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            said = None
        for name in ("error", "message", "detail"):
            said = said[name] if isinstance(said, dict) and name in said else said
        reason = clean(said)[:_REASON_LETTERS] if isinstance(said, str) else ""
        return (reason.replace(self._key, "...") if self._key else reason) or "-"


_WAV_MEGABYTES = 10
"""A slice of 300 seconds; OpenAI's limit is 25."""


def _wav(heard: Slice) -> io.BytesIO:
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(HERTZ)
        file.writeframes(heard.samples)
    made.seek(0)
    return made


def _wait(headers: httpx.Headers) -> float | None:
    """Seconds, from the header Retry-After (RFC 9110, 10.2.3): a number, or a date."""
    said = headers.get("Retry-After", "").strip()
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


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Transient(_NONSENSE) from None
    if not isinstance(said, dict) or not isinstance(said.get("text", ""), str):
        raise Transient(_NONSENSE)
    if "text" not in said and "segments" not in said:
        raise Transient(_NONSENSE)
    return said


def _pieces(said: dict[str, Any], heard: Slice) -> list[Piece]:
    """What the server has heard; raises `Transient` for what cannot be."""
    segments = said.get("segments") or [{"start": 0.0, "end": heard.seconds, "text": said.get("text", "")}]
    if not isinstance(segments, list) or not all(isinstance(segment, dict) for segment in segments):
        raise Transient(_NONSENSE)
    loose = _words(said.get("words"), heard)
    pieces: list[Piece] = []
    for segment in segments:
        text = segment.get("text")
        if not isinstance(text, str):
            raise Transient(_NONSENSE)
        start, end = _span(segment, heard, pieces[-1].start if pieces else heard.start)
        words = _words(segment.get("words"), heard) or [word for word in loose if start <= sum(word[:2]) / 2 < end]
        if text := clean(text):
            pieces.append(
                Piece(
                    start,
                    end,
                    text,
                    aligned(text, words),
                    _number(segment.get("no_speech_prob")),
                    _number(segment.get("avg_logprob")),
                )
            )
    if is_too_much("".join(piece.text for piece in pieces), heard.seconds):
        raise Transient(_NONSENSE)
    return pieces


def _words(said: object, heard: Slice) -> list[Word]:
    """The words with their times, in order; none when anything about them makes no sense: the text is what counts."""
    words: list[Word] = []
    for each in said if isinstance(said, list) else ():
        word = each.get("word") if isinstance(each, dict) else None
        if not isinstance(word, str):
            return []
        try:
            start, end = _span(each, heard, words[-1][0] if words else heard.start)
        except Transient:
            return []
        words.append((start, end, clean(word)))
    return words


def _span(said: dict[str, Any], heard: Slice, earliest: float) -> tuple[float, float]:
    """When something starts and ends, in seconds of the recording: in the slice, and not before what is before it."""
    start, end = (_number(said.get(name)) for name in ("start", "end"))
    if start is None or end is None or not -1 <= start <= end <= heard.seconds + _BEYOND_SECONDS:
        raise Transient(_NONSENSE)
    first, last = (heard.start + min(max(0.0, moment), heard.seconds) for moment in (start, end))
    first = max(first, earliest)
    return first, max(first, last)


def _number(said: object) -> float | None:
    """A number as it is, or None for whatever else somebody has sent."""
    if isinstance(said, bool) or not isinstance(said, (int, float)):
        return None
    try:
        number = float(said)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


_TOO_SLOW: Said = say("The speech server took too long to answer.")
_NONSENSE: Said = say("The speech server has answered something that makes no sense.")
