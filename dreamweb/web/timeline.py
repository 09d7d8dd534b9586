"""The home page: what was dreamed, night by night, and a calendar to jump in it."""

from __future__ import annotations

import calendar as calendars
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from flask import Blueprint, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from dreamweb import checking, nights, paging, timeline
from dreamweb.db import now
from dreamweb.details import Filters
from dreamweb.errors import Invalid
from dreamweb.models.entry import KINDS
from dreamweb.timeline import Card
from dreamweb.web import forms, pages

blueprint = Blueprint("timeline", __name__)

_FILTERS = ("kind", "tag", "match", "start", "end", "mood", "has")


@blueprint.get("/")
def home() -> str | Response:
    """The newest dreams, or those that the filters let through."""
    given = {name: value for name in _FILTERS if (value := ",".join(request.args.getlist(name)).strip())}
    try:
        filters, wrong = _filters(given), {}
    except Invalid as error:
        filters, wrong = Filters(), forms.reasons(error)
    cursor = request.args.get("cursor") or None
    page = timeline.page(pages.account(), filters, cursor=cursor)
    values: dict[str, Any] = {
        "nights": timeline.by_night(page.cards, pages.zone()),
        "continued": nights.night_of(paging.position(cursor)[0], pages.zone()) if cursor else None,
        "older": _address(given | {"cursor": page.next_cursor}) if page.next_cursor else None,
    }
    if cursor and pages.partial():
        return pages.render_template("timeline/_nights.html", **values)
    plain = not given and not cursor
    return pages.render_template(
        "timeline/home.html",
        **values,
        given=given,
        without={name: _address({key: value for key, value in given.items() if key != name}) for name in given},
        wrong=wrong,
        kinds=KINDS,
        first_page=not cursor,
        client_id=uuid4(),
        nothing_id=uuid4(),
        samples=any(card.sample for card in page.cards),
        earlier=_on_this_night() if plain and page.cards else [],
        tonight=nights.night_of(now(), pages.zone()),
    )


@blueprint.get("/calendar")
def calendar() -> str:
    """A month, with what was dreamed in each of its nights."""
    tonight = nights.night_of(now(), pages.zone())
    first = _month(request.args.get("month", "")) or tonight.replace(day=1)
    weeks = calendars.Calendar().monthdatescalendar(first.year, first.month)
    counts = timeline.month(pages.account(), first, pages.zone())
    template = "timeline/_calendar.html" if pages.partial() else "timeline/calendar.html"
    return pages.render_template(
        template,
        first=first,
        weeks=weeks,
        counts=counts,
        tonight=tonight,
        before=nights.month_before(first),
        after=nights.next_month(first) if first < tonight.replace(day=1) else None,
    )


def _address(query: dict[str, str]) -> str:
    return f"{url_for('.home')}?{urlencode(query)}"


def _on_this_night() -> list[Card]:
    """By the night that is ending or has just ended: until evening people think of that one."""
    lately = now() - timedelta(hours=6)
    return timeline.on_this_night(pages.account(), nights.night_of(lately, pages.zone()), pages.zone())


def _filters(given: dict[str, str]) -> Filters:
    """What the form asks for; its days are nights. Raises `Invalid`."""
    values = MultiDict(given).to_dict() | {"tag": given.get("tag", "").split(",")}
    values["tag"] = [tag for tag in values["tag"] if tag.strip()]
    for name, edge in (("start", nights.begins), ("end", nights.ends)):
        if name in values and (night := _day(given[name])):
            values[name] = edge(night, pages.zone()).isoformat()
    return checking.check(Filters, values)


def _day(value: str) -> date | None:
    """The day, if it is one and there is one before and after it."""
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if date(1900, 1, 1) <= found < date(9999, 1, 1) else None


def _month(value: str) -> date | None:
    return _day(f"{value}-01")
