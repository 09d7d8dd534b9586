"""Finds the tags that an account uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from dreamweb.db import session
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry, Tag, entry_tags


@dataclass(frozen=True)
class UsedTag:
    """A tag, and how many entries outside the trash have it."""

    name: str
    entries: int


def find(account: Account, *, prefix: str = "", limit: int = 100) -> Sequence[UsedTag]:
    """Tags that begin with `prefix`, the most used first; those of no entry are not among them."""
    number = func.count().label("number")
    query = (
        select(Tag.name, number)
        .join(entry_tags, entry_tags.c.tag_id == Tag.id)
        .join(Entry, Entry.id == entry_tags.c.entry_id)
        .where(Tag.account_id == account.id, Entry.deleted_at.is_(None))
        .group_by(Tag.name)
        .order_by(number.desc(), Tag.name)
    )
    if prefix:
        query = query.where(Tag.name.startswith(" ".join(prefix.lower().split()), autoescape=True))
    return [UsedTag(name, count) for name, count in session().execute(query.limit(limit))]
