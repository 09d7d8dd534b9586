"""Promises about the search as it is used: while typing, with the way back, with a recording, and by everybody."""

from __future__ import annotations

import re

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from dreamweb import db, vocabulary
from tests.browser.conftest import PHONE, Hand, OpenBrowser
from tests.browser.test_every_page import TOO_SMALL, TOO_WIDE, breaches
from tests.browser.test_player import SECOND, is_at
from tests.browser.test_xss import HOSTILE, LOOK
from tests.conftest import Person, wav
from tests.processed import hear
from tests.worked import put_motifs

ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""What has nothing to do with databases."""

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture
def recorded(app: Flask, ana: Person, api: httpx.Client) -> str:
    """A few dreams, one of them private and one of them spoken; answers the spoken one."""
    for details in (
        {"title": "The lighthouse", "text": "A lighthouse by the water.", "tags": ["water"], "mood": "calm"},
        {"title": "Whales", "text": f"Whales under the water. {LONG}", "tags": ["water", "old friends"]},
        {"title": "A letter", "text": "Nothing but water and paper.", "private": True, "kind": "journal"},
        {"text": "No water at all, and *no* boats.", "dreamed_at": "2019-05-03T04:00:00Z"},
    ):
        assert api.post("/entries", json=details).status_code == 201
    entry = str(api.post("/upload", params={"title": "Said"}, content=wav(40 * SECOND)).json()["id"])
    hear(app, entry)
    put_motifs(app, ana.account, {("place", LONG): 2, ("symbol", "Water"): 4})
    with app.app_context(), db.transaction():
        vocabulary.add(ana.account.id, ["lighthouse", "whales", "water"])
    return entry


def titles(page: Page) -> list[str]:
    return page.locator(".card-title").all_inner_texts()


def test_dreams_come_while_somebody_types_and_the_way_back_leads_to_them(recorded: str, hand: Hand) -> None:
    page = hand.page
    page.goto("/")
    hand.press(page.locator("nav.bar").get_by_role("link", name="Search"))
    field = page.get_by_role("searchbox")
    hand.write(field, "lighth")
    expect(page.locator(".card-title")).to_have_text(["The lighthouse"])
    expect(page.locator("#found-said")).to_have_text("1 dream")
    expect(page).to_have_url(re.compile(r"/search\?q=lighth&typing=1$"))
    hand.press(page.get_by_role("link", name="The lighthouse"))
    expect(page.get_by_role("heading", level=1)).to_have_text("The lighthouse")
    expect(page.locator("#words mark")).to_have_text("lighthouse")
    page.go_back()
    expect(field).to_have_value("lighth")
    expect(page.locator(".card-title")).to_have_text(["The lighthouse"])
    hand.write(field, "whales")
    expect(page.locator(".card-title")).to_have_text(["Whales"])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=whales$"))
    expect(page.locator(".card-title")).to_have_text(["Whales"])
    page.go_back()
    expect(page).to_have_url(re.compile(r"/search\?q=whales&typing=1$"))
    page.go_back()
    expect(page.locator("#quick-text")).to_be_visible()  # letters are no pages


def test_a_search_is_narrowed_and_kept(recorded: str, hand: Hand) -> None:
    page = hand.page
    page.goto("/search?q=water")
    expect(page.locator(".card")).to_have_count(4)
    hand.press(page.locator("#facets summary"))
    hand.press(page.locator("#facets").get_by_role("link", name="old friends"))
    expect(page.locator(".card-title")).to_have_text(["Whales"])
    expect(page.get_by_role("searchbox")).to_have_value('tag:"old friends" water')
    hand.press(page.get_by_role("button", name="Keep it"))
    expect(page.locator("#flashes")).to_contain_text("Kept.")
    hand.press(page.get_by_label("Conditions").get_by_role("link", name="old friends"))
    expect(page.locator(".card")).to_have_count(4)
    page.goto("/search")
    hand.press(page.locator(".kept-search"))
    expect(page.locator(".card-title")).to_have_text(["Whales"])
    page.goto("/search")
    hand.press(page.get_by_role("button", name="no longer"))
    expect(page.locator("#flashes")).to_contain_text("It is not kept any more.")
    expect(page.locator(".kept-search")).to_have_count(0)


@ON_ONE
def test_a_key_leads_to_the_search_from_anywhere_but_from_a_field(recorded: str, at_home: Page) -> None:
    at_home.goto("/entries/new")
    at_home.get_by_label("Title").fill("a")
    at_home.keyboard.press("/")
    expect(at_home.get_by_label("Title")).to_have_value("a/")
    at_home.goto("/settings/about")
    at_home.keyboard.press("/")
    expect(at_home.get_by_role("searchbox")).to_be_focused()
    at_home.keyboard.type("whales")
    expect(at_home.locator(".card-title")).to_have_text(["Whales"])
    at_home.locator("body").press("Shift+Tab")
    at_home.locator("h1").click()
    at_home.keyboard.press("/")
    at_home.keyboard.type("water")
    expect(at_home.get_by_role("searchbox")).to_have_value("water")
    expect(at_home.locator(".card")).to_have_count(4)


@ON_ONE
def test_the_newest_words_win_and_an_away_journal_is_said(recorded: str, at_home: Page, foreseen: list[str]) -> None:
    foreseen += ["htmx:", "ERR_", "status of 503"]
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    at_home.route(re.compile("q=lighthouse"), hold)
    at_home.goto("/search")
    field = at_home.get_by_role("searchbox")
    field.fill("lighthouse")
    at_home.wait_for_timeout(400)
    field.fill("whales")
    expect(at_home.locator(".card-title")).to_have_text(["Whales"])
    assert held
    for route in held:
        route.fulfill(body="<p>too late</p>", content_type="text/html")
    at_home.wait_for_timeout(200)
    assert titles(at_home) == ["Whales"]
    at_home.route(re.compile("q=boats"), lambda route: route.abort())
    field.fill("boats")
    expect(at_home.locator("#found-said")).to_have_text("The journal did not answer. Type on, and it is asked again.")


@ON_ONE
def test_what_there_is_to_narrow_by_goes_along_while_somebody_types(recorded: str, at_home: Page) -> None:
    asked: list[str] = []
    at_home.on("request", lambda request: asked.append(request.url) if "narrow=1" in request.url else None)
    at_home.goto("/search?q=water")
    expect(at_home.locator(".card")).to_have_count(4)
    assert asked == []  # nobody has looked
    at_home.locator("#facets summary").click()
    expect(at_home.locator(".facet h2")).to_have_text(["Tags", "Motifs", "Moods", "Years"])
    at_home.get_by_role("searchbox").fill("lighthouse")
    expect(at_home.locator("#facets").get_by_role("link", name="old friends")).to_have_count(0)
    expect(at_home.locator("#facets").get_by_role("link", name="calm")).to_be_visible()
    assert at_home.locator("#facets").evaluate("details => details.open")
    at_home.get_by_role("searchbox").fill("")
    expect(at_home.locator("#facets")).to_be_hidden()
    expect(at_home).to_have_url(re.compile("/search$"))


@ON_ONE
def test_what_is_heard_is_ready_to_be_played(recorded: str, at_home: Page) -> None:
    at_home.goto("/search?q=sea")
    at_home.get_by_role("link", name="Play from 0:05").click()
    expect(at_home.get_by_role("button", name="Play")).to_be_focused()
    is_at(at_home, 5, tolerance=0.1)
    expect(at_home.locator(".player [data-now]")).to_have_text("0:05")
    expect(at_home.locator("#words mark")).to_have_text(["sea"])
    expect(at_home.locator(".said")).to_have_text("sea")
    assert at_home.locator("audio").first.evaluate("audio => audio.paused")
    at_home.keyboard.press("Space")
    at_home.wait_for_function("() => !document.querySelector('[data-player] audio').paused")


@ON_ONE
def test_the_search_works_without_scripts(recorded: str, open_at_home: OpenBrowser) -> None:
    page = open_at_home(java_script_enabled=False).new_page()
    page.goto("/")
    page.locator("nav.bar").get_by_role("link", name="Search").click()
    page.get_by_role("searchbox").fill("water")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".card")).to_have_count(4)
    page.get_by_role("link", name="Newest first").click()
    expect(page.get_by_role("link", name="Newest first")).to_have_attribute("aria-current", "true")
    page.get_by_text("Narrow it down").click()
    page.get_by_role("link", name="Show what is in these dreams").click()
    page.locator("#facets").get_by_role("link", name="old friends").click()
    expect(page.locator(".card-title")).to_have_text(["Whales"])
    page.get_by_role("button", name="Keep it").click()
    page.goto("/search")
    page.locator(".kept-search").click()
    expect(page.locator(".card-title")).to_have_text(["Whales"])
    page.goto("/search?q=sea")
    page.get_by_role("link", name="Play from 0:05").click()
    expect(page.locator("audio:visible")).to_have_attribute("src", re.compile("#t=5.0$"))


@ON_ONE
def test_what_is_found_and_looked_for_stays_text(api: httpx.Client, at_home: Page) -> None:
    for said in HOSTILE[::4]:
        details = {"title": f"{said[:150]} sea", "text": f"sea {said}", "tags": [said[:40].replace(",", " ")]}
        assert api.post("/entries", json=details).status_code == 201
    at_home.goto("/search?q=sea&narrow=1")
    expect(at_home.locator(".card")).to_have_count(len(HOSTILE[::4]))
    assert at_home.evaluate(f"({LOOK})(document)") == []
    at_home.locator(".card-title a").first.click()
    expect(at_home.locator("#words mark").first).to_have_text("sea")
    assert at_home.evaluate(f"({LOOK})(document)") == []
    at_home.goto("/search")
    for said in HOSTILE[::9]:
        at_home.get_by_role("searchbox").fill(said)
        expect(at_home).to_have_url(re.compile("q="))
        at_home.wait_for_load_state("networkidle")
        assert at_home.evaluate(f"({LOOK})(document)") == [], said


@ON_ONE
def test_the_search_is_for_everybody(recorded: str, open_at_home: OpenBrowser) -> None:
    """On a small phone, at twice the size, in every theme: empty, found, narrowed, mistyped and without anything."""
    page = open_at_home(**PHONE | {"viewport": {"width": 360, "height": 740}}).new_page()
    found: list[str] = []
    page.goto("/search?q=tag:%22old+friends%22")
    page.get_by_role("button", name="Keep it").click()
    for query in ("", "?q=water&narrow=1", f"?q={LONG}", "?q=lighthuose", "?q=volcano+tag:water", "?q=sea"):
        page.goto(f"/search{query}")
        found += [f"{query}: {each}" for each in breaches(page) + page.evaluate(TOO_WIDE) + page.evaluate(TOO_SMALL)]
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        found += [f"{query} at 200%: {each}" for each in page.evaluate(TOO_WIDE)]
    assert not found, "\n".join(found)
