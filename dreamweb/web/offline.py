"""Serves what browsers keep for the time without a network: the worker, two bare pages, and what an app is made of."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request, url_for
from flask_babel import force_locale, gettext
from flask_wtf.csrf import generate_csrf

from dreamweb.captures import MAX_CHUNK
from dreamweb.models.account import LANGUAGES
from dreamweb.web import pages

blueprint = Blueprint("offline", __name__)

_KEPT = ("css/*.css", "js/*.js", "icons/*.svg", "vendor/icons.svg", "vendor/htmx.org/*.js")
_NOT_KEPT = {"css/docs.css", "js/redoc.js", "js/swagger.js"}
"""Of the API's documentation, which nobody reads in bed."""

_GROUND = "#09111a"
"""That of the dark theme in tokens.css."""

_ICONS = (
    ("icon-192.png", 192, "any"),
    ("icon-512.png", 512, "any"),
    ("maskable-512.png", 512, "maskable"),
    ("monochrome-512.png", 512, "monochrome"),
)

# Android knows some only by their ending.
_SHARED = ["audio/*", "video/webm", ".m4a", ".mp3", ".ogg", ".opus", ".webm", ".wav", ".flac", ".aac"]


@blueprint.get("/session")
@pages.public
def who() -> Response:
    """Tell our own scripts who is signed in, what their requests must carry, and how much one may send."""
    current = pages.visitor()
    response = jsonify(
        {
            "account": str(current.account.id) if current else None,
            # A stranger gets none: the cookie that it needs could take the place of one from a sign-in meanwhile.
            "csrf_token": generate_csrf() if current else "",
            "limits": {"chunk_bytes": MAX_CHUNK, "recording_bytes": pages.tools().max_file_bytes},
        }
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/worker.js")
@pages.public
def worker() -> Response:
    """The service worker, and what it shall keep; different whenever any of that is."""
    language = _wanted_language()
    bare = [_bare(name, language) for name in ("recorder/shell.html", "recorder/away.html")]
    version = hashlib.sha256("".join(bare).encode()).hexdigest()[:12]
    given = {
        "name": f"dreamweb-{version}",
        "files": [url_for("static", filename=name) for name in _kept(Path(current_app.static_folder or ""))],
        "shell": url_for(".shell", lang=language),
        "away": url_for(".away", lang=language),
    }
    script = url_for("static", filename="js/worker.js")
    lines = f"import {{ serve }} from {json.dumps(script)};\n\nserve({json.dumps(given, indent=1)});\n"
    response = Response(lines, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/record/shell")
@pages.public
def shell() -> str:
    """The recorder as it opens without a network: for everybody the same."""
    return _bare("recorder/shell.html", _wanted_language())


@blueprint.get("/offline")
@pages.public
def away() -> str:
    """What stands in the place of a page that needs the network."""
    return _bare("recorder/away.html", _wanted_language())


@blueprint.post("/share")
@pages.public
@pages.from_anywhere
def share() -> tuple[str, int]:
    """Files from another program, when no worker has taken them: nothing is kept, and this says what works."""
    return pages.render_template("recorder/shared.html"), 501


@blueprint.get("/manifest.webmanifest")
@pages.public
def manifest() -> Response:
    """How the journal looks and what it can do as an app."""
    icons = [
        {
            "src": url_for("static", filename=f"icons/{name}"),
            "type": "image/png",
            "sizes": f"{size}x{size}",
            "purpose": use,
        }
        for name, size, use in _ICONS
    ]
    described = {
        "id": "/",
        "name": "DreamWeb",
        "short_name": "DreamWeb",
        "description": gettext("Say the dream, sleep on, find it again."),
        "lang": pages.language(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": _GROUND,
        "theme_color": _GROUND,
        "categories": ["lifestyle", "health"],
        "icons": icons,
        "shortcuts": [
            {"name": gettext("Record"), "url": f"{url_for('recorder.page')}#now", "icons": icons[:1]},
            {"name": gettext("Write"), "url": url_for("entries.new"), "icons": icons[:1]},
        ],
        "share_target": {
            "action": url_for(".share"),
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"title": "title", "text": "text", "files": [{"name": "audio", "accept": _SHARED}]},
        },
    }
    return Response(json.dumps(described, ensure_ascii=False), mimetype="application/manifest+json")


def _wanted_language() -> str:
    wanted = request.args.get("lang", "")
    return wanted if wanted in LANGUAGES else pages.language()


def _bare(template: str, language: str) -> str:
    """A page with nothing of an account or a session in it: it stays on the device when its owner has signed out."""
    g.visitor = None
    nobody: dict[str, Any] = {
        "csrf_token": lambda: "",
        "get_flashed_messages": lambda **_: [],
        "lang": language,
        "theme": "dark",  # until the script knows better: it may be in the middle of the night
    }
    with force_locale(language):
        return pages.render_template(template, **nobody)


@cache
def _kept(static: Path) -> tuple[str, ...]:
    found = (path.relative_to(static).as_posix() for pattern in _KEPT for path in sorted(static.glob(pattern)))
    return tuple(name for name in found if name not in _NOT_KEPT)
