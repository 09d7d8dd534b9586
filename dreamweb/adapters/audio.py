"""Tells what a recording is, draws, joins and decodes it; a child process, audio_child, opens the foreign bytes."""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dreamweb import log
from dreamweb.adapters.formats import FORMATS, recognise, recognise_segment
from dreamweb.errors import DreamWebError, EmptyFile, NotAudio
from dreamweb.words import Said, say

logger = log.Logger(__name__)

# Three hours take the child two seconds on a laptop; a Raspberry Pi busy with speech recognition needs far more.
TIMEOUT_SECONDS = 120.0
# To draw them, all three hours are decoded: half a minute on a laptop.
DRAWING_SECONDS = 900.0
DECODING_SECONDS = 1200.0

# A client may ask for more at once than a small machine has processors.
_joining = threading.BoundedSemaphore(2)
_JOINING_SECONDS = 20.0

PEAKS = 480

_TITLE_LENGTH = 200
_MOST_BYTES = 64 * 1024

_CHILD = Path(__file__).parent / "audio_child" / "__main__.py"


@dataclass(frozen=True)
class Sound:
    """What is known of a recording."""

    extension: str
    content_type: str
    duration_seconds: float
    title: str | None
    recorded_at: datetime | None


@dataclass(frozen=True)
class Decoded:
    """What is known of decoded sound: how long it is, and the mean of its power against the loudest there can be."""

    duration_seconds: float
    loudness_db: float
    """RMS in dBFS, from -100 (nothing but zeros) to 0."""


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
        return _sound(self._extension, _answer(self._child, self._deadline))

    def close(self) -> None:
        """Kill and reap a child that is still running, and close its pipes."""
        child, self._child = self._child, None
        if child is not None:
            _end(child)

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
    check_allowed(extension, allowed)
    return Examination(extension, _start("examine", fd, extension, str(start)), time.monotonic() + timeout)


def check_allowed(extension: str | None, allowed: frozenset[str]) -> None:
    """Raises NotAudio for a format that is known and not allowed."""
    if extension is not None and extension not in allowed:
        raise NotAudio(_not_allowed(extension, allowed))


def peaks(fd: int, *, timeout: float = DRAWING_SECONDS) -> bytes:
    """The waveform of a recording: how loud each of `PEAKS` equal parts of its duration is, from 0 to 255.

    Waits until it is drawn, which takes a second for ten minutes of sound on a laptop; does not move the file's offset.
    Raises NotAudio when nothing in it can be played, OSError when not the file but the machine is at fault.
    """
    deadline = time.monotonic() + timeout
    extension, start = recognise(fd)
    if extension is None:
        raise NotAudio(_unknown(start, frozenset(FORMATS)))
    child = _start("peaks", fd, extension, str(start))
    try:
        return _waveform(extension, _answer(child, deadline))
    finally:
        _end(child)


def decode(fd: int, out: int, *, timeout: float = DECODING_SECONDS) -> Decoded:
    """Writes the sound of a recording into the file `out`, from its start, as what speech engines take.

    That is 16-bit little-endian samples of one channel, 16000 a second, without any header: 115 MB an hour. A sample
    lies where the player plays it: what is missing of a recording is silence. Moves the offset of neither file.
    Raises NotAudio when nothing in it can be played, or it is longer than twelve hours; OSError when not the file but
    the machine is at fault.
    """
    deadline = time.monotonic() + timeout
    extension, start = recognise(fd)
    if extension is None:
        raise NotAudio(_unknown(start, frozenset(FORMATS)))
    child = _start("decode", fd, extension, f"{start},{out}", passed=(out,))
    try:
        return _decoded(extension, _answer(child, deadline))
    finally:
        _end(child)


def join(fd: int, parts: Sequence[tuple[str, int]], out: int, *, timeout: float = DRAWING_SECONDS) -> str:
    """Joins the parts that lie one behind the other in a file to one recording, written into `out`.

    `parts` says of each its extension, for when its beginning is lost, and how many bytes it has. The result has a
    duration and can be seeked; where the parts allow it, their sound is not encoded again. What cannot be played is
    left out. Answers the extension of the result. Raises NotAudio when nothing can be played, OSError when not the
    file but the machine is at fault.
    """
    deadline = time.monotonic() + timeout
    described, offset = [], 0
    for extension, size in parts:
        described.append((recognise_segment(fd, offset) or extension, offset, size))
        offset += size
    if not _joining.acquire(timeout=_JOINING_SECONDS):
        raise OSError("other recordings are being joined")
    try:
        # By a file of its own: of many parts, there is more to say than fits into a command.
        with tempfile.TemporaryFile() as said:
            said.write(json.dumps(described).encode())
            said.flush()
            child = _start("join", fd, str(said.fileno()), str(out), passed=(out, said.fileno()))
            try:
                return _joined(_answer(child, deadline))
            finally:
                _end(child)
    finally:
        _joining.release()


