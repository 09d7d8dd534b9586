"""Says what a person may write of an entry, and in which shape it is kept; every interface checks by these."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    field_validator,
)

from dreamweb.words import say

Kind = Literal["dream", "journal", "guided"]
Recall = Literal["none", "fragment", "full"]
Language = Literal["sl", "en"]

MAX_TEXT = 1_000_000
MAX_TAGS = 50
MAX_METADATA = 65_536

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def storable(text: str) -> str:
    """Refuse what PostgreSQL cannot keep in a text: NUL, and halves of surrogate pairs, which are no characters."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError(say("it holds a character that is none (NUL or half a surrogate pair)"))
    return unicodedata.normalize("NFC", text)


def _within(limit: int) -> Callable[[str], str]:
    """Composing and lower-casing can make a text longer than it was sent."""

    def check(value: str) -> str:
        if len(value) > limit:
            raise ValueError(say("at most %(most)s characters", most=limit))
        return value

    return check


def _written_out(value: Any) -> Any:
    # A bare number could be seconds or milliseconds, and would only ever be guessed right.
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise ValueError(say("write it like %(example)s", example="2025-01-31T04:10:00+01:00"))


def _moment(value: datetime) -> datetime:
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        raise ValueError(say("it is out of range")) from None
    if value < _EARLIEST:
        raise ValueError(say("it is before the year 1900"))
    return value


def _past(value: datetime) -> datetime:
    # A day ahead is let through: clocks differ, and some clients send local time as if it were UTC.
    if value > datetime.now(UTC) + timedelta(days=1):
        raise ValueError(say("it lies in the future"))
    return value


def _empty_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


def _tag(value: str) -> str:
    value = " ".join(value.lower().split())
    if any(unicodedata.category(char) == "Cc" for char in value):
        raise ValueError(say("a tag has no control characters"))
    return value


def _split_tags(value: Any) -> Any:
    """Forms send all tags in one text, with commas; no tag has a comma of its own."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return [tag for part in value for tag in part.split(",")]
    return value


# What `_tag` does not take for a space.
_NO_CONTROLS: dict[str, JsonValue] = {"pattern": r"^[^\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]*$"}


def _unique(tags: list[str]) -> list[str]:
    return sorted({tag for tag in tags if tag})


def _metadata(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if _weight(value) > MAX_METADATA:
        raise ValueError(say("at most %(most)s characters", most=MAX_METADATA))
    return value


def _weight(value: JsonValue) -> int:
    """About how many characters a JSON value takes; raises `ValueError` for what a database cannot keep."""
    if isinstance(value, str):
        return len(storable(value)) + 2
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(say("it holds a number that is none (NaN or infinite)"))
    if isinstance(value, dict):
        return 2 + sum(_weight(key) + _weight(item) + 2 for key, item in value.items())
    if isinstance(value, list):
        return 2 + sum(_weight(item) + 1 for item in value)
    return len(str(value))


def _auto_is_none(value: Any) -> Any:
    return None if value == "auto" else value


Text = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(storable)]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=200),
    AfterValidator(storable),
    AfterValidator(_within(200)),
]
Moment = Annotated[datetime, Field(strict=False), BeforeValidator(_written_out), AfterValidator(_moment)]
Tag = Annotated[
    str,
    StringConstraints(max_length=50),
    Field(json_schema_extra=_NO_CONTROLS),
    AfterValidator(storable),
    AfterValidator(_tag),
    AfterValidator(_within(50)),
]
Tags = Annotated[list[Tag], BeforeValidator(_split_tags), Field(max_length=MAX_TAGS), AfterValidator(_unique)]
Mood = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, max_length=50),
    AfterValidator(storable),
    AfterValidator(_within(50)),
]
Metadata = Annotated[dict[str, JsonValue], AfterValidator(_metadata)]


_LANGUAGE: dict[str, JsonValue] = {"anyOf": [{"enum": ["sl", "en", "auto"], "type": "string"}, {"type": "null"}]}


class Details(BaseModel):
    """What a person may say of an entry when making it; all of it can be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = "dream"
    title: Annotated[Line | None, BeforeValidator(_empty_is_none)] = None
    text: Annotated[Text | None, BeforeValidator(_empty_is_none)] = None
    dreamed_at: Annotated[Annotated[Moment, AfterValidator(_past)] | None, BeforeValidator(_empty_is_none)] = Field(
        default=None,
        description="When it was dreamed, RFC 3339; without it, when the file says it was recorded, else now.",
    )
    tags: Tags = Field(default_factory=list, description="Kept in lower case. In a form: separated by commas.")
    mood: Annotated[Mood | None, BeforeValidator(_empty_is_none)] = None
    lucidity: int | None = Field(default=None, ge=0, le=5, description="0 not at all, 5 fully aware of dreaming.")
    recall: Annotated[Recall | None, BeforeValidator(_empty_is_none)] = Field(
        default=None, description="How much is remembered; `none` marks a night without recall."
    )
    metadata: Metadata = Field(default_factory=dict, description="Anything else, as a JSON object.")
    language: Annotated[Language | None, BeforeValidator(_auto_is_none), BeforeValidator(_empty_is_none)] = Field(
        default=None, description="`auto` (null): found out later.", json_schema_extra=_LANGUAGE
    )
    private: bool = Field(default=False, description="Never leaves this house.")
    client_id: Annotated[UUID, Field(strict=False)] | None = Field(
        default=None, description="Made by the client; makes repeating safe."
    )


