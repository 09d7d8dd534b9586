"""Tables of what was made of an entry: its texts, one after the other, and the calls of language models."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, String, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from dreamweb.db import Base, OptionalJSONColumn, UTCDateTime, now

VERSION_KINDS = ("transcription", "cleaned_text", "text")


class Version(Base):
    """A text that was made or written for an entry once; it never changes.

    Of each kind the entry itself holds the one in use; `in_use` marks its row. Of the person's own text, the versions
    are those before. `engine` is null for what a person wrote. `rejected` says why an engine's text is not used, as
    `words.dump` makes it plain. `details` of a transcription: `{"segments": [{"start", "end", "text", "words": [[start,
    end, word]], "dropped": null or words.dump}]}`, in seconds.
    """

    __tablename__ = "versions"
    __table_args__ = (
        Index("ix_versions_entry_id_kind_created_at", "entry_id", "kind", "created_at"),
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in VERSION_KINDS)})", name="kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("dream_entries.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    in_use: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(16))
    engine: Mapped[str | None] = mapped_column(String(200))
    rejected: Mapped[dict[str, Any] | None] = mapped_column(OptionalJSONColumn)
    details: Mapped[dict[str, Any] | None] = mapped_column(OptionalJSONColumn, deferred=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())


class ModelCall(Base):
    """What one call of a language model has used. It stays when its entry is deleted: the month's limit counts it."""

    __tablename__ = "model_calls"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("dream_entries.id", ondelete="SET NULL"), index=True)
    step: Mapped[str] = mapped_column(String(16))
    engine: Mapped[str] = mapped_column(String(200))
    tokens_in: Mapped[int]
    tokens_out: Mapped[int]
    cost: Mapped[float | None] = mapped_column(Float)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now(), index=True)
