"""Promises about the outbox: what is on a device stays there until the journal has it, and gets there by itself."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from flask import Flask
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from dreamweb import finishing
from dreamweb.tools import Tools
from tests.browser.conftest import OpenBrowser, let_in
from tests.conftest import SAMPLES, Person, until
from tests.recorded import SLICES, digest

MP3 = SAMPLES / "sl-hisa.mp3"
CHUNKS, FINISH = "**/api/v1/captures/*/chunks/*", "**/api/v1/captures/*/finish"

once = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""For what the browser does, whatever the server keeps it in."""


class Device:
    """A browser on a device, and what its scripts do there."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def run(self, script: str, **given: Any) -> Any:
        """Run a line with `outbox` at hand, as the recorder has it."""
        return self.page.evaluate(
            f"""async (given) => {{
          const app = document.querySelector('script[src$="/js/app.js"]').src;
          const outbox = await import(app.replace("app.js", "outbox.js"));
          const blob = (text) => new Blob([Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))]);
          {script}
        }}""",
            given,
        )

    def begin(self) -> str:
        client_id = str(uuid4())
        self.run(
            """await new Promise((locked) => {
                 void navigator.locks.request(`recording:${given.id}`, () => {
                   locked();
                   return new Promise((stop) => (window.stopRecording = stop));
                 });
               });
               await outbox.begin({ client_id: given.id, account: document.body.dataset.account });""",
            id=client_id,
        )
        return client_id

    def add(self, client_id: str, *numbers: int) -> None:
        for n in numbers:
            self.run(
                "await outbox.add(given.id, 0, given.n, blob(given.data), 'audio/webm;codecs=opus')",
                id=client_id,
                n=n,
                data=base64.b64encode(SLICES[n]).decode(),
            )

    def end(self, client_id: str) -> None:
        self.run("await outbox.end(given.id); window.stopRecording?.();", id=client_id)

    def record(self) -> str:
        client_id = self.begin()
        self.add(client_id, 0, 1, 2, 3)
        self.end(client_id)
        return client_id

    def bytes_left(self) -> int:
        """Bytes of recordings that are on the device."""
        return int(self.run("return (await outbox.list()).reduce((sum, { bytes }) => sum + bytes, 0)"))

    def wait_until_confirmed(self, client_id: str) -> None:
        self.run("await outbox.confirmed(given.id)", id=client_id)


def waiting(page: Page) -> Locator:
    return page.locator(".pending-item")


def entries(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/entries").json()["items"]
    return found


def is_whole(api: httpx.Client) -> bool:
    """Whether the journal has the recording once, every byte of it."""
    found = entries(api)
    return len(found) == 1 and api.get(f"/entries/{found[0]['id']}").json()["sha256"] == digest(*SLICES)


@pytest.fixture
def device(at_home: Page) -> Device:
    at_home.goto("/record")
    return Device(at_home)


@once
def test_what_a_closed_tab_leaves_is_sent_by_the_next_visit_without_being_asked(
    device: Device, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen.append("ERR_FAILED")
    context = device.page.context
    context.route("**/api/**", lambda route: route.abort())
    client_id = device.begin()
    device.add(client_id, 0, 1, 2, 3)
    device.page.close()
    context.unroute("**/api/**")
    next_visit = Device(context.new_page())
    next_visit.page.goto("/record")
    next_visit.wait_until_confirmed(client_id)
    assert is_whole(api)
    assert next_visit.bytes_left() == 0


def test_the_network_goes_and_comes(device: Device, api: httpx.Client, foreseen: list[str]) -> None:
    foreseen += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    client_id = device.begin()
    device.add(client_id, 0, 1)
    device.page.context.set_offline(True)
    device.add(client_id, 2, 3)
    device.end(client_id)
    expect(waiting(device.page)).to_contain_text("No connection. Kept on this device")
    device.page.context.set_offline(False)
    expect(waiting(device.page)).to_contain_text("Saved in the journal.")
    assert is_whole(api)
    assert device.bytes_left() == 0
    waiting(device.page).get_by_role("link", name="Open").click()
    expect(device.page.locator(".player")).to_be_visible()


@once
def test_what_the_server_has_finished_by_itself_is_made_whole(
    device: Device, app: Flask, tools: Tools, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    client_id = device.begin()
    device.add(client_id, 0, 1)
    until(lambda: device.run("return (await outbox.list())[0].sent") == 2)
    device.page.context.set_offline(True)
    device.add(client_id, 2, 3)
    with app.app_context():
        assert finishing.finish_idle(tools, timedelta(0)) == 1
    assert len(entries(api)) == 1
    device.end(client_id)
    device.page.context.set_offline(False)
    device.wait_until_confirmed(client_id)
    assert is_whole(api)


@once
def test_a_session_that_ended_keeps_what_waits_until_somebody_signs_in(
    device: Device, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen += ["401", "403"]
    page = device.page
    client_id = device.begin()
    device.add(client_id, 0, 1)
    page.context.clear_cookies()
    device.add(client_id, 2, 3)
    device.end(client_id)
    expect(waiting(page)).to_contain_text("Sign in, and it is sent.")
    waiting(page).get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("link", name="Record now, sign in later")).to_be_visible()
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/record")
    device.wait_until_confirmed(client_id)
    assert is_whole(api)


def answer(answers: list[Callable[[Route], None]], route: Route) -> None:
    """By the next answer; when there is none left, by the server."""
    answers.pop(0)(route) if answers else route.continue_()


def lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort()


@once
def test_a_server_in_trouble_is_asked_again_until_it_is_well(
    device: Device, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen += ["500", "503", "413", "ERR_FAILED"]
    away = {"detail": "Away.", "error_code": "DATABASE_ERROR"}
    trouble: dict[str, list[Callable[[Route], None]]] = {
        CHUNKS: [
            lambda route: route.fulfill(status=500, content_type="text/html", body="<html>"),
            lambda route: route.continue_(),
            lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}, json=away),
            lambda route: route.continue_(),
            lambda route: route.fulfill(status=413, content_type="text/html", body="<html>a proxy's page</html>"),
        ],
        FINISH: [
            lambda route: route.fulfill(status=200, content_type="text/html", body="<html>a hotel's page</html>"),
            lose_the_answer,
        ],
    }
    for address, left in trouble.items():
        device.page.route(address, partial(answer, left))
    client_id = device.record()
    device.wait_until_confirmed(client_id)
    assert not any(trouble.values())
    assert is_whole(api)


@once
def test_nothing_leaves_the_device_before_the_journal_has_proved_that_it_has_it(
    device: Device, api: httpx.Client, foreseen: list[str]
) -> None:
    page = device.page

    def lie(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | {"sha256": "0" * 64})

    page.route(FINISH, lie)
    device.record()
    expect(waiting(page)).to_contain_text("but not exactly as it is here")
    assert device.bytes_left() == sum(map(len, SLICES))
    waiting(page).get_by_role("button", name="Play").click()
    expect(waiting(page).locator("audio")).to_have_js_property("paused", False)
    with page.expect_download() as saved:
        waiting(page).get_by_role("button", name="Save as a file").click()
    assert saved.value.path().read_bytes() == b"".join(SLICES)
    assert saved.value.suggested_filename.startswith("dream_")
    assert saved.value.suggested_filename.endswith(".webm")
    page.unroute(FINISH)
    waiting(page).get_by_role("button", name="Try now").click()
    expect(waiting(page)).to_contain_text("Saved in the journal.")
    assert device.bytes_left() == 0
    assert is_whole(api)


@once
def test_a_recording_goes_to_nobody_but_who_made_it(
    device: Device,
    app: Flask,
    live: str,
    ana: Person,
    bor: Person,
    api: httpx.Client,
    stranger: httpx.Client,
    foreseen: list[str],
) -> None:
    foreseen += ["ERR_FAILED", "401", "403"]
    page, context = device.page, device.page.context
    context.route("**/api/**", lambda route: route.abort())
    client_id = device.record()
    expect(waiting(page)).to_be_visible()
    # Another one signs in while ana's page is still open, and looks at a page of their own.
    let_in(context, app, bor, live)
    context.unroute("**/api/**")
    others = Device(context.new_page())
    others.page.goto("/")
    expect(others.page.get_by_text("Somebody else has recordings on this device.")).to_be_visible()
    expect(waiting(others.page)).to_have_count(0)
    for each in (device, others):
        each.run("await outbox.send({ now: true })")
    assert entries(stranger) == entries(api) == []
    assert stranger.get("/captures").json()["items"] == []
    let_in(context, app, ana, live)
    others.page.reload()
    others.wait_until_confirmed(client_id)
    assert is_whole(api)
    assert entries(stranger) == []


@once
def test_what_was_made_while_nobody_was_signed_in_is_sent_after_one_touch(
    page: Page, app: Flask, live: str, ana: Person, api: httpx.Client
) -> None:
    page.goto("/record/shell")
    device = Device(page)
    client_id = device.record()
    expect(waiting(page)).to_contain_text("Made while nobody was signed in.")
    let_in(page.context, app, ana, live)
    page.goto("/")
    expect(waiting(page)).to_be_visible()
    assert entries(api) == []
    waiting(page).get_by_role("button", name="Send it to my journal").click()
    device.wait_until_confirmed(client_id)
    assert is_whole(api)


@pytest.fixture
def small_device(open_at_home: OpenBrowser, live: str) -> Callable[[int], Device]:
    """Makes devices on which only so many bytes find room."""

    def small_device(size: int) -> Device:
        page = open_at_home().new_page()
        quota = {"origin": live, "quotaSize": size}
        page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)
        page.goto("/record")
        return Device(page)

    return small_device


@once
def test_a_device_that_is_nearly_full_is_known_before_and_its_reserve_is_for_recordings(
    small_device: Callable[[int], Device], api: httpx.Client
) -> None:
    device = small_device(3_000_000)
    room = device.run("return await outbox.room()")  # the recorder says so when it is less than for an hour
    assert 1_000_000 < room["quota"] - room["usage"] < 3_000_000
    filler = "new Blob([crypto.getRandomValues(new Uint8Array(60_000))])"
    kept = device.run(
        f"""
      await outbox.begin({{ client_id: given.id }});
      let n = 0;
      try {{ while (n < 90) await outbox.add(given.id, 0, n, {filler}, "audio/webm").then(() => n++); }} catch {{}}
      return n;""",
        id=str(uuid4()),
    )
    assert 2_000_000 < kept * 60_000 < 3_000_000
    room = device.run("return await outbox.room()")
    assert room["quota"] - room["usage"] < 200_000


@once
def test_what_finds_no_room_on_the_device_is_sent_all_the_same(
    small_device: Callable[[int], Device], api: httpx.Client
) -> None:
    device = small_device(1000)
    client_id = device.begin()
    kept = device.run(
        """const results = [];
           for (const [n, data] of given.slices.entries()) {
             const added = outbox.add(given.id, 0, n, blob(data), "audio/webm");
             results.push(await added.then(() => "kept", ({ name }) => name));
           }
           return results;""",
        id=client_id,
        slices=[base64.b64encode(data).decode() for data in SLICES],
    )
    assert kept == ["QuotaExceededError"] * len(SLICES)
    device.end(client_id)
    device.wait_until_confirmed(client_id)
    assert is_whole(api)


@once
def test_a_file_chosen_without_a_connection_is_sent_later_and_one_that_is_deleted_never(
    device: Device, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    page = device.page
    page.context.set_offline(True)
    file: FilePayload = {"name": "a lake.mp3", "mimeType": "audio/mpeg", "buffer": MP3.read_bytes()}
    keep(device, file)
    keep(device, file | {"name": "not this one.mp3"})
    expect(waiting(page)).to_have_count(2)
    unwanted = waiting(page).filter(has_text="not this one.mp3")
    page.once("dialog", lambda dialog: dialog.dismiss())
    unwanted.get_by_role("button", name="Delete").click()
    page.once("dialog", lambda dialog: dialog.accept())
    unwanted.get_by_role("button", name="Delete").click()
    expect(waiting(page)).to_have_count(1)
    page.context.set_offline(False)
    expect(waiting(page)).to_contain_text("Saved in the journal.")
    assert [entry["original_filename"] for entry in entries(api)] == ["a lake.mp3"]


def keep(device: Device, file: FilePayload) -> None:
    device.run(
        "await outbox.keep(new File([blob(given.data)], given.name, { type: 'audio/mpeg' }))",
        name=file["name"],
        data=base64.b64encode(file["buffer"]).decode(),
    )
