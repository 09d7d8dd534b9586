"""Opens a part of a recording whose beginning is lost, by putting another beginning in front of what is left."""

from __future__ import annotations

import io
import os

import av

from dreamweb.adapters.audio_child.opening import Reader

Part = tuple[str, int, int]
"""Extension, offset and size of a run of pieces that follow one another without a gap."""

# RFC 9559, 5.1: a cluster holds blocks of sound; this one has no known end, and starts at 0.
_EBML, _CLUSTER, _BLOCK = b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75", b"\xa3"
_NEW_CLUSTER = _CLUSTER + b"\x01" + b"\xff" * 7 + b"\xe7\x81\x00"
# ISO/IEC 14496-12, 4.3 and 8.8.4: the box before each fragment. A box's length, of four bytes, comes before its name.
_FILE_TYPE, _FRAGMENT = b"ftyp", b"moof"

_SEARCHED = 2**20


class Mended(Reader):
    """A beginning, and behind it a part of a file."""

    def __init__(self, beginning: bytes, fd: int, start: int, size: int) -> None:
        super().__init__(fd, start - len(beginning), len(beginning) + size)
        self._beginning = beginning

    def read(self, size: int = -1) -> bytes:
        if self._at >= len(self._beginning):
            return super().read(size)
        data = self._beginning[self._at :] if size < 0 else self._beginning[self._at : self._at + size]
        self._at += len(data)
        return data


class Headers:
    """The beginnings that there are, by extension: of the first part that has one."""

    def __init__(self, fd: int, parts: list[Part]) -> None:
        self._fd = fd
        self._parts = parts
        self._found: dict[str, bytes] = {}

    def any(self, extension: str) -> bytes:
        if extension not in self._found:
            heads = (
                os.pread(self._fd, min(size, _SEARCHED), at) for other, at, size in self._parts if other == extension
            )
            header = next(filter(None, (_header(extension, head) for head in heads)), b"")
            self._found[extension] = header or (_usual_header() if extension == "webm" else b"")
        return self._found[extension]


def readers(fd: int, part: Part, headers: Headers) -> list[Reader]:
    """What of a part can be opened: it itself, or what is left of it, with the beginning of another one."""
    extension, offset, size = part
    head = os.pread(fd, min(size, _SEARCHED), offset)
    if extension not in ("webm", "m4a") or _header(extension, head):
        return [Reader(fd, offset, size)]
    header = headers.any(extension)
    if not header:
        return [Reader(fd, offset, size)]
    found: list[Reader] = []
    begins = _sound(extension, head)
    if extension == "webm":
        # Chromium ends a piece behind the first byte of what comes next: that byte is lost with the piece before.
        if head.startswith(_CLUSTER[1:]):
            return [Mended(header + _CLUSTER[:1], fd, offset, size)]
        if missing := _missing_of_block(head):
            # These blocks count from a moment that nobody knows, so they are kept apart from what comes behind them.
            end = size if begins is None else begins
            found.append(Mended(header + _NEW_CLUSTER + missing, fd, offset, end))
    if begins is not None:
        found.append(Mended(header, fd, offset + begins, size - begins))
    return found


def _header(extension: str, head: bytes) -> bytes:
    """What stands before the sound; empty when that is lost."""
    whole = head.startswith(_EBML) if extension == "webm" else head[4:8] == _FILE_TYPE
    begins = _sound(extension, head)
    return head[: len(head) if begins is None else begins] if whole else b""


def _sound(extension: str, head: bytes) -> int | None:
    """Where the first cluster or fragment begins."""
    found = head.find(_CLUSTER) if extension == "webm" else head.find(_FRAGMENT) - 4
    return found if found >= 0 else None


def _missing_of_block(head: bytes) -> bytes | None:
    """What to put before a simple block of the first track, which may have lost its first byte; None when it is none.

    RFC 9559, 10.2: the size, of one byte or two, the track, two bytes of time, and the flags.
    """
    missing = b"" if head.startswith(_BLOCK) else _BLOCK
    body = head[1 - len(missing) :]
    track = 1 if body[:1] >= b"\x80" else 2
    return missing if len(body) > track + 3 and body[0] >= 0x40 and body[track] == 0x81 else None


def _usual_header() -> bytes:
    """How a browser's WebM begins: one track of Opus, and no end known."""
    made = io.BytesIO()
    with av.open(made, "w", format="webm", options={"live": "1"}) as output:
        stream = output.add_stream("libopus", rate=48_000, layout="mono")
        stream.codec_context.thread_count = 1
        frame = av.AudioFrame(format="s16", layout="mono", samples=960)
        frame.sample_rate = 48_000
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return _header("webm", made.getvalue())
