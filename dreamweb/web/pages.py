"""Gives every page what it needs: who looks, in which language, by which clock and in which theme."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, url_for
from flask import render_template as render_template
from flask_babel import Babel, gettext
from htmx_flask import request as htmx_request
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as BaseResponse

from dreamweb import profile, signin
from dreamweb.config import resource
from dreamweb.db import now
from dreamweb.errors import Unauthenticated
from dreamweb.models.account import LANGUAGES, Account
from dreamweb.tools import Tools
from dreamweb.web import words

F = TypeVar("F", bound=Callable[..., Any])

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)

_OF_STRANGERS = 64 * 1024
"""Bytes that somebody may send who is not signed in."""

_WITHOUT_FILES = 4 * 1024 * 1024
"""Bytes of a form that is read into memory as a whole: the longest text, as such a form writes it."""

# When lamps are usually out; only for those who left the theme to us.
_DARK_FROM, _DARK_UNTIL = time(21), time(7)


def init_app(app: Flask, *blueprints: Blueprint) -> None:
    Babel(
        app,
        default_translation_directories=str(resource("translations")),
        locale_selector=locale,
        timezone_selector=lambda: zone().key,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(words.FILTERS)
    app.jinja_env.globals.update(words.GLOBALS)
    app.context_processor(_for_templates)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
        # Through the application: a blueprint itself cannot be changed any more once an application has it.
        app.before_request_funcs.setdefault(blueprint.name, []).append(_admit)
        app.after_request_funcs.setdefault(blueprint.name, []).append(_finish)


def public(view: F) -> F:
    """Marks a page that needs no sign-in."""
    view.public = True  # type: ignore[attr-defined]
    return view


def from_anywhere(view: F) -> F:
    """Marks a page to which others may send something; it must neither keep it nor do anything with it."""
    view.from_anywhere = True  # type: ignore[attr-defined]
    return view


def tools() -> Tools:
    """The storage and the adapters of the running application."""
    found: Tools = current_app.extensions["dreamweb"]
    return found


def visitor() -> signin.Visitor | None:
    """Who is signed in; None on public pages, and while that is not known."""
    found: signin.Visitor | None = g.get("visitor")
    return found


def account() -> Account:
    """Whose journal this is. Raises `Unauthenticated`."""
    current = visitor()
    if current is None:
        raise Unauthenticated(gettext("Sign in first."))
    return current.account


def zone() -> ZoneInfo:
    """The clock by which times are shown."""
    current = visitor()
    return profile.zone(current.account.time_zone if current else None)


def language() -> str:
    """`sl` or `en`: what the account says, else what the browser asks for; to programs always English."""
    current = visitor()
    if current is None and request.path.startswith("/api/"):
        return "en"
    if current and current.account.language:
        return current.account.language
    return request.accept_languages.best_match(LANGUAGES) or "en"


def locale() -> str:
    """The language, and how dates are written in it: Americans have their own way."""
    if language() == "en":
        return request.accept_languages.best_match(("en-GB", "en-US"), default="en-GB").replace("-", "_")
    return language()


def theme() -> str:
    """What the pages look like now, by the account and its clock; dark at night also before anybody has signed in."""
    current = visitor()
    clock = datetime.now(zone()).time()
    if current is None:
        return "dark" if profile.is_between(clock, _DARK_FROM, _DARK_UNTIL) else "auto"
    if profile.is_between(clock, current.account.night_from, current.account.night_until):
        return "night"
    if current.account.theme == "auto" and profile.is_between(clock, _DARK_FROM, _DARK_UNTIL):
        return "dark"
    return current.account.theme


def partial() -> bool:
    """Whether htmx asks for a piece of the page, not for the page."""
    return bool(htmx_request.htmx) and not htmx_request.htmx.boosted and not _restoring()


def back_to(default: str) -> str:
    """Where `next` wants to go, if that is a page of ours; `default` otherwise.

    An address that a browser could take for another host is no page of ours: `//host`, a backslash for a slash, tabs
    and line ends, which browsers drop. https://url.spec.whatwg.org/#url-parsing
    """
    wanted = request.values.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if ours else default


def see(location: str) -> BaseResponse:
    """Sends the browser on after a form, by GET."""
    if htmx_request.htmx and not htmx_request.htmx.boosted:
        return Response(status=204, headers={"HX-Redirect": iri_to_uri(location)})
    return redirect(location, 303)


def _restoring() -> bool:
    return bool(htmx_request.htmx.history_restore_request)


def _admit() -> BaseResponse | None:
    """Ask for a sign-in where one is needed, and for our own token where something is sent."""
    view = current_app.view_functions[request.endpoint or ""]
    g.visitor = signin.visitor()
    if g.visitor is None and not getattr(view, "public", False):
        wanted = request.full_path.rstrip("?") if request.method == "GET" and not htmx_request.htmx else "/"
        return see(url_for("accounts.sign_in", next=None if wanted == "/" else wanted))
    if request.method not in ("GET", "HEAD", "OPTIONS") and not getattr(view, "from_anywhere", False):
        _limit_form()
        signin.csrf.protect()
    return None


def _limit_form() -> None:
    if g.visitor is None:
        # A name, a password and a code; and no files, each of which would be one in our storage.
        request.max_content_length, request.max_form_parts = _OF_STRANGERS, 0
    elif request.mimetype == "multipart/form-data":
        request.max_content_length = tools().max_body_bytes
    else:
        request.max_content_length = _WITHOUT_FILES


def _finish(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.vary.update(("Cookie", "HX-Request"))
    response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(self)"
    return response


def _for_templates() -> dict[str, Any]:
    chosen = theme()
    return {
        "account": visitor().account if visitor() else None,  # type: ignore[union-attr]
        "lang": locale().replace("_", "-"),
        "theme": chosen,
        "partial": partial(),
        "request_id": g.get("request_id", ""),
        "now": now(),
        "zone": zone(),
    }
