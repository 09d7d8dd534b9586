"""Creates, finds, changes and deletes entries; a function here is called inside somebody else's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import selectinload, undefer

from dreamweb import jobs, paging, versions
from dreamweb.db import now, session
from dreamweb.details import Changes, Details, Filters
from dreamweb.errors import Conflict, Invalid, NotFound, Outdated
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry, Tag, entry_tags
from dreamweb.models.job import STEPS
from dreamweb.words import say

KEEP_TRASH = timedelta(days=30)

SAMPLE = "dreamweb"
"""What an entry that we have written has in its metadata, under the name `sample`."""

_SETTLED = timedelta(seconds=20)
"""For how long a text is left alone after it was changed: often it is changed once more."""

_LONG = 50_000
"""Characters of a text that takes noticeable time to index."""

# What an entry is read with, in one statement each.
_WHOLE = (selectinload(Entry.tags), selectinload(Entry.attachments), selectinload(Entry.motifs))


@dataclass(frozen=True)
class Recording:
    """The original bytes of an entry, as they are stored. `key` is their place in the storage."""

    entry_id: UUID
    original_filename: str
    saved_filename: str
    key: str
    uploaded_at: datetime
    content_type: str
    size_bytes: int
    sha256: str
    duration_seconds: float


@dataclass(frozen=True)
class Page:
    """Entries in the order asked for, and the cursor of the next page, if there is one."""

    items: Sequence[Entry]
    next_cursor: str | None


def create(account: Account, details: Details, recording: Recording | None = None) -> Entry:
    """Add an entry, written or recorded."""
    values = details.model_dump(exclude={"tags", "metadata", "dreamed_at"})
    moment = now()
    entry = Entry(
        id=uuid4(),
        account_id=account.id,
        status="ready",
        uploaded_at=moment,
        created_at=moment,
        updated_at=moment,
        details=details.metadata,
        dreamed_at=details.dreamed_at or moment,
        attachments=[],
        motifs=[],
        **values,
    )
    if recording:
        entry.id = recording.entry_id
        entry.status = "stored"
        entry.uploaded_at = recording.uploaded_at
        entry.dreamed_at = details.dreamed_at or recording.uploaded_at
        _hold(entry, recording)
    # With each tag, the database reads the whole entry into the search index: a long text comes after them.
    later = entry.text if details.tags and len(entry.text or "") > _LONG else None
    entry.text = None if later else entry.text
    entry.tags = _tags(account, details.tags)
    session().add(entry)
    session().flush()
    if later:
        entry.text = later
        session().flush()
    if recording or entry.text or entry.title:
        jobs.enqueue(entry, "audio" if recording else "analyse")
    return entry


def fill_in(account: Account, entry: Entry, details: Details) -> None:
    """Add what a client says later of a recording; what the person has written meanwhile stays. The entry is locked."""
    for name in details.model_fields_set - {"tags", "metadata", "dreamed_at", "client_id"}:
        if getattr(entry, name) == Details.model_fields[name].default:
            setattr(entry, name, getattr(details, name))
    if not entry.details:
        entry.details = details.metadata
    if details.dreamed_at:
        entry.dreamed_at = details.dreamed_at
    if details.tags:
        entry.tags = _tags(account, sorted({*details.tags, *(tag.name for tag in entry.tags)}))
    if details.text or details.title:
        jobs.enqueue(entry, "analyse" if details.text else "index")
    _touch(entry)
    session().flush()


def replace_recording(entry: Entry, recording: Recording) -> None:
    """Let an entry hold a longer recording of the same dream in place of the one it has."""
    _hold(entry, recording)
    entry.peaks = entry.loudness_db = None
    _touch(entry)
    jobs.enqueue(entry, "audio")
    session().flush()


def _hold(entry: Entry, recording: Recording) -> None:
    entry.original_filename = recording.original_filename
    entry.saved_filename = recording.saved_filename
    entry.file_path = recording.key
    entry.content_type = recording.content_type
    entry.size_bytes = recording.size_bytes
    entry.sha256 = recording.sha256
    entry.duration_seconds = recording.duration_seconds


def get(account: Account, entry_id: UUID, *, trashed: bool | None = False, lock: bool = False) -> Entry:
    """One entry with all that belongs to it; `trashed=None` finds it in the trash, too, `True` only there.

    Raises `NotFound` when there is none, or it belongs to someone else.
    """
    query = select(Entry).where(Entry.id == entry_id, Entry.account_id == account.id)
    if trashed is not None:
        query = query.where(Entry.deleted_at.is_not(None) if trashed else Entry.deleted_at.is_(None))
    if lock:
        query = query.with_for_update(of=Entry).execution_options(populate_existing=True)
    entry = session().scalar(query.options(*_WHOLE))
    if entry is None:
        raise NotFound(say("There is no such entry in the trash.") if trashed else say("There is no such entry."))
    return entry


def several(account: Account, ids: Sequence[UUID]) -> list[Entry]:
    """Those of these entries that are outside the trash, in the order of their ids, with their lemmas."""
    query = select(Entry).where(Entry.id.in_(ids), Entry.account_id == account.id, Entry.deleted_at.is_(None))
    found = {entry.id: entry for entry in session().scalars(query.options(*_WHOLE, undefer(Entry.lemmas)))}
    return [found[each] for each in ids if each in found]


def by_client_id(account: Account, client_id: UUID) -> Entry | None:
    """The entry that a client made under this id, in the trash too: repeating must not make it a second time."""
    query = select(Entry).where(Entry.account_id == account.id, Entry.client_id == client_id)
    return session().scalar(query.options(*_WHOLE))


def same_recording(account: Account, client_id: UUID | None, sha256: str) -> Entry | None:
    """The entry made before from the same bytes under the same `client_id`, or None.

    Raises `Conflict` when that id stands for something else.
    """
    entry = by_client_id(account, client_id) if client_id else None
    if entry and entry.sha256 != sha256:
        raise Conflict(
            say("Another entry was made under this client_id. Send different recordings under different client_ids.")
        )
    return entry


def sent_later(account: Account, recording: Recording) -> bool:
    """Whether the same bytes came once more after this recording, and became an entry."""
    query = select(Entry.id).where(
        Entry.account_id == account.id,
        Entry.sha256 == recording.sha256,
        Entry.uploaded_at > recording.uploaded_at,
    )
    return session().scalar(query.limit(1)) is not None


def same_text(account: Account, details: Details, *, wholly: bool = False) -> Entry | None:
    """The entry written before under the same `client_id` with the same text and title, or None.

    Raises `Conflict` when that id stands for something else; with `wholly`, also when anything else differs that
    `details` names.
    """
    entry = by_client_id(account, details.client_id) if details.client_id else None
    if entry is None:
        return None
    same = not entry.sha256 and (entry.text, entry.title) == (details.text, details.title)
    if not same or (wholly and not _says(entry, details)):
        raise Conflict(
            say("Another entry was made under this client_id. Send different entries under different client_ids.")
        )
    return entry


def _says(entry: Entry, details: Details) -> bool:
    named = details.model_fields_set - {"client_id"}
    if details.language is None:
        named -= {"language"}  # it was left to be found out, and may have been
    # Every database has an order of its own for č and c.
    kept = {"tags": sorted(tag.name for tag in entry.tags), "metadata": entry.details}
    return all(getattr(details, name) == (kept[name] if name in kept else getattr(entry, name)) for name in named)


def find(account: Account, filters: Filters, *, limit: int = 20, cursor: str | None = None) -> Page:
    """Entries by when they were dreamed, newest first.

    Raises `Malformed` for a cursor that is not from here.
    """
    query = select(Entry).where(Entry.account_id == account.id, *conditions(account, filters))
    if cursor:
        query = query.where(tuple_(Entry.dreamed_at, Entry.id) < paging.position(cursor))
    query = query.order_by(Entry.dreamed_at.desc(), Entry.id.desc()).limit(limit + 1).options(*_WHOLE)
    found = session().scalars(query).all()
    items = found[:limit]
    return Page(items, paging.cursor(items[-1].dreamed_at, items[-1].id) if len(found) > limit else None)


def change(account: Account, entry_id: UUID, changes: Changes, *, etags: Set[str] | None = None) -> Entry:
    """Change what `changes` names.

    Raises `NotFound`, `Invalid` when nothing would be left, and `Outdated` when the entry no longer is what
    `changes.updated_at` or `etags` say it was.
    """
    entry = get(account, entry_id, lock=True)
    named = etags is None or etag_of(entry) in etags
    if not named or (changes.updated_at and changes.updated_at != entry.updated_at):
        raise Outdated(say("This entry was changed on another device meanwhile. Read it again, then change it."))
    values = changes.model_dump(exclude_unset=True, exclude={"updated_at", "tags", "metadata"})
    _reprocess(entry, values)
    for name, value in values.items():
        setattr(entry, name, value)
    if "metadata" in changes.model_fields_set:
        entry.details = changes.metadata
    if "tags" in changes.model_fields_set and set(tags := _tags(account, changes.tags)) != set(entry.tags):
        entry.tags = tags
        jobs.enqueue(entry, "index", delay=_SETTLED)  # for their words
    if not (entry.file_path or entry.text or entry.title or entry.recall == "none"):
        raise Invalid(
            say("Nothing would be left of this entry."), {"text": say("write a text or a title, or delete the entry")}
        )
    _touch(entry)
    session().flush()
    return entry


def _reprocess(entry: Entry, values: Mapping[str, object]) -> None:
    """What another text takes with it: the old one is kept, and the new one is understood, a little later."""
    if "text" in values and values["text"] != entry.text:
        versions.keep_text(entry)
        jobs.enqueue(entry, "analyse", delay=_SETTLED)
    elif "title" in values and values["title"] != entry.title:
        jobs.enqueue(entry, "index", delay=_SETTLED)
    elif entry.private and values.get("private") is False:
        jobs.enqueue(entry, "index", delay=_SETTLED)  # what compares meanings on another machine may read it now


def trash(account: Account, entry_id: UUID) -> None:
    """Put an entry into the trash. Raises `NotFound`."""
    entry = get(account, entry_id, lock=True)
    entry.deleted_at = now()
    _touch(entry)


def restore(account: Account, entry_id: UUID) -> Entry:
    """Take an entry out of the trash. Raises `NotFound` when it is not in there."""
    entry = get(account, entry_id, trashed=True, lock=True)
    entry.deleted_at = None
    _touch(entry)
    session().flush()
    jobs.enqueue(entry, _left_out(entry))
    return entry


def _left_out(entry: Entry) -> str:
    """The first step that was not done, for what lies in the trash is not processed; the others follow it."""
    states = {job.step: job.state for job in jobs.of(entry)}
    if not states:
        return "audio" if entry.file_path and entry.transcription is None else "index"
    return next((step for step in STEPS if states.get(step) == "skipped"), "index")


def delete(account: Account, entry_id: UUID) -> list[str]:
    """Delete the row for good; answers the keys of its files, which are left to `recordings.remove`.

    Raises `NotFound`.
    """
    entry = get(account, entry_id, trashed=None, lock=True)
    session().delete(entry)
    return _files(entry)


def expired() -> Sequence[Entry]:
    """Some of the entries that have been in the trash for longer than it keeps them."""
    return session().scalars(select(Entry).where(_is_expired()).limit(100)).all()


def delete_expired(batch: Sequence[Entry]) -> list[str]:
    """Delete the rows of those that are still in the trash: one may just have been taken out of it.

    Answers the keys of their files.
    """
    query = select(Entry).where(Entry.id.in_([entry.id for entry in batch]), _is_expired()).with_for_update(of=Entry)
    query = query.options(selectinload(Entry.attachments)).execution_options(populate_existing=True)
    keys: list[str] = []
    for entry in session().scalars(query):
        keys += _files(entry)
        session().delete(entry)
    return keys


def _files(entry: Entry) -> list[str]:
    recording = [entry.file_path] if entry.file_path else []
    return recording + [attachment.file_path for attachment in entry.attachments]


def is_sample() -> ColumnElement[bool]:
    """Whether we have written it. Compared as a text: anybody may keep anything under that name, and lose nothing."""
    marked: ColumnElement[bool] = Entry.details["sample"].as_string() == SAMPLE
    return marked


def _is_expired() -> ColumnElement[bool]:
    return Entry.deleted_at < now() - KEEP_TRASH


def etag_of(entry: Entry) -> str:
    """Names the state of an entry: changes whenever the entry does, or what is attached to it."""
    own = f"{entry.updated_at:%Y%m%dT%H%M%S%f}"
    more = ",".join(str(attachment.id) for attachment in entry.attachments)
    more += ",".join(f"{link.motif_id}{link.motif.name}{link.motif.hidden}" for link in entry.motifs)
    if entry.processed_at:
        more += f"{entry.processed_at.isoformat()}"
    return f"{own}-{hashlib.sha256(more.encode()).hexdigest()[:16]}" if more else own


def _touch(entry: Entry) -> None:
    # Never the same twice, however coarse the clock: it is what tells two states apart.
    entry.updated_at = max(now(), entry.updated_at + timedelta(microseconds=1))


def _tags(account: Account, names: Sequence[str]) -> list[Tag]:
    """The tag rows of these names; those that are new are made, also when another request makes them meanwhile."""
    if not names:
        return []
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    rows = [{"id": uuid4(), "account_id": account.id, "name": name} for name in names]
    session().execute(dialect.insert(Tag).values(rows).on_conflict_do_nothing())
    query = select(Tag).where(Tag.account_id == account.id, Tag.name.in_(names)).order_by(Tag.name)
    return list(session().scalars(query))


def conditions(account: Account, filters: Filters) -> list[ColumnElement[bool]]:
    """What rows of `dream_entries` the filters let through."""
    return [Entry.deleted_at.is_not(None) if filters.trash else Entry.deleted_at.is_(None), *narrowed(account, filters)]


def narrowed(account: Account, filters: Filters) -> list[ColumnElement[bool]]:
    """The same, whether they are in the trash or not."""
    wanted: list[ColumnElement[bool]] = []
    if filters.kind:
        wanted.append(Entry.kind == filters.kind)
    if filters.status:
        wanted.append(Entry.status == filters.status)
    if filters.mood:
        found = Entry.analysis["mood"].as_string()
        wanted.append(or_(Entry.mood == filters.mood, and_(Entry.mood.is_(None), found == filters.mood)))
    if filters.start:
        wanted.append(Entry.dreamed_at >= filters.start)
    if filters.end:
        wanted.append(Entry.dreamed_at < filters.end)
    if filters.has == "audio":
        wanted.append(Entry.file_path.is_not(None))
    if filters.has == "text":
        wanted.append(or_(Entry.text.is_not(None), Entry.transcription.is_not(None)))
    if filters.tag:
        wanted.append(_tagged(account, filters))
    return wanted


def _tagged(account: Account, filters: Filters) -> ColumnElement[bool]:
    each = [
        Entry.id.in_(
            select(entry_tags.c.entry_id).join(Tag).where(and_(Tag.account_id == account.id, Tag.name == name))
        )
        for name in filters.tag
    ]
    return and_(*each) if filters.match == "all" else or_(*each)
