"""Cuts a text into passages that a model can read whole, between sentences where that is possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

MOST = 32
"""Passages of one text; what comes after them is not found by its meaning."""

# Nothing of it is tried twice: a million dots are one sentence, and found to be in no time.
_SENTENCE = re.compile(r"\S(?:.*?)(?:(?<![.!?…])[.!?…]++[\"'»”’)\]]*+(?=\s)|\n[^\S\n]*+\n|\Z)", re.DOTALL)
_WORD = re.compile(r"\S+")

_LONGEST_WORD = 200


def passages(text: str, size: Callable[[str], int], most: int) -> list[tuple[int, int]]:
    """Start and end of each passage, of which none is of a larger `size` than `most`, if its words are not.

    Of a text without a letter, one that is empty: its title may say something.
    """
    found: list[tuple[int, int]] = []
    for start, end in _pieces(text, size, most):
        if found and size(text[found[-1][0] : end]) <= most:
            found[-1] = (found[-1][0], end)
        elif len(found) < MOST:
            found.append((start, end))
        else:
            break
    return found or [(0, 0)]


def _pieces(text: str, size: Callable[[str], int], most: int) -> Iterator[tuple[int, int]]:
    """Sentences; the words of one that is too long, and the parts of a word that no language has."""
    for sentence in _SENTENCE.finditer(text):
        end = sentence.start() + len(sentence.group().rstrip())
        if size(text[sentence.start() : end]) <= most:
            yield sentence.start(), end
            continue
        for word in _WORD.finditer(text, sentence.start(), end):
            for start in range(word.start(), word.end(), _LONGEST_WORD):
                yield start, min(start + _LONGEST_WORD, word.end())
