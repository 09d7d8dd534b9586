"""Finds out how long a recording sounds, and what its tags say of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import av
import mutagen._constants  # noqa: F401  (mutagen would load this late, when no file may be opened any more)
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from dreamweb.adapters.audio_child.clock import Timeline, believable
from dreamweb.adapters.audio_child.opening import Reader, Refused, complain, open_recording, packets, sound_of

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

_TEXT_LENGTH = 1000


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


def listen(container: InputContainer, stream: AudioStream) -> float:
    """The recording's length in seconds."""
    timeline, ear = Timeline(stream), Ear(stream)
    for packet in packets(container, stream):
        timeline.add(packet)
        ear.hear(packet)
    ear.finish()
    if not ear.seconds:
        raise Refused("nothing")
    if ear.failed > ear.played:
        raise Refused("damaged")
    claimed, sounding = timeline.seconds(), ear.whole_seconds()
    return claimed if believable(claimed, sounding) else sounding


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
