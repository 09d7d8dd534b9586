"""Estimates when a step will be done, from how long the last ones took on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from dreamweb import jobs
from dreamweb.db import now, session
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.models.job import OPEN, Job

_BY_SOUND = ("audio", "transcribe")


@dataclass(frozen=True)
class Expected:
    """A job that runs or waits. `ahead` is how many come before it; `seconds` until it is done, None when unknown."""

    job: Job
    ahead: int
    seconds: float | None


def expected(account: Account | None = None, entry_id: UUID | None = None) -> Sequence[Expected]:
    """What runs and waits, in the order in which it is done: of one account, of one entry, or of everybody.

    What waits for others counts theirs, too, without saying whose they are. Steps that follow later are not counted.
    """
    sound, letters = Entry.duration_seconds, func.length(func.coalesce(Entry.text, Entry.transcription, ""))
    query = (
        select(Job, sound, letters)
        .join(Entry, Entry.id == Job.entry_id)
        .where(Job.state.in_(OPEN))
        .order_by(Job.state, Job.priority, Job.run_at, Job.id)
    )
    rates = jobs.seconds_per_unit()
    found: list[Expected] = []
    before: float | None = 0.0
    for place, (job, seconds, length) in enumerate(session().execute(query)):
        takes = _left(job, rates.get(job.step), (seconds or 0.0) if job.step in _BY_SOUND else float(length or 0))
        before = before + takes if before is not None and takes is not None else None
        if (account is None or job.account_id == account.id) and (entry_id is None or job.entry_id == entry_id):
            found.append(Expected(job, place, before))
    return found


def _left(job: Job, rate: float | None, amount: float) -> float | None:
    """Seconds that a job still takes, by its own progress where that says more than earlier ones."""
    if job.state == "running" and job.started_at:
        spent = (now() - job.started_at).total_seconds()
        if job.progress is not None and job.progress > 0.05:
            return spent * (1 - job.progress) / job.progress
        return max(0.0, rate * amount - spent) if rate is not None else None
    return rate * amount if rate is not None else None
