"""Turns what a form sends into checked models, and keeps what was typed for when it has to be shown again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel

from dreamweb import checking
from dreamweb.errors import Invalid
from dreamweb.models.entry import Entry
from dreamweb.web import pages
from dreamweb.web.words import translated
from dreamweb.words import say

M = TypeVar("M", bound=BaseModel)

ENTRY_FIELDS = (
    "kind",
    "title",
    "text",
    "dreamed_at",
    "tags",
    "mood",
    "lucidity",
    "recall",
    "metadata",
    "language",
    "private",
)


def typed(*names: str) -> dict[str, str]:
    """The fields as they were sent; line ends as everybody but forms writes them."""
    return {name: request.form[name].replace("\r\n", "\n") for name in names if name in request.form}


def entry(model: type[M], sent: dict[str, str], **more: Any) -> M:
    """The fields of an entry as `Details` or `Changes`. Raises `Invalid` with a reason for each wrong field."""
    values: dict[str, Any] = {name: value for name, value in sent.items() if name != "private"} | more
    if "text" in sent:  # of a whole form; a box that is not ticked is not sent
        values["private"] = "private" in sent
    if values.get("dreamed_at"):
        values["dreamed_at"] = _moment(values["dreamed_at"])
    else:
        values.pop("dreamed_at", None)
    if "lucidity" in values:
        values["lucidity"] = values["lucidity"] or None
    if "metadata" in values:
        values["metadata"] = _json_object(values["metadata"])
    return checking.check(model, values)


def reasons(error: Invalid) -> dict[str, str]:
    """Each wrong field and why, in the reader's language."""
    return {name.partition(".")[0]: translated(why) for name, why in error.fields.items()}


def shown(entry: Entry) -> dict[str, Any]:
    """The fields of an entry as a form shows them."""
    values = {name: getattr(entry, name) for name in ("kind", "title", "text", "mood", "recall", "language", "private")}
    return values | {
        "dreamed_at": local(entry.dreamed_at),
        "tags": ", ".join(tag.name for tag in entry.tags),
        "lucidity": "" if entry.lucidity is None else str(entry.lucidity),
        "metadata": json.dumps(entry.details, ensure_ascii=False, indent=2) if entry.details else "",
    }


def local(moment: datetime) -> str:
    """A moment as `<input type="datetime-local">` takes it, by the reader's clock."""
    return f"{moment.astimezone(pages.zone()):%Y-%m-%dT%H:%M}"


def _moment(value: str) -> str:
    try:
        given = datetime.fromisoformat(value)
    except ValueError:
        return value  # and the model says what is wrong with it
    return (given if given.tzinfo else given.replace(tzinfo=pages.zone())).isoformat()


def _json_object(value: str) -> Any:
    if not value.strip():
        return {}
    try:
        found = json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        reason = say('write it as JSON, like {"weather": "rain"}')
        raise Invalid(say("This is not possible: %(reasons)s.", reasons=reason), {"metadata": reason})
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")
