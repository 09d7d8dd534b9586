"""Lets a person try an engine: one sample at a time of each kind, done by a worker like everything else."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import select

from dreamweb import jobs
from dreamweb.db import session
from dreamweb.errors import Invalid
from dreamweb.models.account import Account
from dreamweb.models.job import OPEN, Job
from dreamweb.words import say

Kind = Literal["speech", "language", "embedding"]
KINDS: tuple[Kind, ...] = ("speech", "language", "embedding")
LANGUAGES = ("sl", "en")


def begin(account: Account, what: str, language: str) -> Job:
    """Have a sample in this language heard, read or compared. While one of this kind is open, it is that one.

    Raises `Invalid`.
    """
    if what not in KINDS or language not in LANGUAGES:
        raise Invalid(say("There is no such sample."))
    # Two who begin at once: the second one finds what the first one has made.
    session().execute(select(Account.id).where(Account.id == account.id).with_for_update())
    request = {"what": what, "language": language}
    job = newest(account).get(what)
    if job is not None and job.state in OPEN:
        return job
    return jobs.enqueue(None, "trial", account_id=account.id, request=request)


def newest(account: Account) -> dict[str, Job]:
    """The last trial of each kind; old ones are forgotten with other finished jobs."""
    query = select(Job).where(Job.account_id == account.id, Job.step == "trial").order_by(Job.created_at, Job.id)
    return {job.request["what"]: job for job in session().scalars(query) if job.request}
