"""Creates, lists, reads, changes and deletes entries, and plays their recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import IntegrityError

from dreamweb import entries, errors, playback, recordings, signin
from dreamweb.api import parsing, schemas, serving, tools
from dreamweb.api.openapi import documented
from dreamweb.db import transaction
from dreamweb.details import Details
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.words import say

blueprint = Blueprint("entries", __name__, url_prefix="/entries")

_WHO = (errors.Unauthenticated, errors.Forbidden)
_ONE = (*_WHO, errors.NotFound)

_IF_MATCH = {
    "parameters": [
        {
            "name": "If-Match",
            "in": "header",
            "schema": {"type": "string"},
            "description": "The ETag as last read: when the entry was changed since, the answer is 412.",
        }
    ]
}

_CONDITIONAL = {
    "parameters": [
        {
            "name": "If-None-Match",
            "in": "header",
            "schema": {"type": "string"},
            "description": "The ETag as last read: when nothing has changed since, the answer is 304.",
        }
    ],
    "responses": {"304": {"description": "Unchanged since it was read"}},
}

_DATE_OR_TIME = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}

_SPAN = {
    "parameters": [
        {
            "name": "start",
            "in": "query",
            "schema": _DATE_OR_TIME,
            "description": "Dreamed at this moment or later; a date is its midnight (UTC).",
        },
        {
            "name": "end",
            "in": "query",
            "schema": _DATE_OR_TIME,
            "description": "Dreamed before this moment; a date includes its whole day (UTC).",
        },
    ]
}


@blueprint.post("")
@documented(
    "entries",
    answers={201: schemas.EntryOut, 200: schemas.EntryOut},
    raises=(*_WHO, errors.Malformed, errors.Conflict, errors.TooLarge, errors.Invalid),
    json=schemas.NewEntry,
)
def create_entry() -> Response:
    """Write an entry.

    Needs a `text` or a `title`; a night without recall (`"recall": "none"`) needs neither. Writing the same under the
    same `client_id` again answers 200 and the entry made before.
    """
    account = signin.caller("write")
    entry, new = _write(account, parsing.body(schemas.NewEntry))
    return _answer(entry, 201 if new else 200)


@blueprint.get("")
@documented(
    "entries",
    answers={200: schemas.EntryPage},
    raises=(*_WHO, errors.Malformed, errors.Invalid),
    query=schemas.ListQuery,
    extra=_SPAN,
)
def list_entries() -> dict[str, Any]:
    """List entries, the newest dream first."""
    account = signin.caller("read")
    query = parsing.query(schemas.ListQuery)
    page = entries.find(account, query, limit=query.limit, cursor=query.cursor)
    return schemas.entry_page(page, tools().storage)


@blueprint.get("/<uuid:entry_id>")
@documented("entries", answers={200: schemas.EntryOut}, raises=(*_ONE, errors.Outdated), extra=_CONDITIONAL)
def get_entry(entry_id: UUID) -> Response:
    """Read an entry."""
    account = signin.caller("read")
    return _answer(entries.get(account, entry_id))


@blueprint.patch("/<uuid:entry_id>")
@documented(
    "entries",
    answers={200: schemas.EntryOut},
    raises=(*_ONE, errors.Malformed, errors.Outdated, errors.TooLarge, errors.Invalid),
    json=schemas.EntryChanges,
    extra=_IF_MATCH,
)
def change_entry(entry_id: UUID) -> Response:
    """Change an entry.

    So that two devices do not overwrite one another, send what you last read: its ETag as `If-Match`, or its
    `updated_at`. When the entry was changed since, nothing happens and the answer is 412.
    """
    account = signin.caller("write")
    changes = parsing.body(schemas.EntryChanges)
    # None of ours is ever named by a header that cannot be read, or names weak tags: such a change is refused, too.
    etags = None if request.if_match.star_tag or "If-Match" not in request.headers else request.if_match.as_set()
    with transaction():
        entry = entries.change(account, entry_id, changes, etags=etags)
    return _answer(entry)


@blueprint.delete("/<uuid:entry_id>")
@documented("entries", answers={204: None}, raises=(*_ONE, errors.Invalid), query=schemas.DeleteQuery)
def delete_entry(entry_id: UUID) -> tuple[str, int]:
    """Move an entry to the trash, where it stays for 30 days, or delete it for good."""
    account = signin.caller("write")
    if parsing.query(schemas.DeleteQuery).permanent:
        recordings.remove(tools().storage, account, entry_id)
    else:
        with transaction():
            entries.trash(account, entry_id)
    return "", 204


@blueprint.post("/<uuid:entry_id>/restore")
@documented("entries", answers={200: schemas.EntryOut}, raises=_ONE)
def restore_entry(entry_id: UUID) -> Response:
    """Take an entry out of the trash."""
    account = signin.caller("write")
    with transaction():
        entry = entries.restore(account, entry_id)
    return _answer(entry)


@blueprint.get("/<uuid:entry_id>/audio")
@documented(
    "recordings",
    answers={},
    raises=(*_ONE, errors.Outdated, errors.Invalid, errors.StorageFailed),
    query=schemas.FileQuery,
    extra=serving.described("recording", ["audio/*"]),
)
def get_audio(entry_id: UUID) -> Response:
    """Play the original recording; byte ranges are answered."""
    account = signin.caller("read")
    download = parsing.query(schemas.FileQuery).download
    entry = entries.get(account, entry_id)
    if entry.file_path is None:
        raise errors.NotFound(say("This entry was written: it has no recording."))
    return serving.serve(
        entry.file_path,
        content_type=entry.content_type,
        filename=entry.original_filename,
        sha256=entry.sha256,
        attach=download,
    )


@blueprint.get("/<uuid:entry_id>/playback")
@documented(
    "recordings",
    answers={},
    raises=(*_ONE, errors.Outdated, errors.Invalid, errors.StorageFailed, errors.Unavailable),
    query=schemas.FileQuery,
    extra=serving.described("recording", ["audio/*"]),
)
def get_playback(entry_id: UUID) -> Response:
    """Play a recording; byte ranges are answered.

    What a browser or a capture has recorded has no duration and cannot be seeked: this is a copy of it that has and
    can. Of every other recording it is the original.
    """
    account = signin.caller("read")
    download = parsing.query(schemas.FileQuery).download
    entry = entries.get(account, entry_id)
    path, content_type = playback.path(tools().storage, entry)
    filename = Path(entry.original_filename or "").stem + path.suffix
    etag = f"{entry.sha256}-playback"
    return serving.serve_file(path, content_type=content_type, filename=filename, etag=etag, attach=download)


def _write(account: Account, details: Details) -> tuple[Entry, bool]:
    try:
        with transaction():
            if entry := entries.same_text(account, details):
                return entry, False
            return entries.create(account, details), True
    except IntegrityError:
        # Two requests at once under one client_id: the other was first.
        if entry := entries.same_text(account, details):
            return entry, False
        raise


def _answer(entry: Entry, status: int = 200) -> Response:
    response = jsonify(schemas.entry_out(entry, tools().storage))
    response.status_code = status
    response.set_etag(entries.etag_of(entry))
    if request.method == "GET":
        response.make_conditional(request)
    return serving.checked(response)
