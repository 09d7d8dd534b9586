"""Promises about finding a dream again: filters, the calendar, older nights, and the same night of earlier years."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import insert

from dreamweb import db
from dreamweb.models import Entry
from tests.browser.conftest import Hand
from tests.conftest import Person

Fill = Callable[..., None]


@pytest.fixture
def fill(app: Flask, ana: Person) -> Fill:
    """Puts that many dreams into ana's journal, quickly, one every seven hours."""

    def fill(count: int, **fields: Any) -> None:
        now = datetime.now(UTC)
        rows = [
            {"account_id": ana.account.id, "title": f"Dream {n}", "dreamed_at": now - timedelta(hours=7 * n)} | fields
            for n in range(count)
        ]
        with app.app_context(), db.transaction() as session:
            session.execute(insert(Entry), rows)

    return fill


def test_older_dreams_come_by_scrolling(hand: Hand, fill: Fill) -> None:
    fill(47)
    page = hand.page
    page.goto("/")
    cards = page.locator(".card")
    expect(cards).to_have_count(20)
    for loaded in (40, 47):
        page.keyboard.press("End") if not hand.touches else page.evaluate("() => scrollTo(0, 1e6)")
        expect(cards).to_have_count(loaded)
    titles = page.locator(".card-title").all_inner_texts()
    assert titles == [f"Dream {n}" for n in range(47)]
    nights = page.locator(".night-title").all_inner_texts()
    assert len(nights) == len(set(nights))
    expect(page.locator(".more")).to_have_count(0)


def test_filters_narrow_what_is_shown(hand: Hand, api: httpx.Client) -> None:
    api.post("/entries", json={"title": "by the sea", "tags": ["sea"], "mood": "calm"})
    api.post("/entries", json={"title": "a day", "kind": "journal"})
    page = hand.page
    page.goto("/")
    hand.press(page.locator("#filters summary"))
    hand.write(page.locator("#filters").get_by_label("Tags", exact=True), "sea")
    hand.press(page.get_by_role("button", name="Show", exact=True))
    expect(page.locator(".card-title")).to_have_text(["by the sea"])
    hand.press(page.locator("#filters summary"))
    expect(page.locator("#filters").get_by_label("Tags", exact=True)).to_have_value("sea")
    hand.choose(page.locator("#filters").get_by_label("Kind"), "Journal page")
    hand.press(page.get_by_role("button", name="Show", exact=True))
    expect(page.get_by_role("heading", name="No dreams like these")).to_be_visible()
    hand.press(page.get_by_role("link", name="Journal page Take this filter away"))
    expect(page.locator(".card-title")).to_have_text(["by the sea"])
    hand.press(page.get_by_role("link", name="sea Take this filter away"))
    expect(page.locator(".card")).to_have_count(2)
    hand.press(page.get_by_role("link", name="sea", exact=True))
    expect(page.locator(".card-title")).to_have_text(["by the sea"])


def test_the_calendar_opens_in_place_and_leads_to_a_night(hand: Hand, api: httpx.Client) -> None:
    for title, moment in (("in June", "2025-06-15T03:00:00Z"), ("in May", "2025-05-10T03:00:00Z")):
        api.post("/entries", json={"title": title, "dreamed_at": moment})
    page = hand.page
    page.goto("/calendar?month=2025-07")
    hand.press(page.get_by_role("link", name="Month before"))
    expect(page.get_by_role("heading", name="June 2025")).to_be_visible()
    hand.press(page.get_by_role("link", name="Month before"))
    expect(page.get_by_role("heading", name="May 2025")).to_be_visible()
    page.goto("/")
    hand.press(page.locator("#calendar summary"))
    expect(page.locator("#calendar .today")).to_be_visible()
    month = page.locator("#calendar h2")
    shown = month.inner_text()
    hand.press(page.get_by_role("link", name="Month before"))
    expect(month).not_to_have_text(shown)
    page.goto("/calendar?month=2025-06")
    hand.press(page.get_by_role("link", name="15 June 2025: 1 entry"))
    expect(page.locator(".card-title")).to_have_text(["in June", "in May"])


def test_one_goes_from_dream_to_dream(hand: Hand, fill: Fill) -> None:
    fill(3)
    page = hand.page
    page.goto("/")
    hand.press(page.get_by_role("link", name="Dream 1"))
    hand.press(page.get_by_role("link", name="Earlier dream"))
    expect(page.get_by_role("heading", name="Dream 2")).to_be_visible()
    expect(page.get_by_role("link", name="Earlier dream")).to_have_count(0)
    hand.follow(page.get_by_role("link", name="Later dream"))
    hand.follow(page.get_by_role("link", name="Later dream"))
    expect(page.get_by_role("heading", name="Dream 0")).to_be_visible()
    expect(page.get_by_role("link", name="Later dream")).to_have_count(0)


def test_this_night_of_a_year_ago_is_remembered(hand: Hand, fill: Fill) -> None:
    now = datetime.now(UTC) - timedelta(hours=6)
    fill(1, title="Today")
    fill(1, title="Long ago", dreamed_at=now.replace(year=now.year - 1, day=min(now.day, 28)))
    if now.day > 28:
        return
    page = hand.page
    page.goto("/")
    hand.press(page.locator(".on-this-night").get_by_role("link", name="Long ago"))
    expect(page.get_by_role("heading", name="Long ago")).to_be_visible()
