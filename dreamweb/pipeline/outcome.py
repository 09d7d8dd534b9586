"""Writes what came of a job: what was made, what follows from it, and that it has ended."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dreamweb import jobs
from dreamweb.db import session, transaction
from dreamweb.errors import Permanent, Skipped, Transient, Used
from dreamweb.jobs import Claim, LostError
from dreamweb.models.entry import Entry
from dreamweb.models.job import Job
from dreamweb.models.version import ModelCall
from dreamweb.pipeline import course
from dreamweb.pipeline.work import Done, storable

_LONGEST_NAME = 200
_MOST_TOKENS = 10**9


class CancelledError(Exception):
    """Somebody does not want this any more."""


class WithdrawnError(Exception):
    """The entry became private while another machine was asked: it is done again, and stays here."""

    def __init__(self, used: Sequence[Used] = ()) -> None:
        super().__init__()
        self.used = used


Outcome = Done | Transient | Permanent | Skipped | CancelledError | WithdrawnError


def keep(claimed: Claim, outcome: Outcome) -> None:
    """In one transaction: what was made, what follows, and that this is done. Raises `LostError`."""
    with transaction():
        entry = None
        if claimed.entry_id is not None:
            # The entry first, as everywhere: two who lock in turns wait for each other.
            entry = session().get(Entry, claimed.entry_id, with_for_update=True, populate_existing=True)
            if entry is None:
                raise LostError
            if isinstance(outcome, Done) and outcome.outside and entry.private:
                outcome = WithdrawnError(outcome.used)
        job = jobs.hold(claimed)
        _note(job, outcome)
        if isinstance(outcome, Done) and entry is not None:
            outcome.write(entry)
        if entry is not None:
            course.follow(entry, job)


def _note(job: Job, outcome: Outcome) -> None:
    for each in used(outcome):
        session().add(_call_row(job, each))
    match outcome:
        case Done():
            job.engine = storable(outcome.engine or "")[:_LONGEST_NAME] or None
            job.amount, job.result, job.progress = outcome.amount, outcome.result, 1.0
            jobs.close(job, "done", reason=outcome.reason)
        case Skipped():
            jobs.close(job, "skipped", reason=outcome.detail)
        case CancelledError():
            jobs.close(job, "cancelled")
        case WithdrawnError():
            job.again = not job.cancelling
            jobs.close(job, "cancelled")
        case Permanent():
            jobs.close(job, "failed", reason=outcome.detail)
        case Transient():
            if not jobs.retry_later(job, outcome):
                jobs.close(job, "failed", reason=outcome.detail)


def used(outcome: Outcome) -> Sequence[Used]:
    """What language models have used for it."""
    return () if isinstance(outcome, (Skipped, CancelledError)) else outcome.used


def _call_row(job: Job, used: Used) -> ModelCall:
    """The numbers come from somebody else's server: they are made such that every database keeps them."""
    return ModelCall(
        entry_id=job.entry_id,
        step=job.step,
        engine=storable(used.engine)[:_LONGEST_NAME],
        tokens_in=min(max(used.tokens_in, 0), _MOST_TOKENS),
        tokens_out=min(max(used.tokens_out, 0), _MOST_TOKENS),
        cost=used.cost if used.cost is not None and math.isfinite(used.cost) else None,
    )
