"""Keeps a file and its row together: both, or neither, or a note by which the rest is done later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from dreamweb import log
from dreamweb.db import end_reading, is_away, now, session
from dreamweb.errors import DreamWebError, StorageFailed
from dreamweb.files import Scratch
from dreamweb.models.attachment import Attachment
from dreamweb.models.entry import Entry
from dreamweb.notes import Note
from dreamweb.storage import Storage

logger = log.Logger(__name__)

ADD, JOIN, ATTACH, _REMOVE = "add", "join", "attach", "remove"
"""What a note says is being done: a recording added, one joined of chunks, a file attached, files removed."""

Adopt = Callable[[Storage, dict[str, Any]], bool | None]
"""Makes the row that a note tells of; answers whether there was one to make, or None when that is too early to say."""


_AWAY = {
    ADD: "The database is away: the recording is kept, and becomes an entry when it is back",
    JOIN: "The database is away: its chunks are in there, and are joined again when it is back",
    ATTACH: "The database is away: the attachment is kept, and joins its entry when it is back",
}


class RepeatedError(Exception):
    """The file is here already: what came in the second time is undone."""


@contextmanager
def placing(
    storage: Storage, scratch: Scratch, key: str, *, action: str, account_id: UUID, **content: Any
) -> Iterator[None]:
    """Put a file in its place; inside, the row is written and committed.

    When the database refuses the row, the file is removed. When it cannot be reached (then it may even have kept the
    row), the file stays, with the note from which `settle` makes the row later. Raises `StorageFull`, `StorageFailed`.
    """
    content |= {"action": action, "account_id": str(account_id), "key": key, "at": now().isoformat()}
    note = storage.notes.write(key.rpartition("/")[2], content)
    try:
        storage.put(scratch, key)
    except BaseException:
        note.drop()  # nothing was put there; and whatever lies there already is somebody else's
        raise
    try:
        yield
    except (DreamWebError, SQLAlchemyError, RepeatedError) as error:
        if is_away(error):
            note.keep()
            logger.error(_AWAY[action], file=storage.path(key), account=account_id, size=scratch.size)
        else:
            _undo(storage, key, note)
        raise
    note.drop()


@contextmanager
def removing(storage: Storage) -> Iterator[Callable[[Iterable[str]], None]]:
    """Inside, rows are deleted, their files are named by calling what is given, and all of that is committed.

    Then the files are removed: at once, or after a crash by `settle`. To be used within `notes.settling()`.
    """
    notes: list[Note] = []

    def name(keys: Iterable[str]) -> None:
        if named := list(keys):
            notes.append(storage.notes.write(f"remove-{uuid4()}", {"action": _REMOVE, "keys": named}))

    try:
        yield name
    except (DreamWebError, SQLAlchemyError, RepeatedError) as error:
        for note in notes:
            # When it cannot be known whether the rows are gone, that is found out later.
            if is_away(error):
                note.keep()
            else:
                note.drop()
        raise
    for note in notes:
        try:
            finish_removal(storage, note.content["keys"])
        except (StorageFailed, SQLAlchemyError):
            note.keep()
        else:
            note.drop()


def settle(storage: Storage, adopters: Mapping[str, Adopt]) -> int:
    """Do what the notes say that a crash or an absent database has left; answers how many files got their rows.

    Notes of actions that none of the `adopters` is for are left to others. Raises the database's error when it is
    still away; the notes stay then. To be used within `notes.settling()`.
    """
    adopted = 0
    for note in storage.notes.left():
        action = note.content.get("action")
        if action in (ADD, JOIN, ATTACH) and action not in adopters:
            note.keep()
            continue
        end_reading()  # what was read before this note was locked may have changed
        try:
            if action == _REMOVE:
                finish_removal(storage, note.content.get("keys") or [note.content["key"]])
            else:
                done = adopters[str(action)](storage, note.content)
                if done is None:
                    note.keep()
                    continue
                adopted += done
        except (KeyError, TypeError, ValueError, StorageFailed, SQLAlchemyError) as error:
            note.keep()
            session().rollback()
            if is_away(error):
                raise
            logger.error("A note could not be settled and is kept", note=note.path, error=type(error).__name__)
        else:
            note.drop()
    return adopted


def finish_removal(storage: Storage, keys: Iterable[str]) -> None:
    """Remove the files of those keys that have no row any more."""
    for key in keys:
        # A row that is still there was restored meanwhile, or its deletion was never committed.
        if not has_row(key, lock=True):
            storage.delete(key)


def has_row(key: str, *, lock: bool = False) -> bool:
    """Whether a row has the file of this storage key; with `lock`, after who is just deleting it has finished."""
    name = key.rpartition("/")[2]
    for table in (Entry, Attachment):
        query = select(table.id).where(table.saved_filename == name)
        if session().scalar(query.with_for_update() if lock else query) is not None:
            return True
    return False


def _undo(storage: Storage, key: str, note: Note) -> None:
    try:
        storage.delete(key)
    except StorageFailed:
        note.keep()
    else:
        note.drop()
