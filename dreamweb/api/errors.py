"""Answers every error of the API as JSON; the only place that knows which error has which status code."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, jsonify
from flask_limiter import RateLimitExceeded
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from dreamweb import errors, log
from dreamweb.db import is_away

logger = log.Logger(__name__)

CODES: dict[type[errors.DreamWebError], tuple[int, str]] = {
    errors.Malformed: (400, "INVALID_REQUEST"),
    errors.NoFile: (400, "MISSING_FILE"),
    errors.EmptyFile: (400, "EMPTY_FILE"),
    errors.NotAudio: (400, "INVALID_FILE_TYPE"),
    errors.Unauthenticated: (401, "UNAUTHENTICATED"),
    errors.Forbidden: (403, "FORBIDDEN"),
    errors.NotFound: (404, "NOT_FOUND"),
    errors.Conflict: (409, "CONFLICT"),
    errors.Outdated: (412, "PRECONDITION_FAILED"),
    errors.TooLarge: (413, "FILE_TOO_LARGE"),
    errors.Invalid: (422, "UNPROCESSABLE"),
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
    400: "The request cannot be understood.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is larger than allowed.",
    416: "The recording has no such bytes.",
    500: "Something went wrong in the server. Its log says more, under this request_id.",
}

_RETRY_AFTER = 5


def register(app: Flask) -> None:
    app.register_error_handler(errors.DreamWebError, _ours)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(RateLimitExceeded, _too_many)
    app.register_error_handler(HTTPException, _http)


def answer(status: int, code: str, detail: str, **more: Any) -> Response:
    g.error_code = code
    response = jsonify({"detail": detail, "error_code": code, "request_id": g.get("request_id", ""), **more})
    response.status_code = status
    return response


def _ours(error: errors.DreamWebError) -> Response:
    status, code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
    more = {"fields": error.fields} if isinstance(error, errors.Invalid) else {}
    response = answer(status, code, error.detail, **more)
    if isinstance(error, errors.Unauthenticated):
        # Never "Basic": a browser would open a dialog of its own, and send the password with every later request.
        response.headers["WWW-Authenticate"] = 'Bearer realm="DreamWeb"'
    if isinstance(error, errors.Unavailable):
        response.headers["Retry-After"] = str(_RETRY_AFTER)
    return response


def _database(error: SQLAlchemyError) -> Response:
    if is_away(error):
        logger.error("The database is away", error=getattr(error, "orig", error))
        detail = "The database cannot be reached just now. Try again in a few seconds, with the same client_id."
        response = answer(503, "DATABASE_ERROR", detail)
        response.headers["Retry-After"] = str(_RETRY_AFTER)
        return response
    # Not the whole error: PostgreSQL quotes the row, and with it the dream, in its second line.
    reason = str(getattr(error, "orig", error)).partition("\n")[0]
    statement = getattr(error, "statement", None)
    logger.error("The database refused a statement", error=type(error).__name__, reason=reason, statement=statement)
    return answer(500, "DATABASE_ERROR", "The database refused this. Nothing was changed; the server's log says more.")


def _too_many(error: RateLimitExceeded) -> Response:
    response = answer(429, "RATE_LIMITED", "Too many wrong attempts. Wait some minutes, then try again.")
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
