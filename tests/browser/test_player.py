"""Promises about hearing a recording: with buttons, with keys, and by touching its drawing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from dreamweb import waveforms
from tests.browser.conftest import Hand
from tests.conftest import wav

SECOND = 2 * 16_000
"""Bytes of a recording that `wav` makes."""


def is_at(page: Page, seconds: float, tolerance: float = 0.1) -> None:
    page.wait_for_function(
        "([seconds, tolerance]) => Math.abs(document.querySelector('audio').currentTime - seconds) <= tolerance",
        arg=[seconds, tolerance],
    )


def audio(page: Page, what: str) -> Any:
    return page.locator("audio").evaluate(f"audio => audio.{what}")


@pytest.fixture
def entry(api: httpx.Client) -> str:
    """A recording of 40 seconds."""
    return str(api.post("/upload", content=wav(40 * SECOND)).json()["id"])


def test_a_recording_is_played_with_buttons(hand: Hand, entry: str) -> None:
    page = hand.page
    page.goto(f"/entries/{entry}")
    expect(page.locator("svg.waveform path.played")).to_be_attached()
    expect(page.locator(".time")).to_have_text("0:00 / 0:40")
    hand.press(page.get_by_role("button", name="Forward 10 seconds"))
    hand.press(page.get_by_role("button", name="Forward 10 seconds"))
    is_at(page, 20)
    hand.press(page.get_by_role("button", name="Back 10 seconds"))
    is_at(page, 10)
    expect(page.locator(".time")).to_have_text("0:10 / 0:40")
    played, whole = (
        page.locator(what).evaluate("e => e.getBBox().width")
        for what in ("clipPath rect", "svg.waveform path.unplayed")
    )
    assert played == pytest.approx(whole / 4, rel=0.05)
    hand.press(page.get_by_role("button", name="Play"))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 10.2")
    hand.press(page.get_by_role("button", name="Pause"))
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert audio(page, "paused") is True
    hand.choose(page.get_by_label("Speed"), "1.5×")
    assert audio(page, "playbackRate") == 1.5


def test_the_drawing_is_where_one_seeks(hand: Hand, entry: str) -> None:
    page = hand.page
    page.goto(f"/entries/{entry}")
    expect(page.locator("svg.waveform path.played")).to_be_attached()
    drawing = page.locator(".scrub").bounding_box()
    assert drawing
    place = drawing["x"] + drawing["width"] * 0.75, drawing["y"] + drawing["height"] / 2
    if hand.touches:
        page.touchscreen.tap(*place)
    else:
        page.mouse.click(*place)
    is_at(page, 30, tolerance=1)
    assert audio(page, "paused") is True


def test_a_recording_is_played_with_keys(at_home: Page, entry: str) -> None:
    at_home.goto(f"/entries/{entry}")
    at_home.get_by_label("Position in the recording").focus()
    for key, seconds in (("ArrowRight", 10), ("ArrowRight", 20), ("ArrowLeft", 10), ("End", 40), ("Home", 0)):
        at_home.keyboard.press(key)
        is_at(at_home, seconds)
    at_home.keyboard.press("Space")
    expect(at_home.get_by_role("button", name="Pause")).to_be_visible()
    at_home.wait_for_function("() => document.querySelector('audio').currentTime > 0.1")
    at_home.keyboard.press("Space")
    expect(at_home.get_by_role("button", name="Play")).to_be_visible()
    at_home.get_by_label("Speed").focus()
    at_home.keyboard.press("ArrowDown")
    assert audio(at_home, "playbackRate") == 1.25


def test_a_recording_that_is_gone_is_said_to_be(at_home: Page, entry: str, foreseen: list[str]) -> None:
    foreseen.append("ERR_FAILED")
    at_home.route("**/playback", lambda route: route.abort())
    at_home.goto(f"/entries/{entry}")
    expect(at_home.locator(".player").get_by_role("alert")).to_contain_text("cannot be played")


def test_a_drawing_that_has_to_wait_comes_by_itself(at_home: Page, entry: str) -> None:
    with waveforms._drawing:
        with at_home.expect_response("**/waveform") as answer:
            at_home.goto(f"/entries/{entry}")
        assert answer.value.status == 200
        expect(at_home.locator("div.waveform")).to_be_attached()
    expect(at_home.locator("svg.waveform path.played")).to_be_attached()
