"""Shows what was found: each entry with the words that were looked for marked in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamweb import entries, versions
from dreamweb.models.entry import Entry
from dreamweb.search import marks
from dreamweb.search.conditions import Sought
from dreamweb.search.finding import Hit
from dreamweb.search.marks import Marker, Piece


@dataclass(frozen=True)
class Result:
    """An entry that was found. `at_seconds` is when something that was looked for is heard first in its recording."""

    entry: Entry
    score: float
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]
    at_seconds: float | None


def results(sought: Sought, hits: Sequence[Hit]) -> list[Result]:
    """The entries of these hits, in their order; one that was deleted meanwhile is missing."""
    found = entries.several(sought.account, [hit.entry_id for hit in hits])
    scores = {hit.entry_id: hit.score for hit in hits}
    spoken = [entry for entry in found if entry.transcription and sought.needles]
    heard = versions.heard_in(spoken) if spoken else {}
    return [_result(entry, scores[entry.id], Marker(entry, sought.needles), heard.get(entry.id)) for entry in found]


def _result(entry: Entry, score: float, marker: Marker, heard: Mapping[str, Any] | None) -> Result:
    texts = [text for text in (entry.text, entry.cleaned_text, entry.transcription) if text]
    places = [marker.places(text) for text in texts]
    # What is read first; another of its texts where what was looked for is in that one only.
    shown = next((number for number, found in enumerate(places) if found), 0)
    return Result(
        entry,
        score,
        marks.marked(versions.shown_title(entry) or "", marker),
        marks.snippet(texts[shown], places[shown]) if texts else (),
        marker.second(heard) if heard else None,
    )
