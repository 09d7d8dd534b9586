"""Takes in a file that is sent to the API, as a form or as the whole body of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from flask import request
from pydantic import BaseModel

from dreamweb.api import parsing, tools
from dreamweb.errors import Malformed, NoFile, TooLarge
from dreamweb.files import Scratch
from dreamweb.tools import FORM_BYTES
from dreamweb.words import say

FILE: dict[str, Any] = {"type": "string", "format": "binary"}
"""Bytes, in the words of OpenAPI."""


@contextmanager
def received(
    fields: type[BaseModel], *, limit: int, too_large: Callable[[int], TooLarge], names: tuple[str, ...] = ("file",)
) -> Iterator[tuple[Scratch, str | None, dict[str, Any]]]:
    """What has arrived: the file, the name the client gives it, and beside it what `fields` may hold, unchecked.

    `names` are those that the file may have in a form. Raises `NoFile`, `Malformed`, what `too_large` makes, or
    `StorageFull`.
    """
    if request.mimetype == "application/json":
        raise NoFile(say("JSON holds no file. Send it as form field `file`, or as the whole body."))
    if (request.content_length or 0) > limit + FORM_BYTES:
        raise too_large(limit)
    beside = _filled(parsing.flat(fields, request.args))
    if request.mimetype == "multipart/form-data":
        request.max_content_length = limit + FORM_BYTES
        tools().storage.check_space(request.content_length or 0)  # the form's file is written a second time
        sent = next((file for name in names if (file := request.files.get(name))), None)
        if sent is None and set(names) & set(request.form):
            raise NoFile(say("The file in the form has no filename, so it was taken for text. Send one along."))
        if sent is None:
            raise NoFile(say("The form has no file in a field named `file`."))
        beside |= _filled(parsing.flat(fields, request.form))
        with tools().storage.receive(sent.stream) as scratch:
            yield scratch, sent.filename, beside
    else:
        with tools().storage.receive(raw()) as scratch:
            if request.content_length is not None and scratch.size != request.content_length:
                raise Malformed(say("The body is shorter than its Content-Length says. Send it again."))
            if scratch.size == 0 and not request.content_type:
                raise NoFile(say("The request has no body. Send the file as form field `file` or as the body."))
            yield scratch, None, beside


def form_schema(*names: str) -> dict[str, Any]:
    """The form that `received` takes, in the words of OpenAPI."""
    first, *others = names
    return {
        "type": "object",
        # Not each field once more: Swagger UI would fill them all in, and people would send that.
        "properties": {first: FILE} | {name: FILE | {"description": f"Another name for `{first}`."} for name in others},
        "additionalProperties": {"description": "What the query may hold."},
        **({"anyOf": [{"required": [name]} for name in names]} if others else {"required": [first]}),
    }


def raw() -> IO[bytes]:
    """The body, not parsed."""
    # Straight from the server: touching `request.form` would swallow a body that curl calls a form.
    stream = cast(IO[bytes], request.environ["wsgi.input"])
    return stream if request.environ.get("wsgi.input_terminated") else request.stream


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that were sent empty, as forms do."""
    return {name: value for name, value in values.items() if value != "" and value != [""]}
