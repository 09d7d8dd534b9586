"""Folds words as the index does, so that what is typed and what was dreamed meet without capitals and diacritics."""

from __future__ import annotations

import re
import unicodedata

_MARKS = "\u0300-\u036f"
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"

LETTER = rf"(?:[^\W_]|[{_PRIVATE}])"
"""Matches a letter or digit of a token: `\\w` but for the underscore is exactly the categories L* and N*; and Co."""

_RUN = re.compile(rf"{LETTER}(?:{LETTER}|[{_MARKS}])*+")


_EVERYDAY = 0x2100
"""Below are the letters of Europe; keeping every character there is would take 100 MB."""


class _Folded(dict[int, str]):
    """What `str.translate` puts for each character; those of everyday are worked out once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        decomposed = unicodedata.normalize("NFD", char)
        if "\u0300" <= char <= "\u036f":
            folded = ""
        elif len(decomposed) > 1 and "A" <= decomposed[0] <= "z":
            folded = decomposed[0].lower()
        else:
            folded = char.lower()
        if code < _EVERYDAY:
            self[code] = folded
        return folded


_FOLDED = _Folded()


def fold(text: str) -> str:
    """The text in lower case, its Latin letters without diacritics: *Čšž* is *csz*, *đ* and *ß* stay.

    This is what SQLite's FTS5 makes of it with `unicode61 remove_diacritics 2`, where only letters are folded that are
    one of a-z with a mark: *й* and *ё* are letters of their own there, as *ǿ* is. Character by character, whatever
    stands beside it, so that it takes a time that grows with the length only (normalising takes its square, for a row
    of marks). It differs from FTS5 in ſ, µ, ς and ǡ, in cased scripts without everyday use, and in marks that are no
    diacritics (a line through the word), where FTS5 divides.
    """
    return text.translate(_FOLDED)


def tokens(text: str) -> list[str]:
    """The folded words of a text, in order: runs of letters and digits. Anything else stands between words.

    FTS5 knows the Unicode of 2012, and takes what was added since, emoji too, for letters.
    """
    return [fold(run) for run in _RUN.findall(text)]


def spans(text: str) -> list[tuple[int, int, str]]:
    """Where each token starts and ends in the text as it is, marks that belong to it included, and the token."""
    folded = fold(text)
    if len(folded) == len(text):  # nearly always: all at once is quicker
        return [(found.start(), found.end(), found.group()) for found in _RUN.finditer(folded)]
    return [(found.start(), found.end(), fold(found.group())) for found in _RUN.finditer(text)]
