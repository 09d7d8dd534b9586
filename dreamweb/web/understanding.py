"""Gives a page what was understood of an entry, in the order and the words in which people read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import format_decimal, gettext, ngettext

from dreamweb import versions
from dreamweb.analysis import MOTIF_TYPES
from dreamweb.models.entry import Entry
from dreamweb.web.steps import maker
from dreamweb.web.words import moment


@dataclass(frozen=True)
class Found:
    """A motif of an entry, and the exact words in its text that justify it."""

    id: UUID
    name: str
    words: Sequence[str]
    sign: bool


@dataclass(frozen=True)
class Understood:
    """What was understood of an entry. `mood` and `lucidity` are hints, given only where the person said nothing."""

    title: str | None
    summary: str | None
    mood: str | None
    lucidity: int | None
    questions: Sequence[str]
    motifs: Sequence[tuple[str, Sequence[Found]]]
    """Of each type that there is, its motifs; the person's own signs first."""
    source: str
    """Who has found it, when, and what it has cost."""

    @property
    def has_something(self) -> bool:
        return bool(self.summary or self.mood or self.lucidity or self.questions or self.motifs)


def of(entry: Entry) -> Understood | None:
    """What was understood of an entry; None while it was not read, and has none of the person's dream signs."""
    analysis = entry.analysis or {}
    motifs = _motifs(entry)
    if not analysis and not motifs:
        return None
    return Understood(
        title=None if entry.title else analysis.get("title"),
        summary=analysis.get("summary"),
        mood=None if entry.mood else analysis.get("mood"),
        lucidity=None if entry.lucidity is not None else analysis.get("lucidity") or None,
        questions=analysis.get("questions") or (),
        motifs=motifs,
        source=_source(entry) if analysis else "",
    )


def _motifs(entry: Entry) -> Sequence[tuple[str, Sequence[Found]]]:
    shown = [link for link in entry.motifs if not link.motif.hidden]
    groups = []
    for kind in MOTIF_TYPES:
        of_kind = sorted(
            (link for link in shown if link.motif.type == kind),
            key=lambda link: (not link.motif.sign, link.motif.name.casefold()),
        )
        if of_kind:
            found = [Found(link.motif_id, link.motif.name, link.words, link.motif.sign) for link in of_kind]
            groups.append((kind, found))
    return groups


def _source(entry: Entry) -> str:
    analysis = entry.analysis or {}
    engine, made_at = maker(analysis.get("engine")), analysis.get("made_at")
    parts = [gettext("Found by %(engine)s", engine=engine)] if engine else []
    if made_at:
        parts.append(moment(datetime.fromisoformat(made_at)))
    tokens, cost = versions.used(entry)
    if tokens:
        number = format_decimal(tokens)
        parts.append(ngettext("%(number)s token used", "%(number)s tokens used", tokens, number=number))
    if cost:
        parts.append(
            gettext("about %(cost)s US dollars", cost=format_decimal(cost, "0.####") if cost >= 0.0001 else "0")
        )
    return ", ".join(parts)
