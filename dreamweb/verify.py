"""Compares the database with the storage: missing, changed and orphaned files, and what a crash has left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from dreamweb import attachments, log, placing, recordings
from dreamweb.db import end_reading, session
from dreamweb.errors import DreamWebError, NotFound, StorageFailed
from dreamweb.files import sha256_of
from dreamweb.models.account import Account
from dreamweb.models.attachment import Attachment
from dreamweb.models.entry import Entry
from dreamweb.storage import Storage
from dreamweb.tools import Tools

logger = log.Logger(__name__)


@dataclass(frozen=True)
class Problem:
    """`subject` is, for the first three kinds, an entry's id, or `attachments/` and an attachment's; a key for
    `orphaned` recordings and `detached` attachments, a path for the others."""

    kind: Literal["missing", "unreadable", "changed", "orphaned", "detached", "stray", "stale"]
    subject: str


@dataclass
class Report:
    checked: int = 0
    problems: list[Problem] = field(default_factory=list)
    repaired: int = 0

    def of(self, kind: str) -> list[Problem]:
        return [problem for problem in self.problems if problem.kind == kind]


def count() -> int:
    """How many recordings and attachments there are to check."""
    recorded = select(func.count()).select_from(Entry).where(Entry.file_path.is_not(None))
    attached = select(func.count()).select_from(Attachment)
    return (session().scalar(recorded) or 0) + (session().scalar(attached) or 0)


def verify(storage: Storage, progress: Callable[[], None] = lambda: None) -> Report:
    """Read every recording and attachment and compare it with its row; `progress` is called for each.

    Changes nothing, and may run beside a server that is at work.
    """
    report = Report()
    # The files first: one that arrives while the rows are read is not taken for an orphan.
    keys = set(storage.keys())
    held = storage.notes.held()
    for subject, key, size, digest in _rows():
        keys.discard(key)
        report.checked += 1
        if problem := _compare(storage, subject, key, size, digest):
            report.problems.append(problem)
        progress()
    for key in sorted(keys - held):
        if _is_orphan(storage, key):
            # Of an attachment nothing tells to which entry it belonged.
            report.problems.append(Problem("detached" if attachments.is_attachment(key) else "orphaned", key))
    report.problems += [Problem("stray", str(path)) for path in storage.strays()]
    report.problems += [Problem("stale", str(path)) for path in storage.stale()]
    return report


def repair(tools: Tools, report: Report, owner: Account | None) -> None:
    """Make entries of the orphans, for `owner` where nothing tells whose they are, and sweep what is stale.

    What is repaired is taken from the report's problems; missing and changed recordings stay among them: only a backup
    helps there.
    """
    tools.storage.sweep()
    left = []
    for problem in report.problems:
        if _repaired(tools, problem, owner):
            report.repaired += 1
        else:
            left.append(problem)
    report.problems = left


def _repaired(tools: Tools, problem: Problem, owner: Account | None) -> bool:
    if problem.kind == "stale":
        return not Path(problem.subject).exists()
    if problem.kind != "orphaned" or owner is None:
        return False
    try:
        with tools.storage.notes.settling():
            if _is_orphan(tools.storage, problem.subject):
                recordings.adopt_orphan(tools, problem.subject, owner)
    except (DreamWebError, IntegrityError) as error:
        logger.error("An orphan could not be adopted", key=problem.subject, reason=str(error).partition("\n")[0])
        return False
    return True


def _rows() -> Iterator[tuple[str, str, int, str]]:
    yield from _rows_of(Entry, "")
    yield from _rows_of(Attachment, "attachments/")


def _rows_of(table: type[Entry] | type[Attachment], prefix: str) -> Iterator[tuple[str, str, int, str]]:
    query = select(table.id, table.file_path, table.size_bytes, table.sha256).where(table.file_path.is_not(None))
    last: UUID | None = None
    while True:
        page = query.order_by(table.id).limit(500)
        rows = session().execute(page.where(table.id > last) if last else page).all()
        end_reading()  # nothing stays open while files are read
        for row in rows:
            yield f"{prefix}{row.id}", row.file_path, row.size_bytes, row.sha256
        if not rows:
            return
        last = rows[-1].id


def _compare(storage: Storage, subject: str, key: str, size: int, digest: str) -> Problem | None:
    try:
        with storage.open(key) as file:
            # Of the file that is open: by its name, it may be gone by now.
            if os.fstat(file.fileno()).st_size == size and sha256_of(file) == digest:
                return None
    except NotFound:
        # Unless it was deleted while we were at it.
        return Problem("missing", subject) if _has_row(key) else None
    except (StorageFailed, OSError):
        return Problem("unreadable", subject)
    return Problem("changed", subject)


def _is_orphan(storage: Storage, key: str) -> bool:
    """Whether no row has the file; one that is just being deleted has none, but a note, and then is gone."""
    return not _has_row(key) and key not in storage.notes.held() and storage.size(key) is not None


def _has_row(key: str) -> bool:
    found = placing.has_row(key)
    end_reading()
    return found
