"""Bundles the storage and the adapters, which the features take as an argument instead of finding them themselves."""

from __future__ import annotations

from dataclasses import dataclass

from dreamweb.storage import Storage


@dataclass(frozen=True)
class Tools:
    """What is outside the database. `formats` are the kinds of recording that are taken, by extension."""

    storage: Storage
    formats: frozenset[str]
    max_file_bytes: int

    @property
    def max_body_bytes(self) -> int:
        """The largest request: a recording and what a form adds to it, its other fields and boundaries."""
        return self.max_file_bytes + 1024 * 1024