class Changes(BaseModel):
    """What a person may change of an entry; what is not named stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = "dream"
    title: Annotated[Line | None, BeforeValidator(_empty_is_none)] = None
    text: Annotated[Text | None, BeforeValidator(_empty_is_none)] = None
    dreamed_at: Annotated[Moment, AfterValidator(_past)] = Field(default_factory=lambda: datetime.now(UTC))
    tags: Tags = Field(default_factory=list)
    mood: Annotated[Mood | None, BeforeValidator(_empty_is_none)] = None
    lucidity: int | None = Field(default=None, ge=0, le=5)
    recall: Annotated[Recall | None, BeforeValidator(_empty_is_none)] = None
    metadata: Metadata = Field(default_factory=dict)
    language: Annotated[Language | None, BeforeValidator(_auto_is_none), BeforeValidator(_empty_is_none)] = Field(
        default=None, json_schema_extra=_LANGUAGE
    )
    private: bool = False
    updated_at: Moment | None = Field(
        default=None, description="As last read: when the entry was changed since, the answer is 412."
    )


class Filters(BaseModel):
    """Which entries are wanted; all given conditions must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind | None = None
    tag: list[Tag] = Field(default_factory=list, max_length=MAX_TAGS, description="Repeat it for several tags.")
    match: Literal["all", "any"] = Field(default="all", description="Whether all of the tags are wanted, or any.")
    start: Moment | None = Field(default=None, description="Dreamed at this moment or later; a date is its midnight.")
    end: Moment | None = Field(default=None, description="Dreamed before this moment; a date includes its whole day.")
    mood: Mood | None = None
    has: Literal["audio", "text"] | None = None
    status: Literal["stored", "processing", "ready", "failed"] | None = None
    trash: bool = Field(default=False, description="The entries in the trash instead of those outside.")

    @field_validator("end", mode="before")
    @classmethod
    def _whole_day(cls, value: Any) -> Any:
        if isinstance(value, str) and len(value) == 10:
            try:
                return datetime.fromisoformat(value) + timedelta(days=1)
            except (ValueError, OverflowError):
                return value
        return value


def clean_filename(name: str | None, default: str) -> str:
    """The last part of a client's file name without control characters, at most 255 characters with its extension.

    Only shown to people: no path on our disk is ever made of it.
    """
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in last if _printable(char)).strip()
    if not kept.strip("."):
        return default
    stem, dot, extension = kept.rpartition(".")
    if dot and stem and len(extension) <= 10:
        return stem[: 254 - len(extension)] + dot + extension
    return kept[:255]


def _printable(char: str) -> bool:
    # Controls and surrogates; also the characters that turn the direction of writing, which disguise extensions.
    return (
        unicodedata.category(char) not in ("Cc", "Cs")
        and char not in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    )
