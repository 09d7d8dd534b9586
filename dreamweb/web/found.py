"""Shows what was found as cards, and marks in an entry that is opened what was looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from dreamweb import entries, versions
from dreamweb.details import Filters
from dreamweb.models.entry import Entry
from dreamweb.search import conditions, marks
from dreamweb.search.marks import Piece
from dreamweb.search.query import parse
from dreamweb.search.results import Result
from dreamweb.timeline import Card
from dreamweb.web import pages
from dreamweb.web.words import headline, plain

_EXCERPT = 400
"""Characters of a text from which a headline is made where there is none."""

_READ = 200_000
"""Characters of a text in which words are marked."""

_MARKED = 100
"""Different words that are marked."""

# No text has them, and nothing that Markdown means begins or ends with them.
_OPEN, _CLOSE = "\x02", "\x03"


@dataclass(frozen=True)
class Shown:
    """A card with what was looked for marked in it. `play` leads to the second `at` of its recording."""

    card: Card
    title: Sequence[Piece]
    snippet: Sequence[Piece]
    address: str
    play: str | None
    at: float | None
    by_meaning: bool


def shown(results: Sequence[Result], typed: str, *, typing: bool) -> list[Shown]:
    """`typed` and `typing` go on to the page of each entry, which marks the words, too."""
    words = {"q": typed} | ({"typing": "1"} if typing else {})
    return [_shown(result, words) for result in results]


def _shown(result: Result, words: dict[str, Any]) -> Shown:
    entry, card, at = result.entry, _card(result.entry), result.at_seconds
    snippet = _plain(result.snippet)
    play = None
    if at is not None and entry.file_path:
        play = url_for("entries.page", entry_id=entry.id, version="transcription", at=round(at, 2), **words)
    return Shown(
        card,
        _plain(result.title) or (Piece(headline(card), False),),
        snippet if card.title or result.by_meaning or any(piece.match for piece in snippet) else (),
        url_for("entries.page", entry_id=entry.id, **words),
        play,
        at,
        result.by_meaning,
    )


def _card(entry: Entry) -> Card:
    return Card(
        id=entry.id,
        kind=entry.kind,
        status=entry.status,
        title=versions.shown_title(entry),
        excerpt=(versions.best_text(entry) or "")[:_EXCERPT],
        dreamed_at=entry.dreamed_at,
        deleted_at=entry.deleted_at,
        mood=entry.mood or (entry.analysis or {}).get("mood"),
        recall=entry.recall,
        private=entry.private,
        recorded=entry.file_path is not None,
        cut_off=entry.cut_off,
        duration_seconds=entry.duration_seconds,
        attachments=len(entry.attachments),
        sample=(entry.details or {}).get("sample") == entries.SAMPLE,
        tags=tuple(tag.name for tag in entry.tags),
    )


def _plain(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The same on one line, without the signs of Markdown; those may reach across pieces."""
    bare = ((piece.match, piece.text.replace(_OPEN, "").replace(_CLOSE, "")) for piece in pieces)
    text = plain("".join(f"{_OPEN}{part}{_CLOSE}" if match else part for match, part in bare))
    made = []
    for part in text.split(_OPEN):
        match, closed, rest = part.rpartition(_CLOSE)
        made += [Piece(match, bool(closed)), Piece(rest, False)]
    return tuple(piece for piece in made if piece.text)


def words_in(entry: Entry, text: str, typed: str, *, typing: bool) -> list[str]:
    """What was looked for, in the very forms that stand in this text of an entry. Reads the column `lemmas`."""
    sought = conditions.seek(pages.account(), parse(typed), Filters(), pages.zone(), typing=typing)
    if not sought.needles:
        return []
    pieces = marks.marked(text[:_READ], marks.Marker(entry, sought.needles))
    return list(dict.fromkeys(piece.text for piece in pieces if piece.match))[:_MARKED]
