"""Lets people repeat and cancel steps, and choose among what they have made; inside somebody else's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from dreamweb import entries, jobs, versions
from dreamweb.db import now, session
from dreamweb.errors import Conflict, Invalid
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.models.job import OPEN, Job
from dreamweb.pipeline.course import STEPS, settle
from dreamweb.words import say


def again(account: Account, entry_id: UUID, steps: Sequence[str] = ()) -> list[Job]:
    """Do steps of an entry again, and those that follow them; without steps all that it has need of.

    Raises `NotFound`, `Invalid` for a step that there is not, or that a written entry has no need of.
    """
    entry = entries.get(account, entry_id, lock=True)
    made = [jobs.enqueue(entry, step) for step in _wanted(entry, steps)]
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
    if job.state not in ("failed", "skipped", "cancelled"):
        if job.state != "waiting":
            raise Conflict(say("This step runs or is done. To do it once more, process the entry again."))
        job.run_at, job.attempts, job.crashes, job.reason = now(), 0, 0, None
        return job
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
        job.cancelling = True
    elif job.state == "waiting":
        jobs.close(job, "cancelled")
        settle(entry)
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
    """How many recordings nobody has listened to yet, and wait for nothing."""
    return session().scalar(_without_text(account).with_only_columns(func.count(Entry.id))) or 0


def _without_text(account: Account | None) -> Select[Entry]:
    waits = select(Job.entry_id).where(Job.entry_id.is_not(None), Job.state.in_(OPEN))
    query = select(Entry).where(
        Entry.deleted_at.is_(None),
        Entry.file_path.is_not(None),
        or_(Entry.transcription.is_(None), Entry.analysis.is_(None)),
        Entry.id.not_in(waits),
    )
    return query.where(Entry.account_id == account.id) if account else query


def catch_up(account: Account | None = None) -> int:
    """Let all of those be processed, after what somebody waits for; answers how many."""
    # Locked in one order: who does the same at the same time waits, and finds nothing more to do.
    found = session().scalars(_without_text(account).order_by(Entry.id).with_for_update(of=Entry)).all()
    for entry in found:
        jobs.enqueue(entry, "audio" if entry.peaks is None else "transcribe", priority=jobs.BACKLOG)
    return len(found)
