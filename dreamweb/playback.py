"""Lends what a recording is played from: itself, or a copy of it that has a duration and can be seeked."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from dreamweb import log
from dreamweb.adapters import audio
from dreamweb.adapters.formats import FORMATS
from dreamweb.db import end_reading, session
from dreamweb.errors import NotAudio, NotFound, Unavailable
from dreamweb.files import Scratch, our_errors
from dreamweb.models.capture import Capture
from dreamweb.models.entry import Entry
from dreamweb.storage import Storage
from dreamweb.words import say

logger = log.Logger(__name__)

_COPIED_AS = ("webm", "m4a")

Part = tuple[str, int]
"""Extension and size in bytes of what was recorded in one go."""


def path(storage: Storage, entry: Entry) -> tuple[Path, str]:
    """The file to play, and its content type; a copy is made when it is needed and not there.

    Copies can be thrown away at any time. Raises `NotFound` for an entry without a recording or without its file,
    `Unavailable` when the machine is at its limits, `StorageFull`, `StorageFailed`.
    """
    if entry.file_path is None:
        raise NotFound(say("This entry was written: it has no recording."))
    storage.open(entry.file_path).close()  # says in our words when it is missing
    original = storage.path(entry.file_path), entry.content_type or ""
    parts = _parts(entry)
    if not parts:
        return original
    if found := _find(storage, entry):
        return found
    storage.check_space(entry.size_bytes or 0)
    with storage.open(entry.file_path) as file, storage.scratch() as scratch:
        try:
            extension = audio.join(file.fileno(), parts, scratch.fileno())
        except NotAudio:
            logger.warning("A recording could not be copied for playing", entry=entry.id)
            return original
        except OSError as error:
            raise Unavailable(say("The server is too busy to prepare this recording. Try again.")) from error
        return keep(storage, entry, scratch, extension)


def keep(storage: Storage, entry: Entry, scratch: Scratch, extension: str) -> tuple[Path, str]:
    """Take a copy that was made. Raises `StorageFailed`."""
    storage.sync(scratch)  # after a power cut, a file may have its name and no bytes
    with our_errors("keep a copy for playing"):
        target = _folder(storage) / f"{_name(entry)}.{extension}"
        target.parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):  # somebody else was quicker
            scratch.link(target)
    return target, FORMATS[extension]


def sweep(storage: Storage) -> int:
    """Remove the copies of recordings that are there no more; answers how many."""
    copies = {copy: copy.name.partition("_") for copy in _folder(storage).glob("*_*.*")}
    done = 0
    for copy, (entry_id, _, digest) in copies.items():
        with contextlib.suppress(ValueError):
            sha256 = session().scalar(select(Entry.sha256).where(Entry.id == UUID(entry_id)))
            end_reading()
            if not (sha256 and digest.startswith(sha256[:16])):
                copy.unlink(missing_ok=True)
                done += 1
    return done


def _parts(entry: Entry) -> Sequence[Part]:
    """Of what the copy is made; empty when the recording can be played as it is."""
    captured = (
        session().scalar(select(Capture.segments).where(Capture.entry_id == entry.id)) if entry.client_id else None
    )
    if captured:
        return [(part["extension"], part["size_bytes"]) for segment in captured for part in segment["parts"]]
    # What a browser records has no duration; it is not known to be otherwise of any WebM.
    return [("webm", entry.size_bytes or 0)] if entry.content_type == FORMATS["webm"] else []


def _find(storage: Storage, entry: Entry) -> tuple[Path, str] | None:
    for extension in _COPIED_AS:  # not looked for among all that are there: a player asks for many ranges
        copy = _folder(storage) / f"{_name(entry)}.{extension}"
        if copy.is_file():
            return copy, FORMATS[extension]
    return None


def _folder(storage: Storage) -> Path:
    return storage.root / ".playback"


def _name(entry: Entry) -> str:
    return f"{entry.id}_{(entry.sha256 or '')[:16]}"
