"""Keeps notes of what is about to be done with a file, on disk until the database has said the same."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from dreamweb import log
from dreamweb.files import Scratch, lock, our_errors, sync_folder

logger = log.Logger(__name__)


class Note:
    """One note. Locked for as long as its writer is at work: who can lock it has found the note of one who died."""

    def __init__(self, path: Path, file: IO[bytes], content: dict[str, Any]) -> None:
        self.path = path
        self.content = content
        self._file = file

    def keep(self) -> None:
        """Let go of the note, so that what it says is taken up later."""
        self._file.close()

    def drop(self) -> None:
        """What the note says is settled."""
        with contextlib.suppress(OSError):  # one that stays is found settled later
            self.path.unlink(missing_ok=True)
        self._file.close()


class Notes:
    """The notes in one folder. The contents are JSON objects that `placing` understands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, content: dict[str, Any]) -> Note:
        """Write a note to disk, under a name nobody else uses, and hold it. Raises `StorageFull`, `StorageFailed`."""
        path = self.folder / f"{name}.json"
        with our_errors("write a note"):
            # Made under no name or a hidden one, then linked: a note with its final name is whole and locked.
            scratch = Scratch(self.folder, 0o600)  # it may hold a title
            try:
                fcntl.flock(scratch.fileno(), fcntl.LOCK_EX)
                scratch.write(json.dumps(content).encode())
                os.fsync(scratch.fileno())
                scratch.link(path)
            except BaseException:
                scratch.close()
                raise
            note = Note(path, scratch, content)
            try:
                sync_folder(self.folder)
            except BaseException:
                note.drop()
                raise
        return note

    def any(self) -> bool:
        """Whether there are notes, held or left."""
        return bool(self._paths())

    def left(self) -> Iterator[Note]:
        """The notes whose writers are gone, each held until it is dropped or kept."""
        for path in self._paths():
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            except OSError as error:
                logger.error("A note cannot be read and is left as it is", path=path, error=error)
                continue
            content = _content(file) if lock(file) and path.exists() else None
            if content is None:
                file.close()
            else:
                yield Note(path, file, content)

    def held(self) -> set[str]:
        """The keys that somebody's note is about: they are being written or removed, or will be settled."""
        keys: set[str] = set()
        for path in self._paths():
            with contextlib.suppress(OSError), path.open("rb") as file:
                content = _content(file) or {}
                keys |= {content.get("key") or content.get("recording", {}).get("key", ""), *content.get("keys", [])}
        return keys

    @contextmanager
    def settling(self) -> Iterator[None]:
        """Only one at a time, in whatever process, may settle what notes say or delete for good.

        Else a note could be read by one while another deletes what it speaks of, and bring it back.
        """
        with our_errors("lock the notes"):
            folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _paths(self) -> list[Path]:
        with our_errors("read the notes"):
            return sorted(self.folder.glob("*.json"))


def _content(file: IO[bytes]) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read())
    except (OSError, ValueError):
        content = None
    if isinstance(content, dict):
        return content
    logger.error("A note cannot be read and is left as it is", path=file.name)
    return None
