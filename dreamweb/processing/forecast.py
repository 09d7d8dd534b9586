"""Estimates when a step will be done, from how long the last ones took on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from dreamweb import jobs
from dreamweb.db import now, session
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.models.job import OPEN, Job

_BY_SOUND = ("audio", "transcribe")
_AT_ONCE = 500


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
    # Only what is counted: thousands may wait, and the page asks every two seconds.
    query = (
        select(Job.id, Job.account_id, Job.entry_id, Job.step, Job.state, Job.started_at, Job.progress, sound, letters)
        .join(Entry, Entry.id == Job.entry_id)
        .where(Job.state.in_(OPEN))
        .order_by(Job.state, Job.priority, Job.run_at, Job.id)
    )
    rates = jobs.seconds_per_unit()
    places: dict[UUID, tuple[int, float | None]] = {}
    before: float | None = 0.0
    for place, row in enumerate(session().execute(query)):
        job_id, owner, entry, step, state, begun, share, seconds, length = row
        amount = (seconds or 0.0) if step in _BY_SOUND else float(length or 0)
        takes = _left(state, begun, share, rates.get(step), amount)
        before = before + takes if before is not None and takes is not None else None
        if (account is None or owner == account.id) and (entry_id is None or entry == entry_id):
            places[job_id] = place, before
    return [Expected(job, *places[job.id]) for job in _jobs(list(places))]


def _jobs(ids: Sequence[UUID]) -> list[Job]:
    """Those jobs, in this order; some may have ended since."""
    found: dict[UUID, Job] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = select(Job).where(Job.id.in_(ids[start : start + _AT_ONCE]))
        found |= {job.id: job for job in session().scalars(query)}
    return [found[job_id] for job_id in ids if job_id in found]


def _left(
    state: str, started_at: datetime | None, progress: float | None, rate: float | None, amount: float
) -> float | None:
    """Seconds that a job still takes, by its own progress where that says more than earlier ones."""
    if state == "running" and started_at:
        spent = (now() - started_at).total_seconds()
        if progress is not None and progress > 0.05:
            return spent * (1 - progress) / progress
        return max(0.0, rate * amount - spent) if rate is not None else None
    return rate * amount if rate is not None else None
