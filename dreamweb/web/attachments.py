"""Adds attachments to an entry and takes them away, from its page; the API serves them."""

from __future__ import annotations

from uuid import UUID, uuid5

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from dreamweb import attachments, entries
from dreamweb.errors import DreamWebError, NoFile
from dreamweb.web import pages
from dreamweb.web.words import translated

blueprint = Blueprint("attachments", __name__)


@blueprint.post("/entries/<uuid:entry_id>/attachments")
def add(entry_id: UUID) -> Response:
    """Keep each of the files that may be attached, and say of each other why it is not kept."""
    entries.get(pages.account(), entry_id)
    if not sent():
        raise NoFile(gettext("Choose a file first."))
    keep(entry_id)
    return pages.see(url_for("entries.page", entry_id=entry_id, _anchor="attachments"))


def sent() -> list[FileStorage]:
    """The files of the form; a field in which none was chosen sends one without a name."""
    return [file for file in request.files.getlist("file") if file.filename]


def keep(entry_id: UUID, form: UUID | None = None) -> None:
    """Attach what was sent; the same `form` sent again attaches nothing twice."""
    for number, file in enumerate(sent()):
        client_id = uuid5(form, str(number)) if form else None
        try:
            with pages.tools().storage.receive(file.stream) as scratch:
                attachments.add(pages.tools(), pages.account(), entry_id, scratch, file.filename, client_id)
        except DreamWebError as error:
            flash(f"{file.filename}: {translated(error.detail)}", "bad")


@blueprint.post("/attachments/<uuid:attachment_id>/remove")
def remove(attachment_id: UUID) -> Response:
    """Delete an attachment for good."""
    entry_id = attachments.get(pages.account(), attachment_id).entry_id
    attachments.remove(pages.tools().storage, pages.account(), attachment_id)
    flash(gettext("The attachment is deleted."), "good")
    return pages.see(url_for("entries.page", entry_id=entry_id, _anchor="attachments"))
