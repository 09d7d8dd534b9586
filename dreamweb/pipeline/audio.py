"""The first step: draws the waveform, measures the loudness, and makes a copy that can be played."""

from __future__ import annotations

from dreamweb import waveforms
from dreamweb.adapters.children import Watch
from dreamweb.errors import Skipped
from dreamweb.models.entry import Entry
from dreamweb.pipeline.sound import decoded, step_errors
from dreamweb.pipeline.work import Done, Hands
from dreamweb.words import say


def run(hands: Hands, entry: Entry, watch: Watch) -> Done:
    if entry.file_path is None:
        raise Skipped(say("This entry was written: it has no recording."))
    with step_errors():
        waveforms.compute(hands.tools.storage, entry)
    watch.progress(0.6)
    watch.check()
    with decoded(hands.tools.storage, entry) as (_, known):
        loudness = known.loudness_db
    recording = entry.sha256

    def write(current: Entry) -> None:
        if current.sha256 == recording:
            current.loudness_db = loudness

    return Done(write, amount=entry.duration_seconds)
