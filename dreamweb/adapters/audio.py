"""Tells what a recording is by its bytes; the risky part of looking is done by a child process, audio_child."""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from dreamweb import log
from dreamweb.errors import DreamWebError, EmptyFile, NotAudio

logger = log.Logger(__name__)

FORMATS: dict[str, str] = {
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "aac": "audio/aac",
}

# Three hours take the child two seconds on a laptop; a Raspberry Pi busy with speech recognition needs far more.
TIMEOUT_SECONDS = 120.0

_TITLE_LENGTH = 200
_MOST_BYTES = 64 * 1024

_CHILD = Path(__file__).with_name("audio_child.py")


@dataclass(frozen=True)
class Sound:
    """What is known of a recording."""

    extension: str
    content_type: str
    duration_seconds: float
    title: str | None
    recorded_at: datetime | None


class Examination:
    """A file being examined in a child process."""

    def __init__(self, extension: str, child: subprocess.Popen[bytes], deadline: float) -> None:
        self._extension = extension
        self._child: subprocess.Popen[bytes] | None = child
        self._deadline = deadline
        self._outcome: Sound | DreamWebError | None = None

    def result(self) -> Sound:
        """Wait for the child. Raises NotAudio; OSError when not the file but the machine is at fault."""
        if self._outcome is None:
            try:
                self._outcome = self._wait()
            except DreamWebError as refusal:
                self._outcome = refusal
            finally:
                self.close()
        if isinstance(self._outcome, Sound):
            return self._outcome
        raise self._outcome

    def _wait(self) -> Sound:
        if self._child is None:
            raise ValueError("the examination was closed before its result was asked for")
        try:
            answer, complaints = _hear_out(self._child, self._deadline)
        except TimeoutError:
            # What keeps the child busy ends by its limit of processor time: so the machine has too much to do.
            raise OSError("the child that examines recordings got no time to do so") from None
        if complaints:
            logger.debug("While a recording was examined", said=complaints[-1])
        if answer[:1] != [b"ready"]:
            raise OSError(f"the child that examines recordings could not start: {' '.join(complaints[-1:])}")
        if self._child.returncode == -signal.SIGKILL:
            raise OSError("the child that examines recordings was killed, as when the machine has no memory left")
        if self._child.returncode != 0 or len(answer) != 2:
            logger.debug("The examination of a recording ended early", status=self._child.returncode)
            raise NotAudio(_UNCLEAR)
        return _sound(self._extension, answer[1])

    def close(self) -> None:
        """Kill and reap a child that is still running, and close its pipes."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with child:  # closes the pipes, and waits
                pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def examine(fd: int, *, allowed: frozenset[str] = frozenset(FORMATS), timeout: float = TIMEOUT_SECONDS) -> Examination:
    """Starts to examine an open regular file, and returns at once.

    Neither this process nor the child moves the file's offset, and the file needs no name.
    Raises EmptyFile or NotAudio when it is plain without a child; OSError when the child could not be started, which
    says nothing about the file.
    """
    if os.fstat(fd).st_size == 0:
        raise EmptyFile(_EMPTY)
    extension, start = recognise(fd)
    if extension is None:
        raise NotAudio(_unknown(start, allowed))
    if extension not in allowed:
        raise NotAudio(_not_allowed(extension, allowed))
    # By path and with -I -S instead of by -m: nothing is loaded but the child, PyAV and mutagen, in half the time.
    command = [sys.executable, "-I", "-S", str(_CHILD), extension, str(start), json.dumps(_search_path())]
    child = subprocess.Popen(  # noqa: S603  (nothing in the command comes from outside)
        command,
        stdin=fd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        close_fds=True,
        env={},
        cwd="/",
        start_new_session=True,
    )
    return Examination(extension, child, time.monotonic() + timeout)


def _search_path() -> list[str]:
    """Where this process finds its libraries, for a child that starts without `site`."""
    return [str(Path(entry).absolute()) for entry in sys.path if entry]


def _hear_out(child: subprocess.Popen[bytes], deadline: float) -> tuple[list[bytes], list[str]]:
    """The lines a child writes to its output and its error output until it ends or has said more than it should."""
    heard = {"answer": b"", "complaints": b""}
    with selectors.DefaultSelector() as selector:
        for name, pipe in (("answer", child.stdout), ("complaints", child.stderr)):
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, name)
        while selector.get_map() and max(map(len, heard.values())) < _MOST_BYTES:
            ready = selector.select(_left(deadline))
            for key, _ in ready:
                data = os.read(key.fd, _MOST_BYTES)
                heard[key.data] += data
                if not data:
                    selector.unregister(key.fileobj)
        over = not selector.get_map()
    if over:
        try:
            child.wait(_left(deadline))
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
    return heard["answer"].splitlines(), heard["complaints"].decode("utf-8", "replace").splitlines()


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _sound(extension: str, answer: bytes) -> Sound:
    """The child's answer, believed no further than it makes sense: the child has met hostile bytes."""
    try:
        said = json.loads(answer)
        if "refused" in said:
            raise NotAudio(_REFUSALS[said["refused"]].format(name=_NAMES[extension]))
        seconds = float(said["seconds"])
        recorded_at = datetime.fromisoformat(said["recorded_at"]).astimezone(UTC) if said["recorded_at"] else None
        title = _clean(said["title"] or "")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        logger.debug("The examination of a recording gave no sensible answer")
        raise NotAudio(_UNCLEAR) from None
    if not (math.isfinite(seconds) and seconds > 0):
        raise NotAudio(_UNCLEAR)
    return Sound(extension, FORMATS[extension], round(seconds, 3), title, recorded_at)


