"""Promises about recording in a browser, which hears real speech: one button, and no second that nobody knows of."""

from __future__ import annotations

import array
import io
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect

from tests.browser.conftest import PHONE, Launch, OpenBrowser, decoded, hears, let_in
from tests.browser.test_every_page import breaches
from tests.conftest import Person, until, wav

HOME = "dream.home"
"""A name as a home network has it: over plain HTTP, so that browsers give no microphone."""

ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""What the browser does does not depend on where it is kept."""

STATES = """() => {
  window.states = [];
  const look = () => {
    const state = document.querySelector("[data-recorder]")?.dataset.state;
    if (state && state !== window.states.at(-1)?.[0]) window.states.push([state, performance.now()]);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributeFilter: ["data-state"] });
}"""


@pytest.fixture(scope="session")
def browser(launch: Launch, speech: Path) -> Browser:
    """One that hears people telling their dreams."""
    return launch(*hears(speech), f"--host-resolver-rules=MAP {HOME} 127.0.0.1")


@pytest.fixture
def recorder(open_at_home: OpenBrowser) -> Page:
    """The recorder on ana's phone, which may use the microphone."""
    return recorder_on(open_at_home(**PHONE, permissions=["microphone"]))


def recorder_on(context: BrowserContext) -> Page:
    page = context.new_page()
    page.add_init_script(f"({STATES})()")
    page.goto("/record")
    return page


def is_now(page: Page, state: str) -> None:
    expect(page.locator("[data-recorder]")).to_have_attribute("data-state", state)


def begin(page: Page) -> None:
    page.get_by_role("button", name="Record", exact=True).click()
    is_now(page, "recording")


def ends(page: Page) -> None:
    page.get_by_role("button", name="Done").click()
    expect(said(page)).to_have_text("Saved.")


def said(page: Page) -> Any:
    return page.locator("[data-said]")


def allow(page: Page, setting: str) -> None:
    """What somebody does in the browser's own settings."""
    of_page = page.context.new_cdp_session(page)
    context = of_page.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    assert page.context.browser
    of_browser = page.context.browser.new_browser_cdp_session()  # what it sets holds until it is closed
    asked = {"permission": {"name": "microphone"}, "setting": setting, "browserContextId": context}
    of_browser.send("Browser.setPermission", asked | {"origin": page.evaluate("location.origin")})


