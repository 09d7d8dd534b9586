"""Collects a recording chunk by chunk while it is spoken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite

from dreamweb import entries, recordings
from dreamweb.adapters import audio, formats
from dreamweb.db import now, session, transaction
from dreamweb.errors import Conflict, EmptyFile, NotFound, TooMany
from dreamweb.models.account import Account
from dreamweb.models.capture import Capture, CaptureChunk
from dreamweb.models.entry import Entry
from dreamweb.storage import Storage
from dreamweb.tools import Tools
from dreamweb.words import say

MAX_CHUNK = 4 * 1024 * 1024
"""Bytes of one chunk: it is held in memory."""

MAX_CHUNKS = 14_400
"""Of one segment: twelve hours of three seconds each."""

MAX_SEGMENTS = 1000

_AT_A_TIME = 8
"""Chunks that are in memory together."""

MAX_OPEN = 50
"""Captures that one account may have open at a time."""


@dataclass(frozen=True)
class Chunk:
    """What is known of a chunk without reading it."""

    segment: int
    n: int
    content_type: str
    size_bytes: int
    sha256: str


# --- Taking in ---


def put(tools: Tools, account: Account, client_id: UUID, chunk: Chunk, data: bytes) -> bool:
    """Keep a chunk; when this returns, it is on disk. Answers whether it is new: the same again is not.

    Raises `EmptyFile`, `NotAudio` for a format that is not taken, `TooLarge`, `TooMany`, `Conflict` when other bytes
    are kept under this number or when the capture is finished without it, `StorageFull`, or the database's error.
    """
    if not data:
        raise EmptyFile(say("The chunk is empty. Leave empty ones out, and give the next one this number."))
    audio.check_allowed(formats.extension_of(chunk.content_type), tools.formats)
    audio.check_allowed(formats.recognise_head(data[:64]), tools.formats)
    tools.storage.check_space(3 * len(data))  # here, in the log of the database, and in the recording that is joined
    with transaction():
        capture = _begun(account, client_id)
        known = _known(tools.storage, capture, chunk)
        if known is not None:
            if known != chunk.sha256:
                raise Conflict(say("Other bytes are kept under this number already. Nothing was changed."))
            return False
        if capture.size_bytes + len(data) > tools.max_file_bytes:
            raise recordings.too_large(tools.max_file_bytes)
        values = {name: getattr(chunk, name) for name in Chunk.__dataclass_fields__}
        session().add(CaptureChunk(capture_id=capture.id, data=data, **values))
        capture.size_bytes += len(data)
        capture.version += 1
        capture.updated_at = now()
    return True


def _begun(account: Account, client_id: UUID) -> Capture:
    """The capture, locked; begun when there is none."""
    mine = select(Capture).where(Capture.account_id == account.id, Capture.client_id == client_id).with_for_update()
    if capture := session().scalar(mine):
        return capture
    if entries.by_client_id(account, client_id):
        raise Conflict(say("Another entry was made under this client_id. Begin a recording under a new one."))
    if len(open_ones(account)) >= MAX_OPEN:
        raise TooMany(say("%(most)s recordings are still open here. Finish or delete some of them.", most=MAX_OPEN))
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    new = {"account_id": account.id, "client_id": client_id}
    session().execute(dialect.insert(Capture).values(new).on_conflict_do_nothing())
    return session().scalars(mine).one()


def _known(storage: Storage, capture: Capture, chunk: Chunk) -> str | None:
    """The digest of what is kept under this number, or None. Raises `Conflict` for what was finished without it."""
    if capture.state == "finished":
        return _in_finished(storage, capture, chunk)
    kept: str | None = session().scalar(_of_chunk(capture, chunk, CaptureChunk.sha256))
    return kept


def _in_finished(storage: Storage, capture: Capture, chunk: Chunk) -> str:
    """The chunk's bytes have become a part of the recording."""
    entry = session().get(Entry, capture.entry_id)
    offset = 0
    for segment in capture.segments:
        for n, size in zip(numbers(segment), segment["sizes"], strict=True):
            if entry and entry.file_path and (segment["segment"], n) == (chunk.segment, chunk.n):
                with storage.open(entry.file_path) as file:
                    file.seek(offset)
                    return hashlib.sha256(file.read(size)).hexdigest()
            offset += size
    raise Conflict(say("This recording is finished, and was finished without this chunk."))


