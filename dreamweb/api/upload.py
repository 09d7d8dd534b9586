"""Takes in a recording: `POST /api/v1/upload`, as a form or as raw bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from flask import Blueprint, request

from dreamweb import errors, log, recordings, signin
from dreamweb.adapters.audio import FORMATS
from dreamweb.api import parsing, schemas, tools
from dreamweb.api.openapi import documented
from dreamweb.details import Details
from dreamweb.files import Scratch

blueprint = Blueprint("upload", __name__)
logger = log.Logger(__name__)

_FILE = {"type": "string", "format": "binary"}

_TAG = schemas.UploadFields.model_json_schema()["properties"]["tags"]["items"]

_REQUEST = {
    "parameters": [
        # A whole text is too long for an address.
        {"name": "text"},
        {
            "name": "tags",
            "in": "query",
            "schema": {"type": "array", "maxItems": 50, "items": _TAG},
            "style": "form",
            "explode": False,
            "description": "Separated by commas; kept in lower case.",
        },
        {
            "name": "metadata",
            "in": "query",
            "content": {"application/json": {"schema": {"type": "object"}}},
            "description": "Anything else, as a JSON object.",
        },
    ],
    "requestBody": {
        "required": True,
        "description": "The recording, as a form field or as the whole body (of any content type but JSON).",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    # Not each field once more: Swagger UI would fill them all in, and people would send that.
                    "properties": {"file": _FILE, "audio": _FILE | {"description": "Another name for `file`."}},
                    "additionalProperties": {"type": "string", "description": "What the query may hold."},
                    "anyOf": [{"required": ["file"]}, {"required": ["audio"]}],
                }
            },
            "application/octet-stream": {"schema": _FILE},
        }
        | {content_type: {"schema": _FILE} for content_type in FORMATS.values()},
    },
}


@blueprint.post("/upload")
@documented(
    "recordings",
    answers={201: schemas.Uploaded, 200: schemas.Uploaded},
    raises=(
        errors.Malformed,
        errors.NoFile,
        errors.EmptyFile,
        errors.NotAudio,
        errors.Unauthenticated,
        errors.Forbidden,
        errors.Conflict,
        errors.TooLarge,
        errors.Invalid,
        errors.StorageFailed,
        errors.StorageFull,
        errors.Unavailable,
    ),
    query=schemas.UploadFields,
    extra=_REQUEST,
)
def upload() -> tuple[dict[str, Any], int]:
    """Send a recording.

    201 means that its bytes and its row are on disk. Everything but the recording may be left out; the fields can be
    form fields or query parameters. Sending the same bytes under the same `client_id` again answers 200 and the entry
    made before, so that repeating is always safe.
    """
    account = signin.caller("upload")
    with _received() as (scratch, filename, given):
        logger.info(
            "File upload request received",
            ip=request.remote_addr,
            account=account.id,
            filename=filename or "",
            size=scratch.size,
        )
        fields = parsing.check(schemas.UploadFields, given)
        details = Details.model_validate(fields.model_dump(exclude={"filename"}))
        examined = recordings.examine(tools(), scratch)
        entry, new = recordings.keep(tools(), account, examined, details, filename or fields.filename)
    logger.info("File uploaded" if new else "File was here already", entry=entry.id, size=entry.size_bytes)
    return schemas.uploaded(entry, tools().storage), 201 if new else 200


@contextmanager
def _received() -> Iterator[tuple[Scratch, str | None, dict[str, Any]]]:
    """What has arrived: the recording, the name the client gives it, and the fields beside it."""
    if request.mimetype == "application/json":
        raise errors.NoFile("JSON holds no recording. Send it as form field `file`, or as the whole body.")
    if (request.content_length or 0) > tools().max_body_bytes:
        raise recordings.too_large(tools().max_file_bytes)
    if request.mimetype == "multipart/form-data":
        request.max_content_length = tools().max_body_bytes
        tools().storage.check_space(request.content_length or 0)  # the form's file is written a second time
        sent = request.files.get("file") or request.files.get("audio")
        if sent is None and {"file", "audio"} & set(request.form):
            raise errors.NoFile("The file in the form has no filename, so it was taken for text. Send one along.")
        if sent is None:
            raise errors.NoFile("The form has no file in a field named `file` (or `audio`).")
        given = _filled(parsing.flat(schemas.UploadFields, request.args)) | _filled(
            parsing.flat(schemas.UploadFields, request.form)
        )
        with tools().storage.receive(sent.stream) as scratch:
            yield scratch, sent.filename, given
    else:
        # Straight from the server: touching `request.form` would swallow a body that curl calls a form.
        stream = cast(IO[bytes], request.environ["wsgi.input"])
        if not request.environ.get("wsgi.input_terminated"):
            stream = request.stream
        with tools().storage.receive(stream) as scratch:
            if request.content_length is not None and scratch.size != request.content_length:
                raise errors.Malformed("The body is shorter than its Content-Length says. Send it again.")
            if scratch.size == 0 and not request.content_type:
                raise errors.NoFile("The request has no body. Send the recording as form field `file` or as the body.")
            yield scratch, None, _filled(parsing.flat(schemas.UploadFields, request.args))


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Without the fields that were sent empty, as forms do."""
    return {name: value for name, value in values.items() if value != "" and value != [""]}
