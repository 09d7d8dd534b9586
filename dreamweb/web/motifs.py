"""The pages of what recurs in dreams: all motifs, one of them, and one's own dream signs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dreamweb import jobs, motifs, nights, paging, timeline
from dreamweb.analysis import MOTIF_TYPES
from dreamweb.db import transaction
from dreamweb.errors import Conflict, Invalid, NotFound
from dreamweb.models.motif import Motif
from dreamweb.motifs import Counted
from dreamweb.web import forms, pages
from dreamweb.web.words import translated

blueprint = Blueprint("motifs", __name__)

_SHOWN = 60
"""Of each type, while all types are shown; all of one, where only that is."""

_MOST_CHOICES = 500
"""Motifs that a form offers to merge with: the most frequent ones."""

_SIZES = 5


@blueprint.get("/motifs")
def every() -> str:
    """All motifs by type, the more frequent ones larger; `type` and `signs` narrow it."""
    return _every({"type": "symbol"})


@blueprint.post("/motifs")
def add_sign() -> Response | tuple[str, int]:
    """Name an own dream sign, and look for it in old dreams."""
    sent = forms.typed("name", "type")
    try:
        motif = _make_sign(sent.get("type", ""), sent.get("name", ""))
    except Invalid as error:
        return _every(sent, forms.reasons(error)), 422
    except Conflict as error:
        return _every(sent, {"name": translated(error.detail)}), 409
    return pages.see(url_for(".page", motif_id=motif.id))


@blueprint.get("/motifs/<uuid:motif_id>")
def page(motif_id: UUID) -> str | Response:
    """One motif: the dreams that have it, and what can be done with it."""
    motif = motifs.get(pages.account(), motif_id)
    if motif.merged_into_id:
        return pages.see(url_for(".page", motif_id=motif.merged_into_id))
    return _page(motif)


@blueprint.post("/motifs/<uuid:motif_id>/rename")
def rename(motif_id: UUID) -> Response | tuple[str, int]:
    """Show it under another name."""
    sent = forms.typed("name")
    try:
        with transaction():
            motifs.rename(pages.account(), motif_id, sent.get("name", ""))
    except Invalid as error:
        return _page(motifs.get(pages.account(), motif_id), sent, forms.reasons(error)), 422
    flash(gettext("Saved."), "good")
    return pages.see(url_for(".page", motif_id=motif_id))


@blueprint.post("/motifs/<uuid:motif_id>/merge")
def merge(motif_id: UUID) -> Response | tuple[str, int]:
    """Let it count for another one from now on."""
    motif = motifs.get(pages.account(), motif_id)
    try:
        into_id = UUID(request.form.get("into", ""))
        with transaction():
            into = motifs.merge(pages.account(), motif_id, into_id)
            if into.sign:
                _look_for(into)
    except (ValueError, NotFound):
        return _page(motif, wrong={"into": gettext("choose a motif")}), 422
    except Invalid as error:
        return _page(motif, wrong={"into": translated(error.detail)}), 422
    flash(gettext("“%(name)s” counts for this one from now on.", name=motif.name), "good")
    return pages.see(url_for(".page", motif_id=into.id))


@blueprint.post("/motifs/<uuid:motif_id>/hide")
def hide(motif_id: UUID) -> Response:
    """Show it nowhere."""
    with transaction():
        motifs.hide(pages.account(), motif_id, True)
    flash(gettext("It is hidden. You find it at the end of this page."), "good")
    return pages.see(url_for(".every"))


@blueprint.post("/motifs/<uuid:motif_id>/show")
def show(motif_id: UUID) -> Response:
    """Show it again."""
    with transaction():
        motifs.hide(pages.account(), motif_id, False)
    flash(gettext("It is shown again."), "good")
    return pages.see(url_for(".page", motif_id=motif_id))


@blueprint.post("/motifs/<uuid:motif_id>/sign")
def make_sign(motif_id: UUID) -> Response:
    """Make it an own dream sign: it is looked for in every dream, old and new."""
    motif = motifs.get(pages.account(), motif_id)
    try:
        _make_sign(motif.type, motif.name, motif.lemma)
    except Conflict as error:
        flash(translated(error.detail), "bad")
    return pages.see(url_for(".page", motif_id=motif_id))


@blueprint.post("/motifs/<uuid:motif_id>/sign/remove")
def remove_sign(motif_id: UUID) -> Response:
    """Look for it no longer."""
    with transaction():
        motifs.remove_sign(pages.account(), motif_id)
    flash(gettext("It is no dream sign of yours any more."), "good")
    return pages.see(url_for(".page", motif_id=motif_id))


def _look_for(sign: Motif) -> None:
    """In what was dreamed before; a worker does it."""
    jobs.enqueue(None, "sign", account_id=sign.account_id, request={"motif_id": str(sign.id)})


def _make_sign(kind: str, name: str, lemma: str = "") -> Motif:
    """A worker finds the lemma of a new name, and the sign in what was dreamed before."""
    if kind not in MOTIF_TYPES:
        reason = gettext("choose what it is")
        raise Invalid(reason, {"type": reason})
    account = pages.account()
    with transaction():
        motif = motifs.add_sign(account, kind, name, lemma)
        _look_for(motif)
    flash(gettext("Saved. It is looked for in old dreams too, in a moment."), "good")
    return motif


def _every(values: dict[str, Any], wrong: dict[str, str] | None = None) -> str:
    account = pages.account()
    wanted = request.args.get("type", "")
    wanted = wanted if wanted in MOTIF_TYPES else ""
    signs = "signs" in request.args
    found = [each for each in motifs.every(account) if each.motif.sign or not signs]
    most = max((each.entries for each in found), default=0)
    by_type = {kind: [each for each in found if each.motif.type == kind] for kind in MOTIF_TYPES}
    groups = {kind: each for kind, each in by_type.items() if each and wanted in ("", kind)}
    return pages.render_template(
        "motifs/list.html",
        groups={kind: _sized(each if wanted else each[:_SHOWN], most) for kind, each in groups.items()},
        more={kind: max(0, len(each) - _SHOWN) for kind, each in groups.items()} if not wanted else {},
        types=[kind for kind in MOTIF_TYPES if by_type[kind] or kind == wanted],
        all_types=MOTIF_TYPES,
        wanted=wanted,
        signs=signs,
        hidden=motifs.every(account, hidden=True),
        values=values,
        wrong=wrong or {},
    )


def _sized(found: Sequence[Counted], most: int) -> list[tuple[Counted, int]]:
    """Each with a size from 1 to 5: by how often it is found, and not by far as much larger."""
    steps = (_SIZES - 1) / math.log(max(most, 2))
    return [(each, 1 + round(steps * math.log(max(each.entries, 1)))) for each in found]


def _page(motif: Motif, values: dict[str, Any] | None = None, wrong: dict[str, str] | None = None) -> str:
    cursor = request.args.get("cursor") or None
    found = timeline.having(motif, cursor=cursor)
    zone = pages.zone()
    shown = {
        "nights": timeline.by_night(found.cards, zone),
        "continued": nights.night_of(paging.position(cursor)[0], zone) if cursor else None,
        "older": url_for(".page", motif_id=motif.id, cursor=found.next_cursor) if found.next_cursor else None,
    }
    if cursor and pages.partial():
        return pages.render_template("timeline/_nights.html", **shown)
    counted = motifs.every(pages.account())
    return pages.render_template(
        "motifs/page.html",
        motif=motif,
        entries=next((each.entries for each in counted if each.motif.id == motif.id), None),
        others=_others(motif, [each.motif for each in counted[:_MOST_CHOICES]]),
        values=values or {"name": motif.name},
        wrong=wrong or {},
        **shown,
    )


def _others(motif: Motif, found: Sequence[Motif]) -> list[tuple[str, list[Motif]]]:
    """What it could be merged with, by type: its own type first."""
    types = sorted(MOTIF_TYPES, key=lambda kind: kind != motif.type)
    by_name = sorted((each for each in found if each.id != motif.id), key=lambda each: each.name.casefold())
    groups = [(kind, [each for each in by_name if each.type == kind]) for kind in types]
    return [(kind, each) for kind, each in groups if each]


@blueprint.app_template_filter("motif_type")
def _motif_type(kind: str) -> str:
    return {
        "symbol": gettext("Symbol"),
        "person": gettext("Person"),
        "place": gettext("Place"),
        "feeling": gettext("Feeling"),
        "theme": gettext("Theme"),
        "action": gettext("Action"),
    }[kind]


@blueprint.app_template_filter("motif_types")
def _motif_types(kind: str) -> str:
    """The heading of many."""
    return {
        "symbol": gettext("Symbols"),
        "person": gettext("People"),
        "place": gettext("Places"),
        "feeling": gettext("Feelings"),
        "theme": gettext("Themes"),
        "action": gettext("Actions"),
    }[kind]


@blueprint.app_template_filter("motif_choice")
def _motif_choice(kind: str) -> tuple[str, str]:
    return kind, _motif_type(kind)
