"""Tables of what was dreamt: entries and their tags."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dreamweb.db import Base, JSONColumn, OptionalJSONColumn, UTCDateTime, now
from dreamweb.models.attachment import Attachment
from dreamweb.models.motif import EntryMotif

KINDS = ("dream", "journal", "guided")
RECALLS = ("none", "fragment", "full")
STATUSES = ("stored", "processing", "ready", "failed")


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


entry_tags = Table(
    "entry_tags",
    Base.metadata,
    Column("entry_id", ForeignKey("dream_entries.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Tag(Base):
    """A word one account puts on its entries; lower case, unique within the account."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))


class Entry(Base):
    """One dream or journal page. A recorded one has all columns of the recording, a written one none of them.

    `file_path` is the recording's key in the storage, relative to `AUDIO_STORAGE_PATH`. `peaks` is its waveform, as
    `adapters.audio` draws it; it is computed when somebody first looks, and kept. `loudness_db` is its RMS in dBFS.
    `cut_off` says that the recording was being collected when its client went silent: more of it may still come.

    `analysis` is what was understood of it, but for the motifs: a `dreamweb.analysis.Analysis` with `engine` and
    `made_at`. `lemmas` are the words of its title and texts, each as its lemma, with a space before and after it, and
    in a second line those of its tags and files, in any order;
    `title_lemmas` those of the title that is shown.
    """

    __tablename__ = "dream_entries"
    __table_args__ = (
        UniqueConstraint("account_id", "client_id"),
        Index("ix_dream_entries_account_id_dreamed_at_id", "account_id", "dreamed_at", "id"),
        CheckConstraint(
            "(original_filename IS NULL) = (saved_filename IS NULL) AND (saved_filename IS NULL) = (file_path IS NULL)",
            name="recording_is_whole",
        ),
        _one_of("kind", KINDS),
        _one_of("recall", RECALLS),
        _one_of("status", STATUSES),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    client_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(16), default="dream", server_default="dream")
    status: Mapped[str] = mapped_column(String(16), default="stored", server_default="stored")
    title: Mapped[str | None] = mapped_column(String(200))
    text: Mapped[str | None] = mapped_column(Text)
    transcription: Mapped[str | None] = mapped_column(Text)
    cleaned_text: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(String(16))
    dreamed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    mood: Mapped[str | None] = mapped_column(String(50))
    lucidity: Mapped[int | None] = mapped_column(SmallInteger)
    recall: Mapped[str | None] = mapped_column(String(16))
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONColumn, default=dict, server_default="{}")
    private: Mapped[bool] = mapped_column(default=False, server_default=false())

    original_filename: Mapped[str | None] = mapped_column(String(255))
    saved_filename: Mapped[str | None] = mapped_column(String(255), unique=True)
    file_path: Mapped[str | None] = mapped_column(Text)
    content_type: Mapped[str | None] = mapped_column(String(100))
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    duration_seconds: Mapped[float | None] = mapped_column(Float)
    peaks: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    loudness_db: Mapped[float | None] = mapped_column(Float)
    cut_off: Mapped[bool] = mapped_column(default=False, server_default=false())

    uploaded_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now(), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    synced_to_notion: Mapped[bool] = mapped_column(default=False, server_default=false())
    notion_page_id: Mapped[str | None] = mapped_column(String(64))

    analysis: Mapped[dict[str, Any] | None] = mapped_column(OptionalJSONColumn)
    title_lemmas: Mapped[str | None] = mapped_column(Text, deferred=True)
    lemmas: Mapped[str | None] = mapped_column(Text, deferred=True)
    processed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    tags: Mapped[list[Tag]] = relationship(secondary=entry_tags, order_by=Tag.name)
    motifs: Mapped[list[EntryMotif]] = relationship(passive_deletes="all")
    # The database deletes their rows with the entry's; their files are deleted by `recordings`.
    attachments: Mapped[list[Attachment]] = relationship(
        order_by=(Attachment.created_at, Attachment.id), passive_deletes="all"
    )
