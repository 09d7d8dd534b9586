"""Keeps recordings as files: what arrives goes into scratch files, and from there, whole and on disk, to its place."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from dreamweb.errors import NotFound
from dreamweb.files import CHUNK, Scratch, lock, no_room, our_errors, sync_folder
from dreamweb.notes import Notes
from dreamweb.words import say

RESERVE = 50 * 1024 * 1024
"""Bytes of the disk left free, so that the database beside the recordings can still write."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Storage:
    """Recordings below one folder, each under a key like `2025-01-31/{uuid4}_20250131T143022.mp3`."""

    def __init__(self, root: Path) -> None:
        """Raises `StorageFailed` when the folders cannot be made."""
        self.root = root
        self._incoming = root / ".incoming"
        self.notes = Notes(root / ".notes")
        self._synced: set[Path] = set()
        with our_errors("prepare the storage folder"):
            for folder in (self._incoming, self.notes.folder):
                folder.mkdir(parents=True, exist_ok=True)
            sync_folder(root)

    @property
    def temporary_folder(self) -> Path:
        """For temporary files of others: on the disk of the data, not on a small /tmp in memory."""
        return self._incoming

    def scratch(self) -> Scratch:
        """A new file for bytes that are arriving, on the same file system as their later place."""
        with our_errors("open a temporary file"):
            return Scratch(self._incoming)

    def receive(self, stream: IO[bytes]) -> Scratch:
        """The bytes of `stream` in a scratch file: itself when it is one, else a copy.

        Raises `StorageFull` or `StorageFailed`; what was written is gone then.
        """
        return stream if isinstance(stream, Scratch) else self.copy(stream)

    def copy(self, stream: IO[bytes]) -> Scratch:
        """The rest of `stream` in a new scratch file. Raises `StorageFull` or `StorageFailed`."""
        scratch = self.scratch()
        try:
            with our_errors("write the recording"):
                shutil.copyfileobj(stream, scratch, CHUNK)
        except BaseException:
            scratch.close()
            raise
        return scratch

    def check_space(self, size: int) -> None:
        """Raises `StorageFull` when `size` more bytes would not leave the reserve free."""
        if self.free() < size + RESERVE:
            raise no_room()

    def free(self) -> int:
        """Bytes free on the disk. Raises `StorageFailed`."""
        with our_errors("measure the free space"):
            return shutil.disk_usage(self.root).free

    def sync(self, scratch: Scratch) -> None:
        """Wait until the bytes are on disk. Raises `StorageFull` or `StorageFailed`."""
        with our_errors("write the recording"):
            os.fsync(scratch.fileno())

    def put(self, scratch: Scratch, key: str) -> None:
        """Give a scratch file its place. When this returns, its bytes and its name are on disk.

        Raises `StorageFull` or `StorageFailed`; there is no file under `key` then.
        """
        target = self.path(key)
        with our_errors("write the recording", key=key):
            os.fsync(scratch.fileno())
            if target.parent not in self._synced or not target.parent.is_dir():
                # Also when the folder is there: whoever made it may not have come as far as this.
                target.parent.mkdir(exist_ok=True)
                sync_folder(self.root)
                self._synced.add(target.parent)
            scratch.link(target)
            try:
                sync_folder(target.parent)
            except OSError:
                target.unlink(missing_ok=True)
                raise

    def path(self, key: str) -> Path:
        """Where the file of `key` is. Raises `ValueError` for a key that would lead out of the storage."""
        day, _, name = key.partition("/")
        if not day or day.startswith(".") or not name or "/" in name or name.startswith(".") or "\0" in key:
            raise ValueError(f"not a key: {key!r}")
        return self.root / day / name

    def open(self, key: str) -> IO[bytes]:
        """Raises `NotFound` when there is no such file, `StorageFailed` when it cannot be read."""
        with our_errors("read a recording", key=key):
            try:
                return self.path(key).open("rb")
            except FileNotFoundError:
                raise NotFound(say("The recording's file is missing on the server.")) from None

    def delete(self, key: str) -> None:
        """Remove the file, on disk too when this returns; no error when it is gone already."""
        with our_errors("delete a recording", key=key):
            path = self.path(key)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():  # also when the file was gone: whoever removed it may not have come as far as this
                sync_folder(path.parent)

    def size(self, key: str) -> int | None:
        """Bytes of the file, or None when there is none."""
        with our_errors("read a recording", key=key):
            try:
                return self.path(key).stat().st_size
            except FileNotFoundError:
                return None

    def modified_at(self, key: str) -> datetime:
        with our_errors("read a recording", key=key):
            return datetime.fromtimestamp(self.path(key).stat().st_mtime, UTC)

    def keys(self) -> Iterator[str]:
        """Every key that has a file; what else lies there, like a disk's lost+found, is not ours."""
        for folder in sorted(self.root.iterdir()):
            if _DAY.fullmatch(folder.name) and folder.is_dir():
                for path in sorted(folder.iterdir()):
                    # No name of ours, nor one that a person gives, is undecodable: such a name holds surrogates.
                    if path.is_file() and not path.name.startswith(".") and path.name.isprintable():
                        yield f"{folder.name}/{path.name}"

    def strays(self) -> list[Path]:
        """Files beside the folders of the days, where no recording belongs."""
        return [path for path in sorted(self.root.iterdir()) if path.is_file() and not path.name.startswith(".")]

    def check_writable(self) -> None:
        """Raises `StorageFailed` when nothing can be written."""
        self.scratch().close()

    def stale(self) -> list[Path]:
        """Temporary files whose makers are gone."""
        first = set(self._stale())  # one that was caught between being made and being locked is locked by now
        return [path for path in self._stale() if path in first]

    def sweep(self) -> int:
        """Remove the temporary files whose makers are gone; answers how many."""
        done = 0
        for path in self._stale():
            path.unlink(missing_ok=True)
            done += 1
        return done

    def _stale(self) -> Iterator[Path]:
        """Each of them locked while it is looked at, so that none is somebody's who has only just made it."""
        for folder in (self._incoming, self.notes.folder):
            for path in folder.iterdir():
                # One that is gone by now, or once we could lock it, was in use.
                with contextlib.suppress(FileNotFoundError):
                    if path.suffix != ".json" and stat.S_ISREG(path.lstat().st_mode):
                        with path.open("rb") as file:
                            if lock(file) and path.exists():
                                yield path
