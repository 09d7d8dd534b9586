"""Promises about an entry that was heard and understood: words lead into the recording, and nobody is disturbed."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from dreamweb import db
from dreamweb.analysis import FoundMotif
from dreamweb.words import say
from tests.browser.conftest import PHONE, Hand, OpenBrowser
from tests.browser.test_every_page import TOO_SMALL, TOO_WIDE, breaches
from tests.browser.test_player import SECOND, is_at
from tests.conftest import wav
from tests.processed import ALL_DONE, done, hear, segments, set_jobs, tidy, understand

ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""What has nothing to do with databases."""


@pytest.fixture
def entry(app: Flask, api: httpx.Client) -> str:
    """A recording of 40 seconds, heard and understood."""
    made = str(api.post("/upload", content=wav(40 * SECOND)).json()["id"])
    hear(app, made)
    understand(app, made)
    set_jobs(app, made, *ALL_DONE)
    return made


def marks(page: Page) -> list[str]:
    return [text.strip() for text in page.locator("#words mark").all_inner_texts()]


def test_a_word_leads_to_its_place_and_is_marked_while_it_is_said(hand: Hand, entry: str) -> None:
    page = hand.page
    page.goto(f"/entries/{entry}")
    expect(page.locator("svg.waveform path.played")).to_be_attached()
    sea = page.get_by_text("sea", exact=True).first
    if hand.touches:
        sea.tap()
    else:
        first = page.locator("[data-start]").first
        hand._at(first, lambda: page.keyboard.press("ArrowDown"))
        for key in ("ArrowUp", *["ArrowRight"] * 7):
            page.keyboard.press(key)
        expect(sea).to_be_focused()
        page.keyboard.press("Enter")
    is_at(page, 5, tolerance=0.1)
    expect(page.locator(".said")).to_have_text("sea")
    hand.press(page.get_by_role("button", name="Play"))
    expect(page.locator(".said")).to_have_text("comes")
    assert page.locator("[data-heard] [tabindex='0']").count() == 1


@ON_ONE
def test_the_words_of_a_tidied_text_lead_to_their_place_too(app: Flask, at_home: Page, entry: str) -> None:
    tidy(app, entry, "I stand in an old, old house.\n\nThe sea comes in.\n\nAnd there is my grandmother.")
    page = at_home
    page.goto(f"/entries/{entry}")
    expect(page.locator("#words")).to_contain_text("old, old house")
    expect(page.locator(".stamp")).to_have_text(["From 0:00", "From 0:04", "From 0:13"])
    page.get_by_text("sea", exact=True).first.click()
    is_at(page, 5, tolerance=0.1)
    expect(page.locator(".said")).to_have_text("sea")
    timed = page.locator("[data-start]").all_inner_texts()
    assert timed == ["I", "stand", "in", "an", "old", "house.", "The", "sea", "comes", "in.", "my", "grandmother."]
    page.get_by_role("button", name="house", exact=True).press("Space")
    assert marks(page) == ["old", "house"]


@ON_ONE
def test_a_tidied_text_of_which_no_words_were_timed_is_plain(app: Flask, at_home: Page, entry: str) -> None:
    tidy(app, entry, "Nothing of it is as anybody has ever said or thought before.")
    at_home.goto(f"/entries/{entry}")
    expect(at_home.locator("#words .prose")).to_have_text(
        "Nothing of it is as anybody has ever said or thought before."
    )
    expect(at_home.locator("[data-start]")).to_have_count(0)


def test_a_motif_marks_the_very_words_that_justify_it(app: Flask, hand: Hand, entry: str) -> None:
    page = hand.page
    page.goto(f"/entries/{entry}")
    house, sea = (page.get_by_role("button", name=name, exact=True) for name in ("house", "sea"))
    hand.press(house)
    expect(house).to_have_attribute("aria-pressed", "true")
    assert marks(page) == ["old", "house"]
    expect(page.locator(".motif-places")).to_contain_text("“old house”")
    hand.press(sea)
    assert marks(page) == ["sea"]
    expect(house).to_have_attribute("aria-pressed", "false")
    hand.press(sea)
    assert marks(page) == []
    expect(page.locator(".motif-places")).to_be_hidden()


@ON_ONE
def test_motifs_are_found_in_a_text_with_markdown_and_nowhere_else(
    app: Flask, api: httpx.Client, at_home: Page, entry: str
) -> None:
    api.patch(f"/entries/{entry}", json={"text": "An **old\nhouse**, and househusbands.\n\n- *old* house"})
    understand(app, entry, FoundMotif("place", "house", "house", ("**old\nhouse**", "*old* house")))
    at_home.goto(f"/entries/{entry}")
    at_home.get_by_role("button", name="house", exact=True).press("Space")
    assert marks(at_home) == ["old", "house", "old", "house"]
    expect(at_home.locator(".prose")).to_contain_text("and househusbands.")
    at_home.get_by_role("link", name="Transcription").click()
    expect(at_home.locator("[data-heard]")).to_be_visible()
    expect(at_home.locator("#words mark").first).to_be_visible()
    assert marks(at_home) == ["old", "house"]