def _clean(title: str) -> str | None:
    """A title as one line of text: no control characters, no half characters, nothing that turns the direction."""
    kept = "".join(letter for letter in " ".join(title.split()) if letter in _JOINERS or _is_text(letter))
    return kept[:_TITLE_LENGTH].strip() or None


_JOINERS = "\u200c\u200d"  # Persian words and many emoji are made with them


def _is_text(letter: str) -> bool:
    return unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co"}


# --- Recognising: a few bytes read here spare a child for what is plainly no recording, and choose FFmpeg's demuxer ---

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


def recognise(fd: int) -> tuple[str | None, int]:
    """The extension that belongs to the bytes, or None; and where the sound starts: behind an ID3 tag, if any."""
    start = _behind_id3(fd)
    head = os.pread(fd, 64, start)
    for extension, looks_like in _LOOKS.items():
        if looks_like(head):
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


# --- What people are told ---

_EMPTY = "The file is empty: nothing was recorded, or it was lost on the way. Send it again from the device."
_UNCLEAR = (
    "This file could not be examined: it is damaged or made in an unusual way. "
    "Send it again from the device, or save it as MP3 or M4A first."
)
_REFUSALS = {
    "nothing": (
        "This looks like {name} recording, but nothing in it can be played: it is damaged, or was cut off before "
        "it was finished. Send it again from the device."
    ),
    "damaged": (
        "This looks like {name} recording, but most of it is damaged and cannot be played. "
        "Send it again from the device."
    ),
    "pictures": "This is a video with pictures. Only sound is kept here: save the sound by itself and send that.",
    "codec": (
        "This looks like {name} recording, but its sound is stored in a way that cannot be played here. "
        "Save it as MP3 or M4A and send that."
    ),
}


_NAMES = {
    "mp3": "an MP3",
    "m4a": "an M4A",
    "webm": "a WebM",
    "ogg": "an OGG",
    "wav": "a WAV",
    "flac": "a FLAC",
    "aac": "an AAC",
}


def _listed(allowed: frozenset[str]) -> str:
    names = [name.split()[1] for extension, name in _NAMES.items() if extension in allowed]
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _unknown(start: int, allowed: frozenset[str]) -> str:
    if start:
        return "This file holds a title, but no sound that can be played. Send it again from the device."
    return f"This is not a recording. Send a file of this kind: {_listed(allowed)}."


def _not_allowed(extension: str, allowed: frozenset[str]) -> str:
    return (
        f"This is {_NAMES[extension]} recording, which is not taken here. Save it as {_listed(allowed)} and send that."
    )
