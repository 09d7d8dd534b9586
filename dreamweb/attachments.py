"""Attaches files to entries, finds and removes them, with the same care for their bytes as for a recording's."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from dreamweb import entries, jobs, log, placing
from dreamweb.adapters import media
from dreamweb.db import end_reading, now, session, transaction
from dreamweb.details import clean_filename
from dreamweb.errors import Conflict, NotFound, TooLarge
from dreamweb.files import Scratch, our_errors
from dreamweb.models.account import Account
from dreamweb.models.attachment import Attachment
from dreamweb.models.entry import Entry
from dreamweb.placing import RepeatedError
from dreamweb.storage import Storage
from dreamweb.tools import Tools
from dreamweb.words import say

logger = log.Logger(__name__)

# So that a file whose row is lost is never taken for a recording.
_NAME = re.compile(r"attachment_[0-9a-f-]{36}_\d{8}T\d{6}\.\w+", re.ASCII)


@dataclass(frozen=True)
class _File:
    """A file that is about to be attached, as a note tells of it; the names are those of the table."""

    id: UUID
    entry_id: UUID
    client_id: UUID | None
    original_filename: str
    saved_filename: str
    file_path: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: datetime


_FILE = TypeAdapter(_File)


def add(
    tools: Tools, account: Account, entry_id: UUID, scratch: Scratch, filename: str | None, client_id: UUID | None
) -> tuple[Attachment, bool]:
    """Attach a file; answers it, and whether it is new: repeating under one `client_id` is not.

    Commits by itself, because the file must be placed before and settled after the commit. Raises `NotFound`,
    `TooLarge`, `EmptyFile`, `NotAttachable`, `Conflict` when there are too many or the `client_id` stands for another
    one, `StorageFull`, `StorageFailed`, or the database's error.
    """
    entries.get(account, entry_id)
    end_reading()
    if scratch.size > tools.max_attachment_bytes:
        raise too_large(tools.max_attachment_bytes)
    with our_errors("read an attachment"):
        medium = media.recognise(scratch.fileno(), allowed=tools.attachment_formats)
    file = _describe(entry_id, scratch, medium, filename, client_id)
    note = {"action": placing.ATTACH, "account_id": account.id, "attachment": _FILE.dump_python(file, mode="json")}
    try:
        with placing.placing(tools.storage, scratch, file.file_path, **note), transaction():
            entry = entries.get(account, entry_id, lock=True)
            if _same(file):
                raise RepeatedError
            if len(entry.attachments) >= tools.max_attachments:
                raise Conflict(
                    say(
                        "An entry may have %(limit)s attachments. Delete one, or raise the limit in the settings "
                        "(MAX_ATTACHMENTS).",
                        limit=tools.max_attachments,
                    )
                )
            jobs.enqueue(entry, "index")  # for the words of its name
            return _write(file), True
    except (RepeatedError, IntegrityError):
        # An IntegrityError: two requests at once under one client_id, and the other was first.
        if found := _same(file):
            return found, False
        raise


def get(account: Account, attachment_id: UUID, *, lock: bool = False) -> Attachment:
    """Raises `NotFound` when there is none, it belongs to someone else, or its entry is in the trash."""
    query = select(Attachment).join(Entry, Attachment.entry_id == Entry.id)
    query = query.where(Attachment.id == attachment_id, Entry.account_id == account.id, Entry.deleted_at.is_(None))
    if lock:
        query = query.with_for_update(of=Attachment).execution_options(populate_existing=True)
    found = session().scalar(query)
    if found is None:
        raise NotFound(say("There is no such attachment."))
    return found


def remove(storage: Storage, account: Account, attachment_id: UUID) -> None:
    """Delete an attachment for good. Commits by itself, because the file goes after the row. Raises `NotFound`."""
    with storage.notes.settling():
        # The same file may have come while the database was away: it must not be attached after this.
        placing.settle(storage, {placing.ATTACH: adopt})
        with placing.removing(storage) as name, transaction():
            entry = entries.get(account, get(account, attachment_id).entry_id, lock=True)
            found = get(account, attachment_id, lock=True)
            jobs.enqueue(entry, "index")
            name([found.file_path])
            session().delete(found)


def adopt(storage: Storage, note: dict[str, Any]) -> bool:
    """Make the row of a file that was placed before the database went away, or the server; see `placing.settle`."""
    file = _FILE.validate_python(note["attachment"])
    if storage.size(file.file_path) is None:  # it was not put in its place any more
        return False
    if session().scalar(select(Attachment.id).where(Attachment.id == file.id)):
        return False
    if session().scalar(select(Entry.id).where(Entry.id == file.entry_id)) is None:
        placing.finish_removal(storage, [file.file_path])  # the entry was deleted for good meanwhile
        return False
    try:
        again = _same(file)
    except Conflict:
        again, file = None, replace(file, client_id=None)
    if again or (file.client_id is None and _sent_later(file)):
        # The client has sent it again meanwhile, and has been told of that one.
        placing.finish_removal(storage, [file.file_path])
        return False
    with transaction():
        entry = session().get(Entry, file.entry_id, with_for_update=True, populate_existing=True)
        _write(file)
        if entry:
            jobs.enqueue(entry, "index")
    logger.info("An attachment was adopted", attachment=file.id, entry=file.entry_id, size=file.size_bytes)
    return True


def is_attachment(key: str) -> bool:
    """Whether the storage key is one that attachments are given."""
    return _NAME.fullmatch(key.rpartition("/")[2]) is not None


def safe_name(attachment: Attachment) -> str:
    """The name under which it may be saved: no program or web page can be disguised by it."""
    return media.safe_name(attachment.original_filename, attachment.saved_filename.rpartition(".")[2])


def too_large(limit: int) -> TooLarge:
    return TooLarge(
        say(
            "This file is larger than %(limit)s MB. Make it smaller, or raise the limit in the settings "
            "(MAX_ATTACHMENT_SIZE_MB).",
            limit=limit // 1024 // 1024,
        )
    )


def _describe(
    entry_id: UUID, scratch: Scratch, medium: media.Medium, filename: str | None, client_id: UUID | None
) -> _File:
    attachment_id, moment = uuid4(), now()
    saved = f"attachment_{attachment_id}_{moment:%Y%m%dT%H%M%S}.{medium.extension}"
    return _File(
        id=attachment_id,
        entry_id=entry_id,
        client_id=client_id,
        original_filename=clean_filename(filename, default=f"attachment.{medium.extension}"),
        saved_filename=saved,
        file_path=f"{moment:%Y-%m-%d}/{saved}",
        content_type=medium.content_type,
        size_bytes=scratch.size,
        sha256=scratch.sha256(),
        created_at=moment,
    )


def _write(file: _File) -> Attachment:
    made = Attachment(**asdict(file))
    session().add(made)
    session().flush()
    return made


def _same(file: _File) -> Attachment | None:
    """What was attached before from the same bytes under the same `client_id`.

    Raises `Conflict` when that id stands for something else.
    """
    if file.client_id is None:
        return None
    query = select(Attachment).where(Attachment.entry_id == file.entry_id, Attachment.client_id == file.client_id)
    found = session().scalar(query)
    if found and found.sha256 != file.sha256:
        raise Conflict(
            say("Another file was attached under this client_id. Send different files under different client_ids.")
        )
    return found


def _sent_later(file: _File) -> bool:
    """Whether the same bytes were attached once more after this."""
    query = select(Attachment.id).where(
        Attachment.entry_id == file.entry_id,
        Attachment.sha256 == file.sha256,
        Attachment.created_at > file.created_at,
    )
    return session().scalar(query.limit(1)) is not None
