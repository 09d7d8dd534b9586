"""Keeps recordings as files: what arrives goes into scratch files, and from there, whole and on disk, to its place."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from dreamweb import log
from dreamweb.errors import NotFound, StorageFailed, StorageFull

RESERVE = 50 * 1024 * 1024
"""Bytes of the disk left free, so that the database beside the recordings can still write."""

_CHUNK = 64 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

logger = log.Logger(__name__)


class Scratch(io.FileIO):
    """A file for bytes that are arriving; it is gone when closed, unless it was put in its place before.

    Where the file system allows it has no name at all (O_TMPFILE), so that a crash leaves nothing behind. Where not,
    it has a name and is locked for as long as it is open: an unlocked one is left over and can be swept.
    """

    def __init__(self, folder: Path, mode: int = 0o644) -> None:
        self.path: Path | None = None
        try:
            fd = os.open(folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, mode)
        except (AttributeError, OSError) as error:
            # EISDIR and ENOENT come from kernels without O_TMPFILE. https://man7.org/linux/man-pages/man2/open.2.html
            unsupported = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)
            if isinstance(error, OSError) and error.errno not in unsupported:
                raise
            self.path = folder / secrets.token_hex(16)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        super().__init__(fd, "r+b")
        try:
            if self.path:
                fcntl.flock(fd, fcntl.LOCK_EX)
            os.fchmod(fd, mode)  # whatever the umask
        except OSError:
            self.close()
            raise

    def write(self, data: Any, /) -> int:
        """Write all of `data`: a plain FileIO may write a part of it, which callers of a buffered file never expect.

        Raises `StorageFull` or `StorageFailed`, so that whoever lets others write into it (the server, the form's
        parser) learns in our words why it ended.
        """
        view = memoryview(data).cast("B")
        done = 0
        with _our_errors("write the recording"):
            while done < len(view):
                done += os.write(self.fileno(), view[done:])
        return done

    @property
    def size(self) -> int:
        return os.fstat(self.fileno()).st_size

    def sha256(self) -> str:
        """Hex digest of all bytes; does not move the file position."""
        digest = hashlib.sha256()
        offset = 0
        with _our_errors("read the recording"):
            while chunk := os.pread(self.fileno(), _CHUNK, offset):
                digest.update(chunk)
                offset += len(chunk)
        return digest.hexdigest()

    def link(self, target: Path) -> None:
        """Give the file the name `target`, which must not exist yet; never replaces anything."""
        if self.path:
            os.link(self.path, target)
            return
        # The directory descriptor makes Python call linkat(2), which alone can follow the link in /proc.
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.link(f"/proc/self/fd/{self.fileno()}", target, src_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)

    def close(self) -> None:
        if self.path and not self.closed:
            self.path.unlink(missing_ok=True)
        super().close()


class Note:
    """A note of what is about to be done with a file, kept on disk until the database has said the same.

    Locked for as long as its maker is at work: who can lock it has found the note of one who died.
    """

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


class Storage:
    """Recordings below one folder, each under a key like `2025-01-31/{uuid4}_20250131T143022.mp3`."""

    def __init__(self, root: Path) -> None:
        """Raises `StorageFailed` when the folders cannot be made."""
        self.root = root
        self._incoming = root / ".incoming"
        self._notes = root / ".notes"
        self._synced: set[Path] = set()
        with _our_errors("prepare the storage folder"):
            for folder in (self._incoming, self._notes):
                folder.mkdir(parents=True, exist_ok=True)
            _sync_folder(root)

    @property
    def temporary_folder(self) -> Path:
        """For temporary files of others: on the disk of the data, not on a small /tmp in memory."""
        return self._incoming

    def scratch(self) -> Scratch:
        """A new file for bytes that are arriving, on the same file system as their later place."""
        with _our_errors("open a temporary file"):
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
            with _our_errors("write the recording"):
                shutil.copyfileobj(stream, scratch, _CHUNK)
        except BaseException:
            scratch.close()
            raise
        return scratch

    def check_space(self, size: int) -> None:
        """Raises `StorageFull` when `size` more bytes would not leave the reserve free."""
        with _our_errors("measure the free space"):
            free = shutil.disk_usage(self.root).free
        if free < size + RESERVE:
            raise StorageFull(
                "There is no room left on the disk of the server. Nothing was saved: keep your copy, "
                "make room on the server, and send it again."
            )

    def sync(self, scratch: Scratch) -> None:
        """Wait until the bytes are on disk. Raises `StorageFull` or `StorageFailed`."""
        with _our_errors("write the recording"):
            os.fsync(scratch.fileno())

    def put(self, scratch: Scratch, key: str) -> None:
        """Give a scratch file its place. When this returns, its bytes and its name are on disk.

        Raises `StorageFull` or `StorageFailed`; there is no file under `key` then.
        """
        target = self.path(key)
        with _our_errors("write the recording", key=key):
            os.fsync(scratch.fileno())
            if target.parent not in self._synced or not target.parent.is_dir():
                # Also when the folder is there: whoever made it may not have come as far as this.
                target.parent.mkdir(exist_ok=True)
                _sync_folder(self.root)
                self._synced.add(target.parent)
            scratch.link(target)
            try:
                _sync_folder(target.parent)
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
        try:
            with _our_errors("read a recording", key=key):
                return self.path(key).open("rb")
        except StorageFailed as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise NotFound("The recording's file is missing on the server.") from error
            raise

    def delete(self, key: str) -> None:
        """Remove the file, on disk too when this returns; no error when it is gone already."""
        with _our_errors("delete a recording", key=key):
            path = self.path(key)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():  # also when the file was gone: whoever removed it may not have come as far as this
                _sync_folder(path.parent)

    def size(self, key: str) -> int | None:
        """Bytes of the file, or None when there is none."""
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError:
            return None

    def modified_at(self, key: str) -> datetime:
        with _our_errors("read a recording", key=key):
            return datetime.fromtimestamp(self.path(key).stat().st_mtime, UTC)

    def keys(self) -> Iterator[str]:
        """Every key that has a file."""
        for folder in sorted(self.root.iterdir()):
            if folder.is_dir() and not folder.name.startswith("."):
                for path in sorted(folder.iterdir()):
                    if path.is_file() and not path.name.startswith("."):
                        yield f"{folder.name}/{path.name}"

    def check_writable(self) -> None:
        """Raises `StorageFailed` when nothing can be written."""
        self.scratch().close()

    def note(self, name: str, content: dict[str, Any]) -> Note:
        """Write a note to disk, under a name nobody else uses, and hold it. Raises `StorageFull`, `StorageFailed`."""
        path = self._notes / f"{name}.json"
        with _our_errors("write a note"):
            # Made under no name or a hidden one, then linked: a note with its final name is whole and locked.
            scratch = Scratch(self._notes, 0o600)  # it may hold a title
            try:
                fcntl.flock(scratch.fileno(), fcntl.LOCK_EX)
                scratch.write(json.dumps(content).encode())
                os.fsync(scratch.fileno())
                scratch.link(path)
                _sync_folder(self._notes)
            except BaseException:
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
                scratch.close()
                raise
        return Note(path, scratch, content)

    def notes_left(self) -> Iterator[Note]:
        """The notes whose makers are gone, each held until it is dropped or kept."""
        for path in self._note_paths():
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            if not _lock(file) or not path.exists():
                file.close()
                continue
            try:
                content = json.loads(file.read())
            except ValueError:
                logger.error("A note cannot be read and is left as it is", path=path)
                file.close()
                continue
            yield Note(path, file, content)

    def keys_in_hand(self) -> set[str]:
        """The keys that somebody's note is about: they are being written or removed, or will be settled."""
        keys = set()
        for path in self._note_paths():
            with contextlib.suppress(OSError, ValueError):
                content = json.loads(path.read_bytes())
                keys.add(content.get("key") or content["recording"]["key"])
        return keys

    def has_notes(self) -> bool:
        return bool(self._note_paths())

    def _note_paths(self) -> list[Path]:
        with _our_errors("read the notes"):
            return sorted(self._notes.glob("*.json"))

    def stale(self) -> list[Path]:
        """Temporary files whose makers are gone."""
        left = []
        for folder in (self._incoming, self._notes):
            for path in folder.iterdir():
                # One that is gone by now was in use.
                with contextlib.suppress(FileNotFoundError):
                    if path.suffix != ".json" and stat.S_ISREG(path.lstat().st_mode):
                        with path.open("rb") as file:
                            if _lock(file):
                                left.append(path)
        return left


def sha256_of(file: IO[bytes]) -> str:
    """Hex digest of what is left to read."""
    return hashlib.file_digest(cast(io.BufferedReader, file), "sha256").hexdigest()


def _lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _our_errors(doing: str, key: str = "-") -> Iterator[None]:
    """Turn an OSError into our own; the log says what exactly, the person only what helps."""
    try:
        yield
    except OSError as error:
        logger.error("The storage failed", doing=doing, error=error, key=key)
        if error.errno in _FULL:
            raise StorageFull(
                "There is no room left on the disk of the server. Nothing was saved: keep your copy, "
                "make room on the server, and send it again."
            ) from error
        raise StorageFailed(
            f"The server could not {doing}. Nothing was changed: keep your copy and try again; its log says more."
        ) from error
