"""Finds in what two texts differ, word by word, within the time that a page may take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from markupsafe import Markup, escape

_WORDS = re.compile(r"\s*\S+|\s+$")
_SENTENCES = re.compile(r".*?(?:[.!?…]+[\"'”’“»)]*(?=\s|$)|\n|$)", re.DOTALL)

_GONE, _NEW = Markup("<del>{}</del>"), Markup("<ins>{}</ins>")

_FEW = 600
_MOST_WORDS = 8000
_MOST_SENTENCES = 8000
"""Of both texts together, without what is the same at their beginning and end: matching takes the square of it."""


def compare(before: str, after: str) -> tuple[Markup, Markup] | None:
    """Both texts as HTML: what only the first has in `<del>`, what only the second has in `<ins>`.

    Long texts are compared by sentences; None for those that are too long and too different for that, too.
    """
    for cut, most in ((_WORDS, _MOST_WORDS), (_SENTENCES, _MOST_SENTENCES)):
        first, second = ([part for part in cut.findall(text) if part] for text in (before, after))
        head = _alike(first, second)
        tail = _alike(first[head:][::-1], second[head:][::-1])
        if len(first) + len(second) - 2 * (head + tail) <= most:
            return _marked(first, second, head, tail)
    return None


def _alike(first: Sequence[str], second: Sequence[str]) -> int:
    """How many parts are the same from the beginning."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one.split() != other.split():
            return place
    return min(len(first), len(second))


def _marked(first: list[str], second: list[str], head: int, tail: int) -> tuple[Markup, Markup]:
    ends = len(first) - tail, len(second) - tail
    matcher = SequenceMatcher(
        None,
        [part.strip() for part in first[head : ends[0]]],
        [part.strip() for part in second[head : ends[1]]],
        # Leaves words that are everywhere out of the search: without that, a text of few words takes a minute.
        autojunk=len(first) + len(second) > _FEW,
    )
    left, right = [escape("".join(first[:head]))], [escape("".join(second[:head]))]
    for what, from_1, to_1, from_2, to_2 in matcher.get_opcodes():
        gone, new = "".join(first[head + from_1 : head + to_1]), "".join(second[head + from_2 : head + to_2])
        left.append(escape(gone) if what == "equal" else _wrap(_GONE, gone))
        right.append(escape(new) if what == "equal" else _wrap(_NEW, new))
    left.append(escape("".join(first[ends[0] :])))
    right.append(escape("".join(second[ends[1] :])))
    return Markup("").join(left), Markup("").join(right)


def _wrap(frame: Markup, text: str) -> Markup:
    """The space before the first word stays outside: it is not what has changed."""
    words = text.lstrip()
    if not words:
        return escape(text)
    return escape(text[: len(text) - len(words)]) + frame.format(words)