@ON_ONE
def test_a_text_that_comes_while_somebody_listens_disturbs_nobody(app: Flask, at_home: Page, api: httpx.Client) -> None:
    entry = str(api.post("/upload", content=wav(40 * SECOND)).json()["id"])
    now = db.now()
    runs = {"state": "running", "started_at": now, "lease_until": now + timedelta(minutes=9), "progress": 0.4}
    set_jobs(app, entry, done("audio"), {"step": "transcribe"} | runs)
    at_home.goto(f"/entries/{entry}")
    expect(at_home.locator(".course summary")).to_contain_text("Listening to it... 40 %")
    expect(at_home.locator("#entry-state")).to_have_text("Listening to it...")
    at_home.locator(".course summary").click()
    at_home.get_by_role("button", name="Play").click()
    at_home.wait_for_function("() => document.querySelector('audio').currentTime > 0.1")

    hear(app, entry)
    tidying = {"step": "tidy"} | runs
    set_jobs(app, entry, done("audio"), done("transcribe", "faster-whisper 1.2.1, small"), tidying)
    expect(at_home.locator("[data-heard]")).to_contain_text("old house")
    expect(at_home.locator(".course-steps")).to_contain_text("Transcribed by faster-whisper 1.2.1, small")
    expect(at_home.locator("#steps-said")).to_have_text("Tidying the text...")
    assert not at_home.locator("audio").first.evaluate("audio => audio.paused")
    expect(at_home.locator(".said")).to_have_count(1)

    at_home.locator("[data-start]").nth(2).select_text()
    tidy(app, entry, "I stand in an old house.")
    understand(app, entry)
    set_jobs(app, entry, *ALL_DONE)
    expect(at_home.locator(".course summary")).to_have_text("Everything is done.")
    at_home.wait_for_timeout(1500)
    assert at_home.evaluate("() => String(getSelection())").strip() == "in"
    expect(at_home.locator("#about h2")).to_have_count(0)
    at_home.evaluate("() => getSelection().removeAllRanges()")
    expect(at_home.locator("#about h2")).to_have_text("What it is about")
    expect(at_home.locator("h1")).to_have_text("The house by the sea")
    expect(at_home.locator("#words .prose")).to_contain_text("I stand in an old house.")
    assert at_home.locator(".course details").evaluate("details => details.open")
    assert at_home.locator("#steps").get_attribute("hx-trigger") is None


@ON_ONE
def test_three_hours_of_words_do_not_hold_the_page_up(app: Flask, at_home: Page, entry: str) -> None:
    sentences = [" ".join(["word"] * 8)] * (27_000 // 8)
    hear(app, entry, *sentences)
    at_home.goto(f"/entries/{entry}")
    assert at_home.locator("[data-start]").count() == 27_000
    last = segments(*sentences)[9]["start"]
    took = at_home.evaluate(
        """async (seconds) => {
          const audio = document.querySelector("audio");
          const started = performance.now();
          audio.currentTime = seconds;
          while (!document.querySelector(".said")) await new Promise(requestAnimationFrame);
          return performance.now() - started;
        }""",
        last,
    )
    assert took < 2000


@ON_ONE
def test_what_was_heard_and_understood_is_for_everybody(
    app: Flask, api: httpx.Client, open_at_home: OpenBrowser, entry: str
) -> None:
    """On a small phone, at twice the size, in every theme; also what failed, and two versions side by side."""
    tidy(app, entry, "I stand in an old house.")
    tidy(app, entry, "Nonsense.", say("%(engine)s answered in another language.", engine="openai:x"))
    broken = str(api.post("/upload", content=wav(SECOND)).json()["id"])
    reason = say("The speech server %(server)s cannot be reached. Is it running?", server="http://raspberrypi:8000")
    late = {"step": "analyse", "reason": reason, "run_at": db.now() + timedelta(hours=1)}
    set_jobs(app, broken, done("audio"), {"step": "transcribe", "state": "failed", "reason": reason}, late)
    page = open_at_home(**PHONE | {"viewport": {"width": 360, "height": 740}}).new_page()
    found: list[str] = []
    places = (f"{entry}?version=transcription", broken, f"{entry}/versions")
    for place in places:
        page.goto(f"/entries/{place}")
        page.locator("[data-motif], .course, .compare").first.wait_for()
        if "/versions" in place:
            page.get_by_role("button", name="Compare").click()
            page.locator("#compared").wait_for()
        else:
            page.locator(".course details").evaluate("details => (details.open = true)")
        if "transcription" in place:
            page.get_by_text("sea", exact=True).first.tap()
            page.locator("[data-motif]").first.tap()
        found += breaches(page)
        found += page.evaluate(TOO_WIDE) + page.evaluate(TOO_SMALL)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        found += page.evaluate(TOO_WIDE)
    assert not found, "\n".join(found)
