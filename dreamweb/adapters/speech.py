"""Turns a recording into text, by an engine that works in a child process, speech_child."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dreamweb.adapters.children import Child, Watch
from dreamweb.engines import SpeechEngine
from dreamweb.errors import Skipped
from dreamweb.words import Said, load, say

PARAGRAPH_SECONDS = 2.0
"""A longer pause begins a new paragraph."""

# A slow machine with a large model takes three seconds for one; what takes longer than this is stuck.
_SECONDS_MORE, _SECONDS_EACH = 900.0, 6.0

# An answer of a server: it may load its model first, and is given five minutes of sound at most.
_ANSWER_SECONDS, _ANSWER_SECONDS_EACH, _MOST_SECONDS = 90.0, 3.0, 300.0


@dataclass(frozen=True)
class Segment:
    """What was said between two moments, in seconds from the start of the recording.

    `words` has each word of `text.split()`, with its start and its end; it is empty where the engine does not tell.
    `dropped` says why the segment does not count, as when nobody has said it; it is None for most.
    """

    start: float
    end: float
    text: str
    words: tuple[tuple[float, float, str], ...] = ()
    dropped: Said | None = None


@dataclass(frozen=True)
class Heard:
    """A recording as text. `language` is `sl`, `en`, or None when it is not known; `engine` names engine and model."""

    segments: tuple[Segment, ...]
    language: str | None
    engine: str

    @property
    def text(self) -> str:
        """What counts of it, with an empty line at each long pause."""
        return "\n\n".join(" ".join(each.text for each in paragraph) for paragraph in _paragraphs(self.segments))


class Speech:
    """One engine; its process is started when it is first needed, and ends when it was idle for long enough."""

    def __init__(self, engine: SpeechEngine) -> None:
        self._engine = engine
        self._child = Child("dreamweb.adapters.speech_child", engine.idle_seconds)

    @property
    def pid(self) -> int | None:
        """Of the process that hears; None while there is none."""
        return self._child.pid

    def hear(self, pcm: int, seconds: float, *, language: str | None, watch: Watch) -> Heard:
        """What is said in an open file of 16-bit samples, 16000 a second; see `audio.decode`.

        `seconds` is how long the recording is. `language` is `sl` or `en`; with None or `auto` the engine tells which
        of the two it is. Raises `Skipped` without an engine, `Transient`, `Permanent`, and what `watch` raises.
        """
        engine = self._engine
        if engine.kind == "none":
            raise Skipped(say("There is no speech engine. Choose one in the settings (SPEECH_ENGINE)."))
        question = {
            "task": "hear",
            "kind": engine.kind,
            "model": engine.model,
            "url": engine.url,
            "key": engine.key,
            "threads": engine.threads,
            "words": engine.words,
            "folder": engine.folder,
            "language": None if language == "auto" else language,
            "patience": _ANSWER_SECONDS + _ANSWER_SECONDS_EACH * min(seconds, _MOST_SECONDS),
        }
        timeout = _SECONDS_MORE + _SECONDS_EACH * max(seconds, os.fstat(pcm).st_size / 32_000)
        said = self._child.ask(question, watch, fds=(pcm,), timeout=timeout, outside=engine.outside)
        segments = tuple(_segment(each, seconds) for each in said["segments"])
        return Heard(segments, said["language"], said["engine"])

    def end(self) -> None:
        """End its process, and give its memory back."""
        self._child.end()


def _segment(said: dict[str, Any], seconds: float) -> Segment:
    words = tuple((min(start, seconds), min(end, seconds), word) for start, end, word in said["words"])
    dropped = load(said["dropped"]) if said["dropped"] else None
    return Segment(min(said["start"], seconds), min(said["end"], seconds), said["text"], words, dropped)


def _paragraphs(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    paragraph: list[Segment] = []
    for segment in segments:
        if segment.dropped is None:
            if paragraph and segment.start - paragraph[-1].end > PARAGRAPH_SECONDS:
                yield paragraph
                paragraph = []
            paragraph.append(segment)
    if paragraph:
        yield paragraph
