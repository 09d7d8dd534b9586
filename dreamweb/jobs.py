"""Keeps what is to be done as rows of the same database: claimed with a lease, finished behind a fence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from dreamweb.db import end_reading, hold_alone, now, one_at_a_time, session, transaction
from dreamweb.errors import NotFound, Transient
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.models.job import OPEN, Job, Lane
from dreamweb.words import dump, say

LEASE = timedelta(seconds=60)
"""For how long a worker that is not heard of is still believed to be at work."""

MAX_ATTEMPTS = 12
"""With the pauses between them, about seven hours: a server that is off at night is back in the morning."""

MAX_CRASHES = 3
"""What ends its worker so many times is not tried again by itself."""

KEEP = timedelta(days=30)
"""For how long finished jobs are kept: from them, it is learned how long a step takes."""

INTERACTIVE, BACKLOG = 0, 10
"""Priorities: somebody waits for it, or it is one of many old ones."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)

_LAST = 9
"""Of each step, by how many of those that were done last it is known how long the next one takes."""

_LANES = {"transcribe": "speech", "tidy": "language", "analyse": "language", "embed": "embedding", "trial": "trial"}
"""Steps that share an engine, which may have to rest; every other step is a lane of its own."""

_ENGINES = ("speech", "language")


class LostError(Exception):
    """The job is not ours any more: it was taken over, cancelled, or deleted with its entry."""


@dataclass(frozen=True)
class Claim:
    """A job that is ours, as it was when we took it; `cancelling` if nobody wants it any more."""

    id: UUID
    account_id: UUID | None
    entry_id: UUID | None
    step: str
    lane: str
    fence: int
    attempts: int
    crashes: int
    request: dict[str, Any] | None
    cancelling: bool


def enqueue(
    entry: Entry | None,
    step: str,
    *,
    account_id: UUID | None = None,
    priority: int = INTERACTIVE,
    delay: timedelta = timedelta(0),
    every: timedelta | None = None,
    request: dict[str, Any] | None = None,
) -> Job:
    """Add a job in somebody else's transaction, in which the entry is new or locked.

    One that waits already is brought forward; one that runs is done once more.
    """
    run_at = now() + delay
    if entry is not None and (job := _open(entry.id, step)):
        job.priority = min(job.priority, priority)
        if job.state == "running":
            job.again = True
        else:
            job.run_at, job.attempts, job.crashes, job.reason, job.cancelling = run_at, 0, 0, None, False
        return job
    job = Job(
        account_id=entry.account_id if entry is not None else account_id,
        entry_id=entry.id if entry is not None else None,
        step=step,
        lane=_LANES.get(step, step),
        priority=priority,
        run_at=run_at,
        every_seconds=every.total_seconds() if every else None,
        request=request,
    )
    session().add(job)
    session().flush()
    return job


def enqueue_many(wanted: Sequence[tuple[UUID, UUID, str]]) -> None:
    """Add many jobs to the backlog at once: id and account of each entry, which is locked, and its step."""
    if wanted:
        rows = [
            {
                "entry_id": entry,
                "account_id": account,
                "step": step,
                "lane": _LANES.get(step, step),
                "priority": BACKLOG,
            }
            for entry, account, step in wanted
        ]
        session().execute(insert(Job), rows)


def nudge(step: str) -> None:
    """See to it that a step for the whole journal is done soon; in somebody else's transaction.

    One that runs is done once more. One that waits after a failure goes on waiting.
    """
    query = select(Job).where(Job.entry_id.is_(None), Job.step == step, Job.state.in_(OPEN)).order_by(Job.id).limit(1)
    query = query.with_for_update().execution_options(populate_existing=True)
    job = session().scalar(query)
    if job is None:
        hold_alone(step)  # several may find none at once
        job = session().scalar(query)
    if job is None:
        enqueue(None, step, priority=BACKLOG)
    elif job.state == "running":
        job.again = True


def _open(entry_id: UUID, step: str) -> Job | None:
    query = select(Job).where(Job.entry_id == entry_id, Job.step == step, Job.state.in_(OPEN)).with_for_update()
    return session().scalar(query.execution_options(populate_existing=True))


# --- What a worker does ---


