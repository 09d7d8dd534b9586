"""Pages of one entry: read, write, change, delete and restore it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError
from werkzeug.wrappers import Response

from dreamweb import captures, entries, nights, recordings, samples, tags, timeline, versions, waveforms
from dreamweb.db import now, session, transaction
from dreamweb.details import Changes, Details, Filters
from dreamweb.errors import Conflict, Invalid, Outdated
from dreamweb.models.entry import KINDS, RECALLS, Entry
from dreamweb.web import attachments, forms, found, heard, markdown, pages, understanding
from dreamweb.web.steps import steps_of

blueprint = Blueprint("entries", __name__)

_OFFERED = 100
"""Tags to complete from that a form is told at once."""

_VERSIONS = ("text", "cleaned_text", "transcription")


@blueprint.get("/entries/new")
def new() -> str:
    """An empty form."""
    values = dict.fromkeys(forms.ENTRY_FIELDS, "") | {"kind": "dream", "dreamed_at": forms.local(_lately())}
    return _form(None, values | forms.typed(*forms.ENTRY_FIELDS))


@blueprint.post("/entries")
def create() -> str | Response | tuple[str, int]:
    """Keep what was written; sending the same form twice keeps it once."""
    sent = forms.typed(*forms.ENTRY_FIELDS, "client_id")
    try:
        details = forms.entry(Details, sent, client_id=sent.get("client_id") or None)
        if details.text is None and details.title is None and details.recall != "none":
            raise _nothing_written()
        entry = _keep(details)
        attachments.keep(entry.id, details.client_id)
    except Invalid as error:
        return _form(None, sent, forms.reasons(error)), 422
    except Conflict:
        # The answer to it got lost, and the person has written on: what is here now can be saved under another id.
        before = entries.by_client_id(pages.account(), UUID(sent["client_id"]))
        return _form(None, sent | {"client_id": ""}, before=before), 409
    if "whole" in request.form:
        _say_kept(gettext("Saved."), "new", entry)
        return pages.see(url_for(".page", entry_id=entry.id))
    _say_kept(gettext("Saved."), "quick", entry)
    return pages.see(url_for("timeline.home"))


@blueprint.post("/entries/nothing")
def nothing() -> Response:
    """Keep that nothing was remembered: such nights count, too. A double tap keeps it once."""
    entry = _keep(forms.entry(Details, {"recall": "none"}, client_id=request.form.get("client_id") or None))
    _say_kept(gettext("Saved: nothing remembered. Sleep well."), "nothing", entry)
    return pages.see(url_for("timeline.home"))


@blueprint.get("/entries/<uuid:entry_id>")
def page(entry_id: UUID) -> str:
    """Read an entry, and play its recording; from `at` seconds on, and with the words of the search `q` marked."""
    entry = entries.get(pages.account(), entry_id)
    there = [name for name in _VERSIONS if getattr(entry, name)]
    wanted = request.args.get("version", "")
    version = wanted if wanted in there else next(iter(there), None)
    text = getattr(entry, version) if version else None
    before, after = timeline.neighbours(pages.account(), entry)
    said = versions.heard(entry) if entry.file_path and version != "text" else None
    typed, typing = request.args.get("q", ""), "typing" in request.args
    return pages.render_template(
        "entries/page.html",
        entry=entry,
        versions=there,
        version=version,
        chosen=version if version == wanted else None,
        html=markdown.render(text) if text and version == "text" else None,
        text=text,
        unheard=said is not None and not text,
        paragraphs=_paragraphs(version, text, said.details) if said else (),
        understood=understanding.of(entry),
        steps=steps_of(entry),
        peaks=waveforms.known(entry) if entry.file_path else None,
        course=captures.course_of(entry),
        before=before,
        after=after,
        search={"q": typed or None, "typing": "1" if typing else None},
        looked_for=found.words_in(entry, text, typed, typing=typing) if text and typed else (),
        at=_second(entry),
    )


@blueprint.get("/entries/<uuid:entry_id>/edit")
def edit(entry_id: UUID) -> str:
    """The form, filled with what is kept."""
    entry = entries.get(pages.account(), entry_id)
    return _form(entry, forms.shown(entry))


@blueprint.post("/entries/<uuid:entry_id>")
def save(entry_id: UUID) -> str | Response | tuple[str, int]:
    """Change an entry, unless it was changed elsewhere meanwhile."""
    sent = forms.typed(*forms.ENTRY_FIELDS, "updated_at")
    entry = entries.get(pages.account(), entry_id)
    wanted = dict(sent)
    if sent.get("dreamed_at") == forms.local(entry.dreamed_at):
        wanted.pop("dreamed_at")  # the form shows no seconds, and must not take them away
    try:
        changes = forms.entry(Changes, wanted)
        with transaction():
            entry = entries.change(pages.account(), entry_id, changes)
    except Invalid as error:
        return _form(entry, sent, forms.reasons(error)), 422
    except Outdated:
        session().refresh(entry)
        return _form(entry, sent, saved=forms.shown(entry)), 409
    _say_kept(gettext("Saved."), str(entry_id), entry)
    return pages.see(url_for(".page", entry_id=entry_id))


@blueprint.post("/entries/<uuid:entry_id>/delete")
def delete(entry_id: UUID) -> Response:
    """Put an entry into the trash, and offer to take that back."""
    with transaction():
        entries.trash(pages.account(), entry_id)
    undo = pages.render_template("entries/_undo.html", entry_id=entry_id)
    flash(Markup(undo), "undo")  # noqa: S704 -- our own template
    return pages.see(url_for("timeline.home"))


@blueprint.post("/entries/<uuid:entry_id>/restore")
def restore(entry_id: UUID) -> Response:
    """Take an entry out of the trash."""
    with transaction():
        entries.restore(pages.account(), entry_id)
    flash(gettext("It is back."), "good")
    return pages.see(url_for(".page", entry_id=entry_id))


@blueprint.post("/entries/<uuid:entry_id>/remove")
def remove(entry_id: UUID) -> Response:
    """Delete an entry of the trash for good, its recording and attachments too."""
    entries.get(pages.account(), entry_id, trashed=True)
    recordings.remove(pages.tools().storage, pages.account(), entry_id)
    flash(gettext("Deleted for good."), "good")
    return pages.see(url_for(".trash"))


@blueprint.get("/trash")
def trash() -> str:
    """What was deleted in the last 30 days."""
    cursor = request.args.get("cursor") or None
    found = timeline.page(pages.account(), Filters(trash=True), cursor=cursor)
    older = url_for(".trash", cursor=found.next_cursor) if found.next_cursor else None
    days = entries.KEEP_TRASH.days
    return pages.render_template("entries/trash.html", cards=found.cards, older=older, days=days, cursor=cursor)


@blueprint.get("/tags")
def tag_names() -> str:
    """One's own tags that begin with `prefix`, the most used ones, for forms that complete them."""
    prefix = request.args.get("prefix", "").replace("\0", "")  # which PostgreSQL cannot compare with
    found = tags.find(pages.account(), prefix=prefix, limit=_OFFERED + 1)
    return pages.render_template("entries/_tags.html", tags=found[:_OFFERED], more=len(found) > _OFFERED)


