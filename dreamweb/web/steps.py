"""Says in words what is done with an entry, and lets people stop, repeat and try its steps again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, request, url_for
from flask_babel import format_percent, gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from dreamweb import entries, jobs, versions
from dreamweb.config import Settings
from dreamweb.db import now, transaction
from dreamweb.engines import LOCAL
from dreamweb.errors import Conflict
from dreamweb.models.entry import Entry
from dreamweb.models.job import OPEN, STEPS, Job
from dreamweb.processing import control, forecast
from dreamweb.web import pages
from dreamweb.web.words import clock, moment, translated
from dreamweb.words import load

blueprint = Blueprint("steps", __name__)

_SOON = timedelta(minutes=1)
"""What waits for longer is not asked for every two seconds."""


@dataclass(frozen=True)
class Line:
    """One step in words: `said` is the sentence, `more` the reason or the time that is left.

    A `late` one waits for its next try, after one that has failed.
    """

    step: str
    state: str
    said: str
    more: str
    job_id: UUID
    progress: float | None
    stopping: bool
    late: bool

    @property
    def can_stop(self) -> bool:
        return self.state in OPEN and not self.stopping

    @property
    def can_retry(self) -> bool:
        return self.state in ("failed", "cancelled", "skipped")


@dataclass(frozen=True)
class Steps:
    """What is done with an entry. `first` is what counts most now; `delay` says how soon to ask again, None: never.

    `nobody` says that no worker does anything, and is empty while one does or nothing is to be done.
    `texts` names the texts of the entry and what was understood of it, `seen` all that is shown: both change with it.
    """

    lines: Sequence[Line]
    first: Line | None
    delay: str | None
    nobody: str
    texts: str
    seen: str
    choices: Sequence[tuple[str, str]]


def steps_of(entry: Entry) -> Steps:
    """What is done with an entry, for its page and for what asks again."""
    found = {job.step: job for job in jobs.of(entry)}
    known = [found[step] for step in STEPS if step in found]
    still = [job for job in known if job.state in OPEN]
    expected = {each.job.id: each for each in forecast.expected(None, entry.id)} if still else {}
    lines = [line_of(job, expected.get(job.id)) for job in known]
    texts = _name(
        entry.text, entry.transcription, entry.cleaned_text, entry.analysis, len(entry.motifs), entry.language
    )
    nobody = nobody_works() if still and not any(map(_is_alive, still)) and jobs.stalled() else ""
    return Steps(
        lines,
        _first(lines),
        "30s" if nobody else _delay(still),
        nobody,
        texts,
        _name(lines, nobody, texts),
        [(step, _again(step)) for step in _steps(entry)],
    )


@blueprint.get("/entries/<uuid:entry_id>/steps")
def now_done(entry_id: UUID) -> str | BaseResponse:
    """What is done with an entry: a piece of its page, which asks again as long as something runs or waits."""
    entry = entries.get(pages.account(), entry_id)
    if not pages.partial():
        return pages.see(url_for("entries.page", entry_id=entry_id, _anchor="steps"))
    found = steps_of(entry)
    if request.args.get("seen") == found.seen:
        return Response(status=204)
    return _piece(entry, found)


@blueprint.post("/entries/<uuid:entry_id>/steps")
def again(entry_id: UUID) -> str | BaseResponse:
    """Do one step again, and those that follow it."""
    step = request.form.get("step")
    with transaction():
        control.again(pages.account(), entry_id, [step] if step else [])
    return _shown(entry_id)


@blueprint.post("/jobs/<uuid:job_id>/retry")
def retry(job_id: UUID) -> str | BaseResponse:
    """Try a step again that has failed, was skipped or stopped."""
    entry_id = jobs.get(pages.account(), job_id).entry_id
    try:
        with transaction():
            control.retry(pages.account(), job_id)
    except Conflict as error:
        _tell(error)
    return _shown(entry_id)


@blueprint.post("/jobs/<uuid:job_id>/cancel")
def cancel(job_id: UUID) -> str | BaseResponse:
    """Do not do a step."""
    entry_id = jobs.get(pages.account(), job_id).entry_id
    try:
        with transaction():
            control.cancel(pages.account(), job_id)
    except Conflict as error:
        _tell(error)
    return _shown(entry_id)


def _tell(error: Conflict) -> None:
    """It ended meanwhile, or runs already: what has become of it is shown anyhow."""
    if not pages.partial():
        flash(translated(error.detail), "bad")


def _shown(entry_id: UUID | None) -> str | BaseResponse:
    if entry_id is None:
        return pages.see(pages.back_to(url_for("timeline.home")))
    if pages.partial():
        entry = entries.get(pages.account(), entry_id)
        return _piece(entry, steps_of(entry))
    return pages.see(pages.back_to(url_for("entries.page", entry_id=entry_id, _anchor="steps")))


def _piece(entry: Entry, found: Steps) -> str:
    return pages.render_template("entries/_steps.html", entry=entry, steps=found, piece=True)


def _steps(entry: Entry) -> Sequence[str]:
    """Those that can be done again, the most wanted first."""
    if entry.file_path:
        return "transcribe", "tidy", "analyse", "index", "audio"
    return ("analyse", "index") if versions.best_text(entry) else ()


def _first(lines: Sequence[Line]) -> Line | None:
    for state in ("running", "waiting", "failed", "cancelled", "skipped"):
        if found := next((line for line in lines if line.state == state), None):
            return found
    return None


def _delay(still: Sequence[Job]) -> str | None:
    if not still:
        return None
    moment, resting = now(), jobs.resting()
    due = (max(job.run_at, resting.get(job.lane, job.run_at)) for job in still if job.state == "waiting")
    soon = any(map(_is_alive, still)) or any(each < moment + _SOON for each in due)
    return "2s" if soon else "30s"


def _is_alive(job: Job) -> bool:
    """Whether it runs, and its worker was heard of lately."""
    return job.state == "running" and (job.lease_until is None or job.lease_until > now())


def _name(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:16]


# --- Words ---


def nobody_works() -> str:
    """What is said when things are due and no worker does anything."""
    settings: Settings = current_app.config["DREAMWEB"]
    if settings.workers:
        return gettext(
            "Nothing has begun for more than a minute: no worker answers. The server's log says more; starting "
            "DreamWeb again may help. Nothing is lost."
        )
    return gettext(
        "Nothing has begun for more than a minute: no worker is running. WORKERS is 0: start `dreamweb worker`, or set "
        "WORKERS=1. Nothing is lost."
    )


def line_of(job: Job, expected: forecast.Expected | None) -> Line:
    """One step in words."""
    said, more = _SAY[job.state](job, expected)
    progress = job.progress if job.state == "running" else None
    return Line(job.step, job.state, said, more, job.id, progress, job.cancelling, _is_late(job))


def _is_late(job: Job) -> bool:
    return job.state == "waiting" and bool(job.reason) and job.run_at > now()


def _waits(job: Job, expected: forecast.Expected | None) -> tuple[str, str]:
    if _is_late(job):
        soon = job.run_at - now() < timedelta(hours=12)
        at = clock(job.run_at) if soon else moment(job.run_at)
        return gettext("It is tried again at %(time)s.", time=at), _reason(job)
    before = expected.ahead if expected else 0
    said = ngettext("Waiting: one before it", "Waiting: %(num)d before it", before) if before else gettext("Waiting")
    return said, about(expected.seconds) if expected and expected.seconds is not None else ""


def _runs(job: Job, expected: forecast.Expected | None) -> tuple[str, str]:
    if job.cancelling:
        return gettext("Stopping..."), ""
    said = {
        "audio": gettext("Looking at the recording..."),
        "transcribe": gettext("Listening to it..."),
        "tidy": gettext("Tidying the text..."),
        "analyse": gettext("Reading it..."),
        "index": gettext("Noting its words..."),
    }[job.step]
    parts = [format_percent(job.progress, "0 %")] if job.progress else []
    if expected and expected.seconds is not None:
        parts.append(left(expected.seconds))
    return said, ", ".join(parts)


def _done(job: Job, _expected: forecast.Expected | None) -> tuple[str, str]:
    engine = maker(job.engine)
    said = {
        "audio": gettext("The recording is ready to be played."),
        "transcribe": gettext("Transcribed by %(engine)s", engine=engine) if engine else gettext("Transcribed"),
        "tidy": gettext("Tidied by %(engine)s", engine=engine) if engine else gettext("Tidied"),
        "analyse": gettext("Read by %(engine)s", engine=engine) if engine else gettext("It was read."),
        "index": gettext("It can be found by its words."),
    }[job.step]
    return said, _reason(job)


def _failed(job: Job, _expected: forecast.Expected | None) -> tuple[str, str]:
    said = {
        "audio": gettext("The recording could not be prepared."),
        "transcribe": gettext("Could not be transcribed."),
        "tidy": gettext("The text could not be tidied."),
        "analyse": gettext("What it is about could not be found."),
        "index": gettext("Its words could not be noted."),
    }[job.step]
    return said, _reason(job)


def _left_out(job: Job, _expected: forecast.Expected | None) -> tuple[str, str]:
    said = {
        "audio": gettext("The recording was not prepared."),
        "transcribe": gettext("Not transcribed."),
        "tidy": gettext("Not tidied."),
        "analyse": gettext("Not read."),
        "index": gettext("Its words were not noted."),
    }[job.step]
    return said, gettext("You stopped it.") if job.state == "cancelled" else _reason(job)


_SAY = {
    "waiting": _waits,
    "running": _runs,
    "done": _done,
    "failed": _failed,
    "skipped": _left_out,
    "cancelled": _left_out,
}


def _reason(job: Job) -> str:
    return translated(load(job.reason)) if job.reason else ""


def _again(step: str) -> str:
    return {
        "audio": gettext("Prepare the recording again"),
        "transcribe": gettext("Listen to it again"),
        "tidy": gettext("Tidy the text again"),
        "analyse": gettext("Find again what it is about"),
        "index": gettext("Note its words again"),
    }[step]


def maker(engine: str | None) -> str:
    """The name of what has made something, for people; empty when that is not known."""
    return gettext("rules of our own") if engine and engine.partition(" ")[0] == LOCAL else engine or ""


def about(seconds: float) -> str:
    """Like `about 3 minutes`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return gettext("less than a minute")
    if minutes < 60:
        return ngettext("about one minute", "about %(num)d minutes", minutes)
    return ngettext("about one hour", "about %(num)d hours", round(minutes / 60))


def left(seconds: float) -> str:
    """Like `about 3 minutes left`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return gettext("less than a minute left")
    if minutes < 60:
        return ngettext("about one minute left", "about %(num)d minutes left", minutes)
    return ngettext("about one hour left", "about %(num)d hours left", round(minutes / 60))