def claim(worker: str, *, pause: timedelta = timedelta(0)) -> Claim | None:
    """Take the next job that is due, or whose worker was not heard of for too long; None when there is nothing to do.

    With `pause`, an engine gets no other job sooner than that after it. Commits by itself.
    """
    query = select(Job).where(_due()).order_by(Job.priority, Job.run_at, Job.id).limit(1)
    found = session().scalar(query)
    end_reading()  # what only looks writes nothing: most of the time there is nothing to do
    if found is None:
        return None
    with transaction():
        if pause:
            hold_alone("claim")  # who comes at the same time sees that the lane is paused
        job = session().scalar(
            query.with_for_update(of=Job, skip_locked=True).execution_options(populate_existing=True)
        )
        if job is None:
            return None
        if job.state == "running":
            job.crashes += 1
        job.state, job.worker, job.lease_until = "running", worker, now() + LEASE
        job.fence += 1
        job.attempts += 1
        job.started_at, job.progress, job.reason, job.again = now(), None, None, False
        if pause and job.lane in _ENGINES:
            _pause(job.lane, pause)
        return _claimed(job)


def _claimed(job: Job) -> Claim:
    return Claim(
        id=job.id,
        account_id=job.account_id,
        entry_id=job.entry_id,
        step=job.step,
        lane=job.lane,
        fence=job.fence,
        attempts=job.attempts,
        crashes=job.crashes,
        request=job.request,
        cancelling=job.cancelling,
    )


def _due() -> ColumnElement[bool]:
    moment = now()
    paused = exists().where(Lane.name == Job.lane, Lane.paused_until > moment)
    waits = and_(Job.state == "waiting", Job.run_at <= moment, ~paused)
    return or_(waits, and_(Job.state == "running", Job.lease_until < moment))


def _pause(lane: str, pause: timedelta) -> None:
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    row = dialect.insert(Lane).values(name=lane, paused_until=now() + pause)
    later = row.excluded.paused_until
    longer = row.on_conflict_do_update(
        index_elements=[Lane.name], set_={"paused_until": later}, where=Lane.paused_until < later
    )
    session().execute(longer)


def free(worker: str) -> int:
    """Give back what a worker of this name was doing, which is known to have ended; answers how many.

    Commits by itself.
    """
    mine = (Job.state == "running", Job.worker == worker)
    found = session().scalar(select(Job.id).where(*mine).limit(1))
    end_reading()
    if found is None:
        return 0
    with transaction():
        values = {"state": "waiting", "run_at": now(), "crashes": Job.crashes + 1, "lease_until": None}
        return len(session().execute(update(Job).where(*mine).values(values).returning(Job.id)).all())


def look(claimed: Claim) -> bool:
    """Whether somebody wants the job cancelled. Raises `LostError`."""
    query = select(Job.cancelling).where(*_is(claimed))
    cancelling = session().scalar(query)
    end_reading()
    if cancelling is None:
        raise LostError
    return cancelling


def beat(claimed: Claim, progress: float | None) -> None:
    """Say that the worker lives, and how far it has come. Raises `LostError`. Commits by itself."""
    with transaction():
        values = {"lease_until": now() + LEASE, "progress": progress}
        found = session().execute(update(Job).where(*_is(claimed)).values(values).returning(Job.id)).first()
    if found is None:
        raise LostError


def hold(claimed: Claim) -> Job:
    """The row, locked until the transaction ends, if it is still ours. Raises `LostError`."""
    query = select(Job).where(*_is(claimed)).with_for_update().execution_options(populate_existing=True)
    job = session().scalar(query)
    if job is None:
        raise LostError
    return job


def _is(claimed: Claim) -> tuple[ColumnElement[bool], ...]:
    return Job.id == claimed.id, Job.state == "running", Job.fence == claimed.fence


def close(job: Job, state: str, *, reason: str | None = None) -> None:
    """End a job that is held: done, skipped, failed or cancelled. What is to be done again waits."""
    every = timedelta(seconds=job.every_seconds) if job.every_seconds else None
    if every or job.again:
        job.state, job.run_at = "waiting", now() + (every or timedelta(0))
        job.attempts = job.crashes = 0
    else:
        job.state, job.finished_at = state, now()
    job.reason = dump(reason) if reason is not None else None
    job.lease_until, job.cancelling, job.again = None, False, False


def retry_later(job: Job, error: Transient) -> bool:
    """Let a job that is held wait, longer each time; False when it was tried often enough.

    One that nobody wants any more is cancelled instead. When the other side says how long, all of its lane waits.
    """
    if job.cancelling:
        close(job, "cancelled")
        return True
    if job.attempts >= (1 if job.step == "trial" else MAX_ATTEMPTS):  # who tries an engine wants to know at once
        return False
    pause = min(_FIRST_PAUSE * 4 ** (job.attempts - 1), _LONGEST_PAUSE)
    if error.retry_after is not None:
        asked = min(timedelta(seconds=max(0.0, error.retry_after)), _LONGEST_PAUSE)
        _pause(job.lane, asked)
        pause = max(pause, asked)
    job.state, job.run_at, job.reason, job.lease_until = "waiting", now() + pause, dump(error.detail), None
    return True


