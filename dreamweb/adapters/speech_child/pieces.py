"""Gives the shape of what an engine has heard, and fits the times of spoken words to the words of the text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from dreamweb.words import Said

Word = tuple[float, float, str]
"""When it starts and ends, in seconds, and what it is."""

# Whoever asks for more words than can be spoken gets nonsense; the fastest speakers say 25 letters a second.
_LETTERS_A_SECOND, _LETTERS_MORE = 50, 1000


@dataclass
class Piece:
    """What was heard between two moments, in seconds from the start of the recording.

    `no_speech` is how likely nobody spoke, from 0 to 1; `log_probability` is the mean over the text; None where the
    engine does not say so. `dropped` says why it does not count.
    """

    start: float
    end: float
    text: str
    words: list[Word] = field(default_factory=list)
    no_speech: float | None = None
    log_probability: float | None = None
    dropped: Said | None = None


def is_too_much(text: str, seconds: float) -> bool:
    """Whether nobody can have said that much in so many seconds."""
    return len(text) > _LETTERS_MORE + _LETTERS_A_SECOND * seconds


def aligned(text: str, heard: Sequence[Word]) -> list[Word]:
    """Each word of the text, as `text.split()` has them, with the time at which it was heard.

    Engines cut words in their own way, and leave out commas; so the times are found by counting letters. Empty when
    there is nothing to count.
    """
    ends = list(accumulate(_letters(word) for _, _, word in heard))
    words = text.split()
    whole = sum(map(_letters, words))
    if not whole or not ends or not ends[-1]:
        return []
    found: list[Word] = []
    place = 0
    for word in words:
        first = min(bisect_right(ends, place * ends[-1] // whole), len(ends) - 1)
        place += _letters(word)
        last = max(first, bisect_left(ends, -(-place * ends[-1] // whole)))
        found.append((heard[first][0], heard[last][1], word))
    return found


def _letters(word: str) -> int:
    return sum(map(str.isalnum, word))
