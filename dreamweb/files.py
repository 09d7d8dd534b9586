"""Writes files so that they are whole and on disk, or not there at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from dreamweb import log
from dreamweb.errors import StorageFailed, StorageFull
from dreamweb.words import say

CHUNK = 64 * 1024

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
            self.path, fd = _named(folder, mode)
        super().__init__(fd, "r+b")
        try:
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
        with our_errors("write the recording"):
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
        with our_errors("read the recording"):
            while chunk := os.pread(self.fileno(), CHUNK, offset):
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


def _named(folder: Path, mode: int) -> tuple[Path, int]:
    """A new file with a name, and locked."""
    while True:
        path = folder / secrets.token_hex(16)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:  # else it was swept before it was locked
            return path, fd
        os.close(fd)


def sha256_of(file: IO[bytes]) -> str:
    """Hex digest of what is left to read."""
    return hashlib.file_digest(cast(io.BufferedReader, file), "sha256").hexdigest()


def lock(file: IO[bytes]) -> bool:
    """Lock an open file for as long as it stays open; False when somebody else has."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def our_errors(doing: str, key: str = "-") -> Iterator[None]:
    """Turn an OSError into our own; the log says what exactly, the person only what helps."""
    try:
        yield
    except OSError as error:
        logger.error("The storage failed", doing=doing, error=error, key=key)
        if error.errno in _FULL:
            raise no_room() from error
        raise StorageFailed(
            say(
                "The server could not read or write its files. Nothing was changed: keep your copy and try again; "
                "its log says more."
            )
        ) from error


def no_room() -> StorageFull:
    return StorageFull(
        say(
            "There is no room left on the disk of the server. Nothing was saved: keep your copy, "
            "make room on the server, and send it again."
        )
    )
