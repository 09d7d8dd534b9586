"""Says times, nights, lengths and sizes in the words of the reader's language."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from flask_babel import format_date, format_decimal, format_time, get_timezone, gettext

from dreamweb import nights, profile, versions
from dreamweb.models.entry import KINDS, Entry
from dreamweb.timeline import Card
from dreamweb.words import translate

_ITEM = re.compile(r"(?<=\S)\s*\n\s*(?:[-*+]|\d+[.)])\s+")
_MARKS = re.compile(r"^\s*(?:#{1,6}|>|[-*+]|\d+[.)])\s+|[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}", re.MULTILINE)


def translated(text: str) -> str:
    """A sentence of the core in the reader's language."""
    return translate(text, gettext)


def night(value: date) -> str:
    """A heading: the night that ends on this day."""
    day = format_date(value, "long")
    names = (
        gettext("Night to Monday, %(day)s", day=day),
        gettext("Night to Tuesday, %(day)s", day=day),
        gettext("Night to Wednesday, %(day)s", day=day),
        gettext("Night to Thursday, %(day)s", day=day),
        gettext("Night to Friday, %(day)s", day=day),
        gettext("Night to Saturday, %(day)s", day=day),
        gettext("Night to Sunday, %(day)s", day=day),
    )
    return names[value.weekday()]


def clock(value: datetime) -> str:
    """The hour and minute, by the reader's clock."""
    return str(format_time(value, "short"))


def moment(value: datetime) -> str:
    return f"{format_date(value, 'medium')}, {format_time(value, 'short')}"


def day(value: date) -> str:
    return str(format_date(value, "long"))


def month(value: date) -> str:
    """Like `November 2026`."""
    name = str(format_date(value, "LLLL y"))
    return name[:1].upper() + name[1:]


def weekday(value: date) -> str:
    """In two or three letters."""
    return str(format_date(value, "EEE"))


def length(seconds: float) -> str:
    """Like `4:07`, or `1:02:33` from an hour on."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: int) -> str:
    """Like `3.2 MB`, with the reader's decimal mark."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{format_decimal(value, '0' if unit == 'B' or value >= 100 else '0.#')} {unit}"


def headline(card: Card) -> str:
    """The title of an entry, or what stands for it."""
    if card.title:
        return card.title
    if card.excerpt:
        return _cut(plain(card.excerpt), 80)
    if card.recall == "none":
        return gettext("Nothing remembered")
    return gettext("Recording without a title") if card.recorded else gettext("Without a title")


def snippet(card: Card) -> str:
    """The beginning of the text, without its Markdown."""
    return _cut(plain(card.excerpt or ""), 200)


def plain(text: str) -> str:
    """A text on one line, without the signs by which Markdown marks headings, lists, quotes and stress."""
    return " ".join(_MARKS.sub("", _ITEM.sub(" · ", text)).split())


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0].rstrip(" ,.;:-") + " …"


def entry_headline(entry: Entry) -> str:
    """The title of an opened entry, or what stands for it; its text is read below."""
    if title := versions.shown_title(entry):
        return title
    if entry.recall == "none":
        return gettext("Nothing remembered")
    return clock(entry.dreamed_at)


def drawing(content_type: str) -> str:
    """The icon of an attachment."""
    names = {"image": "image", "video": "film", "audio": "music"}
    return names.get(content_type.partition("/")[0], "file-text")


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def night_date(value: datetime) -> date:
    """The night of a moment, by the reader's clock."""
    return nights.night_of(value, profile.zone(str(get_timezone())))


def waveform(peaks: bytes) -> str:
    """An SVG path of upright strokes, 72 high: each as long as the loudest of the three values it stands for."""
    strokes = []
    for place in range(0, len(peaks) - 2, 3):
        half = max(1, round(max(peaks[place : place + 3]) / 255 * 34))
        strokes.append(f"M{place + 1} {36 - half}v{2 * half}")
    return "".join(strokes)


def recall_choice(value: str | None) -> tuple[str, str]:
    return value or "", recall(value)


def speech_choice(value: str | None) -> tuple[str, str]:
    return value or "", speech(value)


def lucidities() -> list[tuple[str, str]]:
    """What a form offers."""
    return [
        ("", gettext("not said")),
        ("0", gettext("0: not at all")),
        ("1", "1"),
        ("2", "2"),
        ("3", gettext("3: half awake in it")),
        ("4", "4"),
        ("5", gettext("5: fully aware of dreaming")),
    ]


def moods() -> list[str]:
    """What a form suggests; anything else can be written, too."""
    return [
        gettext("calm"),
        gettext("joyful"),
        gettext("loving"),
        gettext("curious"),
        gettext("amazed"),
        gettext("sad"),
        gettext("afraid"),
        gettext("angry"),
        gettext("ashamed"),
        gettext("restless"),
        gettext("confused"),
        gettext("lonely"),
    ]


def filter_words(given: dict[str, str]) -> list[tuple[str, str]]:
    """Each filter of the timeline in a few words; what cannot be understood as it was written."""
    return [(name, _filter(name, value)) for name, value in given.items()]


def _filter(name: str, value: str) -> str:
    match (name, value):
        case "kind", _ if value in KINDS:
            return kind(value)
        case "start", _:
            return gettext("from %(day)s", day=_day_or(value))
        case "end", _:
            return gettext("until %(day)s", day=_day_or(value))
        case "has", "audio":
            return gettext("with a recording")
        case "has", "text":
            return gettext("with a text")
        case "match", "any":
            return gettext("any of the tags")
    return value


def _day_or(value: str) -> str:
    try:
        return str(format_date(date.fromisoformat(value), "medium"))
    except ValueError:
        return value


def kind_choice(value: str) -> tuple[str, str]:
    return value, kind(value)


def kind(value: str) -> str:
    return {"dream": gettext("Dream"), "journal": gettext("Journal page"), "guided": gettext("Guided page")}[value]


def state(value: str) -> str:
    """What has become of an entry."""
    return {
        "stored": gettext("Saved"),
        "processing": gettext("Listening to it..."),
        "ready": gettext("Ready"),
        "failed": gettext("Could not be transcribed"),
    }[value]


def recall(value: str | None) -> str:
    return {
        None: gettext("not said"),
        "none": gettext("nothing remembered"),
        "fragment": gettext("a fragment"),
        "full": gettext("all of it"),
    }[value]


def speech(value: str | None) -> str:
    """The name of the language somebody speaks or writes."""
    return {None: gettext("detected automatically"), "sl": gettext("Slovenian"), "en": gettext("English")}[value]


GLOBALS: dict[str, Callable[..., Any]] = {"lucidities": lucidities, "moods": moods}

FILTERS: dict[str, Callable[..., Any]] = {
    "entry_headline": entry_headline,
    "drawing": drawing,
    "as_json": as_json,
    "night_date": night_date,
    "waveform": waveform,
    "recall_choice": recall_choice,
    "speech_choice": speech_choice,
    "decimal": format_decimal,
    "translated": translated,
    "night": night,
    "clock": clock,
    "moment": moment,
    "day": day,
    "month": month,
    "weekday": weekday,
    "length_of_time": length,
    "headline": headline,
    "snippet": snippet,
    "kind_choice": kind_choice,
    "filter_words": filter_words,
    "size": size,
    "kind": kind,
    "state": state,
    "recall": recall,
    "speech": speech,
}
