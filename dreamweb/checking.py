"""Checks what somebody has sent against a model, and says of each wrong field in a few words what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dreamweb.errors import Invalid, Malformed
from dreamweb.words import Said, say

M = TypeVar("M", bound=BaseModel)

_Context = Mapping[str, Any]


def check(model: type[M], values: dict[str, Any]) -> M:
    """The values as `model`. Raises `Invalid` with a reason for every field that is wrong, or `Malformed`."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fields = reasons(error)
        named = "; ".join(why if name == "body" else f"{name}: {why}" for name, why in fields.items())
        raise Invalid(say("This is not possible: %(reasons)s.", reasons=named), fields) from None
    except RecursionError:
        raise Malformed(say("What was sent is nested too deeply.")) from None


def reasons(error: ValidationError) -> dict[str, str]:
    """The name of every wrong field, `body` for what belongs to none, and why it is wrong."""
    fields = {}
    for problem in error.errors(include_url=False, include_input=False):
        name = ".".join(str(part) for part in problem["loc"] if not str(part).startswith("function-")) or "body"
        fields[name] = _reason(problem["type"], problem.get("ctx", {})) or problem["msg"].removeprefix("Value error, ")
    return fields


def _reason(kind: str, context: _Context) -> Said | None:
    """What is wrong, in our words; None for what no model of ours asks for."""
    if kind == "value_error":  # one of our own validators has refused it
        said = context["error"].args[0] if context["error"].args else None
        return said if isinstance(said, Said) else None
    return _REASONS[kind](context) if kind in _REASONS else None


def _choices(context: _Context) -> Said:
    # pydantic names them in English: 'sl', 'en' or 'auto'.
    return say("one of %(choices)s", choices=", ".join(re.findall(r"'([^']*)'", context["expected"])))


def _whole_number(_: _Context) -> Said:
    return say("a whole number")


def _text(_: _Context) -> Said:
    return say("a text")


def _moment(_: _Context) -> Said:
    return say("write it like %(example)s", example="2025-01-31T04:10:00+01:00")


def _clock(_: _Context) -> Said:
    return say("a time like %(example)s", example="22:30")


def _id(_: _Context) -> Said:
    return say("an id like %(example)s", example="550e8400-e29b-41d4-a716-446655440000")


def _truth(_: _Context) -> Said:
    return say("true or false")


# https://docs.pydantic.dev/latest/errors/validation_errors/
_REASONS: dict[str, Callable[[_Context], Said]] = {
    "missing": lambda _: say("it is needed"),
    "extra_forbidden": lambda _: say("there is no such field"),
    "literal_error": _choices,
    "greater_than_equal": lambda context: say("at least %(least)s", least=context["ge"]),
    "less_than_equal": lambda context: say("at most %(most)s", most=context["le"]),
    "string_too_long": lambda context: say("at most %(most)s characters", most=context["max_length"]),
    # None of our models asks for more than one.
    "string_too_short": lambda _: say("it must not be empty"),
    "too_short": lambda _: say("it must not be empty"),
    "too_long": lambda context: say("at most %(most)s of them", most=context["max_length"]),
    "string_unicode": lambda _: say("it holds a character that is none (NUL or half a surrogate pair)"),
    "list_type": lambda _: say("a list"),
    "dict_type": lambda _: say("an object like {...}"),
    "model_type": lambda _: say("an object like {...}"),
    "recursion_depth_exceeded": lambda _: say("it is nested too deeply"),
} | {
    kind: reason
    for reason, kinds in {
        _text: ("string_type",),
        _whole_number: ("int_type", "int_parsing", "int_parsing_size", "int_from_float", "finite_number"),
        _truth: ("bool_type", "bool_parsing"),
        _id: ("uuid_type", "uuid_parsing"),
        _moment: ("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid"),
        _clock: ("time_type", "time_parsing"),
    }.items()
    for kind in kinds
}
