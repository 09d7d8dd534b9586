"""The dreams that are like one, below it and on a page of their own."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint

from dreamweb import entries, timeline
from dreamweb.search import similar
from dreamweb.web import pages

blueprint = Blueprint("similar", __name__)

_MOST = 5
_CHIPS = 6
"""Of what two dreams share, the rarest are shown."""


@blueprint.get("/entries/<uuid:entry_id>/similar")
def page(entry_id: UUID) -> str:
    """The likest dreams, each with what it shares with this one."""
    found = similar.to(pages.account(), entry_id, _MOST)
    shared = {like.entry_id: like.shared[:_CHIPS] for like in found}
    values = {
        "cards": timeline.several(pages.account(), list(shared)),
        "shared": shared,
        "near": {like.entry_id for like in found if like.by_meaning},
    }
    if pages.partial():
        return pages.render_template("entries/_similar.html", **values)
    return pages.render_template("entries/similar.html", entry=entries.get(pages.account(), entry_id), **values)
