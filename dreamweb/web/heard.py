"""Writes a transcription as HTML in which every word knows when it was said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from dreamweb.web.words import translated
from dreamweb.words import load

_PAUSE = 2.0
"""Seconds of silence after which a new paragraph begins."""

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


def _words(segment: Mapping[str, Any]) -> Iterator[tuple[float, float, str]]:
    if segment["words"]:
        yield from segment["words"]
    elif segment["text"].strip():  # the engine has not said when each of them was
        yield segment["start"], segment["end"], segment["text"].strip()


def _is_full(paragraph: Paragraph, word_before: str) -> bool:
    return len(paragraph.words) >= _LONG and word_before.rstrip("\"'”’“»").endswith((".", "!", "?", "…"))
