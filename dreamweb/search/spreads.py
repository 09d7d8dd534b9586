"""Says how unusual it is that an entry is so near to something, by how near entries usually are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

_FEWEST = 5
"""Entries by which it can be told."""

_NARROWEST = 1e-3
"""Of cosines: where entries differ by less, they all say the same."""


@dataclass(frozen=True)
class Spread:
    """How near entries usually are: the median of their cosines, and how far below it a sixth of them is.

    That is one standard deviation of what is spread evenly. What is near does not count: it may be the theme of every
    fourth dream, and is unusual all the same.
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
    sixths = quantiles(cosines, n=6, method="inclusive")
    return Spread(sixths[2], max(sixths[2] - sixths[0], _NARROWEST))
