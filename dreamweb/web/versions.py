"""Shows the texts that were made or written for an entry, compares them, and puts one of them into use again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from dreamweb import checking, entries, versions
from dreamweb.db import transaction
from dreamweb.details import Changes
from dreamweb.errors import NotFound
from dreamweb.models.entry import Entry
from dreamweb.models.version import VERSION_KINDS
from dreamweb.processing import control
from dreamweb.web import differences, pages
from dreamweb.web.steps import maker
from dreamweb.web.words import moment, translated
from dreamweb.words import load, say

blueprint = Blueprint("versions", __name__)


@dataclass(frozen=True)
class Row:
    """One text of an entry. `key` is the id of its version; the kind itself for what the entry holds without one."""

    key: str
    kind: str
    text: str
    in_use: bool
    made_by: str
    made_at: datetime | None
    rejected: str
    language: str | None

    @property
    def name(self) -> str:
        """In a few words, as a list of choices has it."""
        parts = [kind_name(self.kind), self.made_by, moment(self.made_at) if self.made_at else gettext("now")]
        return ", ".join(part for part in parts if part)


@blueprint.get("/entries/<uuid:entry_id>/versions")
def every(entry_id: UUID) -> str:
    """All texts of an entry: a list, one of them, or two side by side."""
    entry = entries.get(pages.account(), entry_id)
    rows = _rows(entry)
    shown = _chosen(rows, "show")
    other = _chosen(rows, "with")
    # The older one stands first, whichever was chosen first; the list has the newest first.
    pair = sorted((shown, other), key=rows.index, reverse=True) if shown and other and shown is not other else None
    return pages.render_template(
        "entries/versions.html",
        entry=entry,
        rows=rows,
        shown=shown,
        pair=pair,
        compared=differences.compare(pair[0].text, pair[1].text) if pair else None,
    )


@blueprint.post("/entries/<uuid:entry_id>/versions/use")
def use(entry_id: UUID) -> Response:
    """Put an older text of its kind into use again."""
    version = _asked(entry_id)
    if version.in_use:
        return pages.see(url_for("entries.page", entry_id=entry_id, version=version.kind))
    with transaction():
        if version.kind == "text":
            _write(entry_id, version.text)
        else:
            control.use(pages.account(), entry_id, UUID(version.key))
    flash(gettext("This version is in use now. The others are kept."), "good")
    return pages.see(url_for("entries.page", entry_id=entry_id, version=version.kind))


@blueprint.post("/entries/<uuid:entry_id>/versions/copy")
def copy(entry_id: UUID) -> Response:
    """Make any version the person's own text."""
    version = _asked(entry_id)
    with transaction():
        _write(entry_id, version.text)
    flash(gettext("This is your own text now. What stood there before is kept as a version."), "good")
    return pages.see(url_for("entries.page", entry_id=entry_id, version="text"))


def _write(entry_id: UUID, text: str) -> None:
    entries.change(pages.account(), entry_id, checking.check(Changes, {"text": text}))


def _asked(entry_id: UUID) -> Row:
    """The version that a form names, unless it is the own text as it is, or has no words. Raises `NotFound`."""
    wanted = request.form.get("version_id", "")
    for row in _rows(entries.get(pages.account(), entry_id)):
        if row.key == wanted and row.key != "text" and row.text.strip():
            return row
    raise NotFound(say("There is no such version of this entry."))


def _chosen(rows: Sequence[Row], name: str) -> Row | None:
    wanted = request.args.get(name)
    return next((row for row in rows if row.key == wanted), None)


def _rows(entry: Entry) -> Sequence[Row]:
    """What the entry holds without a version, first of all the person's own text; then all versions, newest first."""
    kept = versions.of(entry)
    used = {version.kind for version in kept if version.in_use}
    bare = [
        Row(kind, kind, text, True, gettext("you") if kind == "text" else "", None, "", entry.language)
        for kind in reversed(VERSION_KINDS)
        if kind not in used and (text := getattr(entry, kind))
    ]
    return bare + [
        Row(
            str(version.id),
            version.kind,
            version.text,
            version.in_use,
            maker(version.engine) or gettext("you"),
            version.created_at,
            translated(load(version.rejected)) if version.rejected else "",
            version.language,
        )
        for version in kept
    ]


def kind_name(kind: str) -> str:
    """Like `Transcription`."""
    return {
        "text": gettext("Own text"),
        "cleaned_text": gettext("Cleaned text"),
        "transcription": gettext("Transcription"),
    }[kind]
