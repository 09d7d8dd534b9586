"""Looks at a recording in a folder of this machine: which bytes it has, when it was made, whether it still changes."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from uuid import UUID, uuid5

BLOCK = 128 * 1024

# The same bytes get the same `client_id`, from whatever machine, under whatever name and after whatever crash.
_NAMESPACE = UUID("6d0ac2a1-4f3b-5d8e-9a57-1f0e6c1b7d42")

# Recorders whose clock was never set start in 1980 or 2000; the server holds the dates inside of files to the same.
_OLDEST = datetime(2001, 1, 2, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(minutes=2)

# What says of itself when it was recorded knows better than the time of the file, which a copy may have lost: these
# always do, the others where a date follows one of the names under which tags keep it (ID3, Vorbis comment, RIFF).
_WITH_A_DATE = {".m4a", ".m4b", ".mp4", ".mov", ".3gp"}
_DATE_INSIDE = re.compile(rb"(?:TDRC|ICRD|DATE=).{0,12}?\d{4}-\d\d-\d\d", re.DOTALL | re.IGNORECASE)


class Unsendable(Exception):
    """There is nothing here that could be sent; the text says why."""


class Changed(Exception):
    """The file has other bytes than a moment ago: somebody is still writing it."""


@dataclass(frozen=True)
class State:
    """By what a file is known to be as it was, without reading it."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> State:
        return cls(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)

    @property
    def modified_at(self) -> datetime:
        try:
            return datetime.fromtimestamp(self.modified_ns // 1_000_000_000, UTC)
        except (ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(0, UTC)

    @property
    def has_believable_time(self) -> bool:
        return _OLDEST < self.modified_at <= datetime.now(UTC) + _CLOCKS_DIFFER


@dataclass(frozen=True)
class Found:
    """A file whose bytes were read once."""

    path: Path
    state: State
    sha256: str
    has_own_date: bool = False

    @property
    def size(self) -> int:
        return self.state.size

    @property
    def client_id(self) -> UUID:
        return uuid5(_NAMESPACE, self.sha256)

    @property
    def name(self) -> str:
        """The name for the journal, whatever bytes it is made of on this disk."""
        return os.fsencode(self.path.name).decode("utf-8", "replace")

    @property
    def modified_at(self) -> datetime | None:
        """When it was dreamed, as far as the file's own time tells; None where something else knows better."""
        if self.has_own_date or not self.state.has_believable_time:
            return None
        return min(self.state.modified_at, datetime.now(UTC))

    def blocks(self, file: IO[bytes], passed: Callable[[int], object] = lambda _size: None) -> Iterator[bytes]:
        """The bytes that were read before.

        Raises `Changed` before the last of them is handed out when they are not the same any more: what is sent from
        here never arrives whole then, and no entry is made of it.
        """
        digest, left = hashlib.sha256(), self.size
        while left:
            block = file.read(min(BLOCK, left))
            digest.update(block)
            left -= len(block)
            if not block or (not left and (digest.hexdigest() != self.sha256 or State.of(_stat(file)) != self.state)):
                raise Changed
            yield block
            passed(len(block))


def look(path: Path) -> State:
    """How the file is now, a link's target for the link. Raises `Unsendable`."""
    try:
        found = path.stat()
    except OSError as error:
        raise Unsendable(_why(error)) from None
    except ValueError:  # a NUL in the name
        raise Unsendable("there is no such file") from None
    if stat.S_ISDIR(found.st_mode):
        raise Unsendable("it is a folder; name the files in it, or use --watch")
    if not stat.S_ISREG(found.st_mode):
        raise Unsendable("it is no ordinary file")
    if not found.st_size:
        raise Unsendable("it is empty: nothing was recorded")
    return State.of(found)


def read(path: Path) -> Found:
    """Read the whole file once. Raises `Unsendable`, and `Changed` when it changes meanwhile."""
    look(path)  # opening a pipe would wait for somebody to write into it
    try:
        with path.open("rb") as file:
            state = State.of(_stat(file))
            digest, dated = hashlib.sha256(), path.suffix.lower() in _WITH_A_DATE
            while block := file.read(BLOCK):
                if file.tell() == len(block):  # tags stand at the beginning; some have two bytes for a character
                    dated = dated or bool(_DATE_INSIDE.search(block.replace(b"\0", b"")))
                digest.update(block)
            if State.of(_stat(file)) != state:
                raise Changed
    except OSError as error:
        raise Unsendable(_why(error)) from None
    return Found(path, state, digest.hexdigest(), dated)


def still_for(state: State, settle: float) -> float:
    """For how many seconds a file should still be left alone, because it was written just now."""
    age = time.time() - state.modified_ns / 1_000_000_000
    return settle - age if 0 <= age < settle else 0


def _stat(file: IO[bytes]) -> os.stat_result:
    return os.fstat(file.fileno())


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return f"it cannot be read: {error.strerror}"