def entries(api: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/entries").json()["items"]
    return found


def loudness(samples: bytes, rate: int) -> list[float]:
    """Of every hundredth of a second."""
    numbers = array.array("h", samples)
    step = rate // 100
    return [sum(map(abs, numbers[start : start + step])) / step for start in range(0, len(numbers) - step, step)]


def likeness(one: list[float], other: list[float]) -> float:
    """How alike two envelopes are, from -1 to 1, where they fit best; zeros are like anything.

    The first may begin half a second before the other, or three after it: a busy machine takes its time to begin.
    """
    return max(
        correlation(one[max(0, lag) :], other[max(0, -lag) :])
        for lag in range(-300, 51)
        if min(len(one), len(other)) > 100
    )


def correlation(one: list[float], other: list[float]) -> float:
    pairs = [(a, b) for a, b in zip(one, other, strict=False) if a]
    means = [sum(each) / len(pairs) for each in zip(*pairs, strict=True)]
    away = [(a - means[0], b - means[1]) for a, b in pairs]
    square = sum(a * a for a, _ in away) * sum(b * b for _, b in away)
    return float(sum(a * b for a, b in away) / square**0.5)


PIECES = """() => {
  window.pieces = [];
  window.MediaRecorder = class extends MediaRecorder {
    constructor(...given) {
      super(...given);
      this.addEventListener("dataavailable", ({ data }) => window.pieces.push(data));
    }
  };
}"""

SUM = """async () => {
  const sum = await crypto.subtle.digest("SHA-256", await new Blob(window.pieces).arrayBuffer());
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}"""


@pytest.mark.slow
def test_what_is_said_is_what_is_kept(
    recorder: Page, api: httpx.Client, speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder.evaluate(PIECES)
    begin(recorder)
    expect(recorder.locator("[data-where]")).to_have_text("Kept here and on the server.")
    recorder.wait_for_timeout(3000)
    ends(recorder)
    states = dict(recorder.evaluate("window.states"))
    lasted = (states["ending"] - states["recording"]) / 1000
    [entry] = entries(api)
    assert entry["content_type"] == "audio/webm"
    assert entry["sha256"] == recorder.evaluate(SUM)  # every byte that the browser has made
    assert entry["duration_seconds"] == pytest.approx(lasted, abs=0.3)
    playback = api.get(f"/entries/{entry['id']}/playback").content
    kept = loudness(decoded(io.BytesIO(playback), 16_000), 16_000)
    spoken = loudness(decoded(speech, 16_000), 16_000)
    alike, by_chance = likeness(kept, spoken), likeness(kept, spoken[::-1])
    heard = sum(map(bool, kept)) / 100  # a busy machine's Chromium does not always find the time to listen
    assert len(kept) / 100 == pytest.approx(lasted, abs=0.3)
    assert heard > 0.8 * lasted
    # 0.85 on a machine that listens in time, 0.98 without the gain for whispers; 0.5 has been seen on a busy one.
    assert alike > max(0.35, by_chance + 0.15)
    with capsys.disabled():
        print(f"\nrecorded {lasted:.2f} s, heard {heard:.2f}, alike {alike:.3f}, by chance {by_chance:.3f}")  # noqa: T201
    recorder.get_by_role("link", name="Open the dream").click()
    expect(recorder.locator("svg.waveform path.played")).to_be_attached()
    recorder.get_by_role("button", name="Play").click()
    recorder.wait_for_function("() => document.querySelector('audio').currentTime > 0.2")
    seek = (
        "audio => new Promise((there) => { audio.onseeked = () => there(audio.currentTime); audio.currentTime = 4; })"
    )
    assert recorder.locator("audio").evaluate(seek) == pytest.approx(4, abs=0.2)
    assert recorder.locator("audio").evaluate("audio => audio.duration") == pytest.approx(lasted, abs=0.3)


@ON_ONE
def test_a_pause_is_no_part_of_it(recorder: Page, api: httpx.Client) -> None:
    begin(recorder)
    recorder.wait_for_timeout(1500)
    recorder.get_by_role("button", name="Pause").click()
    is_now(recorder, "paused")
    expect(said(recorder)).to_have_text("Paused. Nothing is recorded now.")
    recorder.wait_for_timeout(2000)
    recorder.get_by_role("button", name="Continue").click()
    is_now(recorder, "recording")
    recorder.wait_for_timeout(1000)
    ends(recorder)
    times = [time for _, time in recorder.evaluate("window.states")[-5:]]
    begun, paused, gone_on, ended = times[:4]
    assert entries(api)[0]["duration_seconds"] == pytest.approx((paused - begun + ended - gone_on) / 1000, abs=0.3)


@ON_ONE
def test_what_is_recorded_as_private_is_a_private_entry(recorder: Page, api: httpx.Client) -> None:
    """As chosen before or while it is recorded, for a file too, and when the tab is gone before its end."""

    def private() -> list[bool]:
        return [entry["private"] for entry in sorted(entries(api), key=lambda entry: entry["created_at"])]

    def record(page: Page) -> None:
        begin(page)
        page.wait_for_timeout(500)
        ends(page)

    chosen = recorder.get_by_label("Private: never leaves this house")
    place = recorder.locator("label", has=chosen).bounding_box()
    assert place
    assert place["height"] >= 44
    expect(chosen).not_to_be_checked()
    record(recorder)
    assert private() == [False]
    chosen.check()
    recorder.reload()
    expect(chosen).to_be_checked()
    record(recorder)
    take_a_file(recorder, api, among=3)
    assert private() == [False, True, True]
    chosen.uncheck()
    recorder.reload()
    expect(chosen).not_to_be_checked()
    begin(recorder)
    chosen.check()
    until(lambda: recorder.evaluate(ROWS)[-1] == [None, True])
    expect(recorder.locator("[data-where]")).to_have_text("Kept here and on the server.")
    recorder.close()
    recorder_on(recorder.context)
    until(lambda: private() == [False, True, True, True])


ROWS = """() => new Promise((answer) => {
  const opening = indexedDB.open("dreamweb");
  opening.onsuccess = () => {
    const asking = opening.result.transaction("recordings").objectStore("recordings").getAll();
    asking.onsuccess = () => {
      opening.result.close();
      const rows = asking.result.sort((one, other) => one.created - other.created);
      answer(rows.map(({ ended_at, private: secret }) => [ended_at, secret]));
    };
  };
})"""


@ON_ONE
def test_the_keys_are_space_and_enter(open_at_home: OpenBrowser, api: httpx.Client) -> None:
    page = recorder_on(open_at_home(permissions=["microphone"]))
    main = page.get_by_role("button", name="Record", exact=True)
    expect(main).to_have_accessible_description("The space bar starts and pauses, Enter or S ends.")
    for ends in ("Enter", "s"):
        for key, state in ((" ", "recording"), (" ", "paused"), (" ", "recording"), (ends, "done")):
            page.keyboard.press(key)
            is_now(page, state)
            page.wait_for_timeout(300)
        expect(said(page)).to_have_text("Saved.")
        page.locator("[data-main]").focus()  # the same keys, now that they are also the button's own
    assert len(entries(api)) == 2


@ON_ONE
def test_a_microphone_that_was_taken_away_is_one_recording_with_a_gap(recorder: Page, api: httpx.Client) -> None:
    begin(recorder)
    recorder.wait_for_timeout(1500)
    allow(recorder, "denied")
    is_now(recorder, "lost")
    expect(said(recorder)).to_contain_text("What you said is kept")
    recorder.wait_for_timeout(2000)
    allow(recorder, "granted")
    is_now(recorder, "recording")
    expect(recorder.locator("[data-gaps] li")).to_have_text(re.compile(r"^[2-9] s missing here, after 0:0[12]\.$"))
    recorder.wait_for_timeout(1500)
    ends(recorder)
    [entry] = entries(api)
    states = recorder.evaluate("window.states")[-6:]
    spoken = sum(after - time for (state, time), (_, after) in pairwise(states) if state == "recording") / 1000
    assert entry["duration_seconds"] == pytest.approx(spoken, abs=0.5)


@ON_ONE
@pytest.mark.fault
def test_what_is_full_goes_on_as_another_recording(recorder: Page, api: httpx.Client) -> None:
    recorder.route("**/session", lambda route: route.fulfill(json=route.fetch().json() | {"limits": SMALL}))
    with recorder.expect_response("**/session"):
        recorder.reload()
    begin(recorder)
    until(lambda: recorder.evaluate("navigator.locks.query().then(({ held }) => held.length > 0)"))
    recorder.wait_for_timeout(4500)
    recorder.get_by_role("button", name="Done").click()
    expect(said(recorder)).to_have_text(re.compile("Saved, as [23] recordings."))
    states = dict(recorder.evaluate("window.states"))
    lasted = (states["ending"] - states["recording"]) / 1000
    kept = [entry["duration_seconds"] for entry in entries(api)]
    assert len(kept) >= 2
    assert lasted - 0.3 < sum(kept) < lasted + 1


SMALL = {"chunk_bytes": 4_194_304, "recording_bytes": 8_000}


@ON_ONE
@pytest.mark.fault
def test_two_tabs_record_two_dreams(recorder: Page, api: httpx.Client) -> None:
    begin(recorder)
    other = recorder_on(recorder.context)
    begin(other)
    other.wait_for_timeout(1500)
    ends(other)
    is_now(recorder, "recording")
    recorder.bring_to_front()
    ends(recorder)
    short, long = sorted(entry["duration_seconds"] for entry in entries(api))
    assert short < long


@ON_ONE
def test_a_link_begins_at_once_when_it_may(recorder: Page) -> None:
    recorder.goto("/")
    with recorder.context.expect_page() as opened:
        recorder.evaluate("open('/record#now')")  # the home screen's button, held down: a tab of its own
    page = opened.value
    is_now(page, "recording")
    assert page.url.endswith("/record")  # coming back to it begins nothing


@ON_ONE
def test_leaving_while_it_records_is_asked_about(recorder: Page) -> None:
    begin(recorder)
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    recorder.on("dialog", leave)
    recorder.goto("/")
    assert asked == ["beforeunload"]


@ON_ONE
def test_a_microphone_that_is_switched_off_is_said_within_a_second(
    launch: Launch, tmp_path: Path, live: str, app: Flask, ana: Person
) -> None:
    silent = tmp_path / "silent.wav"
    silent.write_bytes(silence(20))
    context = launch(*hears(silent)).new_context(base_url=live, permissions=["microphone"])
    let_in(context, app, ana, live)
    page = recorder_on(context)
    page.evaluate(
        """() => new MutationObserver(() => (window.warned ??= performance.now()))
          .observe(document.querySelector("[data-warning]"), { childList: true })"""
    )
    begin(page)
    expect(page.locator("[data-warning]")).to_contain_text("Nothing is heard")
    states = dict(page.evaluate("window.states"))
    assert page.evaluate("window.warned") - states["recording"] < 1000
    context.close()


def silence(seconds: int) -> bytes:
    """A WAV file of nothing."""
    made = wav(44 + 32_000 * seconds)
    return made[:44] + bytes(len(made) - 44)


@ON_ONE
def test_a_refused_microphone_is_explained_and_can_be_allowed(recorder: Page) -> None:
    expect(recorder.get_by_text("What works meanwhile")).to_be_hidden()
    allow(recorder, "denied")
    expect(said(recorder)).to_contain_text("was not allowed to use the microphone")
    expect(recorder.get_by_text("What works meanwhile")).to_be_visible()
    allow(recorder, "granted")
    is_now(recorder, "idle")
    expect(recorder.get_by_text("What works meanwhile")).to_be_hidden()


@ON_ONE
def test_without_a_microphone_a_file_is_taken(
    launch: Launch, live: str, app: Flask, ana: Person, api: httpx.Client
) -> None:
    context = launch("--disable-audio-input").new_context(base_url=live)
    let_in(context, app, ana, live)
    page = recorder_on(context)
    expect(said(page)).to_contain_text("No microphone was found")
    take_a_file(page, api)
    context.close()


@ON_ONE
def test_over_plain_http_a_file_is_taken_and_it_is_said_why(
    open_browser: OpenBrowser, app: Flask, ana: Person, live: str, api: httpx.Client, foreseen: list[str]
) -> None:
    at_home = live.replace("127.0.0.1", HOME)
    foreseen.append(at_home)
    context = open_browser(**PHONE)
    let_in(context, app, ana, at_home)
    page = context.new_page()
    page.goto(f"{at_home}/record")
    expect(said(page)).to_contain_text("only to pages with HTTPS")
    expect(page.get_by_text("docs/https-at-home.md")).to_be_visible()
    expect(page.locator("[data-main]")).to_be_hidden()
    take_a_file(page, api)


def take_a_file(page: Page, api: httpx.Client, among: int = 1) -> None:
    page.locator("[data-file]").set_input_files({"name": "dream.wav", "mimeType": "audio/wav", "buffer": wav(64_000)})
    until(lambda: len(entries(api)) == among)
    assert "dream.wav" in [entry["original_filename"] for entry in entries(api)]


@ON_ONE
@pytest.mark.fault
def test_a_microphone_can_be_tried_and_nothing_is_kept(recorder: Page, api: httpx.Client) -> None:
    recorder.get_by_text("Microphone", exact=True).click()
    expect(recorder.get_by_label("Which one").locator("option")).not_to_have_count(1)
    recorder.get_by_label("Which one").select_option(index=1)
    chosen = recorder.get_by_label("Which one").input_value()
    recorder.get_by_role("button", name="Try it").click()
    expect(recorder.locator("[data-tested]")).to_have_text("This is how it sounds. Nothing of it is kept.")
    expect(recorder.locator("[data-tested]")).to_have_text("That was all. Nothing of it was kept.")
    assert recorder.evaluate("indexedDB.databases().then((all) => all.length)") <= 1
    assert entries(api) == []
    recorder.reload()
    recorder.get_by_text("Microphone", exact=True).click()
    expect(recorder.get_by_label("Which one")).to_have_value(chosen)


@ON_ONE
@pytest.mark.fault
def test_a_device_without_room_says_so_before_and_sends_all_the_same(recorder: Page, api: httpx.Client) -> None:
    recorder.add_init_script(FULL)
    recorder.reload()
    expect(recorder.locator("[data-warning]")).to_contain_text("nearly full: room for about 3 minutes")
    begin(recorder)
    expect(recorder.locator("[data-warning]")).to_contain_text("cannot keep it")
    recorder.wait_for_timeout(500)
    ends(recorder)
    assert entries(api)[0]["duration_seconds"] > 2


@ON_ONE
@pytest.mark.fault
def test_a_browser_that_keeps_nothing_sends_what_the_page_has(
    recorder: Page, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen += ["no store", "ERR_FAILED"]
    recorder.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('no store') }")
    recorder.reload()
    begin(recorder)
    expect(recorder.locator("[data-warning]")).to_contain_text("cannot keep it")
    recorder.wait_for_timeout(1000)
    # A hotel's network says that all is well, and then there is none.
    recorder.route("**/api/v1/upload?*", lambda route: route.fulfill(status=200, json={}), times=1)
    recorder.route("**/api/v1/upload?*", lambda route: route.abort(), times=1)
    recorder.get_by_role("button", name="Done").click()
    expect(said(recorder)).to_have_text("Only in this page until it is sent: keep it open.")
    expect(recorder.get_by_role("link", name="Save as a file")).to_have_attribute(
        "download", re.compile("^dream_.*webm$")
    )
    expect(said(recorder)).to_have_text("Saved.")
    assert len(entries(api)) == 1


FULL = """(() => {
  navigator.storage.estimate = async () => ({ quota: 10_000_000, usage: 9_000_000 });
  const put = IDBObjectStore.prototype.put, add = IDBObjectStore.prototype.add;
  const full = (how) => function (value, ...rest) {
    const bytes = value?.bytes ?? value;
    if (bytes instanceof ArrayBuffer) throw new DOMException("no room", "QuotaExceededError");
    return how.call(this, value, ...rest);
  };
  IDBObjectStore.prototype.put = full(put);
  IDBObjectStore.prototype.add = full(add);
})()"""


@ON_ONE
def test_every_state_is_for_everybody_in_every_theme(recorder: Page) -> None:
    """What it looks like before, and without a microphone, is looked at with all the other pages."""
    found: list[str] = []

    def look() -> None:
        found.extend(breaches(recorder))

    look()
    begin(recorder)
    look()
    allow(recorder, "denied")
    is_now(recorder, "lost")
    look()
    ends(recorder)
    look()
    assert not found, "\n".join(found)


@ON_ONE
def test_nothing_jumps_and_nothing_moves_for_nothing(recorder: Page) -> None:
    """From the first press to the last word: the buttons stay where the thumb is; a pause costs no power."""
    main = recorder.locator("[data-main]")
    place = main.bounding_box()
    assert place
    assert place["width"] >= 0.4 * 390
    begin(recorder)
    assert main.bounding_box() == place
    recorder.get_by_role("button", name="Pause").click()
    is_now(recorder, "paused")
    expect(recorder.locator("[data-where]")).to_have_text("Kept here and on the server.")
    recorder.wait_for_timeout(500)  # what the outbox tells comes in a few words
    changes = recorder.evaluate(
        """() => new Promise((answer) => {
          let changes = 0;
          const watched = { subtree: true, childList: true, attributes: true, characterData: true };
          new MutationObserver((seen) => (changes += seen.length)).observe(document, watched);
          setTimeout(() => answer(changes + document.getAnimations().length), 1000);
        })"""
    )
    assert changes == 0
    assert main.bounding_box() == place
    ends(recorder)
    assert main.bounding_box() == place
