"""Takes in a recording: `POST /api/v1/upload`, as a form or as raw bytes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from dreamweb import checking, errors, log, recordings, signin
from dreamweb.adapters.formats import FORMATS
from dreamweb.api import receiving, schemas, tools
from dreamweb.api.openapi import documented
from dreamweb.details import Details

blueprint = Blueprint("upload", __name__)
logger = log.Logger(__name__)

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
            "multipart/form-data": {"schema": receiving.form_schema("file", "audio")},
            "application/octet-stream": {"schema": receiving.FILE},
        }
        | {content_type: {"schema": receiving.FILE} for content_type in FORMATS.values()},
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
    names, limit = ("file", "audio"), tools().max_file_bytes
    with receiving.received(schemas.UploadFields, names=names, limit=limit, too_large=recordings.too_large) as received:
        scratch, filename, given = received
        logger.info(
            "File upload request received",
            ip=request.remote_addr,
            account=account.id,
            filename=filename or "",
            size=scratch.size,
        )
        fields = checking.check(schemas.UploadFields, given)
        details = Details.model_validate(fields.model_dump(exclude={"filename"}))
        examined = recordings.examine(tools(), scratch)
        entry, new = recordings.keep(tools(), account, examined, details, filename or fields.filename)
    logger.info("File uploaded" if new else "File was here already", entry=entry.id, size=entry.size_bytes)
    return schemas.uploaded(entry, tools().storage), 201 if new else 200
