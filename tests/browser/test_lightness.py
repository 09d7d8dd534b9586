"""Promises about how light the pages are: little comes over the network, nothing waits for scripts, nothing jumps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from dreamweb import db
from dreamweb.models import Entry
from tests.attachables import PNG
from tests.browser.conftest import PHONE, OpenBrowser
from tests.conftest import Person, wav

# What comes over the network does not depend on where it is kept.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

FIRST_VISIT, NEXT_VISIT = 100_000, 15_000
"""Bytes over the network for the home page with twenty dreams on it."""

SHIFTS = """() => {
  window.shifts = [];
  const name = ({ node }) => String(node?.outerHTML ?? node).slice(0, 80);
  const note = ({ value, sources }) => window.shifts.push([value, ...sources.map(name)]);
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "layout-shift", buffered: true });
}"""


@pytest.fixture
def full(app: Flask, ana: Person) -> None:
    """Forty-seven dreams, as long as dreams are, with titles, moods and some that are private."""
    now = datetime.now(UTC)
    rows = [
        {
            "account_id": ana.account.id,
            "title": f"Dream {n} of a house with one more door",
            "text": f"Behind the pantry of house {n} there was a door that was never there. " * 12,
            "mood": "calm",
            "private": n % 5 == 0,
            "dreamed_at": now - timedelta(hours=7 * n),
        }
        for n in range(47)
    ]
    with app.app_context(), db.transaction() as session:
        session.execute(insert(Entry), rows)


@pytest.fixture(params=["phone", "desk"])
def watched(request: pytest.FixtureRequest, open_at_home: OpenBrowser) -> Iterator[Page]:
    """A page, on a small and on a large screen, whose every jump is noted, and fails the test."""
    page = open_at_home(**PHONE if request.param == "phone" else {}).new_page()
    page.add_init_script(f"({SHIFTS})()")
    yield page
    page.wait_for_timeout(200)
    jumps = page.evaluate("() => window.shifts")
    assert sum(jump[0] for jump in jumps) < 0.005, jumps


def test_nothing_jumps_while_dreams_come(watched: Page, full: None) -> None:
    watched.goto("/")
    for loaded in (40, 47):
        watched.mouse.wheel(0, 1_000_000)
        expect(watched.locator(".card")).to_have_count(loaded)


def test_nothing_jumps_while_a_recording_and_pictures_come(watched: Page, api: httpx.Client) -> None:
    entry = api.post("/upload", params={"title": "Said"}, content=wav(640_000)).json()["id"]
    for n in range(3):
        api.post(f"/entries/{entry}/attachments", files={"file": (f"{n}.png", PNG)})
    watched.goto(f"/entries/{entry}")
    expect(watched.locator("svg.waveform path.played")).to_be_attached()
    watched.locator(".attachment img").last.scroll_into_view_if_needed()
    expect(watched.locator(".attachment img").last).to_have_js_property("naturalWidth", 2)


def transferred(page: Page, visit: Callable[[], object]) -> dict[str, int]:
    """The bytes of every answer that comes over the network during a visit."""
    listening = page.context.new_cdp_session(page)
    listening.send("Network.enable")
    names: dict[str, str] = {}
    sizes: dict[str, int] = {}
    listening.on("Network.requestWillBeSent", lambda said: names.update({said["requestId"]: said["request"]["url"]}))
    listening.on(
        "Network.loadingFinished", lambda said: sizes.update({said["requestId"]: int(said["encodedDataLength"])})
    )
    visit()
    page.wait_for_load_state("networkidle")
    listening.detach()
    return {f"{request} {names.get(request)}": size for request, size in sizes.items() if size}


def test_the_home_page_is_small_and_comes_from_memory_the_second_time(
    open_at_home: OpenBrowser, full: None, capsys: pytest.CaptureFixture[str]
) -> None:
    page = open_at_home().new_page()
    first = transferred(page, lambda: page.goto("/"))
    expect(page.locator(".card")).to_have_count(20)
    page.goto("about:blank")
    again = transferred(page, lambda: page.goto("/"))
    with capsys.disabled():
        print(f"\nhome: {sum(first.values())} bytes in {len(first)}, then {sum(again.values())} in {len(again)}")  # noqa: T201
    assert 20_000 < sum(first.values()) < FIRST_VISIT, first
    assert 0 < sum(again.values()) < NEXT_VISIT, again


def test_scripts_wait_and_what_does_not_change_is_kept(at_home: Page) -> None:
    kept: dict[str, str | None] = {}
    at_home.on("response", lambda answer: kept.update({answer.url: answer.header_value("cache-control")}))
    at_home.goto("/")
    at_home.wait_for_load_state("networkidle")
    scripts = at_home.locator("script").evaluate_all("all => all.map((each) => each.defer || each.type === 'module')")
    assert scripts
    assert all(scripts)
    static = {address: said for address, said in kept.items() if re.search("/static/", address)}
    assert len(static) > 10
    for address, said in static.items():
        assert {"immutable", "max-age=31536000"} <= set(re.split(r",\s*", said or "")), address
