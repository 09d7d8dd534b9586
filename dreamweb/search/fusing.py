"""Puts lists that were ranked in different ways into one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

_FLAT = 60
"""How little the first places count before the later ones: https://doi.org/10.1145/1571941.1572114."""


def reciprocal(lists: Sequence[Sequence[UUID]], weights: Sequence[float]) -> dict[UUID, float]:
    """The score of everything that is in one of the lists, by its rank in each and by what that list counts."""
    scores: dict[UUID, float] = {}
    for ranked, weight in zip(lists, weights, strict=True):
        for rank, each in enumerate(ranked, 1):
            scores[each] = scores.get(each, 0.0) + weight / (_FLAT + rank)
    return scores
