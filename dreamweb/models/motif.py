"""Tables of what recurs in dreams: motifs, and in which entries they are found."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, false, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dreamweb.analysis import MOTIF_TYPES
from dreamweb.db import Base, JSONColumn, UTCDateTime, now


class Motif(Base):
    """A recurring image, person, place, feeling, theme or action of one account; found by its lemma and type.

    A `sign` was named by the person, and is looked for in every entry. A hidden one is not shown. What is found of one
    that was merged counts for the other.
    """

    __tablename__ = "motifs"
    __table_args__ = (
        UniqueConstraint("account_id", "type", "lemma"),
        CheckConstraint(f"type IN ({', '.join(repr(name) for name in MOTIF_TYPES)})", name="type"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(16))
    lemma: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    sign: Mapped[bool] = mapped_column(default=False, server_default=false())
    hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("motifs.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())


class EntryMotif(Base):
    """That a motif is found in an entry. `words` are the exact words there that justify it.

    `engine` says who has found it; null: it is the person's own sign.
    """

    __tablename__ = "entry_motifs"

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("dream_entries.id", ondelete="CASCADE"), primary_key=True)
    motif_id: Mapped[UUID] = mapped_column(ForeignKey("motifs.id", ondelete="CASCADE"), primary_key=True, index=True)
    words: Mapped[list[str]] = mapped_column(JSONColumn, default=list)
    engine: Mapped[str | None] = mapped_column(String(200))

    motif: Mapped[Motif] = relationship(lazy="joined", innerjoin=True)
