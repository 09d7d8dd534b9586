"""The page of what is done with the entries just now, what waits, and what has failed."""

from __future__ import annotations

from flask import Blueprint, flash, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from dreamweb.db import transaction
from dreamweb.processing import control, overview
from dreamweb.web import pages, steps

blueprint = Blueprint("queue", __name__)


@blueprint.get("/queue")
def page() -> str:
    """What runs, waits and has failed; to scripts only that, without the page around it."""
    return pages.render_template(
        "queue/_list.html" if pages.partial() else "queue/page.html",
        queue=overview.of(pages.account()),
        hears=pages.tools().engines.speech.kind != "none",
        nobody=steps.nobody_works(),
    )


@blueprint.post("/queue/catch-up")
def catch_up() -> Response:
    """Let every recording be listened to that has no text yet."""
    with transaction():
        count = control.catch_up(pages.account())
    flash(
        ngettext("%(num)d recording waits to be listened to.", "%(num)d recordings wait to be listened to.", count),
        "good",
    )
    return pages.see(url_for(".page"))


@blueprint.app_template_filter("line")
def _line(item: overview.Item) -> steps.Line:
    return steps.line_of(item.job, item.expected)


@blueprint.app_template_filter("step_name")
def _step_name(step: str) -> str:
    return {
        "audio": gettext("Preparing the recording"),
        "transcribe": gettext("Listening"),
        "tidy": gettext("Tidying the text"),
        "analyse": gettext("Reading"),
        "index": gettext("Noting the words"),
    }.get(step, step)
