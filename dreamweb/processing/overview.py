"""Gathers what is done with the entries of one account, what waits, and what has failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from dreamweb import jobs
from dreamweb.db import now, session
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.models.job import Job
from dreamweb.processing import control, forecast

_SOON = timedelta(seconds=30)
"""What is due within so little time is worth looking for again and again."""


class About(NamedTuple):
    """An entry by its name. `title` is the person's, else what was understood."""

    id: UUID
    title: str | None
    dreamed_at: datetime
    private: bool
    trashed: bool


@dataclass(frozen=True)
class Item:
    """A step of an entry. `expected` is known of one that runs or waits."""

    job: Job
    entry: About
    expected: forecast.Expected | None = None


@dataclass(frozen=True)
class Overview:
    """`more` is how many wait besides those named; `without_text` how many recordings nobody has listened to.

    `stalled`: things are due, and no worker does anything. `moving`: another look will soon show something new.
    """

    running: Sequence[Item]
    waiting: Sequence[Item]
    more: int
    failed: Sequence[Item]
    without_text: int
    stalled: bool
    moving: bool


def of(account: Account, *, limit: int = 50) -> Overview:
    """Of what waits and what has failed, at most `limit` are named."""
    expected = forecast.expected(account)
    running = [each for each in expected if each.job.state == "running"]
    waiting = [each for each in expected if each.job.state == "waiting"]
    failed = jobs.failed(account, limit=limit)
    named = [*(each.job for each in (*running, *waiting[:limit])), *failed]
    about = _about({job.entry_id for job in named if job.entry_id})
    stalled = bool(waiting) and jobs.stalled()
    soon = now() + _SOON
    return Overview(
        running=_items(running, about),
        waiting=_items(waiting[:limit], about),
        more=max(0, len(waiting) - limit),
        failed=[Item(job, about[job.entry_id]) for job in failed if job.entry_id in about],
        without_text=control.count_without_text(account),
        stalled=stalled,
        moving=bool(running) or (not stalled and any(each.job.run_at <= soon for each in waiting)),
    )


def _items(found: Sequence[forecast.Expected], about: dict[UUID, About]) -> list[Item]:
    """An entry may have been deleted since its jobs were read."""
    return [Item(each.job, about[each.job.entry_id], each) for each in found if each.job.entry_id in about]


def _about(ids: set[UUID]) -> dict[UUID, About]:
    if not ids:
        return {}
    title = func.coalesce(Entry.title, Entry.analysis["title"].as_string())
    query = select(Entry.id, title, Entry.dreamed_at, Entry.private, Entry.deleted_at.is_not(None))
    rows = session().execute(query.where(Entry.id.in_(ids)))
    return {row[0]: About(row[0], row[1], row[2], row[3], bool(row[4])) for row in rows}
