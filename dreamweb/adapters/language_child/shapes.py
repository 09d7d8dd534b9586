"""Gives the shapes in which a language model is asked to answer; their names, fields and docstrings are sent to it."""

from __future__ import annotations

from dataclasses import dataclass

from dreamweb.analysis import MotifType


@dataclass(frozen=True)
class TidiedDream:
    text: str


@dataclass(frozen=True)
class DreamMotif:
    type: MotifType
    name: str
    words: list[str]


@dataclass(frozen=True)
class DreamAnalysis:
    title: str | None
    summary: str | None
    mood: str | None
    sentiment: float | None
    lucidity: float | None
    motifs: list[DreamMotif]
    questions: list[str]
