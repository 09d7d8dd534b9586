"""Says which step follows which, and what an entry's state is then."""

from __future__ import annotations

from collections.abc import Sequence

from dreamweb import jobs, versions
from dreamweb.db import session
from dreamweb.models.entry import Entry
from dreamweb.models.job import OPEN, STEPS, Job

_MAY_BE_LATE = ("tidy", "analyse")
"""When they have to be tried again, those after them go ahead, and are done once more in the end."""


def follow(entry: Entry, job: Job) -> None:
    """After a step has ended, however it did: enqueue the next, and say what the entry's state is. The entry is locked.

    What a step has failed to make is not needed by the next: each does with what is there, also while that step waits
    to be tried again.
    """
    for after in _next(entry, job):
        jobs.enqueue(entry, after, priority=job.priority)
    settle(entry)


def _next(entry: Entry, job: Job) -> Sequence[str]:
    tries = job.attempts - job.crashes
    if job.state in OPEN:
        failed_once = job.step in _MAY_BE_LATE and job.state == "waiting" and tries == 1
        return STEPS[STEPS.index(job.step) + 1 :] if failed_once else ()
    if job.step in _MAY_BE_LATE and job.state != "done" and tries > 1:
        return ()  # they have gone ahead, and nothing new has come
    if job.step == "transcribe" and not (job.state == "done" and entry.transcription):
        return ("analyse",) if versions.best_text(entry) else ("index",)
    return STEPS[STEPS.index(job.step) + 1 :][:1]


def settle(entry: Entry) -> None:
    """Say what an entry's state is, after its jobs have changed. The entry is locked."""
    session().flush()
    states = {job.state for job in jobs.of(entry)}
    if states & set(OPEN):
        entry.status = "stored" if states == {"waiting"} and entry.status == "stored" else "processing"
    else:
        entry.status = "failed" if "failed" in states else "ready"
    versions.note_change(entry)
