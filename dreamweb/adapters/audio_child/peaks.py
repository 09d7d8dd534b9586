"""Draws the waveform of a recording: how loud it is from its start to its end."""

from __future__ import annotations

from array import array
from contextlib import suppress
from typing import Any

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.filter.graph import Graph

from dreamweb.adapters.audio_child.clock import Timeline, believable
from dreamweb.adapters.audio_child.opening import Reader, Refused, open_recording, packets, sound_of

PEAKS = 480

# A voice is as loud below 4 kHz as it is at all, and a sixth of the samples is a sixth of the work.
_HERTZ = 8000
_WINDOW_SECONDS = 0.01
_MOST_WINDOWS = 2**16  # eleven minutes; two hundred hours have as many, of ten seconds each
_GAP_SECONDS = 0.05

# Of 32768, which is the loudest a sample can be: -54 dB and -36 dB.
_SILENT, _SOFT = 65, 520

# What FFmpeg and PyAV say of a packet that cannot be played; its place stays silent.
_DAMAGE = (av.FFmpegError, ValueError)

Kind = tuple[str, str, int]  # how samples are written, the layout of the channels, and the hertz


class Envelope:
    """The loudest sample of each window of time; the windows grow, so that their number does not."""

    def __init__(self) -> None:
        self._seconds = _WINDOW_SECONDS
        self._peaks = array("H")

    def add(self, at: float, peak: int) -> None:
        place = int(at / self._seconds)
        while place >= _MOST_WINDOWS:
            self._halve()
            place //= 2
        if place >= len(self._peaks):
            self._peaks.frombytes(bytes(2 * (place + 1 - len(self._peaks))))
        if peak > self._peaks[place]:
            self._peaks[place] = peak

    def _halve(self) -> None:
        self._peaks.frombytes(bytes(2 * (len(self._peaks) % 2)))
        self._peaks = array("H", map(max, self._peaks[::2], self._peaks[1::2]))
        self._seconds *= 2

    def levels(self, seconds: float) -> list[float]:
        """The loudness of each of the equal parts of so many seconds."""
        return [self._level(seconds * part / PEAKS, seconds * (part + 1) / PEAKS) for part in range(PEAKS)]

    def _level(self, start: float, end: float) -> float:
        """Half of it the loudest window, half of it the mean: that shows how much of the time somebody speaks."""
        first = int(start / self._seconds)
        heard = self._peaks[first : max(first + 1, round(end / self._seconds))]
        return (max(heard) + sum(heard) / len(heard)) / 2 if heard else 0.0


class Gathering:
    """Sound of one kind: taken in by the frame, given out as the few samples that are looked at.

    What is given out together costs a quarter of what it costs frame by frame.
    """

    def __init__(self, kind: Kind) -> None:
        sample, layout, self._given = self.kind = kind
        self.hertz = min(self._given, _HERTZ)  # never more samples than there are, or one per second would become many
        self._held = AudioFifo()
        self._graph = Graph()
        self._graph.threads = 1  # else as many as there are processors, and each takes of the address space
        source = {"sample_fmt": sample, "channel_layout": layout, "sample_rate": str(self._given)}
        result = {"sample_fmts": "s16", "channel_layouts": "mono", "sample_rates": str(self.hertz)}
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

    def take(self) -> array[int]:
        taken = array("h")
        if frame := self._held.read():
            self._graph.push(frame)
        while True:
            try:
                small: Any = self._graph.pull()
            except av.BlockingIOError:  # the last few milliseconds it holds back until more comes
                return taken
            taken.frombytes(bytes(small.planes[0])[: 2 * small.samples])


class Sketch:
    """Two envelopes of what is heard: one by the recording's clock, one that puts sound after sound."""

    def __init__(self) -> None:
        self.by_clock, self.by_sound = Envelope(), Envelope()
        self.seconds = 0.0
        self._gathering: Gathering | None = None
        self._starts_at = 0.0

    def add(self, frames: list[AudioFrame], at: float | None = None) -> None:
        """Frames that follow one another from a moment on, or where the ones before them end."""
        for frame in frames:
            if frame.samples and frame.sample_rate and not frame.is_corrupt:
                at = self._end() if at is None else at
                self._gather(frame, at)
                at += frame.samples / frame.sample_rate

    def _gather(self, frame: AudioFrame, at: float) -> None:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._gathering is None or self._gathering.kind != kind:
            self.draw()
            self._gathering = Gathering(kind)
        if self._gathering.seconds() >= 1 or abs(at - self._end()) > _GAP_SECONDS:
            self.draw()
            self._starts_at = at
        self._gathering.add(frame)

    def _end(self) -> float:
        return self._starts_at + (self._gathering.seconds() if self._gathering else 0)

    def draw(self) -> None:
        """Add what was gathered to the envelopes."""
        if self._gathering is None:
            return
        end, hertz = self._end(), self._gathering.hertz
        samples = self._gathering.take()
        length = max(1, round(_WINDOW_SECONDS * hertz))
        for place in range(0, len(samples), length):
            window = samples[place : place + length]
            high, low = max(window), -min(window)
            peak = max(high, low)
            self.by_clock.add(self._starts_at + place / hertz, peak)
            self.by_sound.add(self.seconds + place / hertz, peak)
        self.seconds += end - self._starts_at
        self._starts_at = end


def peaks(fd: int, extension: str, start: int) -> dict[str, Any]:
    """What the parent is told about the waveform of a recording."""
    sketch = Sketch()
    with open_recording(Reader(fd, start), extension) as container:
        stream = sound_of(container, extension)
        timeline = Timeline(stream)
        for packet in packets(container, stream):
            timeline.add(packet)
            with suppress(*_DAMAGE):
                sketch.add(stream.codec_context.decode(packet), timeline.at())
        with suppress(*_DAMAGE):
            sketch.add(stream.codec_context.decode(None))  # what the decoder still holds back
        with suppress(*_DAMAGE):
            sketch.draw()
        claimed = timeline.seconds()
    if not sketch.seconds:
        raise Refused("nothing")
    if believable(claimed, sketch.seconds):
        return {"peaks": scaled(sketch.by_clock.levels(claimed)).hex()}
    return {"peaks": scaled(sketch.by_sound.levels(sketch.seconds)).hex()}


def scaled(levels: list[float]) -> bytes:
    """Levels as heights: `255 * ((level - silent) / (full - silent)) ** 0.6`, cut off at 0 and 255.

    `full` is the tenth loudest level, so that a soft voice is as high as a loud one, and a knock or two on the phone
    reach over the edge instead of making the voice small. But it is at least a quarter of the loudest level, or one
    word in a silent night would make the rustling around it as high as itself; and at least -36 dB, or the noise of a
    recording without any voice would look like one. What is below -54 dB is nothing but such noise. Loudness as people
    hear it grows with the 0.6th power of the pressure (S. S. Stevens, "The Measurement of Loudness", 1955).
    """
    loudest = sorted(levels)
    full = max(loudest[-10], loudest[-1] / 4, _SOFT)
    shares = (min(1, max(0, (level - _SILENT) / (full - _SILENT))) for level in levels)
    return bytes(round(255 * share**0.6) for share in shares)
