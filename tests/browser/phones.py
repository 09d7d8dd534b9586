"""A phone for the tests of bad nights: a real browser with a profile, which can be killed, and hands to record with."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from playwright.sync_api import BrowserContext, BrowserType, Error, Locator, Page, Response, expect

from tests.browser.conftest import CHROMIUM, PATIENCE, PHONE, hears
from tests.browser.test_outbox import Device
from tests.browser.test_recorder import STATES, is_now
from tests.conftest import TOKEN, Process


class Journal:
    """What has arrived, as the API says it."""

    def __init__(self, process: Process) -> None:
        self._url = f"{process.url}/api/v1"

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self._url + path, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).raise_for_status()

    def entries(self) -> list[dict[str, Any]]:
        """All of them, those in the trash too."""
        return [entry for trash in (0, 1) for entry in self.get(f"/entries?trash={trash}").json()["items"]]


class Phone:
    """Ana's phone: a real browser, whose profile outlives its process."""

    def __init__(self, chromium: BrowserType, profile: Path, sound: Path, home: Process) -> None:
        self._chromium, self._profile, self._sound, self._home = chromium, profile, sound, home
        self.errors: list[str] = []
        self.context: BrowserContext

    def switch_on(self, **options: Any) -> None:
        self.context = self._chromium.launch_persistent_context(
            self._profile,
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--mute-audio", "--disable-background-networking", *hears(self._sound)],
            base_url=self._home.url,
            permissions=["microphone"],
            **PHONE | {"locale": "en-GB", "reduced_motion": "reduce"} | options,
        )
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(f"({STATES})()")
        self.context.on("weberror", lambda error: self.errors.append(str(error.error)))
        self.context.on("response", log)

    def recorder(self) -> Page:
        """The recorder, opened by ana for the first time."""
        page = self.context.new_page()
        page.goto("/record")
        sign_in(page)
        return page

    def recorder_as_ever(self) -> Page:
        """The recorder after many visits: a browser writes cookies down every half minute, or when it is closed."""
        self.recorder().evaluate("async () => void (await navigator.serviceWorker.ready)")
        self.switch_off()
        self.switch_on()
        page = self.context.new_page()
        page.goto("/record")
        return page

    def kill(self) -> None:
        """Kill -9 all that there is of the browser, as an empty battery does."""
        [main] = [each for each in psutil.Process().children(recursive=True) if is_main(each, self._profile)]
        for each in [main, *main.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self.switch_off()

    def switch_off(self) -> None:
        with suppress(Error):
            self.context.close()


def log(response: Response) -> None:
    """Shown beside a test that failed."""
    if "/api/" in response.url:
        sys.stdout.write(f"{time.strftime('%X')} {response.request.method} {response.url}: {response.status}\n")


def is_main(process: psutil.Process, profile: Path) -> bool:
    with suppress(psutil.Error):  # many a child is just ending
        arguments = process.cmdline()
        return f"--user-data-dir={profile}" in arguments and not any(each.startswith("--type=") for each in arguments)
    return False


def listed(page: Page, client_id: str) -> dict[str, Any]:
    """What this device says of a recording."""
    found: dict[str, Any] = Device(page).run(
        "return (await outbox.list()).find(({ client_id }) => client_id === given.id)", id=client_id
    )
    return found


def last(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = Device(page).run("return (await outbox.list()).at(-1)")
    return found


def says(page: Page) -> Locator:
    return page.locator("[data-recorder] [data-said]")


def sign_in(page: Page) -> None:
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("[data-recorder]")).to_be_visible()
    page.wait_for_load_state()  # until then nobody hears a press


def begin(page: Page) -> None:
    page.locator("[data-main]").click()
    is_now(page, "recording")


def speak(page: Page, until_second: float) -> float:
    """Speak until the recorder has run for so long; answers for how long it has."""
    elapsed = "(performance.now() - window.states.findLast(([state]) => state === 'recording')[1]) / 1000"
    page.wait_for_timeout(max(0, until_second - page.evaluate(elapsed)) * 1000)
    return float(page.evaluate(elapsed))


def done(page: Page, wait: int = 0) -> float:
    """Press the button, and wait for so many milliseconds; answers how many seconds were spoken."""
    page.get_by_role("button", name="Done").click()
    page.wait_for_timeout(wait)
    times = dict(page.evaluate("window.states"))  # of each state, when it was last reached
    return float(times["ending"] - times["recording"]) / 1000
