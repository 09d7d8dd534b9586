"""Computes the waveform of a recording when somebody first looks at it, and keeps it."""

from __future__ import annotations

import threading

from sqlalchemy import update

from dreamweb import log, playback
from dreamweb.adapters import audio
from dreamweb.db import end_reading, transaction
from dreamweb.errors import NotAudio, NotFound, Unavailable
from dreamweb.models.entry import Entry
from dreamweb.storage import Storage
from dreamweb.words import say

logger = log.Logger(__name__)

# A long recording keeps a processor busy for a minute; the others are for whoever wants to read or record.
_drawing = threading.Lock()


def known(entry: Entry) -> bytes | None:
    """The waveform if it was computed before; empty for a recording that cannot be drawn."""
    return entry.peaks


def compute(storage: Storage, entry: Entry) -> bytes:
    """The waveform, as `adapters.audio.peaks` gives it; empty for a recording that cannot be drawn.

    Raises `NotFound` for an entry without a recording, `Unavailable` while another waveform is being computed or when
    the machine is at its limits, `StorageFailed`, or the database's error.
    """
    if entry.file_path is None:
        raise NotFound(say("This entry was written: it has no recording."))
    if entry.peaks is not None:
        return entry.peaks
    if not _drawing.acquire(blocking=False):
        raise Unavailable(say("Another recording is being drawn. This one is next."))
    try:
        path, _ = playback.path(storage, entry)
        end_reading()  # nothing is held meanwhile
        with path.open("rb") as file:
            peaks = audio.peaks(file.fileno())
    except NotAudio:
        peaks = b""
    except OSError as error:
        raise Unavailable(say("The server is too busy to draw this recording.")) from error
    finally:
        _drawing.release()
    with transaction() as session:
        session.execute(update(Entry).where(Entry.id == entry.id, Entry.sha256 == entry.sha256).values(peaks=peaks))
    return peaks
