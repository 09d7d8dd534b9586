"""Tables of the search: the words of each journal, and searches that somebody keeps; its index is in `search.index`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from dreamweb.db import Base, UTCDateTime, now

LONGEST_WORD = 40


class JournalWord(Base):
    """A word that occurred in an entry of an account once, in lower case: a mistyped one is told from them."""

    __tablename__ = "journal_words"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    word: Mapped[str] = mapped_column(String(LONGEST_WORD), primary_key=True)


class SavedSearch(Base):
    """What somebody searches for again and again, as it was typed."""

    __tablename__ = "saved_searches"
    __table_args__ = (UniqueConstraint("account_id", "query"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    query: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
