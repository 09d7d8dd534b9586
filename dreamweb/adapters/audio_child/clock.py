"""Knows when each packet of a recording sounds, and how long all of them last."""

from __future__ import annotations

from typing import Any

from av.audio.stream import AudioStream
from av.packet import Packet

_JUMP_SECONDS = 600


class Timeline:
    """How long the packets last, from where sound starts to where the last one ends.

    A recording's own clock counts, so that a lost piece in the middle keeps its place; but a leap that no lost piece
    explains is a damaged number, and does not.
    """

    def __init__(self, stream: AudioStream) -> None:
        self._starts_at = stream.start_time
        self._rate = stream.codec_context.sample_rate
        self._base = float(stream.time_base or 0)
        self._leap = _JUMP_SECONDS / self._base if self._base else 0
        self._clock: int | None = None
        self._last: Packet[Any] | None = None
        self._at = self._length = self._end = self._lead = 0

    def add(self, packet: Packet[Any]) -> None:
        step = self._length
        if packet.pts is not None:
            if self._clock is None:
                # FFmpeg says where the sound itself starts, behind the encoder's run-up and what an edit list cuts off.
                self._lead = max(0, self._starts_at - packet.pts) if self._starts_at is not None else 0
            elif abs(packet.pts - self._clock) <= self._leap:
                step = packet.pts - self._clock
        self._clock = packet.pts if packet.pts is not None else (self._clock or 0) + step
        self._length = packet.duration or self._length
        self._at += step
        self._end = max(self._end, self._at + self._length)
        self._last = packet

    def at(self) -> float:
        """Where the sound of the last packet starts, in seconds."""
        return max(0, self._at - self._lead) * self._base

    def clock(self) -> float:
        """Where the last packet stands, in seconds from the first one."""
        return self._at * self._base

    def seconds(self) -> float:
        return (self._end - self._lead) * self._base - self._padding()

    def _padding(self) -> float:
        """The seconds of silence with which the encoder filled its last packet (FFmpeg's AV_PKT_DATA_SKIP_SAMPLES)."""
        last = self._last
        if last is None or not last.has_sidedata("skip_samples") or not self._rate:
            return 0.0
        samples = int.from_bytes(bytes(last.get_sidedata("skip_samples"))[4:8], "little")
        return min(samples / self._rate, (last.duration or 0) * self._base)


def believable(claimed: float, sounding: float) -> bool:
    """Whether a clock is near to what is heard; else it is damaged, or starts anew, as in joined Ogg files."""
    return 0.8 * sounding <= claimed <= 2 * sounding + 1
