"""Examines the recording on its standard input, as a process of its own, and prints what it found as JSON."""

# ruff: noqa: E402  (the limits are set before anything that could meet hostile bytes is even loaded)

from __future__ import annotations

import codecs
import json
import os
import resource
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

# Measured on x86-64: 125 MB of address space to start, 180 MB for three hours of M4A. FFmpeg silently shortens an MP4's
# index that does not fit, so there is room to spare, also for the larger pages of a Raspberry Pi 5.
_MEMORY_BYTES = 384 * 2**20
_CPU_SECONDS = 90


def limit(kind: int, most: int) -> None:
    """Lower one of this process's limits for good."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # At the lower of two limits of processor time comes SIGXCPU, which says more than the SIGKILL of the upper one.
    resource.setrlimit(kind, (most - 1 if kind == resource.RLIMIT_CPU else most, most))


if __name__ == "__main__":
    limit(resource.RLIMIT_AS, _MEMORY_BYTES)
    limit(resource.RLIMIT_CPU, _CPU_SECONDS)
    limit(resource.RLIMIT_FSIZE, 0)
    limit(resource.RLIMIT_CORE, 0)
    sys.path[:] = json.loads(sys.argv[3]) + sys.path

import av
import av.subtitles.codeccontext  # PyAV would load these two late, when no file may be opened any more
import av.subtitles.stream
import mutagen._constants  # noqa: F401  (and mutagen this)
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

DEMUXERS = {
    "mp3": "mp3",
    "m4a": "mov",
    "webm": "matroska",
    "ogg": "ogg",
    "wav": "wav",
    "flac": "flac",
    "aac": "aac",
}

_PCM = {f"pcm_{kind}{order}" for kind in ("s16", "s24", "s32", "f32", "f64") for order in ("le", "be")} | {
    "pcm_u8",
    "pcm_s8",
    "pcm_alaw",
    "pcm_mulaw",
}
DECODERS: dict[str, set[str]] = {
    "mp3": {"mp3", "mp3float"},
    "m4a": {"aac", "alac", "mp3", "mp3float", "opus", "flac", "amrnb", "amrwb"} | _PCM,
    "webm": {"opus", "vorbis"},
    "ogg": {"opus", "vorbis", "flac"},
    "wav": {"adpcm_ms", "adpcm_ima_wav", "gsm_ms", "mp3", "mp3float"} | _PCM,
    "flac": {"flac"},
    "aac": {"aac"},
}

# Who reads the tags, and what title and date are called there; Any, because mutagen has no types.
TAGS: dict[str, tuple[Any, str, str]] = {
    "mp3": (ID3, "TIT2", "TDRC"),
    "aac": (ID3, "TIT2", "TDRC"),
    "wav": (WAVE, "TIT2", "TDRC"),
    "m4a": (MP4, "\xa9nam", "\xa9day"),
    "flac": (FLAC, "title", "date"),
    "ogg opus": (OggOpus, "title", "date"),
    "ogg vorbis": (OggVorbis, "title", "date"),
    "ogg flac": (OggFLAC, "title", "date"),
}

# Everything is decoded in the first packets (about a minute), then a run of fifty (about a second) in each 1500.
_ALL_UNTIL, _RUN_EVERY, _RUN_LENGTH = 3000, 1500, 50

_JUMP_SECONDS = 600
_TEXT_LENGTH = 1000


class Refused(Exception):
    """The reason why this is no recording, as a word that the parent turns into a sentence."""


class Reader:
    """A file without a name, read without moving the offset that is shared with the parent process."""

    def __init__(self, fd: int, start: int = 0) -> None:
        self._fd = fd
        self._start = start
        self._size = max(0, os.fstat(fd).st_size - start)
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._size - self._at)
        data = os.pread(self._fd, left if size < 0 else min(size, left), self._start + self._at)
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if place < 0:
            raise OSError("a place before the file")
        self._at = place
        return place

    def tell(self) -> int:
        return self._at


class Timeline:
    """How long the packets last, from where sound starts to where the last one ends.

    A recording's own clock counts, so that a lost piece in the middle keeps its place; but a leap that no lost piece
    explains is a damaged number, and does not.
    """

    def __init__(self, stream: AudioStream) -> None:
        self._base = float(stream.time_base or 0)
        self._starts_at = stream.start_time
        self._leap = _JUMP_SECONDS / self._base if self._base else 0
        self._first: int | None = None
        self._clock: int | None = None
        self._at = self._length = self._end = 0

    def add(self, packet: Packet[Any]) -> None:
        step = self._length
        if packet.pts is not None:
            if self._clock is None:
                self._first = packet.pts
            elif abs(packet.pts - self._clock) <= self._leap:
                step = packet.pts - self._clock
        self._clock = packet.pts if packet.pts is not None else (self._clock or 0) + step
        self._length = packet.duration or self._length
        self._at += step
        self._end = max(self._end, self._at + self._length)

    def seconds(self) -> float:
        # FFmpeg says where the sound itself starts, behind the encoder's run-up and what an edit list cuts off.
        lead = self._starts_at - self._first if self._starts_at is not None and self._first is not None else 0
        return (self._end - max(0, lead)) * self._base


class Ear:
    """Decodes packets and counts how many of them can be played."""

    def __init__(self, stream: AudioStream) -> None:
        self._context = stream.codec_context
        self._listening = False
        self.packets = self.played = self.failed = 0
        self.seconds = 0.0

    def hear(self, packet: Packet[Any]) -> None:
        listen = self.packets < _ALL_UNTIL or self.packets % _RUN_EVERY < _RUN_LENGTH
        self.packets += 1
        if listen and not self._listening:
            self._context.flush_buffers()
        self._listening = listen
        if listen:
            self._decode(packet)

    def finish(self) -> None:
        """What the decoder still holds back."""
        if self.packets <= _ALL_UNTIL:
            self._decode(None)

    def _decode(self, packet: Packet[Any] | None) -> None:
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError:
            self.failed += packet is not None
            return
        sound = sum(frame.samples / frame.sample_rate for frame in frames if frame.sample_rate and not frame.is_corrupt)
        self.seconds += sound
        self.played += packet is not None and sound > 0

    def whole_seconds(self) -> float:
        """How long all packets sound, judged by those that were decoded."""
        heard = self.played + self.failed
        return self.seconds if self.packets <= _ALL_UNTIL else self.seconds / max(1, heard) * self.packets


def examine(fd: int, extension: str, start: int) -> dict[str, Any]:
    """What the parent is told about a recording."""
    with open_recording(Reader(fd, start), extension) as container:
        stream = sound_of(container, extension)
        seconds = listen(container, stream)
        metadata = {**stream.metadata, **container.metadata}
        kind = f"ogg {stream.codec_context.name}" if extension == "ogg" else extension
    title, recorded_at = tags(Reader(fd), kind, metadata)
    return {"seconds": seconds, "title": title, "recorded_at": recorded_at}


def open_recording(reader: Reader, extension: str) -> InputContainer:
    """Open a file as what its bytes say it is, with nothing of FFmpeg in reach but what that takes."""
    options = {
        "codec_whitelist": ",".join(sorted(DECODERS[extension])),
        "protocol_whitelist": "none",
    }
    if extension == "m4a":  # Both are off by default in FFmpeg; a movie must never point at another file.
        options |= {"enable_drefs": "0", "use_absolute_path": "0"}
    try:
        return av.open(
            reader,
            "r",
            format=DEMUXERS[extension],
            options=options,
            metadata_errors="ignore",
            io_open=no_other_file,
        )
    except av.FFmpegError as error:
        complain(f"open: {error}")
        raise Refused("nothing") from error


def no_other_file(*_: object) -> None:
    """What FFmpeg gets when it asks for another file: playlists and external tracks have no place in a recording."""
    raise PermissionError("a recording is one file")


def sound_of(container: InputContainer, extension: str) -> AudioStream:
    """The first audio stream, if it is of a kind that we play and no moving pictures come with it."""
    if any(is_moving_picture(stream) for stream in container.streams):
        raise Refused("pictures")
    if not container.streams.audio:
        raise Refused("nothing")
    stream = container.streams.audio[0]
    decoder = getattr(stream.codec_context, "name", None)  # PyAV has no context for a codec that FFmpeg cannot decode
    if decoder not in DECODERS[extension]:
        raise Refused("codec")
    stream.codec_context.thread_count = 1
    return stream


def is_moving_picture(stream: Stream) -> bool:
    """Whether a stream is video and not a cover or the pictures of an audio book's chapters."""
    return stream.type == "video" and not stream.disposition & (
        Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    )


