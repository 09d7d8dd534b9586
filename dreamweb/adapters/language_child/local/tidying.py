"""Makes a raw transcription fluent by rules: takes fillers and stutters out and sets marks, but adds no word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from dreamweb.adapters.language_child.local import stopwords_en, stopwords_sl
from dreamweb.adapters.language_child.local.lemmas import plain, words

_LONG = 1500
"""Letters: a longer text gets paragraphs."""

_PARAGRAPH = 600
"""Letters: a paragraph is no shorter, unless it is the last one."""

_LONGEST_STUTTER = 3
"""Words that are said together twice: "I was in I was in the house"."""

_WITHOUT_SPACE_BEFORE = re.compile(r"[ \t]+([,;:.!?…]+)(?=\s|$)")
_COMMAS = re.compile(r",(?:\s*,)+")
_COMMA_BEFORE_END = re.compile(r",\s*([.!?…])")
_STARTING_MARKS = re.compile(r"(?:^|(?<=\n))[ \t]*[,;][ \t]*")
_BROKEN_OFF = re.compile(r"(?<![\w-])([^\W\d_]{1,4})- +(?=\1)", re.IGNORECASE)
_SENTENCE_START = re.compile(r"(?:(?<=[.!?])[\"'”»’)]*\s+|^|\n)[\"'“„«(]*([^\W\d_])")
_LONELY_I = re.compile(r"(?<![\w.'’-])i(?=(?:['’](?:m|ll|ve|d|s))?(?![\w'’-]|\.\w))")
_NO_END = " ,;–—-"


@dataclass(frozen=True)
class _Habits:
    """How a language is spoken: its fillers, and what may be said twice."""

    fillers: re.Pattern[str]
    phrases: re.Pattern[str]
    tags: re.Pattern[str] | None
    stuttered: frozenset[str]
    clause_starts: frozenset[str]
    turns: tuple[str, ...]
    abbreviations: frozenset[str]


@cache
def _habits(language: str) -> _Habits:
    stop = stopwords_sl if language == "sl" else stopwords_en
    return _Habits(
        fillers=re.compile(
            rf"(,?) ?(?<![\w'’.-])({stop.FILLERS})(?![\w'’-])(\.\.\.|…|[,.?!](?!\w)|)(?= ?(\S{{0,12}}))", re.IGNORECASE
        ),
        phrases=re.compile(rf"(?:, ?|^)(?:{stop.FILLER_PHRASES}) ?,(?= ?(\S{{0,12}}))", re.IGNORECASE | re.MULTILINE),
        tags=re.compile(rf",[ \t]*(?:{stop.TAGS})[ \t]*(?=[.?!]|$)(\?(?=\s|$))?", re.IGNORECASE | re.MULTILINE)
        if stop.TAGS
        else None,
        stuttered=stop.FUNCTION_WORDS - stop.EMPHATIC,
        clause_starts=stop.CLAUSE_STARTS,
        turns=stop.TURNS,
        abbreviations=stop.ABBREVIATIONS,
    )


def tidy(text: str, language: str) -> str:
    """The text as one would write it down: the dreamer's own words in their order, fewer or as many, none new."""
    habits = _habits(language)
    text = _spaced(text)
    text = _without_fillers(text, habits)
    text = _BROKEN_OFF.sub("", text)
    text = _without_stutters(text, habits)
    text = _marked(_spaced(text))
    if language != "sl":
        text = _LONELY_I.sub("I", text)
    text = _ended(text)
    return _paragraphed(_capitalised(text, habits), habits)


def _spaced(text: str) -> str:
    """One space between words, one empty line between paragraphs; a single line break is no more than a space."""
    return "\n\n".join(" ".join(each.split()) for each in re.split(r"\n\s*\n", text.strip()))


