"""Gives the shapes of what the API takes and answers about jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from dreamweb import words
from dreamweb.api.schemas import EXAMPLE_ID, Timestamp
from dreamweb.models.job import Job

Step = Literal["audio", "transcribe", "tidy", "analyse", "index"]


class Process(BaseModel):
    """Which steps to do again; without any, all that the entry has need of."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"example": {"steps": ["transcribe"]}})

    steps: list[Step] = Field(default=[], max_length=5)


class JobOut(BaseModel):
    """One step that is done for an entry."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    entry_id: UUID | None = Field(examples=[EXAMPLE_ID])
    step: str = Field(examples=["transcribe"])
    status: Literal["waiting", "running", "done", "skipped", "failed", "cancelled"]
    progress: float | None = Field(description="A share between 0 and 1, of one that runs.", examples=[0.4])
    attempts: int
    reason: str | None = Field(description="Why it failed, was skipped, or waits for another try.")
    engine: str | None = Field(examples=["faster-whisper 1.2.1, small"])
    created_at: Timestamp
    run_at: Timestamp = Field(description="When it is done at the soonest.")
    started_at: Timestamp | None
    finished_at: Timestamp | None


class Jobs(BaseModel):
    items: list[JobOut]
    next_cursor: None = None


def job_out(job: Job) -> dict[str, Any]:
    values = {name: getattr(job, name) for name in JobOut.model_fields if name not in ("status", "reason")}
    reason = str(words.load(job.reason)) if job.reason else None
    made = JobOut.model_construct(**values, status=job.state, reason=reason)
    return made.model_dump(mode="json")


def listed(found: Sequence[Job]) -> dict[str, Any]:
    return {"items": [job_out(job) for job in found], "next_cursor": None}
