"""Table of what entries mean, as an embedding engine has put it into numbers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from dreamweb.db import Base, JSONColumn


class Embedding(Base):
    """The vectors of one entry's passages. It says nothing that could not be made again of the entry.

    `vectors` are those of all passages, one behind the other, each packed by `dreamweb.vectors` in `dimensions` bytes.
    `places` are where each passage starts and ends in the text that is read first. An entry that the engine could not
    read has none. Only vectors of the same `engine` and dimensions can be compared. `digest` is that of what was read.
    """

    __tablename__ = "embeddings"
    __table_args__ = (Index("ix_embeddings_account_id_engine", "account_id", "engine"),)

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("dream_entries.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    engine: Mapped[str] = mapped_column(String(200))
    dimensions: Mapped[int]
    language: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64))
    places: Mapped[list[tuple[int, int]]] = mapped_column(JSONColumn)
    vectors: Mapped[bytes] = mapped_column(LargeBinary)
