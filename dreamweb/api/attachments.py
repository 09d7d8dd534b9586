"""Attaches files to entries, serves and deletes them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from dreamweb import attachments, checking, entries, errors, log, signin
from dreamweb.adapters import media
from dreamweb.api import parsing, receiving, schemas, serving, tools
from dreamweb.api.openapi import documented
from dreamweb.db import end_reading

blueprint = Blueprint("attachments", __name__)
logger = log.Logger(__name__)

_ONE = (errors.Unauthenticated, errors.Forbidden, errors.NotFound)

_REQUEST = {
    "parameters": [
        {
            "name": "client_id",
            "in": "query",
            # What is sent empty, as forms do, counts as not sent.
            "schema": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "string", "maxLength": 0}]},
            "description": "Made by the client; makes repeating safe.",
        }
    ],
    "requestBody": {
        "required": True,
        "description": "The file, as a form field or as the whole body (of any content type but JSON).",
        "content": {
            "multipart/form-data": {"schema": receiving.form_schema("file")},
            "application/octet-stream": {"schema": receiving.FILE},
        }
        | {content_type: {"schema": receiving.FILE} for content_type in media.FORMATS.values()},
    },
}


@blueprint.post("/entries/<uuid:entry_id>/attachments")
@documented(
    "attachments",
    answers={201: schemas.AttachmentOut, 200: schemas.AttachmentOut},
    raises=(
        *_ONE,
        errors.Malformed,
        errors.NoFile,
        errors.EmptyFile,
        errors.NotAttachable,
        errors.Conflict,
        errors.TooLarge,
        errors.Invalid,
        errors.StorageFailed,
        errors.StorageFull,
    ),
    query=schemas.AttachmentFields,
    extra=_REQUEST,
)
def add_attachment(entry_id: UUID) -> tuple[dict[str, Any], int]:
    """Attach a file to an entry.

    A picture, PDF, video, sound or plain text, as its bytes tell; programs and archives are refused. 201 means that
    its bytes and its row are on disk. Sending the same bytes under the same `client_id` again answers 200 and the
    attachment made before.
    """
    account = signin.caller("write")
    entries.get(account, entry_id)
    end_reading()  # the file may take its time
    limit = tools().max_attachment_bytes
    with receiving.received(schemas.AttachmentFields, limit=limit, too_large=attachments.too_large) as received:
        scratch, filename, given = received
        fields = checking.check(schemas.AttachmentFields, given)
        attachment, new = attachments.add(
            tools(), account, entry_id, scratch, filename or fields.filename, fields.client_id
        )
    logger.info(
        "File attached" if new else "File was attached already",
        attachment=attachment.id,
        entry=entry_id,
        size=attachment.size_bytes,
        ip=request.remote_addr,
    )
    return schemas.attachment_out(attachment), 201 if new else 200


@blueprint.get("/attachments/<uuid:attachment_id>")
@documented(
    "attachments",
    answers={},
    raises=(*_ONE, errors.Outdated, errors.Invalid, errors.StorageFailed),
    query=schemas.FileQuery,
    extra=serving.described("attachment", sorted({*media.FORMATS.values(), "audio/webm"})),
)
def get_attachment(attachment_id: UUID) -> Response:
    """Read an attachment; byte ranges are answered.

    What browsers show or play by themselves is served for that, everything else for saving.
    """
    account = signin.caller("read")
    download = parsing.query(schemas.FileQuery).download
    attachment = attachments.get(account, attachment_id)
    return serving.serve(
        attachment.file_path,
        content_type=attachment.content_type,
        filename=attachments.safe_name(attachment),
        sha256=attachment.sha256,
        attach=download or not media.shown_by_browsers(attachment.content_type),
    )


@blueprint.delete("/attachments/<uuid:attachment_id>")
@documented("attachments", answers={204: None}, raises=(*_ONE, errors.StorageFailed, errors.StorageFull))
def delete_attachment(attachment_id: UUID) -> tuple[str, int]:
    """Delete an attachment for good, its file too."""
    account = signin.caller("write")
    attachments.remove(tools().storage, account, attachment_id)
    return "", 204