def give_back(claimed: Claim) -> None:
    """Let another worker do it, because this one ends. Commits by itself."""
    with transaction():
        job = hold(claimed)
        job.state, job.run_at, job.lease_until, job.attempts = "waiting", now(), None, job.attempts - 1


def resting() -> dict[str, datetime]:
    """The lanes that are paused, and until when."""
    query = select(Lane.name, Lane.paused_until).where(Lane.paused_until > now())
    return {row.name: row.paused_until for row in session().execute(query)}


def wake(lane: str) -> None:
    """Let a lane work again at once: a person wants it tried now."""
    session().execute(delete(Lane).where(Lane.name == lane))


def forget_old() -> int:
    """Delete what was finished long ago; answers how many. Inside somebody else's transaction."""
    old = delete(Job).where(Job.finished_at < now() - KEEP).returning(Job.id)
    return len(session().execute(old).all())


def schedule(step: str, every: timedelta) -> None:
    """See to it that a step for the whole journal is done again and again. Commits by itself."""
    known = select(Job.id).where(Job.entry_id.is_(None), Job.step == step, Job.state.in_(OPEN)).limit(1)
    with one_at_a_time():  # many workers may start at once
        found = session().scalar(known)
        end_reading()
        if found is None:
            with transaction():
                enqueue(None, step, priority=BACKLOG, every=every)


# --- What people do ---


def get(account: Account, job_id: UUID, *, lock: bool = False) -> Job:
    """Raises `NotFound` when there is none, or it belongs to someone else."""
    query = select(Job).where(Job.id == job_id, Job.account_id == account.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    job = session().scalar(query)
    if job is None:
        raise NotFound(say("There is no such job. Finished ones are kept for 30 days."))
    return job


def of(entry: Entry) -> Sequence[Job]:
    """The newest job of each step of an entry, in the order in which they were made."""
    query = select(Job).where(Job.entry_id == entry.id).order_by(Job.created_at, Job.id)
    newest = {job.step: job for job in session().scalars(query)}
    return list(newest.values())


def waiting(account: Account | None = None, *, limit: int = 100) -> Sequence[Job]:
    """What runs and what waits, in the order in which it is done; of everybody without an account."""
    query = select(Job).where(Job.state.in_(OPEN), Job.entry_id.is_not(None))
    if account:
        query = query.where(Job.account_id == account.id)
    running_first = (Job.state, Job.priority, Job.run_at, Job.id)
    return session().scalars(query.order_by(*running_first).limit(limit)).all()


def seconds_per_unit() -> dict[str, float]:
    """How long each step takes, on this machine, for one unit of its `Job.amount`: the median of the last ones."""
    newest = func.row_number().over(partition_by=Job.step, order_by=Job.finished_at.desc())
    done = (
        select(Job.step, Job.started_at, Job.finished_at, Job.amount, newest.label("place"))
        .where(Job.state == "done", Job.amount > 0, Job.started_at.is_not(None), Job.finished_at.is_not(None))
        .subquery()
    )
    rates: dict[str, list[float]] = {}
    for step, started, finished, amount, _ in session().execute(select(done).where(done.c.place <= _LAST)):
        rates.setdefault(step, []).append((finished - started).total_seconds() / amount)
    return {step: sorted(found)[len(found) // 2] for step, found in rates.items()}


def newest(step: str) -> Job | None:
    """The newest job of a step for the whole journal, in whatever state it is."""
    query = select(Job).where(Job.entry_id.is_(None), Job.step == step).order_by(Job.created_at.desc(), Job.id)
    return session().scalar(query.limit(1))


def failed(account: Account | None = None, *, limit: int = 1000) -> Sequence[Job]:
    """The newest jobs of entries that have failed and were not done anew since; of everybody without an account."""
    newer = aliased(Job)
    anew = exists().where(newer.entry_id == Job.entry_id, newer.step == Job.step, newer.created_at > Job.created_at)
    query = select(Job).where(Job.state == "failed", Job.entry_id.is_not(None), ~anew)
    if account:
        query = query.where(Job.account_id == account.id)
    return session().scalars(query.order_by(Job.finished_at.desc(), Job.id).limit(limit)).all()


def stalled(*, after: timedelta = timedelta(minutes=1)) -> bool:
    """Whether something has been due for so long, and nobody has begun or does anything: no worker lives."""
    moment = now()
    paused = exists().where(Lane.name == Job.lane, Lane.paused_until > moment - after)
    waits = and_(Job.state == "waiting", Job.run_at < moment - after, ~paused)
    due = exists().where(or_(waits, and_(Job.state == "running", Job.lease_until < moment - after)))
    alive = exists().where(or_(Job.started_at > moment - after, and_(Job.state == "running", Job.lease_until > moment)))
    return bool(session().scalar(select(and_(due, ~alive))))
