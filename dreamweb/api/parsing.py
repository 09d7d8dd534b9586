"""Turns bodies and queries into checked models, or into errors that name each wrong field."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeVar, get_origin

from flask import request
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict

from dreamweb.checking import check
from dreamweb.errors import Malformed
from dreamweb.words import say

M = TypeVar("M", bound=BaseModel)

MAX_JSON = 8 * 1024 * 1024


def body(model: type[M]) -> M:
    """The JSON body as `model`. Raises `Malformed` when it is no JSON object, `Invalid` when values are wrong."""
    if request.mimetype != "application/json" and not request.mimetype.endswith("+json"):
        raise Malformed(say("Send JSON, with the header Content-Type: application/json."))
    request.max_content_length = MAX_JSON
    try:
        values = json.loads(request.get_data(), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        reason = say("The body is not JSON: %(reason)s at line %(line)s.", reason=error.msg, line=error.lineno)
        raise Malformed(reason) from None
    except (ValueError, RecursionError):
        raise Malformed(say("The body is not JSON.")) from None
    if not isinstance(values, dict):
        raise Malformed(say("The body is JSON, but not an object like {...}."))
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


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")
