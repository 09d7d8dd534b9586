"""Makes one entry of a capture, exactly once: when its client says so, or when that has gone silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select

from dreamweb import accounts, captures, entries, log, playback, recordings
from dreamweb.adapters import audio, formats
from dreamweb.captures import Chunk
from dreamweb.db import end_reading, now, session, transaction
from dreamweb.details import Changes, Details
from dreamweb.errors import ChunksMissing, Conflict, DreamWebError, NotAudio, NotFound, StorageFailed, Unavailable
from dreamweb.files import Scratch
from dreamweb.models.account import Account
from dreamweb.models.capture import Capture, CaptureChunk
from dreamweb.models.entry import Entry
from dreamweb.placing import RepeatedError
from dreamweb.recordings import Examined
from dreamweb.tools import Tools
from dreamweb.words import say

_ATTEMPTS = 5
"""How often a capture is joined anew because more of it came meanwhile."""

_NAMED = 1000
"""How many missing chunks are named at once: the client sends them, and asks again."""

logger = log.Logger(__name__)

Times = tuple[str | None, str | None]
"""When a segment began and ended, as the client said."""


@dataclass(frozen=True)
class Ending:
    """What is known of a capture that gets no more chunks. `chunks` says how many each segment has; None when the
    client has not said so, but gone silent."""

    chunks: Mapping[int, int] | None
    details: Details
    accept_gaps: bool = False
    started_at: datetime | None = None
    times: Mapping[int, Times] | None = None

    @property
    def state(self) -> str:
        return "cut_off" if self.chunks is None else "finished"


class _ChangedError(RepeatedError):
    """More has come while it was joined: what was made of it is undone."""


def finish(tools: Tools, account: Account, client_id: UUID, ending: Ending) -> tuple[Entry, bool]:
    """The entry that a capture has become, and whether it is complete only now.

    Commits by itself, as `recordings.keep` does. Raises `ChunksMissing` unless gaps are accepted, `Conflict` when more
    is here than the client says, `NotAudio` when nothing of it can be played (everything is kept then), `Unavailable`,
    `StorageFull`, `StorageFailed`, or the database's error.
    """
    for _ in range(_ATTEMPTS):
        capture = _known(account, client_id, ending)
        if capture.state == "finished":
            return _finished(capture, ending), False
        with suppress(_ChangedError):
            return _join(tools, account, capture, ending), True
        session().expire_all()
    raise Unavailable(say("More of this recording is still coming in. Try again in a few seconds."))


def finish_idle(tools: Tools, idle: timedelta) -> int:
    """Make entries of the captures whose clients have been silent for so long; answers how many."""
    due = (
        Capture.state != "finished",
        Capture.version > 0,
        Capture.updated_at < now() - idle,
        or_(Capture.tried_at.is_(None), Capture.tried_at < Capture.updated_at),
    )
    found = session().execute(select(Capture.account_id, Capture.client_id).where(*due).limit(100)).all()
    end_reading()
    done = 0
    for account_id, client_id in found:
        account = accounts.get(account_id)
        ending = Ending(None, Details(client_id=client_id), accept_gaps=True)
        try:
            if account and finish(tools, account, client_id, ending)[1]:
                logger.info("A capture was cut off", account=account_id, capture=client_id)
                done += 1
        except NotAudio:
            logger.warning("Nothing of a capture can be played; it is kept", account=account_id, capture=client_id)
            with transaction():
                captures.get(account, client_id, lock=True).tried_at = now()  # type: ignore[arg-type]
        except DreamWebError as error:
            logger.warning("A capture cannot be joined now", capture=client_id, reason=str(error))
    return done


def _known(account: Account, client_id: UUID, ending: Ending) -> Capture:
    try:
        return captures.get(account, client_id)
    except NotFound:
        if ending.chunks is None or not any(ending.chunks.values()):
            raise
        # So that a client whose chunks are lost, with a database for instance, sends them once more.
        raise _missing(
            [(segment, n) for segment in sorted(ending.chunks) for n in range(ending.chunks[segment])]
        ) from None


def _finished(capture: Capture, ending: Ending) -> Entry:
    entry = session().get(Entry, capture.entry_id, populate_existing=True)
    has = {segment["segment"]: len(segment["sizes"]) + len(segment["missing"]) for segment in capture.segments}
    if entry is None or any(count > has.get(segment, 0) for segment, count in (ending.chunks or {}).items()):
        raise Conflict(say("This recording is finished, and was finished with fewer chunks."))
    return entry


def _join(tools: Tools, account: Account, capture: Capture, ending: Ending) -> Entry:
    version, wanted = capture.version, captures.chunks(capture)
    plan = _plan(wanted, ending)
    if not wanted:
        raise NotFound(say("There is no such recording here."))
    with tools.storage.scratch() as raw, tools.storage.scratch() as copy:
        for piece in captures.pieces(capture):
            raw.write(piece)
        end_reading()  # nothing is held while we work
        if raw.size != sum(chunk.size_bytes for chunk in wanted):
            raise _ChangedError
        examined, extension = _examine(tools, raw, copy, plan)

        def settle(entry: Entry) -> None:
            """In the transaction that gives the entry its recording: the capture says so, or it does not happen."""
            _settle(account, capture, version, plan, ending, entry)

        entry = _place(tools, account, capture, ending, examined, settle)
        with suppress(StorageFailed):  # it is made when somebody wants to play it
            playback.keep(tools.storage, entry, copy, extension)
    return entry


def _plan(wanted: Sequence[Chunk], ending: Ending) -> list[dict[str, Any]]:
    """How the segments are joined, as `Capture.segments` keeps it. Raises `ChunksMissing`, `Conflict`."""
    here = {segment: list(found) for segment, found in groupby(wanted, lambda chunk: chunk.segment)}
    counts = {segment: found[-1].n + 1 for segment, found in here.items()}
    if ending.chunks is not None:
        if any(count > ending.chunks.get(segment, 0) for segment, count in counts.items()):
            raise Conflict(say("More chunks are here than that. Ask what is here, and finish with all of them."))
        counts = {segment: count for segment, count in ending.chunks.items() if count}
    plan = [_segment(segment, counts[segment], here.get(segment, []), ending) for segment in sorted(counts)]
    missing = [(segment["segment"], n) for segment in plan for n in segment["missing"]]
    if missing and not ending.accept_gaps:
        raise _missing(missing)
    return plan


def _segment(number: int, count: int, found: Sequence[Chunk], ending: Ending) -> dict[str, Any]:
    there = {chunk.n for chunk in found}
    content_type = found[0].content_type if found else ""
    started_at, ended_at = (ending.times or {}).get(number, (None, None))
    return {
        "segment": number,
        "content_type": content_type,
        "sizes": [chunk.size_bytes for chunk in found],
        "missing": [n for n in range(count) if n not in there],
        "parts": [
            {"extension": formats.extension_of(content_type) or "webm", "size_bytes": size} for size in _runs(found)
        ],
        "started_at": started_at,
        "ended_at": ended_at,
    }


def _runs(found: Sequence[Chunk]) -> list[int]:
    """The bytes of each run of chunks without a gap: where one is missing, the sound begins anew."""
    runs = groupby(enumerate(found), lambda each: each[1].n - each[0])
    return [sum(chunk.size_bytes for _, chunk in run) for _, run in runs]


def _missing(missing: list[tuple[int, int]]) -> ChunksMissing:
    return ChunksMissing(
        say("%(count)s chunks are missing. Send them, then finish again.", count=len(missing)), missing=missing[:_NAMED]
    )


def _examine(tools: Tools, raw: Scratch, copy: Scratch, plan: Sequence[dict[str, Any]]) -> tuple[Examined, str]:
    """What the chunks are when they are joined; the copy, which can be played, and its extension."""
    parts = [(part["extension"], part["size_bytes"]) for segment in plan for part in segment["parts"]]
    digest = raw.sha256()
    tools.storage.sync(raw)
    try:
        extension = audio.join(raw.fileno(), parts, copy.fileno())
        with audio.examine(copy.fileno()) as examination:
            sound = examination.result()
    except OSError as error:
        logger.error("A capture could not be joined", exc_info=True)
        raise Unavailable(
            say("The server is too busy to look at this recording. Try again in a few seconds.")
        ) from error
    original = formats.recognise_segment(raw.fileno(), 0) or parts[0][0]
    sound = replace(sound, extension=original, content_type=formats.FORMATS[original])
    return Examined(raw, sound, raw.size, digest), extension


def _place(
    tools: Tools, account: Account, capture: Capture, ending: Ending, examined: Examined, settle: recordings.Beside
) -> Entry:
    entry = entries.by_client_id(account, capture.client_id)
    if entry is None:
        begun = ending.started_at or capture.created_at
        details = ending.details.model_copy(
            update={"client_id": capture.client_id, "dreamed_at": ending.details.dreamed_at or begun}
        )
        entry, new = recordings.keep(tools, account, examined, details, None, settle)
        if not new:  # a note of it was adopted meanwhile, or somebody else was first
            raise _ChangedError
        return entry
    if entry.sha256 == examined.sha256:
        with transaction():
            settle(entry)
    else:
        entry = recordings.replace_with_longer(tools, account, entry.id, examined, settle)
    if ending.chunks is not None:
        _fill_in(account, entry, ending.details)
    return entry


def _settle(
    account: Account, capture: Capture, version: int, plan: list[dict[str, Any]], ending: Ending, entry: Entry
) -> None:
    locked = captures.get(account, capture.client_id, lock=True)
    session().refresh(locked)
    if locked.version != version or locked.state == "finished":
        raise _ChangedError
    locked.state, locked.segments, locked.entry_id, locked.tried_at = ending.state, plan, entry.id, now()
    session().merge(entry).cut_off = ending.state == "cut_off"
    if ending.state == "finished":
        session().execute(delete(CaptureChunk).where(CaptureChunk.capture_id == locked.id))


def _fill_in(account: Account, entry: Entry, details: Details) -> None:
    """What the client says of a recording that was cut off before; what the person has written meanwhile stays."""
    said = {
        name: getattr(details, name) for name in details.model_fields_set & set(Changes.model_fields) if name != "tags"
    }
    changes = {name: value for name, value in said.items() if value and not getattr(entry, name, None)}
    if details.tags:
        changes["tags"] = sorted({*details.tags, *(tag.name for tag in entry.tags)})
    if changes:
        with transaction():
            entries.change(account, entry.id, Changes(**changes))
