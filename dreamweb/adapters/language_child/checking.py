"""Believes a language model no further than the dream's own words go: pure functions, whatever the model says."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dreamweb.adapters.language_child.local import stopwords_en, stopwords_sl
from dreamweb.adapters.language_child.shapes import DreamAnalysis, DreamMotif
from dreamweb.analysis import Analysis, FoundMotif
from dreamweb.words import Said, say

Lemmatise = Callable[[str], list[str]]
"""The lower-case lemmas of all words of a text, in their order."""

# --- A tidied text ---

_MOST_NEW = 0.10
_FEWEST_NEW = 3
"""Fewer words that were not said are always allowed: misheard ones are corrected."""
_LEAST_KEPT = 0.75
_MOST_LONGER = 1.3
_SPARE_WORDS = 10

_STEM = 4
"""Two words that share a beginning of so many letters, or nearly all of a longer one, count as the same."""

_FILLERS = """
    actually anyway basically guess just know literally maybe mean okay really somehow sort kind suppose thing well
    dobro kao mislim misliti morda nekako okej pač ravno saj skratka torej vedeti veš
"""
_EMPTY = frozenset(_FILLERS.split()) | stopwords_en.FUNCTION_WORDS | stopwords_sl.FUNCTION_WORDS
"""Words that carry no image: they may come and go while a text is tidied."""
_SHORTEST = 3
"""Shorter words carry no image either; among them are all our fillers."""


@dataclass(frozen=True)
class Overlap:
    """How two texts share their words, as shares from 0 to 1 of the different ones that carry an image."""

    kept: float
    """Of the first text's words, those that the second has too."""
    new: float
    """Of the second text's words, those that the first has not."""
    new_words: int


def overlap(said: str, tidied: str, lemmatise: Lemmatise) -> Overlap:
    """Compare by lemma, and by the beginnings of words that have none in common."""
    before, after = _content(lemmatise(said)), _content(lemmatise(tidied))
    lost, new = before - _known(before, after), after - _known(after, before)
    return Overlap(1 - len(lost) / max(1, len(before)), len(new) / max(1, len(after)), len(new))


def objection(said: str, tidied: str, lemmatise: Lemmatise, *, same_language: bool, engine: str) -> Said | None:
    """Why `tidied` cannot stand for what was said, None when it can."""
    found = overlap(said, tidied, lemmatise)
    kept, new = int(100 * found.kept), math.ceil(100 * found.new)
    longer = _count(tidied) > _MOST_LONGER * _count(said) + _SPARE_WORDS
    if not _count(tidied) and _count(said):
        return say("%(engine)s gave back no words. Your own words stay as they are.", engine=engine)
    if found.kept < _LEAST_KEPT and not same_language:
        return say("%(engine)s answered in another language. Your own words stay as they are.", engine=engine)
    if found.kept < _LEAST_KEPT:
        return say(
            "%(engine)s left out too much: only %(kept)s %% of your words are in its text. "
            "Your own words stay as they are.",
            engine=engine,
            kept=kept,
        )
    if found.new > _MOST_NEW and found.new_words >= _FEWEST_NEW:
        return say(
            "%(engine)s added too much: %(new)s %% of the words in its text are not yours. "
            "Your own words stay as they are.",
            engine=engine,
            new=new,
        )
    if longer:
        return say("%(engine)s wrote far more than you said. Your own words stay as they are.", engine=engine)
    return None


def _content(lemmas: Iterable[str]) -> set[str]:
    return {word for word in lemmas if len(word) >= _SHORTEST and word not in _EMPTY}


def _known(words: set[str], others: set[str]) -> set[str]:
    beginnings = {word[:length] for word in others for length in range(_STEM, len(word) + 1)}
    return {word for word in words if word in others or word[: max(_STEM, len(word) - 3)] in beginnings}


