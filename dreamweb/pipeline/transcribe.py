"""The second step: turns the speech of a recording into text, with the time of every word."""

from __future__ import annotations

from typing import Any

from dreamweb import versions
from dreamweb.adapters.children import Watch
from dreamweb.adapters.speech import Heard
from dreamweb.errors import Skipped
from dreamweb.models.entry import Entry
from dreamweb.pipeline.sound import decoded
from dreamweb.pipeline.work import Done, Hands, may_come_back, storable
from dreamweb.words import dump, say


def run(hands: Hands, entry: Entry, watch: Watch) -> Done:
    if entry.file_path is None:
        raise Skipped(say("This entry was written: it has no recording."))
    if hands.tools.engines.speech.kind == "none":
        raise Skipped(say("There is no speech engine yet. Choose one: docs/engines.md says how (SPEECH_ENGINE)."))
    if not hands.tools.engines.may_hear(private=entry.private):
        raise Skipped(_why_not(entry))
    if hands.tools.engines.speech.outside and may_come_back(entry):
        raise Skipped(say("More of this recording may still come. Until then it stays here; try again in a day."))
    with decoded(hands.tools.storage, entry) as (samples, known):
        watch.check()
        heard = hands.speech.hear(samples, known.duration_seconds, language=entry.language, watch=watch)
    recording = entry.sha256

    def write(current: Entry) -> None:
        if current.sha256 == recording:  # else a longer one has come, and is heard next
            versions.add(
                current,
                "transcription",
                storable(heard.text),
                engine=heard.engine,
                language=heard.language,
                details=storable(_details(heard)),
            )
            current.language = current.language or heard.language

    outside = hands.tools.engines.speech.outside
    return Done(write, engine=heard.engine, amount=entry.duration_seconds, outside=outside)


def _why_not(entry: Entry) -> str:
    if entry.private:
        return say("This entry is private, and the speech engine is on another machine: it stays here, unheard.")
    return say("The speech engine is on another machine, and nothing is sent outside (OUTSIDE_CALLS=false).")


def _details(heard: Heard) -> dict[str, Any]:
    return {
        "segments": [
            {
                "start": segment.start,
                "end": segment.end,
                "text": segment.text,
                "words": [list(word) for word in segment.words],
                "dropped": dump(segment.dropped) if segment.dropped is not None else None,
            }
            for segment in heard.segments
        ]
    }