def _start(task: str, fd: int, extension: str, numbers: str, passed: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
    # By path and with -I -S instead of by -m: nothing is loaded but the child, PyAV and mutagen, in half the time.
    # With -B, because the child may not write what it would compile.
    command = [sys.executable, "-I", "-S", "-B", str(_CHILD), task, extension, numbers, json.dumps(_search_path())]
    return subprocess.Popen(  # noqa: S603  (nothing in the command comes from outside)
        command,
        stdin=fd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        close_fds=True,
        pass_fds=passed,
        env={},
        cwd="/",
        start_new_session=True,
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    with child:  # closes the pipes, and waits
        pass


def _answer(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    """What the child has found. Raises NotAudio; OSError when not the file but the machine is at fault."""
    try:
        answer, complaints = _hear_out(child, deadline)
    except TimeoutError:
        # What keeps the child busy ends by its limit of processor time: so the machine has too much to do.
        raise OSError("the child that examines recordings got no time to do so") from None
    if complaints:
        logger.debug("While a recording was examined", said=complaints[-1])
    if answer[:1] != [b"ready"]:
        raise OSError(f"the child that examines recordings could not start: {' '.join(complaints[-1:])}")
    if child.returncode == -signal.SIGKILL:
        raise OSError("the child that examines recordings was killed, as when the machine has no memory left")
    if child.returncode != 0 or len(answer) != 2:
        logger.debug("The examination of a recording ended early", status=child.returncode)
        raise NotAudio(_UNCLEAR)
    return answer[1]


def _search_path() -> list[str]:
    """Where this process finds its libraries, for a child that starts without `site`."""
    entries = [Path(entry).absolute() for entry in sys.path if entry]
    return [str(entry) for entry in [*entries, Path(__file__).parents[2]]]


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


def _found(extension: str, answer: bytes) -> Any:
    said = json.loads(answer)
    if said.get("refused") == "machine":
        raise OSError("the child has no room for what it makes")
    if "refused" in said:
        raise NotAudio(_refusal(said["refused"], extension))
    return said


def _sound(extension: str, answer: bytes) -> Sound:
    """The child's answer, believed no further than it makes sense: the child has met hostile bytes."""
    try:
        said = _found(extension, answer)
        seconds = float(said["seconds"])
        recorded_at = datetime.fromisoformat(said["recorded_at"]).astimezone(UTC) if said["recorded_at"] else None
        title = _clean(said["title"] or "")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        logger.debug("The examination of a recording gave no sensible answer")
        raise NotAudio(_UNCLEAR) from None
    if not (math.isfinite(seconds) and seconds > 0):
        raise NotAudio(_UNCLEAR)
    return Sound(extension, FORMATS[extension], round(seconds, 3), title, recorded_at)


def _joined(answer: bytes) -> str:
    try:
        extension = _found("webm", answer)["extension"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        extension = None
    if extension not in FORMATS:
        logger.debug("The joining of a recording gave no sensible answer")
        raise NotAudio(_UNCLEAR)
    return str(extension)


def _waveform(extension: str, answer: bytes) -> bytes:
    """The child's answer, believed no further than it has the shape of a waveform."""
    try:
        drawn = bytes.fromhex(_found(extension, answer)["peaks"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        drawn = b""
    if len(drawn) != PEAKS:
        logger.debug("The drawing of a recording gave no sensible answer")
        raise NotAudio(_UNCLEAR)
    return drawn


def _decoded(extension: str, answer: bytes) -> Decoded:
    try:
        said = _found(extension, answer)
        seconds, loudness = float(said["seconds"]), float(said["loudness"])
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        logger.debug("The decoding of a recording gave no sensible answer")
        raise NotAudio(_UNCLEAR) from None
    if not (math.isfinite(seconds) and seconds > 0 and -100 <= loudness <= 0):
        raise NotAudio(_UNCLEAR)
    return Decoded(round(seconds, 3), round(loudness, 1))


def _clean(title: str) -> str | None:
    """A title as one line of text: no control characters, no half characters, nothing that turns the direction."""
    kept = "".join(letter for letter in " ".join(title.split()) if letter in _JOINERS or _is_text(letter))
    return kept[:_TITLE_LENGTH].strip() or None


_JOINERS = "\u200c\u200d"  # Persian words and many emoji are made with them


def _is_text(letter: str) -> bool:
    return unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co"}


# --- What people are told ---

_EMPTY = say("The file is empty: nothing was recorded, or it was lost on the way. Send it again from the device.")
_UNCLEAR = say(
    "This file could not be examined: it is damaged or made in an unusual way. "
    "Send it again from the device, or save it as MP3 or M4A first."
)

_NAMES = {"mp3": "MP3", "m4a": "M4A", "webm": "WebM", "ogg": "OGG", "wav": "WAV", "flac": "FLAC", "aac": "AAC"}


def _refusal(reason: str, extension: str) -> Said:
    return {
        "nothing": say(
            "This looks like a recording in the format %(format)s, but nothing in it can be played: it is damaged, "
            "or was cut off before it was finished. Send it again from the device.",
            format=_NAMES[extension],
        ),
        "damaged": say(
            "This looks like a recording in the format %(format)s, but most of it is damaged and cannot be played. "
            "Send it again from the device.",
            format=_NAMES[extension],
        ),
        "pictures": say(
            "This is a video with pictures. Only sound is kept here: save the sound by itself and send that."
        ),
        "long": say("This recording is longer than twelve hours. Split it, so that it can be listened to."),
        "codec": say(
            "This looks like a recording in the format %(format)s, but its sound is stored in a way that cannot be "
            "played here. Save it as MP3 or M4A and send that.",
            format=_NAMES[extension],
        ),
    }[reason]


def _unknown(start: int, allowed: frozenset[str]) -> Said:
    if start:
        return say("This file holds a title, but no sound that can be played. Send it again from the device.")
    return say("This is not a recording. Send a file in one of these formats: %(formats)s.", formats=_listed(allowed))


def _not_allowed(extension: str, allowed: frozenset[str]) -> Said:
    return say(
        "This is a recording in the format %(format)s, which is not taken here. "
        "Save it in one of these formats and send that: %(formats)s.",
        format=_NAMES[extension],
        formats=_listed(allowed),
    )


def _listed(allowed: frozenset[str]) -> str:
    return ", ".join(name for extension, name in _NAMES.items() if extension in allowed)
