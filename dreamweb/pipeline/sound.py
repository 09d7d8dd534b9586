"""Lends the decoded sound of a recording, and says in a step's own words why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dreamweb import playback
from dreamweb.adapters import audio
from dreamweb.adapters.audio import Decoded
from dreamweb.db import end_reading
from dreamweb.errors import NotAudio, NotFound, Permanent, StorageFailed, Transient, Unavailable
from dreamweb.models.entry import Entry
from dreamweb.storage import Storage
from dreamweb.words import say

_BYTES_A_SECOND = 2 * 16_000


@contextmanager
def decoded(storage: Storage, entry: Entry) -> Iterator[tuple[int, Decoded]]:
    """An open file of 16-bit samples, mono, 16 kHz, and what is known of them. Raises `Transient`, `Permanent`."""
    with step_errors():
        path, _ = playback.path(storage, entry)
        end_reading()  # nothing is held while it is decoded
        storage.check_space(round((entry.duration_seconds or 0) * _BYTES_A_SECOND))
        with path.open("rb") as recording, storage.scratch() as samples:
            known = audio.decode(recording.fileno(), samples.fileno())
            yield samples.fileno(), known


@contextmanager
def step_errors() -> Iterator[None]:
    """What fails because of the machine may pass: `Transient`. What fails because of the recording does not."""
    try:
        yield
    except (Unavailable, StorageFailed) as error:
        raise Transient(error.detail) from error
    except OSError as error:
        raise Transient(say("The server is too busy to look at this recording. Try again in a few seconds.")) from error
    except (NotFound, NotAudio) as error:
        raise Permanent(error.detail) from error
