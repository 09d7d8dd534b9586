"""Gives the shapes of what is understood of a dream, whoever has understood it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MotifType = Literal["symbol", "person", "place", "feeling", "theme", "action"]
MOTIF_TYPES: tuple[MotifType, ...] = ("symbol", "person", "place", "feeling", "theme", "action")


@dataclass(frozen=True)
class FoundMotif:
    """A motif in one text. `words` are the exact words of the text that justify it, `lemma` is what it is merged by."""

    type: MotifType
    name: str
    lemma: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Analysis:
    """What is understood of one text, in its own language; None and empty for what cannot honestly be said.

    `sentiment` lies between -1 (dark) and 1 (bright), `lucidity` between 0 and 5: a hint only.
    """

    language: str
    title: str | None
    summary: str | None
    mood: str | None
    sentiment: float | None
    lucidity: int | None
    motifs: tuple[FoundMotif, ...]
    questions: tuple[str, ...]
