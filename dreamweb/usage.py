"""Counts what an account keeps, and how much room it takes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from dreamweb.db import session
from dreamweb.models.account import Account
from dreamweb.models.attachment import Attachment
from dreamweb.models.entry import Entry


@dataclass(frozen=True)
class Usage:
    """What is in the trash counts, too: it still takes its room."""

    entries: int
    recordings: int
    attachments: int
    recorded_bytes: int
    attached_bytes: int


def of(account: Account) -> Usage:
    entries = select(func.count(), func.count(Entry.file_path), func.coalesce(func.sum(Entry.size_bytes), 0))
    counted, recorded, recorded_bytes = session().execute(entries.where(Entry.account_id == account.id)).one()
    attachments = select(func.count(), func.coalesce(func.sum(Attachment.size_bytes), 0)).join(
        Entry, Entry.id == Attachment.entry_id
    )
    attached, attached_bytes = session().execute(attachments.where(Entry.account_id == account.id)).one()
    return Usage(counted, recorded, attached, int(recorded_bytes or 0), int(attached_bytes or 0))
