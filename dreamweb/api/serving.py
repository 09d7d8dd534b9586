"""Serves a stored file, whole or in ranges of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flask import Response, request, send_file

from dreamweb.api import tools
from dreamweb.api.openapi import ERROR
from dreamweb.errors import Outdated
from dreamweb.words import say

# Whatever it is, it must never act as a page of ours. To play a sound or a video that is opened by itself, browsers
# make a page of their own around it, which must be allowed to load it; in a sandbox it could not.
_INERT = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"
_PLAYED = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"


def serve(key: str, *, content_type: str | None, filename: str | None, sha256: str | None, attach: bool) -> Response:
    """The file of a storage key; with `attach`, browsers save it under `filename` instead of showing it.

    Raises `NotFound` when it is missing, `StorageFailed` when it cannot be read, `Outdated` by `If-Match`.
    """
    storage = tools().storage
    storage.open(key).close()  # says in our words when it is missing
    return serve_file(storage.path(key), content_type=content_type, filename=filename, etag=sha256, attach=attach)


def serve_file(
    path: Path, *, content_type: str | None, filename: str | None, etag: str | None, attach: bool = False
) -> Response:
    """A file that is known to be there. Raises `Outdated` by `If-Match`."""
    wanted = request.range
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        # Several ranges, or none that can be read: the whole is the answer. RFC 9110, 14.2
        request.environ.pop("HTTP_RANGE", None)
    response = send_file(
        path,
        mimetype=content_type,
        as_attachment=attach,
        download_name=filename,
        etag=etag or False,
        max_age=0,
    )
    response.headers["Cache-Control"] = "private, no-cache"
    played = (content_type or "").startswith(("audio/", "video/"))
    response.headers["Content-Security-Policy"] = _PLAYED if played else _INERT
    return checked(response)


def checked(response: Response) -> Response:
    """Raises `Outdated` when `If-Match` names something else."""
    if response.status_code == 412:  # by the library, which would send it all the same
        response.close()
        raise Outdated(say("It is not what If-Match names any more. Read it again."))
    return response


def described(what: str, content_types: Iterable[str]) -> dict[str, Any]:
    """What `serve` takes and answers, in the words of OpenAPI."""
    content = {each: {"schema": {"type": "string", "format": "binary"}} for each in content_types}
    return {
        "parameters": [
            {
                "name": "Range",
                "in": "header",
                "schema": {"type": "string"},
                "description": "Which bytes are wanted.",
                "example": "bytes=0-1023",
            }
        ],
        "responses": {
            "200": {"description": f"The whole {what}", "content": content},
            "206": {"description": "The bytes asked for", "content": content},
            "304": {"description": "Unchanged since it was read"},
            "416": {"description": "`RANGE_NOT_SATISFIABLE`", "content": {"application/json": {**ERROR}}},
        },
    }
