"""Makes one entry of a capture, exactly once: when its client says so, or when that has gone silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice, pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select

from dreamweb import accounts, captures, entries, jobs, log, playback, recordings
from dreamweb.adapters import audio, formats
from dreamweb.captures import Chunk
from dreamweb.db import end_reading, now, session, transaction
from dreamweb.details import Details
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

_NOTHING = say("Nothing of this recording can be played. All of it is kept as it came.")

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
            return _finished(tools, capture, ending), False
        with suppress(_ChangedError):
            return _join(tools, account, capture, ending), True
    raise Unavailable(say("More of this recording is still coming in. Try again in a few seconds."))


def finish_idle(tools: Tools, idle: timedelta) -> int:
    """Make entries of the captures whose clients have been silent for so long; answers how many."""
    due = (
        Capture.state != "finished",
        Capture.updated_at < now() - idle,
        or_(Capture.tried_version.is_(None), Capture.tried_version < Capture.version),
    )
    found = session().execute(select(Capture.account_id, Capture.client_id).where(*due)).all()
    end_reading()
    done = 0
    for account_id, client_id in found:
        try:
            done += _cut_off(tools, account_id, client_id, idle)
        except _ChangedError:
            logger.debug("A capture is not silent any more", capture=client_id)
        except DreamWebError as error:
            logger.warning("A capture is not joined now", account=account_id, capture=client_id, reason=str(error))
    return done


def _cut_off(tools: Tools, account_id: UUID, client_id: UUID, idle: timedelta) -> bool:
    account = accounts.get(account_id)
    capture = captures.get(account, client_id) if account else None
    if account is None or capture is None or capture.state == "finished" or capture.updated_at >= now() - idle:
        return False  # those before it may have taken long
    _join(tools, account, capture, Ending(None, Details(), accept_gaps=True))
    logger.info("A capture was cut off", account=account_id, capture=client_id)
    return True


def _known(account: Account, client_id: UUID, ending: Ending) -> Capture:
    try:
        return captures.get(account, client_id)
    except NotFound:
        # So that a client whose chunks are lost, with a database for instance, sends them once more.
        gaps = [(segment, 0, count - 1) for segment, count in sorted((ending.chunks or {}).items()) if count]
        raise _missing(gaps) from None


def _finished(tools: Tools, capture: Capture, ending: Ending) -> Entry:
    entry = session().get(Entry, capture.entry_id, populate_existing=True)
    has = {segment["segment"]: len(segment["sizes"]) + captures.missing(segment) for segment in capture.segments}
    if entry is None or any(count > has.get(segment, 0) for segment, count in (ending.chunks or {}).items()):
        raise Conflict(say("This recording is finished, and was finished with fewer chunks."))
    if entry.file_path and tools.storage.size(entry.file_path) != entry.size_bytes:
        # The client deletes its own copy when it is told that all is well.
        raise StorageFailed(say("The recording's file is not on the server as it should be. Keep your copy."))
    return entry


def _join(tools: Tools, account: Account, capture: Capture, ending: Ending) -> Entry:
    version, wanted = capture.version, captures.chunks(capture)
    if not wanted:
        raise _ChangedError  # somebody else has just finished it
    plan = _plan(wanted, ending)
    if capture.state == "open" and capture.tried_version == version:
        raise NotAudio(_NOTHING)
    tools.storage.check_space(2 * capture.size_bytes)
    with tools.storage.scratch() as raw, tools.storage.scratch() as copy:
        for piece in captures.pieces(capture):
            raw.write(piece)
        end_reading()  # nothing is held while we work
        if raw.size != sum(chunk.size_bytes for chunk in wanted):
            raise _ChangedError
        try:
            examined, extension = _examine(raw, copy, plan)
        except NotAudio:
            _note_unplayable(account, capture, version)
            raise

        def settle(entry: Entry) -> None:
            """In the transaction that gives the entry its recording: the capture says so, or it does not happen."""
            _settle(account, capture, version, plan, ending, entry)

        entry = _place(tools, account, capture, ending, examined, settle)
        with suppress(StorageFailed):  # it is made when somebody wants to play it
            playback.keep(tools.storage, entry, copy, extension)
    return entry


def _note_unplayable(account: Account, capture: Capture, version: int) -> None:
    """It is not tried again before more of it comes."""
    with transaction(), suppress(NotFound):
        captures.get(account, capture.client_id, lock=True).tried_version = version


def _plan(wanted: Sequence[Chunk], ending: Ending) -> list[dict[str, Any]]:
    """How the segments are joined, as `Capture.segments` keeps it. Raises `ChunksMissing`, `Conflict`."""
    here = {segment: list(found) for segment, found in groupby(wanted, lambda chunk: chunk.segment)}
    counts = {segment: found[-1].n + 1 for segment, found in here.items()}
    if ending.chunks is not None:
        if any(count > ending.chunks.get(segment, 0) for segment, count in counts.items()):
            raise Conflict(say("More chunks are here than that. Ask what is here, and finish with all of them."))
        counts = {segment: count for segment, count in ending.chunks.items() if count}
    plan = [_segment(segment, counts[segment], here.get(segment, []), ending) for segment in sorted(counts)]
    gaps = [(segment["segment"], first, last) for segment in plan for first, last in segment["gaps"]]
    if gaps and not ending.accept_gaps:
        raise _missing(gaps)
    return plan


def _segment(number: int, count: int, found: Sequence[Chunk], ending: Ending) -> dict[str, Any]:
    content_type = found[0].content_type if found else ""
    started_at, ended_at = (ending.times or {}).get(number, (None, None))
    return {
        "segment": number,
        "content_type": content_type,
        "sizes": [chunk.size_bytes for chunk in found],
        "gaps": _gaps([chunk.n for chunk in found], count),
        "parts": [
            {"extension": formats.extension_of(content_type) or "webm", "size_bytes": size} for size in _runs(found)
        ],
        "started_at": started_at,
        "ended_at": ended_at,
    }


def _gaps(numbers: Sequence[int], count: int) -> list[tuple[int, int]]:
    """The first and the last number of each gap: however much is missing, that is not much to say."""
    return [(before + 1, n - 1) for before, n in pairwise([-1, *numbers, count]) if n > before + 1]


def _runs(found: Sequence[Chunk]) -> list[int]:
    """The bytes of each run of chunks without a gap: where one is missing, the sound begins anew."""
    runs = groupby(enumerate(found), lambda each: each[1].n - each[0])
    return [sum(chunk.size_bytes for _, chunk in run) for _, run in runs]


def _missing(gaps: Sequence[tuple[int, int, int]]) -> ChunksMissing:
    """Of gaps: segment, first and last number of each."""
    every = ((segment, n) for segment, first, last in gaps for n in range(first, last + 1))
    count = sum(last - first + 1 for _, first, last in gaps)
    return ChunksMissing(
        say("%(count)s chunks are missing. Send them, then finish again.", count=count),
        missing=list(islice(every, _NAMED)),
    )


def _examine(raw: Scratch, copy: Scratch, plan: Sequence[dict[str, Any]]) -> tuple[Examined, str]:
    """What the chunks are when they are joined; the copy, which can be played, and its extension."""
    parts = [(part["extension"], part["size_bytes"]) for segment in plan for part in segment["parts"]]
    digest = raw.sha256()
    with recordings.too_busy():
        extension = audio.join(raw.fileno(), parts, copy.fileno())
        with audio.examine(copy.fileno()) as examination:
            sound = examination.result()
    original = formats.recognise_segment(raw.fileno(), 0) or parts[0][0]
    sound = replace(sound, extension=original, content_type=formats.FORMATS[original])
    return Examined(raw, sound, raw.size, digest), extension


def _place(
    tools: Tools, account: Account, capture: Capture, ending: Ending, examined: Examined, settle: recordings.Beside
) -> Entry:
    if capture.entry_id is None:
        details = ending.details.model_copy(
            update={"client_id": capture.client_id, "dreamed_at": _dreamed_at(capture, ending)}
        )
        entry, new = recordings.keep(tools, account, examined, details, None, settle)
        if new:
            return entry  # else somebody was first, with the same bytes
    else:
        entry = entries.get(account, capture.entry_id, trashed=None)
        if entry.sha256 != examined.sha256:
            return recordings.replace_with_longer(tools, account, entry.id, examined, settle)
    with transaction():
        # The entry first, as everywhere: two who lock in turns wait for each other.
        entry = entries.get(account, entry.id, trashed=None, lock=True)
        settle(entry)
    return entry


def _dreamed_at(capture: Capture, ending: Ending) -> datetime:
    """What the client says, unless its clock is far ahead."""
    begun = ending.started_at
    believable = begun is not None and begun < now() + timedelta(days=1)
    return ending.details.dreamed_at or (begun if begun and believable else capture.created_at)


def _settle(
    account: Account, capture: Capture, version: int, plan: list[dict[str, Any]], ending: Ending, entry: Entry
) -> None:
    locked = captures.get(account, capture.client_id, lock=True)
    if locked.version != version or locked.state == "finished":
        raise _ChangedError
    was_cut_off = locked.state == "cut_off"
    locked.state, locked.segments, locked.entry_id, locked.tried_version = ending.state, plan, entry.id, version
    entry.cut_off = ending.state == "cut_off"
    if ending.state == "finished":
        session().execute(delete(CaptureChunk).where(CaptureChunk.capture_id == locked.id))
    if was_cut_off and ending.state == "finished":
        jobs.enqueue(entry, "transcribe")  # now it is known whether it is private
        # Unless somebody has said meanwhile when it was.
        dreamed_at = _dreamed_at(capture, ending) if entry.dreamed_at == capture.created_at else None
        entries.fill_in(account, entry, ending.details.model_copy(update={"dreamed_at": dreamed_at}))
