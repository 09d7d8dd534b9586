"""Promises about the timeline: nights, filters, the calendar, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from flask import Flask
from sqlalchemy import event, insert

from dreamweb import db
from dreamweb.models import Entry
from tests.conftest import SAMPLES, Person
from tests.web.conftest import Browser, words
from tests.web.test_entries import entry_ids, write
from tests.worked import put_motifs


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that the server sends to the database."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        # That a token was used is noted later, when the answer has been sent.
        if statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) and "UPDATE tokens" not in statement:
            statements.append(statement)

    with app.app_context():
        engine = db.db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def many(app: Flask, person: Person, count: int, step: timedelta = timedelta(hours=7)) -> None:
    """Entries going back in time from now, quickly."""
    now = datetime.now(UTC)
    rows = [
        {"account_id": person.account.id, "title": f"Dream {n}", "dreamed_at": now - step * n} for n in range(count)
    ]
    with app.app_context(), db.transaction() as session:
        session.execute(insert(Entry), rows)


def nights(page: httpx.Response) -> list[str]:
    return re.findall(r'id="night-([^"]+)"', page.text)


def test_dreams_are_grouped_by_night_from_noon_to_noon(at_home: Browser) -> None:
    at_home.submit("/settings", {"name": "ana", "time_zone": "Europe/Ljubljana", "theme": "auto"})
    for moment in ("2025-01-30T13:00", "2025-01-31T04:00", "2025-01-31T11:59", "2025-01-31T12:00"):
        write(at_home, dreamed_at=moment)
    home = at_home.get("/")
    assert nights(home) == ["2025-02-01", "2025-01-31"]
    assert [part.count("<article") for part in home.text.split('<section class="night"')[1:]] == [1, 3]
    assert "Night to Friday, 31 January 2025" in words(at_home.get("/", headers={"Accept-Language": "en-GB"}))


def test_older_dreams_are_a_link_away_and_each_comes_once(app: Flask, ana: Person, at_home: Browser) -> None:
    many(app, ana, 47)
    seen: list[str] = []
    headings: list[str] = []
    address: str | None = "/"
    while address:
        page = at_home.get(address)
        seen += entry_ids(page)
        headings += nights(page)
        older = re.search(r'class="more[^"]*" href="([^"]+)"', page.text)
        address = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 47
    assert headings == sorted(set(headings), reverse=True)


def test_scrolling_brings_only_what_is_new(app: Flask, ana: Person, at_home: Browser) -> None:
    many(app, ana, 25)
    older = re.search(r'hx-get="(/\?[^"]+)"', at_home.get("/").text)
    assert older
    part = at_home.get(older[1].replace("&amp;", "&"), headers={"HX-Request": "true"})
    assert len(entry_ids(part)) == 5
    assert "<html" not in part.text


FILTERS = {
    "?kind=journal": {"page"},
    "?tag=sea": {"both", "sea"},
    "?tag=sea,night": {"both"},
    "?tag=sea&tag=night": {"both"},
    "?tag=sea,night&match=any": {"both", "sea", "night"},
    "?mood=Calm": {"both"},
    "?has=audio": {"said"},
    "?has=text": {"both", "sea", "night", "page"},
    "?start=2025-01-02&end=2025-01-03": {"sea", "night"},
    "?end=2025-01-01": {"both"},
    "?start=nonsense": {"both", "sea", "night", "page", "said"},
    "?kind=nonsense": {"both", "sea", "night", "page", "said"},
}


def test_filters_show_what_they_say(at_home: Browser, api: httpx.Client) -> None:
    write(at_home, title="both", tags="sea, night", mood="calm", dreamed_at="2025-01-01T05:00")
    write(at_home, title="sea", tags="sea", dreamed_at="2025-01-02T05:00")
    write(at_home, title="night", tags="night", dreamed_at="2025-01-03T05:00")
    write(at_home, title="page", kind="journal", dreamed_at="2025-01-05T05:00")
    recording = (SAMPLES / "sl-hisa.mp3").read_bytes()
    assert api.post("/upload?title=said&dreamed_at=2025-01-08T05:00:00Z", content=recording).status_code == 201
    for query, titles in FILTERS.items():
        page = at_home.get(f"/{query}")
        assert set(re.findall(r'class="veiled">([^<]*)<', page.text)) == titles, query
    assert "No dreams like these" in words(at_home.get("/?tag=nowhere"))


def test_the_calendar_shows_which_nights_have_dreams(at_home: Browser) -> None:
    for moment in ("2025-01-30T23:00", "2025-01-31T04:00", "2025-01-31T13:00", "2025-01-02T03:00"):
        write(at_home, dreamed_at=moment)
    page = at_home.get("/calendar?month=2025-01")
    assert re.findall(r'href="/\?end=([^"]+)"', page.text) == ["2025-01-02", "2025-01-31"]
    assert "2 entries" in words(page)
    assert 'href="/?end=2025-02-01"' in at_home.get("/calendar?month=2025-02").text
    for month in ("nonsense", "0001-01", "9999-12", "1900-01", "-5", "2025-13"):
        assert at_home.get("/calendar", params={"month": month}).status_code == 200


def test_on_this_night_remembers_earlier_years(app: Flask, at_home: Browser) -> None:
    now = datetime.now(UTC) - timedelta(hours=6)
    last_year = now.replace(year=now.year - 1, day=min(now.day, 28))
    write(at_home, title="Today")
    write(at_home, title="A year ago", dreamed_at=last_year.strftime("%Y-%m-%dT%H:%M"))
    write(at_home, title="A month before", dreamed_at=(last_year - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M"))
    aside = at_home.get("/").text.partition('class="on-this-night"')[2].partition("</aside>")[0]
    assert ("A year ago" in aside, "A month before" in aside) == (now.day <= 28, False)


@pytest.mark.parametrize("entries", [3, 60])
def test_every_page_asks_the_database_little(
    app: Flask, ana: Person, at_home: Browser, api: httpx.Client, entries: int
) -> None:
    """Each page and how many statements it may take, however many entries there are."""
    many(app, ana, entries)
    at_home.submit("/samples")
    sent = api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()
    entry = f"/entries/{sent['id']}"
    motif = put_motifs(app, ana.account, {("place", "House"): entries})["House"]
    most = {
        "/": 4,
        "/?tag=sea&kind=dream": 3,
        "/record": 2,
        "/calendar": 2,
        "/trash": 2,
        "/tags": 2,
        "/entries/new": 1,
        entry: 15,
        f"{entry}?version=transcription": 15,
        f"{entry}/versions": 6,
        f"{entry}/edit": 5,
        "/queue": 8,
        "/motifs": 3,
        f"/motifs/{motif}": 5,
        "/settings/engines": 3,
        "/settings": 1,
        "/settings/sessions": 2,
        "/settings/tokens": 2,
        "/settings/about": 5,
        "/accounts": 2,
        "/shortcut": 1,
        "/sign-in": 1,
        "/welcome": 2,
    }
    with counted(app) as statements:
        for address, limit in most.items():
            statements.clear()
            assert at_home.get(address, follow_redirects=False).status_code in (200, 303), address
            assert len(statements) <= limit, (address, statements)


def test_an_empty_journal_says_what_can_be_done(at_home: Browser) -> None:
    said = words(at_home.get("/"))
    assert "No dreams here yet. Say the first one." in said
    assert "three sample dreams" in said
