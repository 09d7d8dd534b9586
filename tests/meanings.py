"""What a few words mean, in numbers: enough to make a model and a server of it that know what is alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from zlib import crc32

CONCEPTS = (
    "sea ocean waves morje morja morju oceanu oceanom valovi",
    "house home cottage hiša hišo hiši dom domu",
    "fly flew flying soared letela letel letenje letim",
    "train trains railway vlak vlaku vlakom železnica",
    "snake reptile viper kača kačo plazilec plazilca",
    "grandmother grandma babica babico babici",
    "wedding married bride poroka poroki svatba nevesta",
    "job boss fired služba služba odpuščena šef",
    "war bombs soldiers vojna vojaki bombe",
    "teeth dentist zobje zobozdravnik",
)
"""Words of each line mean the same."""

_OF = {word: place for place, line in enumerate(CONCEPTS) for word in line.split()}
WORDS = tuple(_OF)

_NOISE = 6
DIMENSIONS = 1 + len(CONCEPTS) + _NOISE


def of_word(word: str) -> list[float]:
    """All words are a little alike, as with real models; other words than ours mean nothing much."""
    vector = [0.6] + [0.0] * (DIMENSIONS - 1)
    if (place := _OF.get(word)) is not None:
        vector[1 + place] = 1.0
    else:
        vector[-1 - crc32(word.encode()) % _NOISE] = 0.1
    return vector


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def of_text(text: str) -> Sequence[float]:
    """The mean of its words."""
    vectors = [of_word(word) for word in words(text)] or [of_word("")]
    return [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]
