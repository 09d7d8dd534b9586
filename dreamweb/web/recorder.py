"""Shows the recorder; what it records goes to the API, piece by piece."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dreamweb import captures
from dreamweb.web import pages

blueprint = Blueprint("recorder", __name__)


@blueprint.get("/record")
def page() -> str:
    """One button, to be pressed in the dark."""
    return pages.render_template("recorder/page.html", unplayable=captures.unplayable(pages.account()))


@blueprint.post("/captures/<uuid:client_id>/delete")
def delete(client_id: UUID) -> Response:
    """Delete what was sent chunk by chunk and has become no entry."""
    captures.drop(pages.account(), client_id)
    flash(gettext("Deleted."), "good")
    return pages.see(url_for(".page"))
