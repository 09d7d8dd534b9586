"""The second step: turns the speech of a recording into text, with the time of every word."""

from __future__ import annotations

from typing import Any

from dreamweb import playback, versions
from dreamweb.adapters import audio
from dreamweb.adapters.children import Watch
from dreamweb.adapters.speech import Heard
from dreamweb.db import end_reading
from dreamweb.errors import NotAudio, NotFound, Permanent, Skipped, StorageFailed, Transient, Unavailable
from dreamweb.models.entry import Entry
from dreamweb.pipeline.work import BYTES_A_SECOND, Done, Hands, may_come_back, storable
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
    try:
        heard = _hear(hands, entry, watch)
    except (Unavailable, StorageFailed) as error:
        raise Transient(error.detail) from error
    except OSError as error:
        raise Transient(say("The server is too busy to look at this recording. Try again in a few seconds.")) from error
    except (NotFound, NotAudio) as error:
        raise Permanent(error.detail) from error
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

    return Done(write, engine=heard.engine, amount=entry.duration_seconds)


def _why_not(entry: Entry) -> str:
    if entry.private:
        return say("This entry is private, and the speech engine is on another machine: it stays here, unheard.")
    return say("The speech engine is on another machine, and nothing is sent outside (OUTSIDE_CALLS=false).")


def _hear(hands: Hands, entry: Entry, watch: Watch) -> Heard:
    storage = hands.tools.storage
    path, _ = playback.path(storage, entry)
    end_reading()  # nothing is held while an engine works
    storage.check_space(round((entry.duration_seconds or 0) * BYTES_A_SECOND))
    with path.open("rb") as recording, storage.scratch() as pcm:
        seconds = audio.decode(recording.fileno(), pcm.fileno()).duration_seconds
        watch.check()
        return hands.speech.hear(pcm.fileno(), seconds, language=entry.language, watch=watch)


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
