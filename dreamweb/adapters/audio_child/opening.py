"""Opens a foreign recording as what its bytes say it is, with nothing of FFmpeg in reach but what that takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import av
import av.subtitles.codeccontext  # PyAV would load these two late, when no file may be opened any more
import av.subtitles.stream
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

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


class Refused(Exception):
    """The reason why this is no recording, as a word that the parent turns into a sentence."""


class Reader:
    """A file without a name, or a part of it, read without moving the offset that the parent process shares."""

    def __init__(self, fd: int, start: int = 0, size: int | None = None) -> None:
        self._fd = fd
        self._start = start
        self._size = max(0, os.fstat(fd).st_size - start) if size is None else size
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


def open_recording(reader: Reader, extension: str) -> InputContainer:
    """Open a file with the one demuxer and the few decoders that belong to its extension."""
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


def packets(container: InputContainer, stream: AudioStream) -> Iterator[Packet[Any]]:
    """The packets of the stream; of a recording with a cut or broken end those that come before it."""
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except av.FFmpegError as error:
        complain(f"demux: {error}")


def complain(line: str) -> None:
    """To the parent's log."""
    os.write(2, f"{line}\n".encode("utf-8", "replace"))
