"""Tables of recordings that are still being collected, piece by piece."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from dreamweb.db import Base, JSONColumn, UTCDateTime, now


class Capture(Base):
    """One recording that a client sends while it is spoken.

    `segments` says, once it has become an entry, of what the recording was joined (`captures.Shape`). `version` grows
    with every chunk; `tried_version` is the one that has become an entry, or of which nothing can be played.
    """

    __tablename__ = "captures"
    __table_args__ = (
        UniqueConstraint("account_id", "client_id"),
        Index("ix_captures_state_updated_at", "state", "updated_at"),
        CheckConstraint("state IN ('open', 'finished', 'cut_off')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    client_id: Mapped[UUID]
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("dream_entries.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(16), default="open", server_default="open")
    segments: Mapped[list[Any]] = mapped_column(JSONColumn, default=list, server_default="[]")
    size_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    version: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    tried_version: Mapped[int | None] = mapped_column(Integer)


class CaptureChunk(Base):
    """One piece, as it came; its bytes lie here until the recording that is joined of all of them is in its place."""

    __tablename__ = "capture_chunks"

    capture_id: Mapped[UUID] = mapped_column(ForeignKey("captures.id", ondelete="CASCADE"), primary_key=True)
    segment: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    data: Mapped[bytes] = mapped_column(LargeBinary)
