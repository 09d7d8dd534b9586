"""Takes a recording through an engine, slice by slice, and leaves out what nobody has said."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from dreamweb.adapters.children import Say
from dreamweb.adapters.speech_child.phantoms import is_silent, judge
from dreamweb.adapters.speech_child.pieces import Piece
from dreamweb.adapters.speech_child.slicing import HERTZ, Slice, slices
from dreamweb.words import dump

_SHORTEST_SECONDS = 0.2


class Engine(Protocol):
    """What hears slices; `language` is None as long as it is not known, and `name` says what it is for people."""

    name: str
    language: str | None

    def hear(self, heard: Slice) -> Iterator[Piece]:
        """What is said in a slice, in order, with times of the recording."""


def hear(question: dict[str, Any], pcm: int, progress: Say) -> dict[str, Any]:
    """What is said in a file of 16-bit samples, 16000 a second: segments, language and engine.

    Raises what the engine raises.
    """
    engine = _ENGINES[question["kind"]](question)
    whole = max(1, os.fstat(pcm).st_size // 2) / HERTZ
    found: list[Piece] = []
    for part in slices(pcm):
        if part.seconds >= _SHORTEST_SECONDS and not is_silent(part):
            for piece in engine.hear(part):
                piece.dropped = judge(piece, part)
                found.append(piece)
                progress(piece.end / whole)
        progress((part.start + part.seconds) / whole)
    return {"segments": [_said(piece) for piece in found], "language": engine.language, "engine": engine.name}


def _said(piece: Piece) -> dict[str, Any]:
    return {
        "start": round(piece.start, 3),
        "end": round(piece.end, 3),
        "text": piece.text,
        "words": [(round(start, 3), round(end, 3), word) for start, end, word in piece.words],
        "dropped": piece.dropped and dump(piece.dropped),
    }


def _whisper(question: dict[str, Any]) -> Engine:
    from dreamweb.adapters.speech_child.whisper import Whisper  # noqa: PLC0415 -- only whoever uses it has it

    return Whisper(question)


def _server(question: dict[str, Any]) -> Engine:
    from dreamweb.adapters.speech_child.server import Server  # noqa: PLC0415

    return Server(question)


_ENGINES: dict[str, Callable[[dict[str, Any]], Engine]] = {"faster-whisper": _whisper, "server": _server}
