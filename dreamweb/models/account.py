"""Tables of who may use this journal: accounts, their tokens and their signed-in browsers."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, String, Time, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from dreamweb.db import Base, UTCDateTime, now

ROLES = ("owner", "member")
SCOPES = ("upload", "read", "write")
LANGUAGES = ("sl", "en")
THEMES = ("auto", "light", "dark", "night")


class Account(Base):
    """Someone with a journal of their own. The name is kept as typed; `name_key` is what makes it unique.

    What is preferred may be unknown: `language` then follows the browser, `time_zone` (an IANA name) the server. From
    `night_from` to `night_until`, by that clock, the pages take the night theme whatever `theme` says.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'member')", name="role"),
        CheckConstraint("language IN ('sl', 'en')", name="language"),
        CheckConstraint("theme IN ('auto', 'light', 'dark', 'night')", name="theme"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(128), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    language: Mapped[str | None] = mapped_column(String(16))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    theme: Mapped[str] = mapped_column(String(16), default="auto", server_default="auto")
    night_from: Mapped[time | None] = mapped_column(Time)
    night_until: Mapped[time | None] = mapped_column(Time)


class Token(Base):
    """A secret by which a device acts for its account; only the SHA-256 of it is kept.

    `scopes` is a comma-separated list out of `SCOPES`.
    """

    __tablename__ = "tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    account: Mapped[Account] = relationship()


class BrowserSession(Base):
    """A browser that is signed in; of its cookie's key only the SHA-256 is kept. `device` is what it says it is."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    device: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(UTCDateTime, default=now, server_default=func.now())

    account: Mapped[Account] = relationship()
