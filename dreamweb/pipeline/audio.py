"""The first step: draws the waveform, measures the loudness, and makes a copy that can be played."""

from __future__ import annotations

from dreamweb import playback, waveforms
from dreamweb.adapters import audio
from dreamweb.adapters.children import Watch
from dreamweb.db import end_reading
from dreamweb.errors import NotAudio, NotFound, Permanent, Skipped, StorageFailed, Transient, Unavailable
from dreamweb.models.entry import Entry
from dreamweb.pipeline.work import BYTES_A_SECOND, Done, Hands
from dreamweb.words import say


def run(hands: Hands, entry: Entry, watch: Watch) -> Done:
    if entry.file_path is None:
        raise Skipped(say("This entry was written: it has no recording."))
    try:
        waveforms.compute(hands.tools.storage, entry)
        watch.progress(0.6)
        watch.check()
        loudness = _loudness(hands, entry)
    except (Unavailable, StorageFailed) as error:
        raise Transient(error.detail) from error
    except OSError as error:
        raise Transient(say("The server is too busy to look at this recording. Try again in a few seconds.")) from error
    except (NotFound, NotAudio) as error:
        raise Permanent(error.detail) from error
    recording = entry.sha256

    def write(current: Entry) -> None:
        if current.sha256 == recording:
            current.loudness_db = loudness

    return Done(write, amount=entry.duration_seconds)


def _loudness(hands: Hands, entry: Entry) -> float:
    storage = hands.tools.storage
    path, _ = playback.path(storage, entry)
    end_reading()  # nothing is held while it is decoded
    storage.check_space(round((entry.duration_seconds or 0) * BYTES_A_SECOND))
    with path.open("rb") as recording, storage.scratch() as sound:
        return audio.decode(recording.fileno(), sound.fileno()).loudness_db