def _without_fillers(text: str, habits: _Habits) -> str:
    def instead(found: re.Match[str]) -> str:
        comma, filler, mark, after = found.groups()
        before = text[max(0, found.start() - 20) : found.start()].rstrip(" ")
        if not before or before[-1] in ".!?…\n":
            return ""
        if filler == "E":  # a letter that names something
            return found.group()
        if mark in (".", "?", "!"):
            return mark
        last = before.split()[-1].lower()
        return "," if (comma or mark == ",") and _starts(after, habits) and last not in habits.clause_starts else ""

    def phrase(found: re.Match[str]) -> str:
        return "," if found.group().startswith(",") and _starts(found.group(1), habits) else ""

    text = habits.fillers.sub(instead, text)
    text = habits.phrases.sub(phrase, text)
    return habits.tags.sub(lambda found: "." if found.group(1) else "", text) if habits.tags else text


def _starts(word: str, habits: _Habits) -> bool:
    """Whether a clause may begin so, and its comma stays."""
    return plain(word.rstrip(",.!?")) in habits.clause_starts


def _without_stutters(text: str, habits: _Habits) -> str:
    """Leave one of function words that are said twice in a row; what else is said twice is meant so."""
    found = words(text)
    spoken = [plain(word) for _, _, word in found]
    joined = [_is_gap(text[before[1] : after[0]]) for before, after in pairwise(found)]
    kept: list[tuple[int, int]] = []
    at = start = 0
    while at < len(found):
        length = _stutter_at(at, spoken, joined, habits)
        if length:
            kept.append((start, found[at][0]))
            start = found[at + length][0]
        at += length or 1
    kept.append((start, len(text)))
    return "".join(text[left:right] for left, right in kept)


def _is_gap(between: str) -> bool:
    return between.strip(" ,.…–—-") == "" and "." not in between.replace("...", "")


def _stutter_at(at: int, spoken: Sequence[str], joined: Sequence[bool], habits: _Habits) -> int:
    """How many words from here are said again right after; 0 for none."""
    for length in range(_LONGEST_STUTTER, 0, -1):
        again = spoken[at + length : at + 2 * length]
        same = spoken[at : at + length] == again and all(joined[at : at + 2 * length - 1])
        if len(again) == length and same and all(word in habits.stuttered for word in again):
            return length
    return 0


def _marked(text: str) -> str:
    """No space before a mark, no two commas, none before a full stop or at the beginning."""
    text = _WITHOUT_SPACE_BEFORE.sub(r"\1", text)
    text = _COMMAS.sub(",", text)
    text = _COMMA_BEFORE_END.sub(r"\1", text)
    return _STARTING_MARKS.sub("", text)


def _ended(text: str) -> str:
    """A full stop at the end of every paragraph that has no mark there; nothing of a paragraph that is empty now."""
    return "\n\n".join(_ended_line(line.strip()) for line in text.split("\n\n") if line.strip())


def _ended_line(line: str) -> str:
    bare = line.rstrip(_NO_END)
    return f"{bare}." if bare and bare[-1].isalnum() else line


def _capitalised(text: str, habits: _Habits) -> str:
    def capital(found: re.Match[str]) -> str:
        before = text[max(0, found.start() - 12) : found.start() + 1].rstrip()
        letter = found.group(1).upper()
        if _goes_on(before, habits) or len(letter) > 1:
            return found.group()
        return found.group()[:-1] + letter

    return _SENTENCE_START.sub(capital, text)


def _goes_on(before: str, habits: _Habits) -> bool:
    """Whether a full stop ends no sentence: after an abbreviation, a number or as one of three."""
    if not before.endswith("."):
        return False
    last = before.rsplit(maxsplit=1)[-1].rstrip(".").lower()
    return before.endswith("..") or last.isdigit() or last in habits.abbreviations


def _paragraphed(text: str, habits: _Habits) -> str:
    """A long text that has none gets paragraphs: where the telling turns, or after twice as many letters."""
    if len(text) <= _LONG or "\n" in text:
        return text
    pieces, length = [""], 0
    for sentence in re.split(r"(?<=[.!?]) ", text):
        turns = plain(sentence).startswith(habits.turns)
        if length >= _PARAGRAPH * (1 if turns else 2):
            pieces.append("")
            length = 0
        pieces[-1] += f" {sentence}" if pieces[-1] else sentence
        length += len(sentence)
    return "\n\n".join(pieces)