def drop(account: Account, client_id: UUID) -> None:
    """Delete a capture that nobody wants. Raises `NotFound`, `Conflict` when it is an entry by now."""
    with transaction():
        capture = get(account, client_id, lock=True)
        if capture.state != "open":
            raise Conflict(say("This recording has become an entry. Delete the entry."))
        session().delete(capture)  # and the database its chunks


# --- Reading ---


def get(account: Account, client_id: UUID, *, lock: bool = False) -> Capture:
    """Raises `NotFound` when there is none, or it belongs to someone else."""
    query = select(Capture).where(Capture.account_id == account.id, Capture.client_id == client_id)
    query = query.execution_options(populate_existing=True)  # others may have changed it since it was read
    capture = session().scalar(query.with_for_update() if lock else query)
    if capture is None:
        raise NotFound(say("There is no such recording here."))
    return capture


@dataclass(frozen=True)
class Course:
    """How a recording went: how often the microphone was away, for how many seconds as far as is known, and how many
    chunks never came."""

    interruptions: int
    seconds: int
    missing: int


def course_of(entry: Entry) -> Course | None:
    """How the recording of an entry went, when it was sent while it was spoken."""
    if not (entry.file_path and entry.client_id):
        return None
    segments = session().scalar(select(Capture.segments).where(Capture.entry_id == entry.id))
    if segments is None:
        return None
    ends = [_moment(segment["ended_at"]) for segment in segments[:-1]]
    starts = [_moment(segment["started_at"]) for segment in segments[1:]]
    away = [(start - end).total_seconds() for end, start in zip(ends, starts, strict=True) if start and end]
    lost = sum(missing(segment) for segment in segments)
    return Course(len(starts), round(sum(seconds for seconds in away if seconds > 0)), lost)


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def open_ones(account: Account) -> Sequence[Capture]:
    """Those that are no entries yet, the newest first."""
    query = select(Capture).where(Capture.account_id == account.id, Capture.state == "open")
    return session().scalars(query.order_by(Capture.created_at.desc(), Capture.id)).all()


def unplayable(account: Account) -> Sequence[Capture]:
    """Those of which the server could make no entry by itself, because nothing in them can be played."""
    return [capture for capture in open_ones(account) if capture.tried_version is not None]


def contents(capture: Capture) -> list[dict[str, Any]]:
    """Of each segment what is here: its number, content type, the numbers of its chunks, and its size in bytes."""
    if capture.state == "finished":
        return [
            {
                "segment": segment["segment"],
                "content_type": segment["content_type"],
                "chunks": numbers(segment),
                "size_bytes": sum(segment["sizes"]),
            }
            for segment in capture.segments
        ]
    found: dict[int, dict[str, Any]] = {}
    for chunk in chunks(capture):
        new = {"segment": chunk.segment, "content_type": chunk.content_type, "chunks": [], "size_bytes": 0}
        segment = found.setdefault(chunk.segment, new)
        segment["chunks"].append(chunk.n)
        segment["size_bytes"] += chunk.size_bytes
    return list(found.values())


def chunks(capture: Capture) -> list[Chunk]:
    """What is here and not a finished entry's yet, in order."""
    query = select(*(getattr(CaptureChunk, name) for name in Chunk.__dataclass_fields__))
    query = query.where(CaptureChunk.capture_id == capture.id).order_by(CaptureChunk.segment, CaptureChunk.n)
    return [Chunk(*row) for row in session().execute(query)]


def pieces(capture: Capture) -> Iterator[bytes]:
    """The bytes of all that is here and not a finished entry's yet, in order, a few chunks at a time."""
    query = select(CaptureChunk.data).where(CaptureChunk.capture_id == capture.id)
    query = query.order_by(CaptureChunk.segment, CaptureChunk.n).execution_options(yield_per=_AT_A_TIME)
    yield from session().scalars(query)


def _of_chunk(capture: Capture, chunk: Chunk, column: Any) -> Select[Any]:
    place = (CaptureChunk.capture_id == capture.id, CaptureChunk.segment == chunk.segment, CaptureChunk.n == chunk.n)
    return select(column).where(*place)


def numbers(segment: dict[str, Any]) -> list[int]:
    """The numbers of the chunks of which a segment was joined: all but those in its gaps."""
    found: list[int] = []
    after = 0
    for first, last in segment["gaps"]:
        found += range(after, first)
        after = last + 1
    return [*found, *range(after, after + len(segment["sizes"]) - len(found))]


def missing(segment: dict[str, Any]) -> int:
    """How many chunks of a segment never came."""
    return sum(last - first + 1 for first, last in segment["gaps"])
