"""Bundles the storage and the adapters, which the features take as an argument instead of finding them themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from dreamweb.adapters.embedding import Queries
from dreamweb.config import Settings
from dreamweb.engines import Engines
from dreamweb.errors import BadSetting, StorageFailed
from dreamweb.storage import Storage

FORM_BYTES = 1024 * 1024
"""What a form may add to its file: its other fields and the boundaries."""


@dataclass(frozen=True)
class Tools:
    """What is outside the database.

    Formats are the kinds of files that are taken, by extension. A capture whose client is silent for longer than
    `capture_idle` is made an entry. `queries` turns what people look for into vectors, where there is an engine for it.
    """

    storage: Storage
    formats: frozenset[str]
    max_file_bytes: int
    capture_idle: timedelta
    attachment_formats: frozenset[str]
    max_attachment_bytes: int
    max_attachments: int
    engines: Engines
    queries: Queries

    @classmethod
    def of(cls, settings: Settings) -> Tools:
        """As the settings say. Raises `BadSetting` when the storage cannot be used."""
        try:
            storage = Storage(settings.audio_root)
        except StorageFailed as error:
            raise BadSetting(f"AUDIO_STORAGE_PATH: {settings.audio_root} cannot be used: {error.__cause__}.") from None
        return cls(
            storage=storage,
            formats=settings.allowed_audio_formats,
            max_file_bytes=settings.max_file_bytes,
            capture_idle=timedelta(minutes=settings.capture_idle_minutes),
            attachment_formats=settings.allowed_attachment_formats,
            max_attachment_bytes=settings.max_attachment_bytes,
            max_attachments=settings.max_attachments,
            engines=settings.engines,
            queries=Queries(settings.engines.embedding),
        )

    @property
    def max_body_bytes(self) -> int:
        """The largest request."""
        return FORM_BYTES + max(self.max_file_bytes, self.max_attachment_bytes)
