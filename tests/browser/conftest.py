"""Gives browser tests a real Chromium, watched for everything a page must not do, and hands to use it with."""

from __future__ import annotations

import os
import shutil
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import av
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from dreamweb import db, sessions
from tests.conftest import SAMPLES, Person

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

SHELL = shutil.which("chromium-headless-shell") or CHROMIUM
"""The same without windows, where it is installed: it opens a page for a fifth of the work, and has no microphone."""

PATIENCE = 20_000  # milliseconds: a busy machine is no reason to fail

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


Launch = Callable[..., Browser]


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """Starts Chromium, with more arguments where a test wants another one than the others share."""
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set, and there is no Chromium")
        pytest.skip("no Chromium on this machine")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
        sound = ["--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        arguments = ["--no-sandbox", "--disable-quic", *quiet, *sound]
        launched: list[Browser] = []

        def launch(*more: str) -> Browser:
            program = CHROMIUM if more else SHELL  # what tests want besides is a microphone, or that there is none
            launched.append(playwright.chromium.launch(executable_path=program, args=[*arguments, *more]))
            return launched[-1]

        yield launch
        for chromium in launched:
            chromium.close()


@pytest.fixture(scope="session")
def browser(launch: Launch) -> Browser:
    return launch()


def hears(sound: Path) -> list[str]:
    """What lets Chromium hear a WAV file, from its beginning whenever a page opens the microphone, and then nothing."""
    file = f"--use-file-for-fake-audio-capture={sound}%noloop"
    return ["--use-fake-device-for-media-stream", file]


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifteen seconds of people who tell their dreams, as a WAV file."""
    file = tmp_path_factory.mktemp("speech") / "speech.wav"
    with wave.open(str(file), "wb") as written:
        written.setparams((1, 2, 48_000, 0, "NONE", ""))
        for name in ("en-lighthouse.aac", "sl-hisa.mp3", "en-garden.m4a", "en-key.flac"):
            written.writeframes(decoded(SAMPLES / name, 48_000))
    return file


def decoded(file: Path | IO[bytes], rate: int) -> bytes:
    """A recording as 16-bit samples, mono, each at its time: a hole is of zeros."""
    samples = b""
    with av.open(file, mode="r") as container:
        resampler = av.AudioResampler("s16", "mono", rate)
        for frame in [*container.decode(audio=0), None]:
            missing = round(((frame and frame.time) or 0) * rate) - len(samples) // 2
            if missing > rate // 10:
                samples += bytes(2 * missing)
            for piece in resampler.resample(frame):
                samples += bytes(piece.planes[0])[: piece.samples * 2]
    return samples


@pytest.fixture
def foreseen() -> list[str]:
    """Parts of what the browser may complain about in this test: that a request was refused, for instance."""
    return []


OpenBrowser = Callable[..., BrowserContext]


@pytest.fixture
def open_browser(browser: Browser, live: str, foreseen: list[str]) -> Iterator[OpenBrowser]:
    """Opens browsers that fail the test when a page errs, breaks its own policy, or asks another host for anything."""
    opened: list[BrowserContext] = []
    wrong: list[str] = []

    def complain(said: str) -> None:
        if not any(part in said for part in foreseen):
            wrong.append(said)

    def open_browser(**options: Any) -> BrowserContext:
        # A worker would be installed again in each of them, and answer before the routes of a test are asked.
        usual = {"locale": "en-GB", "reduced_motion": "reduce", "service_workers": "block"}
        context = browser.new_context(base_url=live, **usual | options)
        context.set_default_timeout(PATIENCE)
        context.on("weberror", lambda error: complain(f"error: {error.error}"))
        context.on("console", lambda said: complain(f"console: {said.text}") if said.type == "error" else None)
        context.on(
            "request", lambda asked: None if asked.url.startswith((live, "data:", "blob:")) else complain(asked.url)
        )
        opened.append(context)
        return context

    yield open_browser
    for context in opened:
        context.close()
    assert wrong == []


@pytest.fixture
def page(open_browser: OpenBrowser) -> Page:
    """A page of a browser in which nobody is signed in."""
    return open_browser().new_page()


def let_in(context: BrowserContext, app: Flask, person: Person, live: str) -> None:
    """Sign a browser in without its going through the page."""
    with app.app_context(), db.transaction():
        key = sessions.begin(person.account, "test")
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = key
    kept = client.get_cookie("dreamweb")
    assert kept
    context.add_cookies([{"name": "dreamweb", "value": kept.value, "url": live}])


@pytest.fixture
def open_at_home(open_browser: OpenBrowser, app: Flask, ana: Person, live: str) -> OpenBrowser:
    """Opens browsers in which ana is signed in."""

    def open_at_home(**options: Any) -> BrowserContext:
        context = open_browser(**options)
        let_in(context, app, ana, live)
        return context

    return open_at_home


@pytest.fixture
def at_home(open_at_home: OpenBrowser) -> Page:
    """A page of ana's browser."""
    return open_at_home().new_page()


@dataclass(frozen=True)
class Hand:
    """Somebody who has no mouse: either only a keyboard, or only a finger on a small screen."""

    page: Page
    touches: bool

    def press(self, target: Locator) -> None:
        self._at(target, lambda: self.page.keyboard.press("Enter"))

    def follow(self, target: Locator) -> None:
        """Press what leads to another page, and wait for that: the one before may have what is used there, too."""
        with self.page.expect_navigation():
            self.press(target)

    def write(self, target: Locator, text: str) -> None:
        """Write into a field in place of what stands there."""
        self._at(target, lambda: None)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def tick(self, target: Locator) -> None:
        self._at(target, lambda: self.page.keyboard.press("Space"))

    def choose(self, target: Locator, label: str) -> None:
        """Choose from a list by what its option says."""
        if self.touches:
            target.select_option(label=label)  # the browser's own list, which no test can touch
        else:
            self._at(target, lambda: self.page.keyboard.type(label))
        expect(target.locator("option:checked")).to_have_text(label)

    def give(self, target: Locator, files: list[Any]) -> None:
        """Choose files in a field for files, whose label is what a finger touches."""
        with self.page.expect_file_chooser() as asked:
            self.press(self.page.locator(f"label[for={target.get_attribute('id')}]") if self.touches else target)
        asked.value.set_files(files)

    def _at(self, target: Locator, act: Callable[[], None]) -> None:
        expect(target).to_be_visible()
        if self.touches:
            target.tap()
        else:
            self._go_to(target)
            act()

    def _go_to(self, target: Locator) -> None:
        for _ in range(120):
            if target.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {target}")


@pytest.fixture
def hand_options(database_kind: str) -> dict[str, Any]:
    """Hands have nothing to do with databases: each flow is tried with one kind of hand on each of them."""
    return PHONE if database_kind == "postgresql" else {}


@pytest.fixture
def hand(open_at_home: OpenBrowser, hand_options: dict[str, Any]) -> Hand:
    """Ana's hand, in front of her journal: on a keyboard in one run, on a phone in the other."""
    return Hand(open_at_home(**hand_options).new_page(), bool(hand_options))


@pytest.fixture
def stranger_hand(open_browser: OpenBrowser, hand_options: dict[str, Any]) -> Hand:
    """A hand in front of a journal in which nobody is signed in."""
    return Hand(open_browser(**hand_options).new_page(), bool(hand_options))