def listen(container: InputContainer, stream: AudioStream) -> float:
    """The recording's length in seconds."""
    timeline, ear = Timeline(stream), Ear(stream)
    last: Packet[Any] | None = None
    try:
        for packet in container.demux(stream):
            if packet.size:
                timeline.add(packet)
                ear.hear(packet)
                last = packet
    except av.FFmpegError as error:  # A cut or broken end: what came before it is kept.
        complain(f"demux: {error}")
    ear.finish()
    if last is None or not ear.seconds:
        raise Refused("nothing")
    if ear.failed > ear.played:
        raise Refused("damaged")
    claimed = timeline.seconds() - padding(last, stream)
    sounding = ear.whole_seconds()
    # A clock so far from what is heard is damaged, or starts anew in the middle, as in joined Ogg files.
    return claimed if 0.8 * sounding <= claimed <= 2 * sounding + 1 else sounding


def padding(last: Packet[Any], stream: AudioStream) -> float:
    """The seconds of silence with which the encoder filled its last packet (FFmpeg's AV_PKT_DATA_SKIP_SAMPLES)."""
    if not last.has_sidedata("skip_samples") or not stream.codec_context.sample_rate:
        return 0.0
    samples = int.from_bytes(bytes(last.get_sidedata("skip_samples"))[4:8], "little")
    length = float((last.duration or 0) * (stream.time_base or 0))
    return min(samples / stream.codec_context.sample_rate, length)


