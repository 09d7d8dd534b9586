"""Shows what is done with an entry, lets it be done again, and cancels it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint

from dreamweb import entries, errors, jobs, signin
from dreamweb.api import job_schemas, parsing
from dreamweb.api.openapi import documented
from dreamweb.db import transaction
from dreamweb.processing import control

blueprint = Blueprint("jobs", __name__)

_ONE = (errors.Unauthenticated, errors.Forbidden, errors.NotFound)


@blueprint.post("/entries/<uuid:entry_id>/process")
@documented(
    "jobs",
    answers={202: job_schemas.Jobs},
    raises=(*_ONE, errors.Malformed, errors.TooLarge, errors.Invalid),
    json=job_schemas.Process,
)
def process_entry(entry_id: UUID) -> tuple[dict[str, Any], int]:
    """Do steps of an entry again, and those that follow them.

    The recording is never changed by it, nor is the person's own text. What was made before stays as a version.
    """
    account = signin.caller("write")
    entries.get(account, entry_id)
    wanted = parsing.body(job_schemas.Process)
    with transaction():
        control.again(account, entry_id, wanted.steps)
        found = jobs.of(entries.get(account, entry_id))
    return job_schemas.listed(found), 202


@blueprint.get("/entries/<uuid:entry_id>/jobs")
@documented("jobs", answers={200: job_schemas.Jobs}, raises=_ONE)
def list_jobs(entry_id: UUID) -> dict[str, Any]:
    """List the newest job of each step of an entry."""
    account = signin.caller("read")
    return job_schemas.listed(jobs.of(entries.get(account, entry_id)))


@blueprint.post("/jobs/<uuid:job_id>/cancel")
@documented("jobs", answers={200: job_schemas.JobOut}, raises=(*_ONE, errors.Conflict))
def cancel_job(job_id: UUID) -> dict[str, Any]:
    """Do not do a step: at once when it waits, within seconds when it runs."""
    account = signin.caller("write")
    with transaction():
        job = control.cancel(account, job_id)
    return job_schemas.job_out(job)


@blueprint.post("/jobs/<uuid:job_id>/retry")
@documented("jobs", answers={200: job_schemas.JobOut}, raises=(*_ONE, errors.Conflict))
def retry_job(job_id: UUID) -> dict[str, Any]:
    """Do a step again that has failed, was skipped or cancelled; one that waits for a next try is done at once."""
    account = signin.caller("write")
    with transaction():
        job = control.retry(account, job_id)
    return job_schemas.job_out(job)
