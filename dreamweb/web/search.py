"""The page that finds dreams again: by words and conditions, while somebody types, and by searches that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask_babel import format_decimal, gettext, ngettext
from werkzeug.wrappers import Response

from dreamweb import motifs, tags
from dreamweb.db import transaction
from dreamweb.details import Filters
from dreamweb.errors import Invalid
from dreamweb.search import conditions, facets, finding, meaning, results, saved, suggestions
from dreamweb.search.conditions import Sought
from dreamweb.search.facets import Count
from dreamweb.search.finding import Found, Sort
from dreamweb.search.meaning import Meaning
from dreamweb.search.near import Near
from dreamweb.search.query import MAX_TYPED, Query, Word, parse
from dreamweb.web import found as cards
from dreamweb.web import narrowing, pages
from dreamweb.web.words import translated

blueprint = Blueprint("search", __name__)

_PATIENCE, _MORE_PATIENCE = 2.5, 10.0
"""Seconds that an embedding engine has; more on later pages, which must be of the same list as the first."""

_EXAMPLES = 5
"""Tags, and motifs, of one's own that an empty page offers."""


@dataclass(frozen=True)
class Asked:
    """What the address says. While somebody is `typing`, the last word may go on."""

    typed: str
    sort: Sort = "relevance"
    typing: bool = False
    cursor: str | None = None

    def address(self, **more: Any) -> str:
        """That of this search: whoever comes back to it while typing finds what was found then."""
        sort, typing = "time" if self.sort == "time" else None, "1" if self.typing and self.typed else None
        return url_for("search.page", q=self.typed or None, sort=sort, typing=typing, **more)


@dataclass(frozen=True)
class Answer:
    """What is shown of it: perhaps not what was typed, but words that begin so, or what was probably meant.

    `silent`: the embedding engine did not say what it means.
    """

    asked: Asked
    sought: Sought
    found: Found
    meaning: Meaning | None = None
    silent: bool = False
    begins: str | None = None
    suggestion: str | None = None
    instead: bool = False


@blueprint.get("/search")
def page() -> str | Response:
    """The search, and what it finds; to htmx, the part of it that is new."""
    asked = _asked()
    query = parse(asked.typed)
    if pages.tools().engines.may_embed(private=False):
        pages.tools().queries.warm()
    if pages.partial() and "narrow" in request.args:
        return pages.render_template("search/_facets.html", **_narrowed(asked, query))
    values = _values(asked, query)
    if pages.partial() and asked.cursor:
        return pages.render_template("search/_cards.html", **values)
    if pages.partial():
        part = Response(pages.render_template("search/_found.html", **values), mimetype="text/html")
        part.headers["HX-Replace-Url"] = asked.address()
        return part
    if "narrow" in request.args and query.clauses:
        values |= _narrowed(asked, query)
    return pages.render_template("search/page.html", **values)


@blueprint.post("/search/saved")
def keep() -> Response:
    """Keep a search, to do it again with one click."""
    typed = _printable(request.form.get("q", ""))
    try:
        with transaction():
            saved.save(pages.account(), typed)
    except Invalid as error:
        flash(translated(error.detail), "bad")
    else:
        flash(gettext("Kept. You find it on the empty search page."), "good")
    return pages.see(Asked(typed[:MAX_TYPED]).address())


@blueprint.post("/search/saved/<uuid:search_id>/remove")
def remove(search_id: UUID) -> Response:
    """Keep it no longer."""
    with transaction():
        saved.remove(pages.account(), search_id)
    flash(gettext("It is not kept any more."), "good")
    return pages.see(url_for(".page"))


def _asked() -> Asked:
    given = request.args
    typed = _printable(given.get("q", "")[: MAX_TYPED + 1])
    sort: Sort = "time" if given.get("sort") == "time" else "relevance"
    return Asked(typed, sort, "typing" in given, given.get("cursor") or None)


def _printable(typed: str) -> str:
    """What cannot be shown in a field says nothing, and NUL cannot be kept."""
    return "".join(char if char.isprintable() else " " for char in typed)


def _values(asked: Asked, query: Query) -> dict[str, Any]:
    values: dict[str, Any] = {"asked": asked, "notes": query.notes}
    kept = saved.every(pages.account())
    if not query.clauses:
        return values | _examples() | {"kept": [(each, Asked(each.query).address()) for each in kept]}
    answer = _answer(asked, query)
    if _is_whole(asked, query):
        answer = _by_meaning(answer)
    if answer.silent:
        values["notes"] = (*query.notes, meaning.SILENT)
    at = answer.found.next_cursor
    words = answer.asked.typed
    if answer.sought.wanted:
        values["ranked"] = asked.sort == "relevance"
    if answer.suggestion and not answer.instead:
        values["suggested"] = replace(asked, typed=answer.suggestion, typing=False).address()
    return values | {
        "answer": answer,
        "said": _said(answer),
        "end": _end(answer),
        "cards": cards.shown(
            results.results(answer.sought, answer.found.hits, answer.meaning), words, typing=answer.asked.typing
        ),
        "only_near": bool(answer.found.hits) and all(hit.by_meaning for hit in answer.found.hits) and not asked.cursor,
        "may_ask": asked.typing and meaning.may_be_asked(query, pages.tools()),
        "older": answer.asked.address(cursor=at) if at else None,
        "waits": answer.silent and bool(asked.cursor),
        "kept_as": next((each for each in kept if each.query == " ".join(asked.typed.split())), None),
        "conditions": [
            (each.label, replace(asked, typed=each.without).address())
            for each in narrowing.conditions(asked.typed, query, pages.language())
        ],
        "by_relevance": replace(asked, sort="relevance").address(),
        "by_time": replace(asked, sort="time").address(),
        "narrow": answer.asked.address(narrow="1"),
    }