@blueprint.post("/samples")
def add_samples() -> Response:
    """Put three sample dreams into the journal."""
    with transaction():
        samples.add(pages.account(), pages.language())
    flash(gettext("Here are three dreams. Open one; when you have seen enough, remove them with one click."), "good")
    return pages.see(url_for("timeline.home"))


@blueprint.post("/samples/remove")
def remove_samples() -> Response:
    """Take the sample dreams away again."""
    samples.remove(pages.tools().storage, pages.account())
    flash(gettext("The samples are gone. This is your journal now."), "good")
    return pages.see(url_for("timeline.home"))


def _paragraphs(version: str | None, text: str | None, details: Mapping[str, Any] | None) -> Sequence[heard.Paragraph]:
    return heard.tidied(text, details) if text and version == "cleaned_text" else heard.paragraphs(details)


def _second(entry: Entry) -> float | None:
    """Where in the recording somebody wants to listen, if that is a place in it."""
    at = request.args.get("at", type=float)
    return at if at is not None and 0 <= at <= (entry.duration_seconds or 0) else None


def _lately() -> datetime:
    return nights.lately(now(), pages.zone())


def _keep(details: Details) -> Entry:
    """Make the entry, unless this form has made it before. Raises `Conflict` when what it made differs."""
    dated = details.model_copy(update={"dreamed_at": details.dreamed_at or _lately()})
    try:
        with transaction():
            return entries.same_text(pages.account(), details, wholly=True) or entries.create(pages.account(), dated)
    except IntegrityError:
        # The same form twice at once, and the other was first.
        if entry := entries.same_text(pages.account(), details, wholly=True):
            return entry
        raise


def _nothing_written() -> Invalid:
    reason = gettext("write a text or a title, or say that nothing is remembered")
    return Invalid(reason, {"text": reason})


def _form(
    entry: Entry | None,
    values: dict[str, Any],
    wrong: dict[str, str] | None = None,
    saved: dict[str, Any] | None = None,
    before: Entry | None = None,
) -> str:
    """The form; `saved` is what somebody else has kept meanwhile, `before` what was made of this form already."""
    return pages.render_template(
        "entries/form.html",
        entry=entry,
        values=values,
        wrong=wrong or {},
        saved=saved,
        before=before,
        chosen=bool(attachments.sent()),
        client_id=values.get("client_id") or uuid4(),
        kinds=KINDS,
        recalls=(None, *RECALLS),
        languages=(None, "sl", "en"),
    )


def _say_kept(text: str, draft: str, entry: Entry) -> None:
    """Tell the person, and the script that keeps drafts of what is not saved yet."""
    said = Markup('<span data-kept="{}" data-kept-client="{}">{}</span>').format(draft, entry.client_id or "", text)
    if draft in ("quick", "nothing"):
        said += Markup(' <a href="{}">{}</a>').format(url_for(".page", entry_id=entry.id), gettext("Open it"))
    flash(said, "good")
