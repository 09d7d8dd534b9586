"""Hears with faster-whisper: the model is loaded when it is first asked, and kept for as long as this process lives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dreamweb.adapters.speech_child.pieces import Piece, Word, aligned
from dreamweb.adapters.speech_child.slicing import HERTZ, Slice
from dreamweb.adapters.whisper_models import missing, place
from dreamweb.errors import Permanent, Transient
from dreamweb.words import Said, clean, say

try:
    import numpy
    from faster_whisper import WhisperModel
    from faster_whisper.vad import VadOptions, get_speech_timestamps
except ImportError:
    raise Permanent(say("faster-whisper is not installed. Run `pip install 'dreamweb[whisper]'`.")) from None

LANGUAGES = ("sl", "en")

_WINDOW_SECONDS = 30
"""What the model hears at once."""

# To tell the language: so much of what is spoken, of so much of the beginning; less when it is clear already.
_WINDOWS, _LISTENED_SECONDS, _CLEAR = 3, 180, 0.9

# Half asleep, people speak softly, and with pauses.
_VAD = VadOptions(threshold=0.4, min_silence_duration_ms=1500, speech_pad_ms=400)

OPTIONS: dict[str, Any] = {
    "vad_filter": True,
    "vad_parameters": _VAD,
    "word_timestamps": True,
    "condition_on_previous_text": False,  # or one invented sentence is repeated to the end
    "no_speech_threshold": None,  # what nobody said is left out by us, and seen
    "temperature": (0.0, 0.4, 0.8),  # each further one is tried when the text is unlikely, and costs as much
}

_loaded: dict[tuple[str, int], WhisperModel] = {}


class Whisper:
    """One recording's way through the model."""

    def __init__(self, question: dict[str, Any]) -> None:
        self._path = place(question["folder"], question["model"])
        self._model = _load(self._path, question["threads"], question["model"])
        self._words = clean(question["words"]) or None
        self.language = question["language"]
        self.name = f"faster-whisper {version('faster-whisper')}, {Path(question['model']).name}"

    def hear(self, heard: Slice) -> Iterator[Piece]:
        """See `hearing.Engine`. Raises `Transient` when there is not enough memory."""
        sound = numpy.frombuffer(heard.samples, dtype=numpy.int16).astype(numpy.float32) / 32768
        try:
            if self.language is None:
                self.language = self._detect(sound)
            if self.language is None:  # nobody speaks
                return
            segments, _ = self._model.transcribe(sound, language=self.language, hotwords=self._words, **OPTIONS)
            yield from (_piece(segment, heard) for segment in segments if clean(segment.text))
        except MemoryError:
            raise Transient(_NO_MEMORY) from None
        except (RuntimeError, ValueError):  # of CTranslate2, when the files beside the model are of another one
            raise Permanent(_damaged(self._path)) from None

    def _detect(self, sound: Any) -> str | None:
        """Which of our languages is spoken: the more likely one of these two, whatever else it might be."""
        if not self._model.model.is_multilingual:
            return "en"
        speech = self._speech(sound[: _LISTENED_SECONDS * HERTZ])
        if not len(speech):
            speech = self._speech(sound)
        likely = dict.fromkeys(LANGUAGES, 0.0)
        for window in range(_WINDOWS):
            part = speech[window * _WINDOW_SECONDS * HERTZ : (window + 1) * _WINDOW_SECONDS * HERTZ]
            if not len(part):
                break
            _, _, found = self._model.detect_language(part, language_detection_threshold=0.0)
            for language, probability in found:
                if language in likely:
                    likely[language] += probability
            if max(likely.values()) > _CLEAR * sum(likely.values()):
                break
        return max(likely, key=lambda language: likely[language]) if len(speech) else None

    def _speech(self, sound: Any) -> Any:
        parts = [sound[part["start"] : part["end"]] for part in get_speech_timestamps(sound, _VAD)]
        return numpy.concatenate(parts) if parts else sound[:0]


def _piece(segment: Any, heard: Slice) -> Piece:
    start, end = (_within(heard, moment) for moment in (segment.start, segment.end))
    words: list[Word] = [
        (_within(heard, word.start), _within(heard, word.end), word.word) for word in segment.words or ()
    ]
    text = clean(segment.text)
    return Piece(start, end, text, aligned(text, words), segment.no_speech_prob, segment.avg_logprob)


def _within(heard: Slice, moment: float) -> float:
    """A moment of the slice as one of the recording; the model hears a little beyond the end."""
    return heard.start + min(max(0.0, float(moment)), heard.seconds)


def _load(path: Path, threads: int, name: str) -> WhisperModel:
    if (str(path), threads) not in _loaded:
        _loaded.clear()
        if missing(path):
            raise Permanent(_not_there(path, name))
        try:
            for file in path.glob("*.json"):  # of a damaged one, tokenizers says so in a way that cannot be told apart
                json.loads(file.read_bytes())
            _loaded[str(path), threads] = WhisperModel(
                str(path), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except MemoryError:
            raise Transient(_NO_MEMORY) from None
        except (RuntimeError, ValueError, OSError):  # of CTranslate2, and of the JSON beside the model
            raise Permanent(_damaged(path)) from None
    return _loaded[str(path), threads]


_NO_MEMORY = say("There is not enough memory for this speech model. Choose a smaller one in the settings.")


def _damaged(path: Path) -> Said:
    return say(
        "The speech model in %(folder)s cannot be used: it is damaged, or of another kind. "
        "Delete the folder, and download the model again.",
        folder=path,
    )


def _not_there(path: Path, name: str) -> Said:
    if path.is_absolute() and str(path) == name:
        return say("There is no speech model in %(folder)s. Set SPEECH_MODEL to the folder of one.", folder=path)
    return say(
        "The speech model %(model)s is not here. Run `dreamweb models download %(same)s`.", model=name, same=name
    )