def _answer(asked: Asked, query: Query) -> Answer:
    """The search; where nothing is found, the same with more endings, and then what was probably meant."""
    answer = _find(asked, query)
    if asked.cursor or (answer.found.hits and asked.typing):
        return answer
    last = query.clauses[-1][-1]
    if not answer.found.hits and not asked.typing and isinstance(last.what, Word) and not last.without:
        longer = _find(replace(asked, typing=True), query)
        if longer.found.hits:
            return replace(longer, begins=last.what.typed)
    suggestion = suggestions.suggest(pages.account(), query)
    if suggestion is None or answer.found.hits:
        return replace(answer, suggestion=suggestion)
    meant = _find(replace(asked, typed=suggestion, typing=False), parse(suggestion))
    return replace(meant if meant.found.hits else answer, suggestion=suggestion, instead=bool(meant.found.hits))


def _is_whole(asked: Asked, query: Query) -> bool:
    """Whether it is looked for by its meaning, too: it was typed to its end, and the best is to come first.

    A list goes on as it has begun.
    """
    if asked.sort != "relevance" or not meaning.may_be_asked(query, pages.tools()):
        return False
    return finding.is_merged(asked.cursor) if asked.cursor else not asked.typing


def _by_meaning(answer: Answer) -> Answer:
    """The same, with what means nearly the same among it."""
    query = parse(answer.asked.typed)
    if not meaning.may_be_asked(query, pages.tools()):
        return answer
    if answer.instead and pages.tools().engines.embedding.outside:
        return answer  # nobody has typed that, and it may be a word of a private dream
    meant = meaning.meant(query, pages.tools(), _MORE_PATIENCE if answer.asked.cursor else _PATIENCE)
    if meant is None:
        return replace(answer, silent=True)
    near = meaning.nearest(answer.sought, meant)
    found = finding.find(answer.sought, cursor=answer.asked.cursor, near=near)
    return replace(answer, found=found, meaning=meant)


def _find(asked: Asked, query: Query) -> Answer:
    sought = conditions.seek(pages.account(), query, Filters(), pages.zone(), typing=asked.typing)
    return Answer(asked, sought, finding.find(sought, sort=asked.sort, cursor=asked.cursor))


def _said(answer: Answer) -> str:
    """How many dreams were found."""
    found, ranked = answer.found, _is_ranked(answer)
    if answer.asked.cursor:
        return gettext("More of what was found")
    if found.more and ranked:
        most = format_decimal(finding.MOST)
        return gettext("More than %(most)s dreams: only the newest are ranked. Add a word.", most=most)
    if found.more:
        most = format_decimal(finding.MOST)
        return gettext("More than %(most)s dreams: only the newest are listed. Add a word.", most=most)
    return ngettext("%(num)d dream", "%(num)d dreams", found.total) if found.total else gettext("Nothing found.")


def _end(answer: Answer) -> str | None:
    """What stands below the last card, where there would be more."""
    found = answer.found
    if found.next_cursor or not _is_ranked(answer) or found.total <= finding.DEEPEST:
        return None
    most = format_decimal(finding.DEEPEST)
    return gettext("These are the %(most)s that fit best. Add a word, and fewer are found.", most=most)


def _is_ranked(answer: Answer) -> bool:
    return answer.asked.sort == "relevance" and bool(answer.sought.wanted)


def _examples() -> dict[str, Any]:
    """What an empty page offers to look for: the person's own most frequent tags and motifs."""
    language = pages.language()
    own = [("tag", each.name) for each in tags.find(pages.account(), limit=_EXAMPLES)]
    own += [("motif", each.motif.name) for each in motifs.every(pages.account())[:_EXAMPLES]]
    typed = [narrowing.condition(name, value, language) for name, value in own]
    return {"examples": [(each, Asked(each).address()) for each in typed]}


def _narrowed(asked: Asked, query: Query) -> dict[str, Any]:
    """Tags, motifs, moods and years of what is found, each with the search that it leads to."""
    sought = conditions.seek(pages.account(), query, Filters(), pages.zone(), typing=asked.typing)
    near: Sequence[Near] = ()
    if _is_whole(replace(asked, cursor=None), query) and (meant := meaning.meant(query, pages.tools(), _PATIENCE)):
        near = meaning.nearest(sought, meant)
    counted = facets.facets(sought, pages.zone(), [each.entry_id for each in near])
    groups: Sequence[tuple[str, str, Sequence[Count]]] = (
        ("tag", gettext("Tags"), counted.tags),
        ("motif", gettext("Motifs"), counted.motifs),
        ("mood", gettext("Moods"), counted.moods),
        ("on", gettext("Years"), counted.years),
    )
    return {
        "facets": [
            (name, label, [_choice(asked, query, name, each) for each in values])
            for name, label, values in groups
            if values
        ]
    }


def _choice(asked: Asked, query: Query, name: str, count: Count) -> dict[str, Any]:
    typed = narrowing.toggled(asked.typed, query, name, count.name, pages.language())
    return {
        "name": count.name,
        "entries": count.entries,
        "on": narrowing.has(query, name, count.name),
        "address": replace(asked, typed=typed).address(narrow="1"),
    }
