"""Keeps every text that was made or written for an entry, and says which of them is in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import undefer

from dreamweb.db import now, session
from dreamweb.errors import Invalid, NotFound
from dreamweb.models.entry import Entry
from dreamweb.models.version import ModelCall, Version
from dreamweb.words import dump, say

_LONGEST_NAME = 200
"""Characters of an engine's name: a model may be the path of a folder."""


def best_text(entry: Entry) -> str | None:
    """What is read first: what the person wrote, else the cleaned text, else what was heard."""
    return entry.text or entry.cleaned_text or entry.transcription


def shown_title(entry: Entry) -> str | None:
    """What the person has called it, else what it was called when it was understood."""
    return entry.title or (entry.analysis or {}).get("title")


def all_text(entry: Entry) -> str:
    """Everything in an entry that can be found: its title, and every text of it."""
    return "\n".join(text for text in (entry.title, entry.text, entry.cleaned_text, entry.transcription) if text)


def lemmas_of_texts(lemmas: str | None) -> str:
    """Of the column `lemmas` what belongs to the texts, word by word; tags and names of files come after it."""
    return (lemmas or "").partition("\n")[0]


def add(
    entry: Entry,
    kind: str,
    text: str,
    *,
    engine: str,
    language: str | None,
    details: Mapping[str, Any] | None = None,
    rejected: str | None = None,
) -> Version:
    """Keep what an engine has made, and use it unless it was rejected. The entry is locked.

    The person's own text is never touched by it.
    """
    version = Version(
        entry_id=entry.id,
        kind=kind,
        text=text,
        language=language,
        engine=engine[:_LONGEST_NAME],
        details=dict(details) if details is not None else None,
        rejected=dump(rejected) if rejected is not None else None,
    )
    session().add(version)
    session().flush()
    if rejected is None:
        _use(entry, version)
    return version


def keep_text(entry: Entry) -> None:
    """Keep the person's own text before another one takes its place. The entry is locked."""
    if entry.text:
        session().add(Version(entry_id=entry.id, kind="text", text=entry.text, language=entry.language))


def use(entry: Entry, version_id: UUID) -> None:
    """Use a version of the transcription or the cleaned text from now on. The entry is locked.

    Raises `NotFound`; `Invalid` for an older text of the person's own, which is restored as a text is written.
    """
    version = get(entry, version_id)
    if version.kind == "text":
        raise Invalid(say("An older text of your own is restored by saving it as the text."))
    _use(entry, version)


def _use(entry: Entry, version: Version) -> None:
    others = (Version.entry_id == entry.id, Version.kind == version.kind, Version.in_use)
    session().execute(update(Version).where(*others).values(in_use=False))
    version.in_use = True
    text = version.text or None
    if version.kind == "transcription" and text != entry.transcription:
        # What was tidied before says something else than what is heard now.
        entry.cleaned_text = None
        cleaned = (Version.entry_id == entry.id, Version.kind == "cleaned_text")
        session().execute(update(Version).where(*cleaned).values(in_use=False))
    setattr(entry, version.kind, text)
    note_change(entry)
    session().flush()


def note_change(entry: Entry) -> None:
    """Say that a step has changed something; never the same twice, for that is what tells two states apart."""
    before = entry.processed_at
    entry.processed_at = max(now(), before + timedelta(microseconds=1)) if before else now()


def get(entry: Entry, version_id: UUID) -> Version:
    """Raises `NotFound` when the entry has no such version."""
    query = select(Version).where(Version.id == version_id, Version.entry_id == entry.id)
    version = session().scalar(query.options(undefer(Version.details)))
    if version is None:
        raise NotFound(say("There is no such version of this entry."))
    return version


def of(entry: Entry) -> Sequence[Version]:
    """All versions, the newest first; without their details."""
    query = select(Version).where(Version.entry_id == entry.id)
    return session().scalars(query.order_by(Version.created_at.desc(), Version.id)).all()


def heard(entry: Entry) -> Version | None:
    """The transcription in use, with the time of every word."""
    query = select(Version).where(Version.entry_id == entry.id, Version.kind == "transcription", Version.in_use)
    return session().scalar(query.options(undefer(Version.details)))


def heard_in(entries: Sequence[Entry]) -> dict[UUID, Mapping[str, Any]]:
    """When each word is said in these recordings: the details of the transcriptions in use."""
    query = select(Version.entry_id, Version.details).where(
        Version.entry_id.in_([entry.id for entry in entries]), Version.kind == "transcription", Version.in_use
    )
    return {entry_id: details for entry_id, details in session().execute(query) if details}


def used(entry: Entry) -> tuple[int, float | None]:
    """Tokens that language models have used for an entry, and their cost in US dollars as far as it is known."""
    query = select(func.sum(ModelCall.tokens_in + ModelCall.tokens_out), func.sum(ModelCall.cost))
    tokens, cost = session().execute(query.where(ModelCall.entry_id == entry.id)).one()
    return tokens or 0, cost


def used_this_month() -> int:
    """Tokens that all language models together have used since the first of this month (UTC)."""
    first = now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    query = select(func.sum(ModelCall.tokens_in + ModelCall.tokens_out)).where(ModelCall.created_at >= first)
    return session().scalar(query) or 0