def tags(reader: Reader, kind: str, metadata: dict[str, str]) -> tuple[str | None, str | None]:
    """Title and moment of recording: by mutagen, and by FFmpeg where mutagen finds none or does not know the format."""
    title = date = None
    try:
        if kind in TAGS:
            read, title_key, date_key = TAGS[kind]
            found = read(reader)
            title, date = (str(found[key][0]) if key in found else None for key in (title_key, date_key))
    except Exception as error:  # noqa: BLE001  (mutagen leaks IndexError and others; what matters is the sound)
        complain(f"tags: {type(error).__name__}")  # and not its text, which may quote a title
    given = {key.lower(): value for key, value in metadata.items()}
    title = title or given.get("title")
    return title and title[:_TEXT_LENGTH], moment(date) or moment(given.get("date")) or moment(
        given.get("creation_time")
    )


def moment(text: str | None) -> str | None:
    """A tag's date as a moment, or None when it is no full date, or one that only an unset clock gives."""
    text = (text or "").strip()
    if len(text) < 10 or text[4] != "-":
        return None
    try:
        when = datetime.fromisoformat(text)
        if len(text) == 10:  # A day without an hour: noon in UTC is on that day nearly everywhere on Earth.
            when += timedelta(hours=12)
        if when.tzinfo is None:  # id3.org, "ID3 tag version 2.4.0": "All time stamps should be UTC"
            when = when.replace(tzinfo=UTC)
        when = when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return when.isoformat() if datetime(1990, 1, 1, tzinfo=UTC) < when < datetime.now(UTC) + timedelta(days=1) else None


def say(line: str) -> None:
    """To the parent's code."""
    os.write(1, f"{line}\n".encode())


def complain(line: str) -> None:
    """To the parent's log."""
    os.write(2, f"{line}\n".encode("utf-8", "replace"))


def main() -> None:
    """Examine the file on standard input, as the three arguments say: extension, start of the sound, search path."""
    # Nothing needs to be opened from here on, so nothing can be: no file, no socket. Python loads encodings late, too.
    for encoding in ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be"):
        codecs.lookup(encoding)
    limit(resource.RLIMIT_NOFILE, 0)
    say("ready")
    try:
        answer = examine(0, sys.argv[1], int(sys.argv[2]))
    except Refused as refused:
        answer = {"refused": str(refused)}
    except Exception as error:  # noqa: BLE001  (whatever hostile bytes lead to)
        complain(type(error).__name__)
        os._exit(2)
    say(json.dumps(answer))
    os._exit(0)  # Tidying up takes a third as long as starting.


if __name__ == "__main__":
    main()
