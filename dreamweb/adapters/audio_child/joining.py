"""Joins the pieces of a capture to one recording that has a duration and can be seeked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from dreamweb.adapters.audio_child.clock import Timeline
from dreamweb.adapters.audio_child.mending import Headers, Part, readers
from dreamweb.adapters.audio_child.opening import Reader, Refused, complain, open_recording, packets, sound_of

# What a codec's packets are put into as they are; any other is decoded and written as Opus.
CONTAINERS = {"opus": "webm", "vorbis": "webm", "aac": "mp4"}

_MILLISECOND = Fraction(1, 1000)
_OPUS_HERTZ = 48_000


class Writer:
    """A file without a name that was open before nothing could be opened any more."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at = 0
        self.failed = False

    def write(self, data: Any) -> int:
        try:
            done = os.pwrite(self._fd, data, self._at)
        except OSError:
            self.failed = True
            raise
        self._at += done
        return done

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._fd).st_size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at


class Segment:
    """A part of a recording that was made in one go, opened."""

    def __init__(self, reader: Reader, extension: str) -> None:
        self.container: InputContainer = open_recording(reader, extension)
        self.stream: AudioStream = sound_of(self.container, extension)

    def kind(self) -> tuple[Any, ...]:
        """What must be the same for packets to follow one another in one stream."""
        context = self.stream.codec_context
        # Of Opus, the header repeats what the packets say themselves, but for the channels.
        header = None if context.name == "opus" else context.extradata
        return context.name, context.sample_rate, context.layout.nb_channels, header

    def packets(self) -> Iterator[tuple[Packet[Any], float]]:
        """Each packet, and where it sounds: seconds from the first one. A lost piece keeps its place."""
        timeline = Timeline(self.stream)
        for packet in packets(self.container, self.stream):
            timeline.add(packet)
            yield packet, timeline.clock()


def join(fd: int, described: str, out: int) -> dict[str, Any]:
    """Writes the sound of all parts, one after another, into `out`; what cannot be played is left out.

    `described` is a file descriptor, with JSON in it: extension, offset and size in bytes of each part. Answers the
    new file's extension.
    """
    said = os.pread(int(described), os.fstat(int(described)).st_size, 0)
    parts: list[Part] = [(extension, offset, size) for extension, offset, size in json.loads(said)]
    headers = Headers(fd, parts)
    opened = (_open(reader, part[0]) for part in parts for reader in readers(fd, part, headers))
    usable = [segment for segment in opened if segment]
    if not usable:
        raise Refused("nothing")
    kinds = {segment.kind() for segment in usable}
    name = usable[0].stream.codec_context.name
    as_they_are = len(kinds) == 1 and name in CONTAINERS
    container = CONTAINERS[name] if as_they_are else "webm"
    target = Writer(out)
    try:
        _lay(target, container, usable, as_they_are)
    except Exception:
        if target.failed:  # that says nothing of the sound
            raise Refused("machine") from None
        raise
    return {"extension": {"webm": "webm", "mp4": "m4a"}[container]}


def _lay(target: Any, container: str, usable: list[Segment], as_they_are: bool) -> None:
    # The same every time: a browser may have half of a copy when that is thrown away and made again.
    with av.open(target, "w", format=container, options={"fflags": "+bitexact"}) as output:
        lay = Copying(output, usable[0].stream) if as_they_are else Encoding(output)
        for segment in usable:
            lay.add(segment)
        lay.finish()


def _open(reader: Reader, extension: str) -> Segment | None:
    try:
        return Segment(reader, extension)
    except Refused as refused:
        complain(f"part: {refused}")
        return None


class Copying:
    """Puts packets into the new file as they are."""

    def __init__(self, output: OutputContainer, like: AudioStream) -> None:
        self._output = output
        self._stream = output.add_stream_from_template(like)
        webm = output.format.name == "webm"
        self._base = _MILLISECOND if webm else Fraction(1, like.codec_context.sample_rate)
        self._stream.time_base = self._base
        self._ends_at = 0.0
        self._last = -1

    def add(self, segment: Segment) -> None:
        starts_at = ends_at = self._ends_at
        for packet, clock in segment.packets():
            at, length = starts_at + clock, float((packet.duration or 0) * (packet.time_base or 0))
            packet.stream = self._stream
            packet.time_base = self._base
            # Never the same place twice, which no container takes.
            packet.pts = packet.dts = self._last = max(self._last + 1, round(at / self._base))
            packet.duration = round(length / self._base)
            self._output.mux(packet)
            ends_at = max(ends_at, at + length)
        self._ends_at = ends_at

    def finish(self) -> None:
        """Nothing is held back."""


class Encoding:
    """Decodes sounds of different kinds and writes them as Opus."""

    def __init__(self, output: OutputContainer) -> None:
        self._output = output
        self._stream: Any = output.add_stream("libopus", rate=_OPUS_HERTZ, layout="mono")
        self._stream.bit_rate = 48_000
        self._stream.codec_context.thread_count = 1
        self._at = 0

    def add(self, segment: Segment) -> None:
        starts_at = self._at
        resampler = AudioResampler(format="s16", layout="mono", rate=_OPUS_HERTZ)
        for packet, clock in segment.packets():
            try:
                frames = segment.stream.codec_context.decode(packet)
            except (av.FFmpegError, ValueError):
                continue  # its place stays silent
            self._at = max(self._at, starts_at + round(clock * _OPUS_HERTZ))
            for frame in frames:
                if not frame.is_corrupt:
                    self._write(resampler, frame)
        self._write(resampler, None)

    def _write(self, resampler: AudioResampler, frame: Any) -> None:
        for sound in resampler.resample(frame):
            sound.pts, sound.time_base = self._at, Fraction(1, _OPUS_HERTZ)
            self._at += sound.samples
            self._output.mux(self._stream.encode(sound))

    def finish(self) -> None:
        self._output.mux(self._stream.encode(None))
