"""Lets people repeat and cancel steps, and choose among what they have made; inside somebody else's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, exists, func, or_, select

from dreamweb import entries, jobs, versions
from dreamweb.db import session
from dreamweb.errors import Conflict, Invalid
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.models.job import OPEN, STEPS, Job
from dreamweb.models.version import Version
from dreamweb.pipeline.course import follow, settle
from dreamweb.words import say


def again(account: Account, entry_id: UUID, steps: Sequence[str] = ()) -> list[Job]:
    """Do steps of an entry again, and those that follow them; without steps all that it has need of.

    Raises `NotFound`, `Invalid` for a step that there is not, or that a written entry has no need of.
    """
    entry = entries.get(account, entry_id, lock=True)
    made = [jobs.enqueue(entry, step) for step in _wanted(entry, steps)]
    for job in made:
        jobs.wake(job.lane)
    settle(entry)
    return made


def _wanted(entry: Entry, steps: Sequence[str]) -> list[str]:
    if not steps:
        return ["audio" if entry.file_path else "analyse"]
    for step in steps:
        if step not in STEPS:
            raise Invalid(
                say("There is no such step."), {"steps": say("each is one of %(steps)s", steps=", ".join(STEPS))}
            )
        if entry.file_path is None and step in ("audio", "transcribe", "tidy"):
            raise Invalid(
                say("This entry was written: it has no recording."),
                {"steps": say("only analyse and index, for this entry")},
            )
    return sorted(set(steps), key=STEPS.index)


def retry(account: Account, job_id: UUID) -> Job:
    """Do a step again that has failed, was skipped or cancelled. Raises `NotFound`, `Conflict` when it has no need."""
    entry = _entry_of(account, job_id)
    job = jobs.get(account, job_id, lock=True)
    if job.state in ("running", "done"):
        raise Conflict(say("This step runs or is done. To do it once more, process the entry again."))
    jobs.wake(job.lane)
    newest = next((each for each in jobs.of(entry) if each.step == job.step), job)
    if newest.state == "running":
        return newest  # somebody has pressed twice
    made = jobs.enqueue(entry, job.step)
    settle(entry)
    return made


def use(account: Account, entry_id: UUID, version_id: UUID) -> None:
    """Use a version of the transcription or the cleaned text from now on, and do what follows from it.

    Raises `NotFound`, `Invalid` for an older text of the person's own.
    """
    entry = entries.get(account, entry_id, lock=True)
    heard, read = entry.transcription, versions.best_text(entry)
    versions.use(entry, version_id)
    if entry.transcription != heard:
        jobs.enqueue(entry, "tidy")
    elif versions.best_text(entry) != read:
        jobs.enqueue(entry, "analyse")
    settle(entry)


def cancel(account: Account, job_id: UUID) -> Job:
    """Do not do a step: at once when it waits, else as soon as its worker can stop.

    Those that follow it are done with what is there. Raises `NotFound`, `Conflict` when it has ended.
    """
    entry = _entry_of(account, job_id)
    job = jobs.get(account, job_id, lock=True)
    if job.state == "running":
        job.cancelling, job.again = True, False
    elif job.state == "waiting":
        jobs.close(job, "cancelled")
        follow(entry, job)
    else:
        raise Conflict(say("This step has ended already."))
    return job


def _entry_of(account: Account, job_id: UUID) -> Entry:
    """The job's entry, locked before the job, as everywhere: two who lock in turns wait for each other."""
    job = jobs.get(account, job_id)
    if job.entry_id is None:
        raise Conflict(say("This job belongs to no entry."))
    return entries.get(account, job.entry_id, trashed=None, lock=True)


def count_without_text(account: Account) -> int:
    """How many entries nobody has listened to or read yet, and wait for nothing."""
    return session().scalar(_untouched(account, func.count(Entry.id))) or 0


def catch_up(account: Account | None = None) -> int:
    """Let all of those be processed, after what somebody waits for; answers how many."""
    first = case((Entry.file_path.is_(None), "analyse"), (Entry.peaks.is_(None), "audio"), else_="transcribe")
    # Locked in one order: who does the same at the same time waits, and finds nothing more to do.
    query = _untouched(account, Entry.id, Entry.account_id, first).order_by(Entry.id).with_for_update(of=Entry)
    found = session().execute(query).all()
    jobs.enqueue_many([(entry_id, account_id, step) for entry_id, account_id, step in found])
    return len(found)


def _untouched(account: Account | None, *wanted: Any) -> Select[Any]:
    waits = select(Job.entry_id).where(Job.entry_id.is_not(None), Job.state.in_(OPEN))
    heard = exists().where(Version.entry_id == Entry.id, Version.kind == "transcription")
    unheard = and_(Entry.file_path.is_not(None), ~heard)
    unread = and_(Entry.lemmas.is_(None), or_(Entry.text.is_not(None), Entry.title.is_not(None), heard))
    query = select(*wanted).where(Entry.deleted_at.is_(None), or_(unheard, unread), Entry.id.not_in(waits))
    return query.where(Entry.account_id == account.id) if account else query
