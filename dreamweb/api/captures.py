"""Takes in recordings chunk by chunk while they are spoken: `/api/v1/captures`."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, send_file

from dreamweb import captures, errors, finishing, log, signin
from dreamweb.api import capture_schemas as shapes
from dreamweb.api import parsing, receiving, schemas, tools
from dreamweb.api.openapi import documented
from dreamweb.captures import MAX_CHUNK, MAX_CHUNKS, Chunk
from dreamweb.details import Details
from dreamweb.words import say

blueprint = Blueprint("captures", __name__, url_prefix="/captures")
logger = log.Logger(__name__)

_WHO = (errors.Unauthenticated, errors.Forbidden)
_ONE = (*_WHO, errors.NotFound)
_KEPT = (errors.StorageFailed, errors.StorageFull)

_CHUNK_BODY = {
    "requestBody": {
        "required": True,
        "description": "The bytes as they were recorded, at most 4 MiB.",
        "content": {
            content_type: {"schema": receiving.FILE}
            for content_type in ("application/octet-stream", "audio/webm", "audio/mp4", "audio/ogg")
        },
    }
}


@blueprint.put("/<uuid:client_id>/chunks/<int:n>")
@documented(
    "captures",
    answers={201: shapes.ChunkOut, 200: shapes.ChunkOut},
    raises=(
        *_ONE,
        errors.EmptyFile,
        errors.NotAudio,
        errors.Malformed,
        errors.Conflict,
        errors.TooLarge,
        errors.Invalid,
        errors.TooMany,
        *_KEPT,
    ),
    query=shapes.ChunkQuery,
    extra=_CHUNK_BODY,
)
def put_chunk(client_id: UUID, n: int) -> tuple[dict[str, Any], int]:
    """Send a chunk of a recording that is being spoken.

    `client_id` is a UUID that the client has made; chunks are numbered from 0 within each segment, which is one run of
    one recorder. 201 means that the chunk is on disk. The same bytes again answer 200, other bytes 409. Any order.
    """
    account = signin.caller("upload")
    segment = parsing.query(shapes.ChunkQuery).segment
    if n >= MAX_CHUNKS:
        raise errors.TooLarge(say("A segment has at most %(most)s chunks. Begin another one.", most=MAX_CHUNKS))
    data = _body()
    content_type = request.content_type or "application/octet-stream"
    if len(content_type) > 100 or not content_type.isprintable():
        raise errors.Malformed(say("The Content-Type is no content type."))
    chunk = Chunk(segment, n, content_type, len(data), hashlib.sha256(data).hexdigest())
    new = captures.put(tools(), account, client_id, chunk, data)
    return shapes.chunk_out(client_id, chunk), 201 if new else 200


@blueprint.get("/<uuid:client_id>")
@documented("captures", answers={200: shapes.CaptureOut}, raises=_ONE)
def get_capture(client_id: UUID) -> dict[str, Any]:
    """Ask which chunks of a recording are here, and what has become of it."""
    account = signin.caller("upload")
    return shapes.capture_out(captures.get(account, client_id))


@blueprint.get("")
@documented("captures", answers={200: shapes.CaptureList}, raises=_WHO)
def list_captures() -> dict[str, Any]:
    """List the recordings that are being sent and are no entries yet."""
    account = signin.caller("read")
    return shapes.capture_list(captures.open_ones(account))


@blueprint.get("/<uuid:client_id>/audio")
@documented(
    "captures",
    answers={},
    raises=(*_ONE, *_KEPT),
    extra={
        "responses": {
            "200": {
                "description": "The bytes of all chunks in order",
                "content": {"application/octet-stream": {"schema": receiving.FILE}},
            }
        }
    },
)
def get_capture_audio(client_id: UUID) -> Response:
    """Save what is here of a recording that is no entry yet, as it came."""
    account = signin.caller("read")
    capture = captures.get(account, client_id)
    scratch = tools().storage.scratch()  # nothing of the database is held while somebody takes their time
    for piece in captures.pieces(capture):
        scratch.write(piece)
    if scratch.size == 0:
        scratch.close()
        raise errors.NotFound(say("There is no such recording here."))
    scratch.seek(0)
    name = f"{client_id}.part"
    return send_file(scratch, "application/octet-stream", as_attachment=True, download_name=name)


@blueprint.post("/<uuid:client_id>/finish")
@documented(
    "captures",
    answers={201: schemas.Uploaded, 200: schemas.Uploaded},
    raises=(
        *_ONE,
        errors.Malformed,
        errors.NotAudio,
        errors.ChunksMissing,
        errors.Conflict,
        errors.TooLarge,
        errors.Invalid,
        *_KEPT,
        errors.Unavailable,
    ),
    json=shapes.Finish,
)
def finish_capture(client_id: UUID) -> tuple[dict[str, Any], int]:
    """Make an entry of a recording whose chunks were all sent.

    201 answers the entry as an upload does; `sha256` is that of the chunks joined in order, segment after segment. The
    same again answers 200 and the same entry. When chunks are missing, the answer 409 names them, unless `accept_gaps`
    is true.
    """
    account = signin.caller("upload")
    sent = parsing.body(shapes.Finish)
    ending = finishing.Ending(
        chunks={segment.segment: segment.chunks for segment in sent.segments},
        details=Details.model_validate(sent.model_dump(include=sent.model_fields_set & set(Details.model_fields))),
        accept_gaps=sent.accept_gaps,
        started_at=sent.started_at,
        times={segment.segment: shapes.times(segment) for segment in sent.segments},
    )
    entry, new = finishing.finish(tools(), account, client_id, ending)
    logger.info("Capture finished" if new else "Capture was finished already", entry=entry.id, size=entry.size_bytes)
    return schemas.uploaded(entry, tools().storage), 201 if new else 200


@blueprint.delete("/<uuid:client_id>")
@documented("captures", answers={204: None}, raises=(*_ONE, errors.Conflict))
def delete_capture(client_id: UUID) -> tuple[str, int]:
    """Delete a recording that is no entry yet."""
    captures.drop(signin.caller("write"), client_id)
    return "", 204


def _body() -> bytes:
    if (request.content_length or 0) > MAX_CHUNK:
        raise _too_large()
    stream = receiving.raw()
    data = stream.read(MAX_CHUNK + 1)
    if len(data) > MAX_CHUNK:
        raise _too_large()
    if request.content_length is not None and len(data) != request.content_length:
        raise errors.Malformed(say("The body is shorter than its Content-Length says. Send it again."))
    return data


def _too_large() -> errors.TooLarge:
    return errors.TooLarge(
        say("A chunk has at most %(limit)s MB. Send it in several.", limit=MAX_CHUNK // 1024 // 1024)
    )
