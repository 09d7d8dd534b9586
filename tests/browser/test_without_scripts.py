"""Promises about a browser without JavaScript: everything that is needed at night works there, too."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.attachables import PNG
from tests.browser.conftest import OpenBrowser
from tests.conftest import SAMPLES, Person


def test_a_journal_is_kept_without_scripts(open_browser: OpenBrowser, ana: Person) -> None:
    page = open_browser(java_script_enabled=False).new_page()
    page.goto("/")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("A line about a dream").fill("I was a lake")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="I was a lake").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Title").fill("A lake")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="A lake")).to_be_visible()
    page.locator("#attach").set_input_files({"name": "sea.png", "mimeType": "image/png", "buffer": PNG})
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Delete sea.png").click()
    expect(page.locator(".attachment")).to_have_count(0)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="A lake")).to_be_visible()
    page.goto("/")
    page.get_by_text("Calendar", exact=True).click()
    page.get_by_role("link", name="Open the calendar").click()
    expect(page.locator(".calendar .today")).to_be_visible()


def test_a_recording_is_sent_and_heard_without_scripts(open_at_home: OpenBrowser) -> None:
    page = open_at_home(java_script_enabled=False, viewport={"width": 390, "height": 844}).new_page()
    page.goto("/")
    page.locator("#recordings").set_input_files([SAMPLES / "sl-hisa.mp3", SAMPLES / "en-key.flac"])
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".card")).to_have_count(2)
    expect(page.locator(".notice.good")).to_have_text("2 recordings are saved.")
    page.locator(".card-title a").first.click()
    sound = page.locator("audio:visible")
    expect(sound).to_have_count(1)
    expect(sound).to_have_attribute("controls", "")
    expect(page.locator(".player")).to_be_hidden()
