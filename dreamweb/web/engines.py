"""The page of what hears and understands here, where it can be tried."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, current_app, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dreamweb import embeddings, jobs, versions
from dreamweb.config import Settings
from dreamweb.db import now, transaction
from dreamweb.models.job import OPEN, Job
from dreamweb.processing import trying
from dreamweb.web import pages
from dreamweb.web.steps import maker
from dreamweb.web.words import translated
from dreamweb.words import load

blueprint = Blueprint("engines", __name__)


@blueprint.get("/settings/engines")
def page() -> str:
    """What is set, and how the last trials went; to scripts only one of those."""
    trials = trying.newest(pages.account())
    what = request.args.get("what", "")
    waits = any(job.state == "waiting" for job in trials.values())
    shown = {"trials": trials, "stalled": waits and jobs.stalled(), "open_states": OPEN}
    if pages.partial() and what in trying.KINDS:
        return pages.render_template("engines/_trial.html", what=what, **shown)
    embedding = pages.tools().engines.embedding
    settings: Settings = current_app.config["DREAMWEB"]
    return pages.render_template(
        "engines/page.html",
        engines=pages.tools().engines,
        used=versions.used_this_month(),
        workers=settings.workers,
        calls_per_minute=settings.calls_per_minute,
        month=now().date(),
        read=embeddings.progress(embedding) if embedding.kind != "none" else None,
        embed=jobs.newest("embed") if embedding.kind != "none" else None,
        **shown,
    )


@blueprint.post("/settings/engines/try")
def begin() -> Response:
    """Have a sample heard or read by a worker; while one is, it is that one."""
    what = request.form.get("what", "")
    with transaction():
        trying.begin(pages.account(), what, request.form.get("language", ""))
    return pages.see(url_for(".page", _anchor=what))


@blueprint.app_template_filter("said")
def _said(dumped: dict[str, Any]) -> str:
    """A sentence that was kept, in the reader's language."""
    return translated(load(dumped))


@blueprint.app_template_filter("maker")
def _maker(engine: str | None) -> str:
    return maker(engine)


@blueprint.app_template_filter("without_password")
def _without_password(url: str) -> str:
    """An address as it may be shown: without a name and a password in it, and without what follows a question mark."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


@blueprint.app_template_filter("speech_engine")
def _speech_engine(kind: str) -> str:
    return {
        "none": gettext("None yet"),
        "faster-whisper": "faster-whisper",
        "server": gettext("A speech server"),
    }[kind]


@blueprint.app_template_filter("embedding_engine")
def _embedding_engine(kind: str) -> str:
    return {"onnx": gettext("A model in a folder"), "server": gettext("An embedding server")}[kind]


@blueprint.app_template_filter("provider")
def _provider(name: str) -> str:
    """Who reads a text."""
    return {
        "local": gettext("Rules of our own, no model"),
        "server": gettext("A model server"),
        "openai": "OpenAI",
        "anthropic": "Anthropic",
        "google": "Google",
    }[name]


@blueprint.app_template_filter("trial_seconds")
def _trial_seconds(job: Job) -> float:
    return float((job.result or {}).get("seconds", 0))
