"""Says which step follows which, and what an entry's state is then."""

from __future__ import annotations

from dreamweb import jobs, versions
from dreamweb.db import session
from dreamweb.models.entry import Entry
from dreamweb.models.job import OPEN, Job


def follow(entry: Entry, job: Job) -> None:
    """After a step has ended, however it did: enqueue the next, and say what the entry's state is. The entry is locked.

    What a step has failed to make is not needed by the next: each does with what is there.
    """
    if job.state not in OPEN and (after := _next(entry, job)):
        jobs.enqueue(entry, after, priority=job.priority)
    settle(entry)


def _next(entry: Entry, job: Job) -> str | None:
    if job.step == "audio":
        return "transcribe"
    if job.step == "transcribe":
        if job.state == "done" and entry.transcription:
            return "tidy"
        return "analyse" if versions.best_text(entry) else "index"
    return {"tidy": "analyse", "analyse": "index"}.get(job.step)


def settle(entry: Entry) -> None:
    """Say what an entry's state is, after its jobs have changed. The entry is locked."""
    session().flush()
    states = {job.state for job in jobs.of(entry)}
    if states & set(OPEN):
        entry.status = "stored" if states == {"waiting"} and entry.status == "stored" else "processing"
    else:
        entry.status = "failed" if "failed" in states else "ready"
    versions.note_change(entry)
