"""Says how unusual it is that an entry is so near to something, by how near entries usually are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_FEWEST = 5
"""Entries by which it can be told."""

_NORMAL = 1.4826
"""So many of these deviations are a standard deviation, where cosines are spread as most things are."""

_NARROWEST = 1e-3
"""Of cosines: where entries differ by less, they all say the same."""


@dataclass(frozen=True)
class Spread:
    """How near entries usually are: the median of their cosines, and how far from it the middle one of them is.

    By neither is it hidden what is near: the theme of every fourth dream is unusual all the same.
    """

    usual: float
    deviation: float

    def unusual(self, cosine: float) -> float:
        """By how many deviations a cosine is above what is usual."""
        return (cosine - self.usual) / self.deviation


class Spreads:
    """How near some entries are to something, in every language: a model finds its own a little nearer than others.

    `found` are a language and a cosine for each of them.
    """

    def __init__(self, found: Sequence[tuple[str, float]]) -> None:
        self._all = _spread([cosine for _, cosine in found])
        languages = {language for language, _ in found}
        self._each = {each: _spread([cosine for language, cosine in found if language == each]) for each in languages}

    def unusual(self, cosine: float, language: str) -> float:
        """How unusual a cosine is among entries of this language; of all, where those are few; else 0."""
        spread = self._each.get(language) or self._all
        return spread.unusual(cosine) if spread else 0.0


def _spread(cosines: Sequence[float]) -> Spread | None:
    if len(cosines) < _FEWEST:
        return None
    usual = median(cosines)
    return Spread(usual, max(_NORMAL * median(abs(cosine - usual) for cosine in cosines), _NARROWEST))
