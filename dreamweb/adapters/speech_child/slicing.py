"""Cuts long sound into slices where it is quiet, and knows how loud it is; holds one slice at a time."""

from __future__ import annotations

import math
import os
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from operator import mul

HERTZ = 16_000
MOST_SECONDS = 300.0
_SEARCHED_SECONDS = 30.0

_WINDOW_SECONDS = 0.1
_WINDOW = round(HERTZ * _WINDOW_SECONDS)
_PAUSE = 5  # windows: the quietest half second is a pause, the quietest tenth may be a consonant
# Of eight samples one is squared, which is nearly as good as all.
_LOOKED_AT = 8

NOTHING_DB = -100.0
"""What zeros have."""


@dataclass(frozen=True)
class Slice:
    """A part of a recording: where it starts, in seconds, its samples, and the loudness of each tenth of a second.

    The loudness is RMS in dBFS, from -100 to 0.
    """

    start: float
    samples: array[int]
    levels: list[float]

    @property
    def seconds(self) -> float:
        return len(self.samples) / HERTZ

    def loudest(self, start: float, end: float) -> float:
        """The loudest tenth of a second between two moments, in seconds of the recording."""
        first = max(0, math.floor((start - self.start) / _WINDOW_SECONDS))
        heard = self.levels[first : max(first + 1, math.ceil((end - self.start) / _WINDOW_SECONDS))]
        return max(heard, default=NOTHING_DB)

    def floor(self) -> float:
        """How loud it is where it is quiet: a tenth of it is quieter."""
        return sorted(self.levels)[len(self.levels) // 10] if self.levels else NOTHING_DB


def slices(pcm: int, most_seconds: float = MOST_SECONDS) -> Iterator[Slice]:
    """All of a file of 16-bit little-endian samples, 16000 a second, as slices of at most so many seconds.

    A slice ends where it is quietest in its last thirty seconds (or half, if that is less). Does not move the file's
    offset.
    """
    most = round(most_seconds * HERTZ)
    whole = os.fstat(pcm).st_size // 2
    at = 0
    while at < whole:
        samples = _read(pcm, at, min(most, whole - at))
        if not samples:
            return
        levels = _levels(samples)
        if at + len(samples) < whole:
            windows = _quietest(levels, round(min(_SEARCHED_SECONDS, most_seconds / 2) / _WINDOW_SECONDS))
            levels = levels[:windows]
            del samples[windows * _WINDOW :]
        yield Slice(at / HERTZ, samples, levels)
        at += len(samples)


def _read(pcm: int, at: int, count: int) -> array[int]:
    samples = array("h")
    while len(samples) < count:
        data = os.pread(pcm, 2 * (count - len(samples)), 2 * (at + len(samples)))
        if len(data) < 2:
            break
        samples.frombytes(data[: len(data) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _levels(samples: array[int]) -> list[float]:
    return [_level(samples[place : place + _WINDOW : _LOOKED_AT]) for place in range(0, len(samples), _WINDOW)]


def _level(samples: array[int]) -> float:
    power = sum(map(mul, samples, samples)) / len(samples) / 32768**2
    return max(NOTHING_DB, 10 * math.log10(power)) if power else NOTHING_DB


def _quietest(levels: list[float], searched: int) -> int:
    """Before which window to cut: in the middle of the quietest pause among the last so many, the last if equal."""
    first = max(1, len(levels) - searched)
    around = (
        (sum(levels[place - _PAUSE // 2 : place + _PAUSE // 2 + 1]), -place) for place in range(first, len(levels) - 2)
    )
    return -min(around)[1]
