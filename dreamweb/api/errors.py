"""Answers every error of the API as JSON; the only place that knows which error has which status code."""

from __future__ import annotations

from typing import Any

from flask import Response, g, jsonify
from flask_babel import gettext
from flask_limiter import RateLimitExceeded
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from dreamweb import errors
from dreamweb.db import report
from dreamweb.words import say, translate

CODES: dict[type[errors.DreamWebError], tuple[int, str]] = {
    errors.Malformed: (400, "INVALID_REQUEST"),
    errors.NoFile: (400, "MISSING_FILE"),
    errors.EmptyFile: (400, "EMPTY_FILE"),
    errors.NotAudio: (400, "INVALID_FILE_TYPE"),
    errors.NotAttachable: (400, "INVALID_FILE_TYPE"),
    errors.Unauthenticated: (401, "UNAUTHENTICATED"),
    errors.Forbidden: (403, "FORBIDDEN"),
    errors.NotFound: (404, "NOT_FOUND"),
    errors.Conflict: (409, "CONFLICT"),
    errors.ChunksMissing: (409, "CHUNKS_MISSING"),
    errors.Outdated: (412, "PRECONDITION_FAILED"),
    errors.TooLarge: (413, "FILE_TOO_LARGE"),
    errors.Invalid: (422, "UNPROCESSABLE"),
    errors.TooMany: (429, "RATE_LIMITED"),
    errors.Unavailable: (503, "INTERNAL_ERROR"),
    errors.StorageFull: (507, "STORAGE_FULL"),
    errors.StorageFailed: (500, "STORAGE_ERROR"),
    errors.DreamWebError: (500, "INTERNAL_ERROR"),
}

HTTP_CODES = {
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    412: "PRECONDITION_FAILED",
    413: "FILE_TOO_LARGE",
    416: "RANGE_NOT_SATISFIABLE",
    429: "RATE_LIMITED",
}

_DETAILS = {
    400: say("The request cannot be understood."),
    404: say("There is nothing at this address."),
    405: say("This address does not take that method."),
    413: say("The request is larger than allowed."),
    416: say("The recording has no such bytes."),
    500: say("Something went wrong in the server. Its log says more, under this request_id."),
}

_RETRY_AFTER = 5


def answer_to(error: Exception) -> Any:
    """The answer to whatever went wrong."""
    if isinstance(error, errors.DreamWebError):
        return _ours(error)
    if isinstance(error, SQLAlchemyError):
        return _database(error)
    if isinstance(error, RateLimitExceeded):
        return _too_many(error)
    if isinstance(error, HTTPException):
        return _http(error)
    raise error


def answer(status: int, code: str, detail: str, **more: Any) -> Response:
    g.error_code = code
    # In English, unless it is a page of ours that asks: it shows this to a person.
    said = translate(detail, gettext)
    response = jsonify({"detail": said, "error_code": code, "request_id": g.get("request_id", ""), **more})
    response.status_code = status
    return response


def _ours(error: errors.DreamWebError) -> Response:
    status, code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    fields = {name: translate(why, gettext) for name, why in getattr(error, "fields", {}).items()}
    more: dict[str, Any] = {"fields": fields} if isinstance(error, errors.Invalid) else {}
    if isinstance(error, errors.ChunksMissing):
        more = {"missing": error.missing}
    response = answer(status, code, error.detail, **more)
    if isinstance(error, errors.Unauthenticated):
        # Never "Basic": a browser would open a dialog of its own, and send the password with every later request.
        response.headers["WWW-Authenticate"] = 'Bearer realm="DreamWeb"'
    if isinstance(error, (errors.Unavailable, errors.TooMany)):
        response.headers["Retry-After"] = str(_RETRY_AFTER)
    return response


def _database(error: SQLAlchemyError) -> Response:
    if report(error):
        detail = say("The database cannot be reached just now. Try again in a few seconds, with the same client_id.")
        response = answer(503, "DATABASE_ERROR", detail)
        response.headers["Retry-After"] = str(_RETRY_AFTER)
        return response
    detail = say("The database refused this. Nothing was changed; the server's log says more.")
    return answer(500, "DATABASE_ERROR", detail)


def _too_many(error: RateLimitExceeded) -> Response:
    response = answer(429, "RATE_LIMITED", say("Too many wrong attempts. Wait some minutes, then try again."))
    response.headers["Retry-After"] = str(error.limit.limit.get_expiry())
    return response


def _http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:  # a redirect
        return error
    code = HTTP_CODES.get(status, "INVALID_REQUEST" if status < 500 else "INTERNAL_ERROR")
    response = answer(status, code, _DETAILS.get(status) or error.description or error.name)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response
