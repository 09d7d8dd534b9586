"""Writes what was heard as HTML in which every word knows when it was said: as it was heard, or tidied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from markupsafe import Markup, escape

from dreamweb.search.folding import tokens
from dreamweb.web.words import translated
from dreamweb.words import load

_PAUSE = 2.0
"""Seconds of silence after which a new paragraph begins."""

_COMPARED = 4000
"""Words of a text at most that are compared with those that were heard, each time it is shown."""

_PART, _IN_A_ROW = 150, 3

_LONG = 150
"""Words of a paragraph that ends with its next sentence, pause or not."""


@dataclass
class Paragraph:
    """What was said in one go: when it begins, in seconds, and its words. `left_out` says why they do not count."""

    start: float
    left_out: str | None = None
    words: list[str] = field(default_factory=list)

    @property
    def html(self) -> Markup:
        return Markup(" ").join(Markup(word) for word in self.words)  # noqa: S704 -- escaped below


def paragraphs(details: Mapping[str, Any] | None) -> Sequence[Paragraph]:
    """The paragraphs of a transcription, by its version's `details`; none when it has no times."""
    found: list[Paragraph] = []
    end, word_before = 0.0, ""
    for segment in (details or {}).get("segments", ()):
        if segment["dropped"]:
            reason = translated(load(segment["dropped"]))
            found.append(Paragraph(segment["start"], reason, [str(escape(segment["text"]))]))
            continue
        for first, last, word in _words(segment):
            now = found[-1] if found else None
            if now is None or now.left_out is not None or first - end > _PAUSE or _is_full(now, word_before):
                now = Paragraph(first)
                found.append(now)
            now.words.append(f'<span data-start="{first:g}" data-end="{last:g}">{escape(word)}</span>')
            end, word_before = last, word
    return found


def tidied(text: str, details: Mapping[str, Any] | None) -> Sequence[Paragraph]:
    """The paragraphs of a tidied text, by the `details` of the transcription it was made from.

    What was tidied away is not there, and what came to it has no time. None of a text that is too long to compare, or
    of which too few words have a time.
    """
    said = [
        word for segment in (details or {}).get("segments", ()) if not segment["dropped"] for word in _words(segment)
    ]
    lines = [line.split() for line in text.splitlines() if line.strip()]
    words = [word for line in lines for word in line]
    if not said or len(words) > _COMPARED or len(said) > _COMPARED:
        return ()
    starts: list[float | None] = [None] * len(words)
    spans = [str(escape(word)) for word in words]
    for a, b in _same([_plain(word) for _, _, word in said], [_plain(word) for word in words]):
        first, last, _word = said[a]
        starts[b], spans[b] = first, f'<span data-start="{first:g}" data-end="{last:g}">{spans[b]}</span>'
    if len(words) > 3 * sum(start is not None for start in starts):
        return ()  # as of an engine that does not say when each word was said
    found, at, start = [], 0, 0.0
    for line in lines:
        start = next((first for first in starts[at : at + len(line)] if first is not None), start)
        found.append(Paragraph(start, words=spans[at : at + len(line)]))
        at += len(line)
    return found


def _same(said: Sequence[str], words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Which of those that were heard is which of these, in order.

    Part by part: of all at once, what repeats itself would take minutes. A part ends where several in a row are alike.
    """
    begin = 0
    for start in range(0, len(words), _PART):
        near, part = said[begin : begin + 4 * _PART], words[start : start + _PART]
        blocks = SequenceMatcher(None, near, part, autojunk=False).get_matching_blocks()
        sure = max((block.a + block.size for block in blocks if block.size >= _IN_A_ROW), default=len(part))
        end = len(near) if start + _PART >= len(words) else sure
        for block in blocks:
            for at in range(block.size):
                if block.a + at < end:
                    yield begin + block.a + at, start + block.b + at
        begin += end


def _plain(word: str) -> str:
    return "".join(tokens(word)) or word


def _words(segment: Mapping[str, Any]) -> Iterator[tuple[float, float, str]]:
    if segment["words"]:
        yield from segment["words"]
    elif segment["text"].strip():  # the engine has not said when each of them was
        yield segment["start"], segment["end"], segment["text"].strip()


def _is_full(paragraph: Paragraph, word_before: str) -> bool:
    return len(paragraph.words) >= _LONG and word_before.rstrip("\"'”’“»").endswith((".", "!", "?", "…"))
