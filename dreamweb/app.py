"""Builds the application from settings: wires everything, decides nothing."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import IO, Any, cast
from uuid import uuid4

import flask_migrate
from flask import Blueprint, Flask, Response, g, request
from flask.globals import request_ctx
from flask_compress import Compress
from flask_cors import CORS
from htmx_flask import Htmx
from htmx_flask.requests import HtmxAwareRequest
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_date

from dreamweb import api, cli, log, signin
from dreamweb import models as models  # the migrations look for every table
from dreamweb.api import attachments as api_attachments
from dreamweb.api import captures as api_captures
from dreamweb.api import docs, health
from dreamweb.api import entries as api_entries
from dreamweb.api import errors as api_errors
from dreamweb.api import jobs as api_jobs
from dreamweb.api import search as api_search
from dreamweb.api import similar as api_similar
from dreamweb.api import tags as api_tags
from dreamweb.api import tokens as api_tokens
from dreamweb.api import upload as api_upload
from dreamweb.config import Settings, digest, resource, secret_key
from dreamweb.db import db, engine_options, prepare
from dreamweb.errors import DreamWebError
from dreamweb.server import NO_CONTENT
from dreamweb.tools import Tools
from dreamweb.web import (
    accounts,
    attachments,
    engines,
    entries,
    motifs,
    offline,
    pages,
    queue,
    recorder,
    recordings,
    search,
    settings,
    similar,
    steps,
    timeline,
    tokens,
    versions,
    welcome,
)
from dreamweb.web import errors as web_errors

_PAGES = (
    timeline,
    search,
    entries,
    similar,
    steps,
    versions,
    recorder,
    offline,
    recordings,
    attachments,
    queue,
    motifs,
    accounts,
    settings,
    engines,
    tokens,
    welcome,
)

# Not the API's JSON: its ETags, by which clients tell two states of an entry apart, would not be the same any more.
_COMPRESSED = ["text/html", "text/css", "text/javascript", "image/svg+xml"]

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

logger = log.Logger(__name__)


class _Request(HtmxAwareRequest):  # type: ignore[misc]
    """Streams uploaded files into the storage folder, so that putting them in their place copies nothing."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        scratch = api.tools().storage.scratch()
        # Werkzeug closes them only when the form was parsed to its end.
        g.setdefault("scratches", []).append(scratch)
        return cast(IO[bytes], scratch)


def build(settings: Settings) -> Flask:
    """The Flask application. Raises `BadSetting` when the data folder or the storage cannot be used."""
    log.configure("DEBUG" if settings.debug else settings.log_level)
    static = resource("static")
    app = Flask(
        "dreamweb",
        template_folder=str(resource("templates")),
        static_folder=str(static),
        # A new name for whatever changes lets browsers keep all of it for ever.
        static_url_path=f"/static/{digest(static)}",
        instance_path=str(settings.data_dir.absolute()),
    )
    Htmx(app)
    app.request_class = _Request
    app.debug = settings.debug
    app.config.update(
        SECRET_KEY=secret_key(settings),
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(
            settings.database, pool_size=settings.db_pool_size, max_overflow=settings.db_max_overflow
        ),
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        COMPRESS_ALGORITHM=["gzip"],
        COMPRESS_MIMETYPES=_COMPRESSED,
        DREAMWEB=settings,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    _add_database(app)
    tools = Tools.of(settings)
    app.extensions["dreamweb"] = tools
    health.init_app(app, tools)
    signin.init_app(app)
    _add_interfaces(app)
    if settings.cors_origins:
        _allow_origins(app, settings)
    Compress(app)
    cli.register(app)
    return app


def _add_database(app: Flask) -> None:
    db.init_app(app)
    flask_migrate.Migrate(app, db, directory=str(resource("migrations")), render_as_batch=True)
    with app.app_context():
        prepare(db.engine)


def _add_interfaces(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_close_scratches)
    for kind in (DreamWebError, SQLAlchemyError, HTTPException):
        app.register_error_handler(kind, _errors)
    version_1 = Blueprint("api", __name__, url_prefix="/api/v1")
    for module in (
        api_upload,
        api_captures,
        api_entries,
        api_jobs,
        api_attachments,
        api_tags,
        api_search,
        api_similar,
        api_tokens,
    ):
        version_1.register_blueprint(module.blueprint)
    for blueprint in (version_1, health.blueprint, docs.blueprint):
        app.register_blueprint(blueprint)
    pages.init_app(app, *(module.blueprint for module in _PAGES))


def _errors(error: Exception) -> Any:
    """Programs are told in JSON, people by a page."""
    # Without an adapter the request's host is impossible, and no page could name an address.
    for_programs = request.path.startswith(("/api/", "/health")) or request_ctx.url_adapter is None
    return (api_errors if for_programs else web_errors).answer_to(error)


def _allow_origins(app: Flask, settings: Settings) -> None:
    CORS(
        app,
        resources={r"/api/*": {"origins": list(settings.cors_origins)}},
        expose_headers=["ETag", "X-Request-ID", "Retry-After"],
        max_age=3600,
    )


def _begin() -> None:
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if _SANE_ID.fullmatch(sent) else str(uuid4())
    g.started = time.monotonic()
    log.request_id.set(g.request_id)
    for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE"):
        try:
            parse_date(request.environ.get(name))
        except OverflowError:  # a time zone of many digits, which werkzeug 3.1 does not foresee
            del request.environ[name]


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Content-Security-Policy", NO_CONTENT)
    if request.path.startswith("/api/"):
        if not response.cache_control.private:  # Flask lets everybody keep a file, as what is static may be
            response.headers["Cache-Control"] = "no-store"
            del response.expires
    elif request.endpoint == "static":
        response.cache_control.immutable = True
    # What asks every half minute, and what belongs to a page, would bury the rest.
    write = logger.debug if request.endpoint in ("health.health", "static") else logger.info
    write(
        "Request answered",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round((time.monotonic() - g.started) * 1000),
        error=g.get("error_code", "-"),
        account=g.get("account_id", "-"),
        ip=request.remote_addr,
    )
    return response


def _close_scratches(_error: Any) -> None:
    for scratch in g.pop("scratches", []):
        scratch.close()
    log.request_id.set(None)
