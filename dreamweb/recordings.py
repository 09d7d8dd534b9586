"""Keeps a recording's file and its row together: both, or neither, or a note from which the row is made later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from dreamweb import accounts, attachments, entries, log, placing
from dreamweb.adapters import audio
from dreamweb.adapters.audio import Sound
from dreamweb.db import now, session, transaction
from dreamweb.details import Details, clean_filename
from dreamweb.entries import Recording
from dreamweb.errors import Conflict, TooLarge, Unavailable
from dreamweb.files import Scratch
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.placing import RepeatedError
from dreamweb.storage import Storage
from dreamweb.tools import Tools
from dreamweb.words import say

logger = log.Logger(__name__)

_RECORDING = TypeAdapter(Recording)

# PostgreSQL may still be committing for a writer who was killed: until then nobody sees the row.
_LATE_COMMIT = timedelta(minutes=5)

# A file's own date counts as the time of the dream only when it is a believable one: cameras and old phones often
# start in 1970 or 2000.
_OLDEST_FILE_DATE = datetime(2001, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Examined:
    """A recording that has arrived and is known to play, still in its scratch file."""

    scratch: Scratch
    sound: Sound
    size_bytes: int
    sha256: str


def examine(tools: Tools, scratch: Scratch) -> Examined:
    """Find out what has arrived.

    Raises `EmptyFile`, `TooLarge`, `NotAudio` when it is no recording that plays, `Unavailable` when the machine has
    no room to find out.
    """
    size = scratch.size
    if size > tools.max_file_bytes:
        raise too_large(tools.max_file_bytes)
    # While a child process examines the bytes, we hash them and send them on their way to the disk.
    with too_busy(), audio.examine(scratch.fileno(), allowed=tools.formats) as examination:
        digest = scratch.sha256()
        tools.storage.sync(scratch)
        sound = examination.result()
    return Examined(scratch, sound, size, digest)


@contextmanager
def too_busy() -> Iterator[None]:
    """When not the recording but the machine is at fault, raises `Unavailable`."""
    try:
        yield
    except OSError as error:
        logger.error("A recording could not be examined", exc_info=True)
        raise Unavailable(
            say("The server is too busy to look at this recording. Try again in a few seconds.")
        ) from error


def too_large(limit: int) -> TooLarge:
    return TooLarge(
        say(
            "This recording is larger than %(limit)s MB. "
            "Split it, or raise the limit in the settings (MAX_FILE_SIZE_MB).",
            limit=limit // 1024 // 1024,
        )
    )


Beside = Callable[[Entry], None]
"""What else is written in the transaction that gives an entry its recording."""


def keep(
    tools: Tools,
    account: Account,
    examined: Examined,
    details: Details,
    filename: str | None,
    beside: Beside | None = None,
) -> tuple[Entry, bool]:
    """Make an entry of a recording; answers it, and whether it is new: repeating under one `client_id` is not.

    With `beside` the recording was joined of chunks that are in the database: when that cannot be reached, nothing
    is made of the file later, because the chunks are joined again.
    Commits by itself, because the file must be placed before and settled after the commit. Raises `Conflict` when
    the `client_id` stands for another entry, `StorageFull`, `StorageFailed`, or the database's error.
    """
    recording = _describe(examined, filename)
    details = _complete(details, examined.sound)
    note = {
        "action": placing.JOIN if beside else placing.ADD,
        "account_id": account.id,
        "recording": _RECORDING.dump_python(recording, mode="json"),
        "details": details.model_dump(mode="json"),
    }
    try:
        with placing.placing(tools.storage, examined.scratch, recording.key, **note), transaction():
            if entries.same_recording(account, details.client_id, examined.sha256):
                raise RepeatedError
            made = entries.create(account, details, recording)
            if beside:
                beside(made)
        return made, True
    except (RepeatedError, IntegrityError):
        # An IntegrityError: two requests at once under one client_id, and the other was first.
        if entry := entries.same_recording(account, details.client_id, examined.sha256):
            return entry, False
        raise


def replace_with_longer(tools: Tools, account: Account, entry_id: UUID, examined: Examined, beside: Beside) -> Entry:
    """Give an entry a longer recording of the same dream, in which all bytes of the one that it has are kept.

    Commits by itself, as `keep` does, and raises the same; `NotFound` when there is no such entry.
    """
    # Under a name of its own: within one second, the entry's id and the time would make the same one again.
    recording = replace(_describe(examined, None), entry_id=entry_id)
    storage = tools.storage
    with (
        storage.notes.settling(),
        placing.removing(storage) as name,
        placing.placing(storage, examined.scratch, recording.key, action=placing.JOIN, account_id=account.id),
        transaction(),
    ):
        entry = entries.get(account, entry_id, trashed=None, lock=True)
        name([entry.file_path] if entry.file_path else [])
        entries.replace_recording(entry, recording)
        beside(entry)
    return entry


def remove(storage: Storage, account: Account, entry_id: UUID) -> None:
    """Delete an entry for good, its files too. Commits by itself, because the files go after the rows.

    Raises `NotFound` when there is none, or it belongs to someone else.
    """
    with storage.notes.settling():
        # The same recording may have come while the database was away: it must not become an entry after this.
        _settle(storage)
        with placing.removing(storage) as name, transaction():
            name(entries.delete(account, entry_id))


def empty_trash(storage: Storage) -> int:
    """Delete for good what has been in the trash for longer than it keeps; answers how many entries."""
    done = 0
    while batch := entries.expired():
        with storage.notes.settling(), placing.removing(storage) as name, transaction():
            name(entries.delete_expired(batch))
        done += len(batch)
    return done


def adopt(storage: Storage) -> int:
    """Settle the notes that a crash or an absent database has left; answers how many files got their rows.

    Raises the database's error when it is still away; the notes stay then.
    """
    with storage.notes.settling():
        return _settle(storage)


def _settle(storage: Storage) -> int:
    adopters = {placing.ADD: _adopt_one, placing.JOIN: _drop_unused, placing.ATTACH: attachments.adopt}
    return placing.settle(storage, adopters)


def _drop_unused(storage: Storage, note: dict[str, Any]) -> bool | None:
    """A recording that did not come to its entry is joined of the same chunks once more."""
    if now() - datetime.fromisoformat(note["at"]) < _LATE_COMMIT:
        return None
    placing.finish_removal(storage, [note["key"]])
    return False


def adopt_orphan(tools: Tools, key: str, account: Account) -> Entry:
    """Make an entry of a file that has neither row nor note, under the name it has.

    Raises `NotAudio`, `EmptyFile` or `TooLarge` when it is no recording, `StorageFailed` when it cannot be read.
    """
    day, _, name = key.partition("/")
    with tools.storage.open(key) as file, tools.storage.copy(file) as scratch:
        examined = examine(tools, scratch)
    details = _complete(Details(title=f"Recovered recording of {day}"), examined.sound)
    recording = replace(
        _describe(examined, name), saved_filename=name, key=key, uploaded_at=tools.storage.modified_at(key)
    )
    with transaction():
        return entries.create(account, details, recording)


def _describe(examined: Examined, filename: str | None) -> Recording:
    """What will be said of the recording, and where it will be kept."""
    entry_id, uploaded_at = uuid4(), now()
    sound = examined.sound
    saved = f"{entry_id}_{uploaded_at:%Y%m%dT%H%M%S}.{sound.extension}"
    return Recording(
        entry_id=entry_id,
        original_filename=clean_filename(filename, default=f"recording.{sound.extension}"),
        saved_filename=saved,
        key=f"{uploaded_at:%Y-%m-%d}/{saved}",
        uploaded_at=uploaded_at,
        content_type=sound.content_type,
        size_bytes=examined.size_bytes,
        sha256=examined.sha256,
        duration_seconds=sound.duration_seconds,
    )


def _complete(details: Details, sound: Sound) -> Details:
    """Fill in from the file's own tags what the person has left out."""
    known: dict[str, Any] = {}
    if details.title is None and sound.title:
        known["title"] = sound.title
    if details.dreamed_at is None and sound.recorded_at and _OLDEST_FILE_DATE < sound.recorded_at <= now():
        known["dreamed_at"] = sound.recorded_at
    return details.model_copy(update=known)


def _adopt_one(storage: Storage, note: dict[str, Any]) -> bool:
    recording = _RECORDING.validate_python(note["recording"])
    details = Details.model_validate(note["details"])
    if storage.size(recording.key) is None:  # it was not put in its place any more
        return False
    if session().get(Entry, recording.entry_id):
        return False
    account = accounts.get(UUID(note["account_id"]))
    if account is None:
        logger.error("A recording's account is gone; the file is left for `dreamweb verify`", key=recording.key)
        return False
    try:
        again = entries.same_recording(account, details.client_id, recording.sha256)
    except Conflict:
        again, details = None, details.model_copy(update={"client_id": None})
    if again or (details.client_id is None and entries.sent_later(account, recording)):
        # The client has sent it again meanwhile, and has been told of that entry. It may even be this very one, when
        # its commit had not arrived yet a moment ago: then the file is its own, and stays.
        placing.finish_removal(storage, [recording.key])
        return False
    with transaction():
        entries.create(account, details, recording)
    logger.info("A recording was adopted", entry=recording.entry_id, account=account.id, size=recording.size_bytes)
    return True
