"""Turns bodies and queries into checked models, or into errors that name each wrong field."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar, get_origin

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from dreamweb.errors import Invalid, Malformed

M = TypeVar("M", bound=BaseModel)

_REASONS = {"extra_forbidden": "there is no such field", "missing": "it is needed"}

MAX_JSON = 8 * 1024 * 1024


def body(model: type[M]) -> M:
    """The JSON body as `model`. Raises `Malformed` when it is no JSON object, `Invalid` when values are wrong."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Malformed("Send JSON, with the header Content-Type: application/json.")
    request.max_content_length = MAX_JSON
    try:
        values = json.loads(request.get_data(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        reason = f": {error.msg} at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Malformed(f"The body is not JSON{reason}.") from None
    if not isinstance(values, dict):
        raise Malformed("The body is JSON, but not an object like {...}.")
    return check(model, values)


def query(model: type[M]) -> M:
    """The query string as `model`. Raises `Invalid`."""
    return check(model, flat(model, request.args))


def flat(model: type[M], given: MultiDict[str, str]) -> dict[str, Any]:
    """Form fields or query parameters as the model takes them: all values of a list, the last of anything else."""
    values: dict[str, Any] = {}
    for name, every in given.lists():
        field = model.model_fields.get(name)
        many = field is not None and get_origin(field.annotation) is list
        values[name] = every if many else every[-1]
    return values


def check(model: type[M], values: dict[str, Any]) -> M:
    """Raises `Invalid` with a reason for every field that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fields = {}
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            name = ".".join(str(part) for part in problem["loc"] if not str(part).startswith("function-")) or "body"
            fields[name] = _REASONS.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
        named = "; ".join(why if name == "body" else f"{name}: {why}" for name, why in fields.items())
        raise Invalid(f"This is not possible: {named}.", fields) from None
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")
