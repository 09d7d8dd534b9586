"""Table of what lies beside an entry: pictures, documents, videos, sounds and plain texts."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from dreamweb.db import Base, UTCDateTime, now


class Attachment(Base):
    """One file of an entry. `file_path` is its key in the storage, relative to `AUDIO_STORAGE_PATH`."""

    __tablename__ = "attachments"
    __table_args__ = (UniqueConstraint("entry_id", "client_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("dream_entries.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[UUID | None]
    original_filename: Mapped[str] = mapped_column(String(255))
    saved_filename: Mapped[str] = mapped_column(String(255), unique=True)
    file_path: Mapped[str] = mapped_column(Text)
    content_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
