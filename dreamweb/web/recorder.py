"""Shows the recorder; what it records goes to the API, piece by piece."""

from __future__ import annotations

from flask import Blueprint

from dreamweb.web import pages

blueprint = Blueprint("recorder", __name__)


@blueprint.get("/record")
def page() -> str:
    """One button, to be pressed in the dark."""
    return pages.render_template("recorder/page.html")
