"""Answers every error with a page that says what happened and what can be done; as a notice where htmx asked."""

from __future__ import annotations

from typing import Any

from flask import Response, g, url_for
from flask_babel import gettext
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from dreamweb import errors
from dreamweb.db import report
from dreamweb.web import pages
from dreamweb.web.words import translated

_STATUSES: dict[type[errors.DreamWebError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Outdated: 412,
    errors.TooLarge: 413,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
    errors.StorageFailed: 500,
    errors.DreamWebError: 400,
}


def answer_to(error: Exception) -> Any:
    """The answer to whatever went wrong."""
    if isinstance(error, errors.DreamWebError):
        return _page(status_of(error), translated(error.detail), type(error).__name__)
    if isinstance(error, SQLAlchemyError):
        return _database(error)
    if isinstance(error, RateLimitExceeded):
        response = _page(429, gettext("Too many wrong attempts. Wait some minutes, then try again."), "RateLimited")
        response.headers["Retry-After"] = str(error.limit.limit.get_expiry())
        return response
    if isinstance(error, CSRFError):
        detail = gettext("This page has been open for too long. Go back, load it again, and repeat.")
        return _page(400, detail, "CSRFError")
    if isinstance(error, HTTPException):
        return _http(error)
    raise error


def status_of(error: errors.DreamWebError) -> int:
    """The status code of a page that tells of this error."""
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


def _database(error: SQLAlchemyError) -> Response:
    if report(error):
        if (current := pages.visitor()) and inspect(current.account).expired:
            g.visitor = None  # who that is would have to be read again
        response = _page(503, gettext("The database cannot be reached just now. Try again in a few seconds."), "Away")
        response.headers["Retry-After"] = "5"
        return response
    return _page(500, gettext("The database refused this. Nothing was changed; the server's log says more."), "Refused")


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:  # a redirect
        return error
    details = {
        404: gettext("There is nothing at this address."),
        405: gettext("This page cannot be used like that."),
        413: gettext("This is larger than the server takes."),
    }
    unknown = gettext("Something went wrong in the server. Its log says more, under the number below.")
    misunderstood = gettext("The browser sent something that cannot be understood. Go back and try again.")
    return _page(status, details.get(status) or (unknown if status >= 500 else misunderstood), error.name)


def _page(status: int, detail: str, code: str) -> Response:
    g.error_code = code
    if pages.partial():
        html = pages.render_template("errors/_notice.html", detail=detail)
    else:
        html = pages.render_template("errors/page.html", detail=detail, status=status, home=url_for("timeline.home"))
    response = Response(html, status, headers={"Content-Security-Policy": pages.POLICY, "Cache-Control": "no-store"})
    response.vary.update(("Cookie", "HX-Request"))
    return response
