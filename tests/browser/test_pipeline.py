"""A recording becomes text before the eyes of whoever looks at it, with a worker and engines of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PHONE
from tests.conftest import SAMPLES, TOKEN, Process, until
from tests.speech_server import Reply, Speaking, speech_server

pytestmark = pytest.mark.slow


@pytest.fixture
def speech() -> Iterator[Speaking]:
    with speech_server() as speaking:
        yield speaking


def test_a_recording_becomes_text_while_somebody_watches(serving: Process, speech: Speaking, browser: Browser) -> None:
    serving.configure(workers=1, speech_engine="server", speech_model="whisper-1", speech_url=speech.url)
    speech.replies = [Reply(status=401)]  # it fails once, in a way that waits for a person
    serving.start()
    page = browser.new_page(**PHONE, locale="en-GB")
    page.goto(f"{serving.url}/sign-in")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#recordings")).to_be_attached()
    page.wait_for_load_state()
    page.locator("#recordings").set_input_files(SAMPLES / "sl-hisa.mp3")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    kept: list[dict[str, Any]] = []

    def arrived() -> bool:
        kept[:] = httpx.get(f"{serving.url}/api/v1/entries", headers=headers).json()["items"]
        return bool(kept)

    until(arrived)
    page.goto(f"{serving.url}/entries/{kept[0]['id']}")
    line = page.locator("#steps-line")
    expect(line).to_contain_text("Could not be transcribed")
    expect(page.locator("#steps")).to_contain_text("SPEECH_KEY")
    if not page.get_by_role("button", name="Try again").first.is_visible():
        line.click()
    page.get_by_role("button", name="Try again").first.click()
    # Nobody loads the page anew from here on.
    page.evaluate("document.documentElement.dataset.same = 'yes'")
    expect(page.locator("#words")).to_contain_text("letim nad staro hišo")
    expect(page.locator("#about")).to_contain_text("hiša")
    expect(line).to_contain_text("Everything is done.")
    assert page.evaluate("document.documentElement.dataset.same") == "yes"
    page.close()
