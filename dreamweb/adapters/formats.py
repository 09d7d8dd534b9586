"""Tells the format of a recording by its first bytes, which spares a child process for what is plainly none."""

from __future__ import annotations

import os
from collections.abc import Callable

FORMATS: dict[str, str] = {
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "aac": "audio/aac",
}

_BY_TYPE = {content_type: extension for extension, content_type in FORMATS.items()}
# What browsers call them as well, whether or not there is a picture.
_BY_TYPE |= {"video/webm": "webm", "video/mp4": "m4a", "audio/x-m4a": "m4a", "application/ogg": "ogg"}

_MPEG_1_KBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG_2_KBITS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_1_RATES = (44100, 48000, 32000)
_RATE_DIVISORS = {3: 1, 2: 2, 0: 4}

_PICTURE_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis", b"crx "}
)
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"sidx", b"moof"})

_FRAMES_IN_A_ROW = 4
_FRAMES_SEARCHED = 64 * 1024


def extension_of(content_type: str) -> str | None:
    """The extension that belongs to a content type, whatever parameters it has; None for one that says nothing."""
    return _BY_TYPE.get(content_type.partition(";")[0].strip().lower())


def recognise(fd: int) -> tuple[str | None, int]:
    """The extension that belongs to the bytes, or None; and where the sound starts: behind an ID3 tag, if any."""
    start = _behind_id3(fd)
    head = os.pread(fd, 64, start)
    if extension := recognise_head(head):
        return extension, start
    if start or head[:1] == b"\xff":
        data = os.pread(fd, _FRAMES_SEARCHED, start)
        whole = os.fstat(fd).st_size <= start + len(data)
        # Padding may follow a tag; without a tag the first byte must already be sound.
        if start or _mp3_frame(data) or _adts_frame(data):
            for extension, frame in (("mp3", _mp3_frame), ("aac", _adts_frame)):
                if _has_frames(data, frame, whole):
                    return extension, start
    return None, start


def recognise_segment(fd: int, offset: int) -> str | None:
    """The extension of what starts at this place in a file: of what a browser records, or WAV or FLAC."""
    return recognise_head(os.pread(fd, 64, offset))


def recognise_head(head: bytes) -> str | None:
    """The same of the first 64 bytes."""
    return next((extension for extension, looks_like in _LOOKS.items() if looks_like(head)), None)


def _behind_id3(fd: int) -> int:
    """The offset behind any ID3v2 tags (id3.org, "ID3 tag version 2.4.0", section 3.1)."""
    start = 0
    for _ in range(8):
        head = os.pread(fd, 10, start)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 0x7F:
            break
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        start += size + (20 if head[5] & 0x10 else 10)
    return start


def _mp4(head: bytes) -> bool:
    return head[4:8] in _MP4_BOXES and not (head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS)


def _matroska(head: bytes) -> bool:
    # Or a Cluster without the header: a later piece of a recording, which Chromium may cut behind the first byte.
    return head.startswith((b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75", b"\x43\xb6\x75\x01\xff\xff"))


def _wav(head: bytes) -> bool:
    return head[:4] in {b"RIFF", b"RIFX", b"RF64", b"BW64"} and head[8:12] == b"WAVE"


_LOOKS: dict[str, Callable[[bytes], bool]] = {
    "m4a": _mp4,
    "webm": _matroska,
    "ogg": lambda head: head[:4] == b"OggS",
    "wav": _wav,
    "flac": lambda head: head[:4] == b"fLaC",
}

# What two headers of one stream have in common, and how many bytes the first one's frame has.
_Frame = tuple[bytes, int]


def _mp3_frame(data: bytes, at: int = 0) -> _Frame | None:
    """The MPEG audio layer III frame that starts here (ISO/IEC 11172-3, 2.4.1.3 and 13818-3)."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, kbits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version not in _RATE_DIVISORS or kbits in (0, 15) or rate == 3:
        return None
    hertz = _MPEG_1_RATES[rate] // _RATE_DIVISORS[version]
    length = 144_000 * _MPEG_1_KBITS[kbits] // hertz if version == 3 else 72_000 * _MPEG_2_KBITS[kbits] // hertz
    return bytes((head[1] & 0xFE, head[2] & 0x0C)), length + (head[2] >> 1 & 1)


def _adts_frame(data: bytes, at: int = 0) -> _Frame | None:
    """The ADTS frame that starts here (ISO/IEC 13818-7, 6.2)."""
    head = data[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (bytes((head[1], head[2] & 0xFD)), length) if length > 7 else None


def _has_frames(data: bytes, frame: Callable[[bytes, int], _Frame | None], whole: bool) -> bool:
    """Whether frames follow one another somewhere in the data; two do when a short file has no more."""
    at = data.find(b"\xff")
    while at != -1:
        first = found = frame(data, at)
        row, place = 0, at
        while found and first and found[0] == first[0] and row < _FRAMES_IN_A_ROW:
            row, place = row + 1, place + found[1]
            found = frame(data, place)
        if row >= _FRAMES_IN_A_ROW or (row >= 2 and whole and place > len(data) - 7):
            return True
        at = data.find(b"\xff", at + 1)
    return False
