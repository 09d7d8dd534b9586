"""Hears with a server that speaks OpenAI's `/v1/audio/transcriptions`, and believes what it answers with care.

The request and its answer: https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Iterator
from typing import Any

from dreamweb.adapters import posting
from dreamweb.adapters.posting import Answer, Troubles, number
from dreamweb.adapters.speech_child.pieces import Piece, Word, aligned, is_too_much
from dreamweb.adapters.speech_child.slicing import HERTZ, Slice
from dreamweb.errors import Permanent, Transient
from dreamweb.words import Said, clean, say

_LANGUAGES = {"sl": "sl", "slovenian": "sl", "slovene": "sl", "en": "en", "english": "en"}

_MOST_BYTES = 8 * 2**20

# A server's last segment may end with the window of thirty seconds that the model was given.
_BEYOND_SECONDS = 30.0


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
        answer = self._ask(heard)
        if answer.status in (400, 422) and not self._plain:
            # Some models give the text alone, and their servers refuse to be asked for more.
            self._plain = True
            answer = self._ask(heard)
        if answer.status != 200:
            raise self._refusal(answer)
        said = _json(answer.body)
        pieces = _pieces(said, heard)
        if self.language is None and pieces:
            self.language = _LANGUAGES.get(str(said.get("language", "")).strip().lower())
        return iter(pieces)

    def _ask(self, heard: Slice) -> Answer:
        fields: dict[str, Any] = {**self._fields, "response_format": "json" if self._plain else "verbose_json"}
        if not self._plain:
            fields["timestamp_granularities[]"] = ["word", "segment"]
        if self.language:
            fields["language"] = self.language
        files = {"file": ("dream.wav", _wav(heard), "audio/wav")}
        return posting.post(
            self._url, self._key, self._patience, _troubles, most_bytes=_MOST_BYTES, data=fields, files=files
        )

    def _refusal(self, answer: Answer) -> Transient | Permanent:
        status = answer.status
        if status == 429:
            return Transient(
                say("The speech server has too much to do, or its limit is reached."),
                retry_after=posting.retry_after(answer),
            )
        if status in posting.LATER or status >= 500:
            return Transient(
                say("The speech server failed (status %(status)s).", status=status),
                retry_after=posting.retry_after(answer),
            )
        if status in (401, 403):
            return Permanent(say("The speech server does not accept the key. Check SPEECH_KEY."))
        if status == 413:
            return Permanent(
                say("The speech server takes no files of %(size)s MB. Raise its limit.", size=_WAV_MEGABYTES)
            )
        if 300 <= status < 400:
            return Permanent(say("The speech server points to another address. Set SPEECH_URL to that one."))
        reason = posting.reason(answer, self._key)
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
                    number(segment.get("no_speech_prob")),
                    number(segment.get("avg_logprob")),
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
    start, end = (number(said.get(name)) for name in ("start", "end"))
    if start is None or end is None or not -1 <= start <= end <= heard.seconds + _BEYOND_SECONDS:
        raise Transient(_NONSENSE)
    first, last = (heard.start + min(max(0.0, moment), heard.seconds) for moment in (start, end))
    first = max(first, earliest)
    return first, max(first, last)


_NONSENSE: Said = say("The speech server has answered something that makes no sense.")


def _troubles(server: str) -> Troubles:
    return Troubles(
        slow=say("The speech server took too long to answer."),
        unreachable=say("The speech server %(server)s cannot be reached. Is it running?", server=server),
        broken=say("The connection to the speech server %(server)s broke.", server=server),
        impossible=say("The speech server cannot be asked in this way. Check SPEECH_URL and SPEECH_KEY."),
        nonsense=_NONSENSE,
    )
