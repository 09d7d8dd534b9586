"""Marks in a text what was looked for, and cuts out the part of it that says most about that."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from dreamweb import versions
from dreamweb.adapters import forms
from dreamweb.models.entry import Entry
from dreamweb.search.folding import spans, tokens
from dreamweb.search.needles import Needle

_WIDTH = 240
"""Characters of a snippet."""

_LEAD = 60
"""Characters of it that come before what was found."""

_MOST = 200_000
"""Characters that are read of a text."""


@dataclass(frozen=True)
class Piece:
    """A part of a text, and whether it is what was looked for."""

    text: str
    match: bool


class Marker:
    """Finds in the texts of one entry what was looked for. Reads the entry's column `lemmas`."""

    def __init__(self, entry: Entry, needles: Sequence[Needle]) -> None:
        self._single: dict[str, int] = {}
        self._beginnings: list[tuple[str, int]] = []
        self._phrases: dict[str, list[tuple[tuple[str, ...], bool, int]]] = {}
        for which, needle in enumerate(needles):
            self._single |= dict.fromkeys(needle.forms, which)
            first, *others = needle.tokens
            if others:
                self._phrases.setdefault(first, []).append((needle.tokens, needle.prefix, which))
            elif needle.prefix:
                self._beginnings.append((first, which))
            elif not needle.forms:
                self._single[first] = which
        # What a text is shown by; where nothing that was looked for says much, all of it.
        telling = {which for which, needle in enumerate(needles) if not needle.little}
        self.telling: frozenset[int] = frozenset(telling or range(len(needles)))
        wanted = {form: which for which, needle in enumerate(needles) for form in needle.forms}
        self._single |= _inflected(entry, wanted) if wanted else {}

    def places(self, text: str) -> list[tuple[int, int, int]]:
        """Start and end of every match in a text, in order and apart, and the number of its needle."""
        words = spans(text[:_MOST])
        places: list[tuple[int, int, int]] = []
        for at, (start, _end, token) in enumerate(words):
            last = at
            if places and start < places[-1][1]:
                continue
            which = self._single.get(token)
            if which is None:
                which = next((number for begins, number in self._beginnings if token.startswith(begins)), None)
            for phrase, prefix, number in self._phrases.get(token, ()):
                row = [word for _, _, word in words[at : at + len(phrase)]]
                if row[:-1] == list(phrase[:-1]) and _ends(row[-1], phrase[-1], prefix):
                    which, last = number, at + len(phrase) - 1
            if which is not None:
                places.append((start, words[last][1], which))
        return places

    def second(self, details: Mapping[str, Any] | None) -> float | None:
        """When in a recording something that was looked for is heard first; `details` of its transcription."""
        begins: list[int] = []
        seconds: list[float] = []
        said = ""
        for segment in (details or {}).get("segments", ()):
            if segment.get("dropped"):
                continue
            for start, _end, word in segment.get("words") or [(segment["start"], segment["end"], segment["text"])]:
                begins.append(len(said))
                seconds.append(float(start))
                said += f"{word.strip()} "
        places = self.places(said)
        at = next((start for start, _, which in places if which in self.telling), places[0][0] if places else None)
        return None if at is None else seconds[bisect_right(begins, at) - 1]


def _inflected(entry: Entry, wanted: Mapping[str, int]) -> dict[str, int]:
    """The words of an entry that have a wanted lemma; as the step *index* has found them, none if it is outdated."""
    text = versions.all_text(entry)
    words, lemmas = forms.words(text[:_MOST]), versions.lemmas_of_texts(entry.lemmas).split()
    if len(words) > len(lemmas) or (len(words) < len(lemmas) and len(text) <= _MOST):
        return {}
    pairs = {(word, lemma) for (_, _, word), lemma in zip(words, lemmas, strict=False)}
    return {
        token: wanted[form]
        for word, lemma in pairs
        for form in tokens(lemma)
        if form in wanted
        for token in tokens(word)[:1]
    }


def marked(text: str, marker: Marker) -> tuple[Piece, ...]:
    """The whole text in pieces."""
    return _pieces(text, marker.places(text), 0, len(text))


def snippet(text: str, places: Sequence[tuple[int, int, int]], telling: Set[int]) -> tuple[Piece, ...]:
    """The part of a text in which most of the needles occur, the `telling` first; its beginning when none does."""
    start = _best(places, telling)
    start, end = _whole_words(text, max(0, start - _LEAD) if start > _WIDTH - _LEAD else 0)
    return _cut(text, places, start, end)


def excerpt(text: str, start: int, end: int) -> tuple[Piece, ...]:
    """The beginning of a passage, in which nothing is marked."""
    last = min(end, _whole_words(text, start)[1]) if end > start else 0
    return _cut(text, (), start, last) if last > start else ()


def _cut(text: str, places: Sequence[tuple[int, int, int]], start: int, end: int) -> tuple[Piece, ...]:
    pieces = _pieces(text, places, start, end)
    before, after = (Piece("… ", False),) if start else (), (Piece(" …", False),) if end < len(text) else ()
    return (*before, *pieces, *after)


def _ends(word: str, end: str, prefix: bool) -> bool:
    return word.startswith(end) if prefix else word == end


def _best(places: Sequence[tuple[int, int, int]], telling: Set[int]) -> int:
    """Where a snippet begins that has the most different needles; the first of the best."""
    best, most = 0, (0, 0)
    for at, (start, _, _) in enumerate(places):
        within = {which for begins, _, which in places[at : at + 50] if begins < start + _WIDTH - _LEAD}
        if (count := (len(within & telling), len(within))) > most:
            best, most = start, count
    return best


def _whole_words(text: str, start: int) -> tuple[int, int]:
    if start:
        space = text.find(" ", start, start + 30)
        start = space + 1 if space >= 0 else start
    end = start + _WIDTH
    if end >= len(text):
        return start, len(text)
    space = text.rfind(" ", start + _WIDTH // 2, end)
    return start, space if space >= 0 else end


def _pieces(text: str, places: Sequence[tuple[int, int, int]], start: int, end: int) -> tuple[Piece, ...]:
    pieces, at = [], start
    for begins, ends, _ in places:
        if begins < at or ends > end:
            continue
        pieces += [Piece(text[at:begins], False), Piece(text[begins:ends], True)]
        at = ends
    pieces.append(Piece(text[at:end], False))
    return tuple(piece for piece in pieces if piece.text)
