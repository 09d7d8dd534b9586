"""Pages of what somebody prefers, where they are signed in, and what this server is."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext
from flask_babel import refresh as refresh_language
from werkzeug.wrappers import Response

from dreamweb import accounts, checking, log, sessions, signin, usage
from dreamweb.db import session, transaction
from dreamweb.errors import Conflict, Invalid
from dreamweb.models.account import LANGUAGES, THEMES
from dreamweb.profile import Profile, zone, zones
from dreamweb.web import devices, forms, pages
from dreamweb.web.words import translated

blueprint = Blueprint("settings", __name__)

logger = log.Logger(__name__)

_FIELDS = ("name", "language", "time_zone", "theme", "night_from", "night_until")


@blueprint.get("/settings")
def profile() -> str:
    """What one prefers, and one's password."""
    return _form(_preferred())


@blueprint.post("/settings")
def save() -> Response | tuple[str, int]:
    """Keep what one prefers."""
    sent = forms.typed(*_FIELDS)
    try:
        wanted = checking.check(Profile, sent)
        with transaction():
            accounts.prefer(pages.account(), wanted)
    except Invalid as error:
        wrong = forms.reasons(error)
        return _form(sent, wrong | {"night_from": wrong["body"]} if "body" in wrong else wrong), 422
    except Conflict as error:
        return _form(sent, {"name": translated(error.detail)}), 409
    refresh_language()
    flash(gettext("Saved."), "good")
    return pages.see(url_for(".profile"))


@blueprint.post("/settings/password")
@signin.page_slowed_by_address
def change_password() -> Response | tuple[str, int]:
    """Change one's password, and sign all other browsers out."""
    sent = forms.typed("current", "password")
    try:
        with transaction():
            accounts.change_password(pages.account(), sent.get("current", ""), sent.get("password", ""))
            sessions.end_all(pages.account(), but=_this_session())
    except Invalid as error:
        wrong = forms.reasons(error)
        # 401, so that guessing is slowed down.
        return _form(_preferred(), wrong), 401 if "current" in wrong else 422
    logger.info("The password was changed", account=pages.account().id, ip=request.remote_addr)
    flash(gettext("Your password was changed. All other browsers are signed out."), "good")
    return pages.see(url_for(".profile"))


@blueprint.get("/settings/sessions")
def browsers() -> str:
    """Where one is signed in."""
    every = [
        {"session": each, "name": devices.name(each.device), "phone": devices.is_phone(each.device)}
        for each in sessions.every(pages.account())
    ]
    return pages.render_template("settings/sessions.html", browsers=every, current=_this_session())


@blueprint.post("/settings/sessions/<uuid:session_id>/end")
def end_session(session_id: UUID) -> Response:
    """Sign a browser out."""
    with transaction():
        sessions.end(pages.account(), session_id)
    flash(gettext("That browser is signed out."), "good")
    return pages.see(url_for(".browsers"))


@blueprint.post("/settings/sessions/end-others")
def end_other_sessions() -> Response:
    """Sign every browser out but this one."""
    with transaction():
        sessions.end_all(pages.account(), but=_this_session())
    flash(gettext("All other browsers are signed out."), "good")
    return pages.see(url_for(".browsers"))


@blueprint.get("/settings/about")
def about() -> str:
    """Limits, room and versions."""
    tools = pages.tools()
    database = session().connection().dialect
    return pages.render_template(
        "settings/about.html",
        tools=tools,
        usage=usage.of(pages.account()),
        free=tools.storage.free() if pages.account().role == "owner" else None,
        versions={
            "DreamWeb": version("dreamweb"),
            "Python": platform.python_version(),
            {"sqlite": "SQLite"}.get(database.name, "PostgreSQL"): ".".join(
                str(part) for part in database.server_version_info or ()
            ),
        },
    )


def _this_session() -> UUID | None:
    current = pages.visitor()
    return current.session_id if current else None


def _preferred() -> dict[str, Any]:
    """What is kept, as the form shows it."""
    values = {name: getattr(pages.account(), name) for name in _FIELDS}
    for name in ("night_from", "night_until"):
        values[name] = f"{values[name]:%H:%M}" if values[name] else ""
    return values


def _form(values: dict[str, Any], wrong: dict[str, str] | None = None) -> str:
    return pages.render_template(
        "settings/profile.html",
        values=values,
        wrong=wrong or {},
        zones=sorted(zones()),
        server_zone=zone(None).key,
        languages=LANGUAGES,
        themes=THEMES,
    )
