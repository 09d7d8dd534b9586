"""Tables of the work that is to be done on entries, and of the pauses that a lane of it has to make."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, SmallInteger, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from dreamweb.db import Base, OptionalJSONColumn, UTCDateTime, now

STEPS = ("audio", "transcribe", "tidy", "analyse", "index")
"""Of an entry, in their order."""

STATES = ("waiting", "running", "done", "skipped", "failed", "cancelled")
OPEN = ("waiting", "running")

_IS_OPEN = text("state IN ('waiting', 'running')")


class Job(Base):
    """One step to be done for one entry; without an entry, work for the whole journal.

    `fence` grows with every claim: whoever holds an older one may not finish any more. `reason` is a sentence, as
    `words.dump` makes it plain: why it failed, was skipped, or waits. `amount` is how much there was to do, in seconds
    of sound or characters of text; by it, the time that the next one needs is estimated. A job with `every_seconds`
    waits anew after it was done, one with `again` once more: what it works on was changed while it ran.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_state_priority_run_at", "state", "priority", "run_at"),
        Index("ix_jobs_entry_id_created_at", "entry_id", "created_at"),
        Index(
            "uq_jobs_entry_id_step_open",
            "entry_id",
            "step",
            unique=True,
            sqlite_where=_IS_OPEN,
            postgresql_where=_IS_OPEN,
        ),
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("dream_entries.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(16))
    lane: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    priority: Mapped[int] = mapped_column(SmallInteger, default=0)
    run_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    every_seconds: Mapped[float | None] = mapped_column(Float)
    fence: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    crashes: Mapped[int] = mapped_column(default=0)
    cancelling: Mapped[bool] = mapped_column(default=False)
    again: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[float | None] = mapped_column(Float)
    amount: Mapped[float | None] = mapped_column(Float)
    engine: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[dict[str, Any] | None] = mapped_column(OptionalJSONColumn)
    request: Mapped[dict[str, Any] | None] = mapped_column(OptionalJSONColumn)
    result: Mapped[dict[str, Any] | None] = mapped_column(OptionalJSONColumn)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)


class Lane(Base):
    """What shares one engine. No job of it starts before `paused_until`: the other side has asked us to wait."""

    __tablename__ = "lanes"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    paused_until: Mapped[datetime] = mapped_column(UTCDateTime)
