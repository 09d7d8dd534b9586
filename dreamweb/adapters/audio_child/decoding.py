"""Decodes a recording to what speech engines take: 16-bit samples of one channel, 16000 a second, without a header."""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from operator import mul
from typing import Any

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.filter.graph import Graph

from dreamweb.adapters.audio_child.clock import Timeline, believable
from dreamweb.adapters.audio_child.examining import Ear
from dreamweb.adapters.audio_child.opening import Reader, Refused, open_recording, packets, sound_of

_HERTZ = 16_000
_MOST_SECONDS = 12 * 3600
_GAP_SECONDS = 0.05

# Of so many samples one is squared for the loudness, which is as good as all: a prime, so that no tone is in step.
_LOOKED_AT = 13
_SILENCE_DB = -100.0

# What FFmpeg and PyAV say of a packet that cannot be played; its place stays silent.
_DAMAGE = (av.FFmpegError, ValueError)

Kind = tuple[str, str, int]  # how samples are written, the layout of the channels, and the hertz


class Track:
    """The file that is written: samples behind one another, and holes for silence."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.samples = 0
        self._power = self._looked_at = 0

    def write(self, sound: bytes) -> None:
        if self.samples > _MOST_SECONDS * _HERTZ:
            raise Refused("long")
        done = 0
        try:
            while done < len(sound):
                done += os.pwrite(self._fd, sound[done:], 2 * self.samples + done)
        except OSError:  # that says nothing of the recording
            raise Refused("machine") from None
        few = array("h", sound)[::_LOOKED_AT]
        self._power += sum(map(mul, few, few))
        self._looked_at += len(few)
        self.samples += len(sound) // 2

    def skip_to(self, samples: int) -> None:
        skipped = max(0, min(samples, _MOST_SECONDS * _HERTZ) - self.samples)
        self._looked_at += skipped // _LOOKED_AT
        self.samples += skipped

    def loudness(self) -> float:
        """RMS in dBFS."""
        power = self._power / max(1, self._looked_at) / 32768**2
        return min(0.0, max(_SILENCE_DB, 10 * math.log10(power))) if power else _SILENCE_DB


class Resampling:
    """Sound of one kind: taken in by the frame, given out as what is written.

    What is given out together costs a quarter of what it costs frame by frame.
    """

    def __init__(self, kind: Kind) -> None:
        sample, layout, self._given = self.kind = kind
        self._held = AudioFifo()
        self._graph = Graph()
        self._graph.threads = 1  # else as many as there are processors, and each takes of the address space
        source = {"sample_fmt": sample, "channel_layout": layout, "sample_rate": str(self._given)}
        result = {"sample_fmts": "s16", "channel_layouts": "mono", "sample_rates": str(_HERTZ)}
        self._graph.link_nodes(
            self._graph.add("abuffer", time_base=f"1/{self._given}", **source),
            self._graph.add("aresample"),
            self._graph.add("aformat", **result),
            self._graph.add("abuffersink"),
        )
        self._graph.configure()

    def seconds(self) -> float:
        return self._held.samples / self._given

    def add(self, frame: AudioFrame) -> None:
        frame.pts = None  # or it would have to follow from the frame before
        self._held.write(frame)

    def take(self, track: Track, *, last: bool) -> None:
        if frame := self._held.read():
            self._graph.push(frame)
        if last:
            self._graph.push(None)  # for the few milliseconds that it holds back until more comes
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                sound: Any = self._graph.pull()
                track.write(bytes(sound.planes[0])[: 2 * sound.samples])


class Laying:
    """Lays sound into the track: by the recording's clock, or one behind the other."""

    def __init__(self, track: Track, *, by_clock: bool) -> None:
        self._track = track
        self._by_clock = by_clock
        self._resampling: Resampling | None = None

    def add(self, frames: list[AudioFrame], at: float | None = None) -> None:
        """Frames that follow one another from a moment on, in seconds, or where the ones before them end."""
        for frame in frames:
            if frame.samples and frame.sample_rate and not frame.is_corrupt:
                self._gather(frame, at if self._by_clock else None)
                at = None

    def _gather(self, frame: AudioFrame, at: float | None) -> None:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampling is None or self._resampling.kind != kind:
            self.finish()
            self._resampling = Resampling(kind)
        end = self._track.samples / _HERTZ + self._resampling.seconds()
        gap = at is not None and at - end > _GAP_SECONDS
        if gap or self._resampling.seconds() >= 1:
            self._resampling.take(self._track, last=False)
        if gap and at is not None:
            self._track.skip_to(round(at * _HERTZ))
        self._resampling.add(frame)

    def finish(self) -> None:
        """Write what is held back."""
        if self._resampling is not None:
            self._resampling.take(self._track, last=True)
            self._resampling = None


def decode(fd: int, extension: str, start: int, out: int) -> dict[str, Any]:
    """Writes the sound into `out`; what the parent is told about it."""
    by_clock = _has_a_clock(fd, extension, start)
    track = Track(out)
    laying = Laying(track, by_clock=by_clock)
    with _opened(fd, extension, start) as (container, stream):
        timeline = Timeline(stream)
        for packet in packets(container, stream):
            timeline.add(packet)
            with suppress(*_DAMAGE):
                laying.add(stream.codec_context.decode(packet), timeline.at())
        with suppress(*_DAMAGE):
            laying.add(stream.codec_context.decode(None))  # what the decoder still holds back
        with suppress(*_DAMAGE):
            laying.finish()
    if not track.samples:
        raise Refused("nothing")
    return {"seconds": track.samples / _HERTZ, "loudness": track.loudness()}


def _has_a_clock(fd: int, extension: str, start: int) -> bool:
    """Whether the recording's clock is to be believed, as when its length was found."""
    with _opened(fd, extension, start) as (container, stream):
        timeline, ear = Timeline(stream), Ear(stream)
        for packet in packets(container, stream):
            timeline.add(packet)
            ear.hear(packet)
        ear.finish()
    if ear.whole_seconds() > _MOST_SECONDS:
        raise Refused("long")
    return believable(timeline.seconds(), ear.whole_seconds())


@contextmanager
def _opened(fd: int, extension: str, start: int) -> Iterator[tuple[InputContainer, AudioStream]]:
    with open_recording(Reader(fd, start), extension) as container:
        yield container, sound_of(container, extension)
