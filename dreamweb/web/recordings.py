"""Takes in recordings from a form, for browsers without JavaScript; with it, they go to the API one by one."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from dreamweb import entries as journal
from dreamweb import recordings, waveforms
from dreamweb.details import Details
from dreamweb.errors import DreamWebError, NoFile, Unavailable
from dreamweb.web import pages
from dreamweb.web.words import translated

blueprint = Blueprint("recordings", __name__)


@blueprint.post("/recordings")
def send() -> Response:
    """Keep each of the files that is a recording, and say of each other why it is not kept."""
    kept = 0
    sent = [file for file in request.files.getlist("file") if file.filename]
    if not sent:
        raise NoFile(gettext("Choose a recording first."))
    for file in sent:
        try:
            with pages.tools().storage.receive(file.stream) as scratch:
                examined = recordings.examine(pages.tools(), scratch)
                recordings.keep(pages.tools(), pages.account(), examined, Details(), file.filename)
        except DreamWebError as error:
            flash(f"{file.filename}: {translated(error.detail)}", "bad")
        else:
            kept += 1
    if kept:
        flash(ngettext("%(num)d recording is saved.", "%(num)d recordings are saved.", kept), "good")
    return pages.see(url_for("timeline.home"))


@blueprint.get("/entries/<uuid:entry_id>/waveform")
def waveform(entry_id: UUID) -> str:
    """The drawing of the recording, computed on the first look; while that has to wait, a place that asks again."""
    entry = journal.get(pages.account(), entry_id)
    try:
        peaks = waveforms.compute(pages.tools().storage, entry)
    except Unavailable:
        return pages.render_template("entries/_waveform.html", entry=entry, peaks=None, delay="2s")
    return pages.render_template("entries/_waveform.html", entry=entry, peaks=peaks)
