"""Shows what was found: each entry with the words that were looked for marked in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamweb import entries, versions
from dreamweb.models.entry import Entry
from dreamweb.search import marks
from dreamweb.search import meaning as meanings
from dreamweb.search.conditions import Sought
from dreamweb.search.finding import Hit
from dreamweb.search.marks import Marker, Piece
from dreamweb.search.meaning import Meaning


@dataclass(frozen=True)
class Result:
    """An entry that was found. `at_seconds` is when something that was looked for is heard first in its recording.

    `by_meaning`: it has not the words; its snippet is what is nearest to what is meant.
    """

    entry: Entry
    score: float
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]
    at_seconds: float | None
    by_meaning: bool = False


def results(sought: Sought, hits: Sequence[Hit], meaning: Meaning | None = None) -> list[Result]:
    """The entries of these hits, in their order; one that was deleted meanwhile is missing."""
    by_meaning = [hit.entry_id for hit in hits if hit.by_meaning]
    passages = meanings.passages(by_meaning, meaning) if meaning and by_meaning else {}
    found = entries.several(sought.account, [hit.entry_id for hit in hits])
    scores = {hit.entry_id: hit.score for hit in hits}
    spoken = [entry for entry in found if entry.transcription and sought.needles]
    heard = versions.heard_in(spoken) if spoken else {}
    return [
        _near(entry, scores[entry.id], passages.get(entry.id, (0, 0)))
        if entry.id in by_meaning
        else _result(entry, scores[entry.id], Marker(entry, sought.needles), heard.get(entry.id))
        for entry in found
    ]


def _near(entry: Entry, score: float, passage: tuple[int, int]) -> Result:
    title, text = versions.shown_title(entry) or "", versions.best_text(entry) or ""
    return Result(
        entry, score, (Piece(title, False),) if title else (), marks.excerpt(text, *passage), None, by_meaning=True
    )


def _result(entry: Entry, score: float, marker: Marker, heard: Mapping[str, Any] | None) -> Result:
    texts = [text for text in (entry.text, entry.cleaned_text, entry.transcription) if text]
    places = [marker.places(text) for text in texts]
    # What is read first; another of its texts where what was looked for is in that one only.
    having = [number for number, found in enumerate(places) if found]
    tells = (number for number in having if any(which in marker.telling for _, _, which in places[number]))
    shown = next(tells, next(iter(having), 0))
    return Result(
        entry,
        score,
        marks.marked(versions.shown_title(entry) or "", marker),
        marks.snippet(texts[shown], places[shown], marker.telling) if texts else (),
        marker.second(heard) if heard else None,
    )
