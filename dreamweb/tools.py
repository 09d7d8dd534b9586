"""Bundles the storage and the adapters, which the features take as an argument instead of finding them themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from dreamweb.storage import Storage

FORM_BYTES = 1024 * 1024
"""What a form may add to its file: its other fields and the boundaries."""


@dataclass(frozen=True)
class Tools:
    """What is outside the database.

    Formats are the kinds of files that are taken, by extension. A capture whose client is silent for longer than
    `capture_idle` is made an entry.
    """

    storage: Storage
    formats: frozenset[str]
    max_file_bytes: int
    capture_idle: timedelta
    attachment_formats: frozenset[str]
    max_attachment_bytes: int
    max_attachments: int

    @property
    def max_body_bytes(self) -> int:
        """The largest request."""
        return FORM_BYTES + max(self.max_file_bytes, self.max_attachment_bytes)