def _count(text: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


# --- An analysis ---

MOST_MOTIFS = 20
_MOST_WORDS = 10
_LONGEST = 100
_LONGEST_SUMMARY = 300
_LONGEST_MOOD = 40
_LONGEST_TITLE = 80
_LONGEST_QUESTION = 200
_MOST_QUESTIONS = 4
_LEAST_SHARED = 0.25
"""Of the words of a summary, at least so many are the dreamer's."""

_LINK = re.compile(r"\w+://|\bwww\.", re.IGNORECASE)


def supported(claimed: DreamAnalysis, text: str, language: str, lemmatise: Lemmatise) -> Analysis:
    """What the text supports of an analysis; of a motif, the words as they stand in the text."""
    words = _content(lemmatise(text))

    def shared(line: str | None, least: float) -> str | None:
        own = _content(lemmatise(line or ""))
        return line if own and len(_known(own, words)) >= max(1, least * len(own)) else None

    return Analysis(
        language=language,
        title=shared(_line(claimed.title, _LONGEST_TITLE), 0),
        summary=shared(_line(claimed.summary, _LONGEST_SUMMARY), _LEAST_SHARED),
        mood=_line(claimed.mood, _LONGEST_MOOD),
        sentiment=_between(claimed.sentiment, -1, 1),
        lucidity=None if (level := _between(claimed.lucidity, 0, 5)) is None else round(level),
        motifs=_motifs(claimed.motifs, Quotes(text), lemmatise),
        questions=_questions(claimed.questions),
    )


def invented(claimed: DreamAnalysis, analysis: Analysis) -> bool:
    """Whether a model has claimed motifs, and the text supports none of them, nor its title, nor its summary."""
    return bool(claimed.motifs) and not (analysis.motifs or analysis.title or analysis.summary)


def _motifs(claimed: Sequence[DreamMotif], quotes: Quotes, lemmatise: Lemmatise) -> tuple[FoundMotif, ...]:
    found: dict[tuple[str, str], FoundMotif] = {}
    for motif in claimed:
        name = _line(motif.name, _LONGEST)
        words = tuple(dict.fromkeys(word for quoted in motif.words if (word := quotes.find(quoted))))[:_MOST_WORDS]
        lemma = " ".join(lemmatise(name or ""))[:_LONGEST].strip()
        if name and lemma and words:
            found.setdefault((motif.type, lemma), FoundMotif(motif.type, name, lemma, words))
    return tuple(found.values())[:MOST_MOTIFS]


def _questions(claimed: Sequence[str]) -> tuple[str, ...]:
    lines = (_line(question, _LONGEST_QUESTION) for question in claimed)
    return tuple(dict.fromkeys(line for line in lines if line and line.endswith("?")))[:_MOST_QUESTIONS]


def _between(value: float | None, least: float, most: float) -> float | None:
    return None if value is None or not math.isfinite(value) else min(most, max(least, value))


def _line(text: str | None, longest: int) -> str | None:
    """One line without anything invisible; None when it is empty, too long or has a link, which no dream needs."""
    visible = "".join(letter for letter in text or "" if letter.isspace() or unicodedata.category(letter)[0] != "C")
    line = " ".join(visible.split()).strip("\"'“”„‘’«»* ")
    return line if line and len(line) <= longest and not _LINK.search(line) else None


# --- Quotations ---

_ALIKE = dict.fromkeys('"“”„‟‘’‚‛«»‹›`´', "'") | dict.fromkeys("‐‑‒–—―", "-")


class Quotes:
    """Finds quoted words in a text, whatever their case, spaces and quotation marks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._plain, self._places = _plain(text)

    def find(self, quoted: str) -> str | None:
        """The words as they stand in the text the first time; None when they are not whole words of it."""
        needle = _plain(quoted)[0].strip(" '.,;:!?…")
        if not any(letter.isalnum() for letter in needle) or len(needle) > _LONGEST:
            return None
        match = re.search(rf"(?<![^\W_]){re.escape(needle)}(?![^\W_])", self._plain)
        if match is None:
            return None
        start, end = self._places[match.start()], self._places[match.end() - 1]
        while end + 1 < len(self._text) and unicodedata.combining(self._text[end + 1]):
            end += 1
        found = self._text[start : end + 1]
        return found if len(found) <= _LONGEST else None


def _plain(text: str) -> tuple[str, list[int]]:
    """The text with all that is alike made the same, and for each of its letters the place in the text."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        plain = " " if letter.isspace() else _ALIKE.get(letter, letter).casefold()
        if plain == " " and letters and letters[-1] == " ":
            continue
        letters.extend(plain)
        places.extend([place] * len(plain))
    return "".join(letters), places
