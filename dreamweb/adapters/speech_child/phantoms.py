"""Recognises words that nobody has said: what engines write when they are given a silence."""

from __future__ import annotations

from dreamweb.adapters.speech_child.pieces import Piece
from dreamweb.adapters.speech_child.slicing import Slice
from dreamweb.words import Said, say

# In dBFS, of the loudest tenth of a second. A whisper at the other end of a bed has about -50.
_INAUDIBLE_DB = -66.0
_QUIET_DB = -50.0
_ABOVE_FLOOR_DB = 6.0

# As in OpenAI's whisper/transcribe.py, where they are `no_speech_threshold` and `logprob_threshold`.
_NO_SPEECH = 0.6
_UNLIKELY = -1.0

# Engines are a little wrong about when something was said.
_AROUND_SECONDS = 0.2

# Learned from the subtitles of films; written as `_plain` leaves them.
_PHRASES = {
    "applause",
    "bye",
    "bye bye",
    "blank audio",
    "dont forget to like and subscribe",
    "dont forget to subscribe",
    "foreign",
    "glasba",
    "hvala",
    "hvala lepa",
    "hvala za gledanje",
    "hvala za ogled",
    "hvala za pozornost",
    "hvala vam",
    "hvala ker ste gledali",
    "hvala vsem za ogled",
    "i hope you enjoyed this video",
    "inaudible",
    "laughter",
    "like and subscribe",
    "music",
    "music playing",
    "na svidenje",
    "naročite se na kanal",
    "naročite se na naš kanal",
    "ne pozabite se naročiti",
    "nasvidenje",
    "please like and subscribe",
    "please subscribe",
    "please subscribe to my channel",
    "ploskanje",
    "se nadaljuje",
    "see you in the next video",
    "see you next time",
    "silence",
    "smeh",
    "so",
    "subscribe",
    "subscribe to my channel",
    "thank you",
    "thank you for listening",
    "thank you for watching",
    "thank you for watching this video",
    "thank you so much for watching",
    "thank you very much",
    "thanks for listening",
    "thanks for watching",
    "the end",
    "tišina",
    "to be continued",
    "you",
}
# With somebody's name behind them.
_BEGINNINGS = (
    "podnapisi ",
    "podnaslovi ",
    "prevod in priredba ",
    "prevod in podnapisi ",
    "subtitles by ",
    "subtitled by ",
    "transcribed by ",
    "transcription by ",
    "translated by ",
    "captions by ",
)


def judge(piece: Piece, heard: Slice) -> Said | None:
    """Why a piece of the slice does not count, or None when it does.

    Words where nothing can be heard do not count. Where it is only quiet, all must agree: the engine thinks that
    nobody speaks (if it says so), and the words are a known phrase or unlikely. So nobody's own "Thank you for
    watching" is lost, if it was said aloud.
    """
    loudest = heard.loudest(piece.start - _AROUND_SECONDS, piece.end + _AROUND_SECONDS)
    if loudest < _INAUDIBLE_DB:
        return say("Nothing can be heard here: the engine has made these words up.")
    quiet = loudest < max(_QUIET_DB, heard.floor() + _ABOVE_FLOOR_DB)
    nobody = piece.no_speech is None or piece.no_speech > _NO_SPEECH
    unlikely = piece.log_probability is not None and piece.log_probability < _UNLIKELY
    if quiet and nobody and (unlikely or is_phrase(piece.text)):
        return say("It is quiet here, and these are words that engines make up in a silence.")
    return None


def is_silent(heard: Slice) -> bool:
    """Whether there is nothing in a slice that an engine could hear."""
    return max(heard.levels, default=_INAUDIBLE_DB) < _INAUDIBLE_DB


def is_phrase(text: str) -> bool:
    """Whether engines are known to make up this text, however often it is repeated."""
    plain = _plain(text)
    words = plain.split()
    return plain.startswith(_BEGINNINGS) or any(
        len(words) % length == 0
        and words == words[:length] * (len(words) // length)
        and " ".join(words[:length]) in _PHRASES
        for length in range(1, min(len(words), 8) + 1)
    )


def _plain(text: str) -> str:
    kept = (letter if letter.isalnum() else "" if letter in "'’" else " " for letter in text.lower())
    return " ".join("".join(kept).split())
