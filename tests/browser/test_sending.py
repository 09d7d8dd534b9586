"""Promises about sending recordings and attachments from a page: each with its progress, and none lost or doubled."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Dialog, FilePayload, Locator, Page, Route, expect

from tests.attachables import PDF, PNG
from tests.browser.conftest import Hand
from tests.conftest import SAMPLES

MP3, FLAC, OGG = (SAMPLES / name for name in ("sl-hisa.mp3", "en-key.flac", "sl-hisa.ogg"))
LIST: FilePayload = {"name": "list.txt", "mimeType": "text/plain", "buffer": b"bread, milk"}


def chosen(path: Path, name: str | None = None) -> FilePayload:
    return {"name": name or path.name, "mimeType": "", "buffer": path.read_bytes()}


class Held:
    """Requests that are under way for as long as a test likes."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def hold(self, route: Route) -> None:
        self._routes.append(route)

    def named(self, name: str) -> Route:
        return [route for route in self._routes if name in route.request.url][-1]


def row(page: Page, name: str) -> Locator:
    return page.locator(".upload").filter(has_text=name)


def kept(api: httpx.Client) -> list[str]:
    """The names of the recordings that the server has."""
    found: list[str] = sorted(entry["original_filename"] for entry in api.get("/entries").json()["items"])
    return found


def test_recordings_are_sent_one_by_one_and_appear_below(hand: Hand, api: httpx.Client, foreseen: list[str]) -> None:
    foreseen.append("400")
    page = hand.page
    page.goto("/")
    hand.give(page.locator("#recordings"), [MP3, FLAC])
    expect(page.locator(".card")).to_have_count(2)
    for name in (MP3.name, FLAC.name):
        expect(row(page, name).locator(".state")).to_have_text("Saved")
        expect(row(page, name).locator("progress")).to_have_js_property("value", 1)
    assert kept(api) == [FLAC.name, MP3.name]
    hand.give(page.locator("#recordings"), [chosen(OGG), LIST])
    expect(page.locator(".card")).to_have_count(3)
    expect(row(page, "list.txt").locator(".state.bad")).to_contain_text("This is not a recording")
    hand.press(row(page, "list.txt").get_by_role("button", name="Take it away"))
    expect(row(page, "list.txt")).to_have_count(0)
    hand.press(row(page, MP3.name).get_by_role("link", name="Open"))
    expect(page.locator(".player")).to_be_visible()


def test_what_the_network_swallows_is_sent_again_and_kept_once(
    hand: Hand, api: httpx.Client, foreseen: list[str]
) -> None:
    foreseen += ["ERR_FAILED", "413"]
    page = hand.page
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.url)
        if len(sent) == 2:
            route.fetch()  # it arrives, and only the answer gets lost
        if len(sent) == 3:
            route.fulfill(status=413, content_type="text/html", body="<html>the page of a proxy</html>")
        elif len(sent) == 4:
            route.continue_()
        else:
            route.abort()

    page.route("**/api/v1/upload*", answer)
    page.goto("/")
    hand.give(page.locator("#recordings"), [MP3])
    sending = row(page, MP3.name)
    for _ in range(3):
        expect(sending.locator(".state.bad")).to_have_text("Not sent yet. Try again when there is a connection.")
        hand.press(sending.get_by_role("button", name="Try again"))
    expect(sending.locator(".state")).to_have_text("Saved")
    expect(page.locator(".card")).to_have_count(1)
    assert kept(api) == [MP3.name]
    assert len(sent) == 4
    assert len({re.findall("client_id=([0-9a-f-]{36})", address)[0] for address in sent}) == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html", "<html>the page of a hotel's network</html>"), ("application/json", '{"ok": true}')],
    ids=["page", "json"],
)
def test_what_somebody_else_says_was_received_is_not_saved_and_sent_again(
    hand: Hand, api: httpx.Client, kind: str, body: str
) -> None:
    page = hand.page
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.url)
        if len(sent) == 1:
            route.fulfill(status=200, content_type=kind, body=body)
        else:
            route.continue_()

    page.route("**/api/v1/upload*", answer)
    page.goto("/")
    hand.give(page.locator("#recordings"), [MP3])
    sending = row(page, MP3.name)
    expect(sending.locator(".state.bad")).to_have_text("Not sent yet. Try again when there is a connection.")
    assert kept(api) == []
    hand.press(sending.get_by_role("button", name="Try again"))
    expect(sending.locator(".state")).to_have_text("Saved")
    assert kept(api) == [MP3.name]
    assert len({re.findall("client_id=([0-9a-f-]{36})", address)[0] for address in sent}) == 1


def test_one_of_several_can_be_stopped_and_sent_later(hand: Hand, api: httpx.Client) -> None:
    page = hand.page
    held = Held()
    page.route("**/api/v1/upload*", held.hold)
    page.goto("/")
    files = [chosen(MP3, "one.mp3"), chosen(FLAC, "two.flac"), chosen(OGG, "three.ogg")]
    hand.give(page.locator("#recordings"), files)
    expect(row(page, "two.flac").locator(".state")).to_have_text("Sending")
    expect(row(page, "three.ogg").locator(".state")).to_have_text("Waiting")
    hand.press(row(page, "three.ogg").get_by_role("button", name="Stop"))
    hand.press(row(page, "one.mp3").get_by_role("button", name="Stop"))
    for name in ("one.mp3", "three.ogg"):
        expect(row(page, name).locator(".state")).to_have_text("Not sent: you stopped it.")
    held.named("two.flac").continue_()
    expect(page.locator(".card")).to_have_count(1)
    assert kept(api) == ["two.flac"]
    hand.press(row(page, "one.mp3").get_by_role("button", name="Try again"))
    expect(row(page, "one.mp3").locator(".state")).to_have_text("Sending")
    held.named("one.mp3").continue_()
    expect(page.locator(".card")).to_have_count(2)
    assert kept(api) == ["one.mp3", "two.flac"]


def drop(page: Page, place: str, files: dict[str, bytes]) -> None:
    """What a mouse does with files from outside the browser."""
    carried = page.evaluate_handle(
        """files => {
          const carried = new DataTransfer();
          for (const [name, text] of Object.entries(files)) {
            const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
            carried.items.add(new File([bytes], name));
          }
          return carried;
        }""",
        {name: content.decode("latin-1") for name, content in files.items()},
    )
    for event in ("dragover", "drop"):
        page.locator(place).dispatch_event(event, {"dataTransfer": carried})


def test_recordings_can_be_dropped_on_the_page(at_home: Page, api: httpx.Client) -> None:
    at_home.goto("/")
    drop(at_home, "#record .drop", {"one.mp3": MP3.read_bytes(), "two.flac": FLAC.read_bytes()})
    expect(at_home.locator(".card")).to_have_count(2)
    assert kept(api) == ["one.mp3", "two.flac"]


@pytest.mark.parametrize("last", ["refused", "lost"])
def test_what_was_saved_appears_even_when_the_last_one_fails(
    at_home: Page, api: httpx.Client, foreseen: list[str], last: str
) -> None:
    foreseen += ["400", "ERR_FAILED"]
    held = Held()
    at_home.route(re.compile("filename=list"), held.hold)
    at_home.goto("/")
    at_home.locator("#recordings").set_input_files([LIST])
    at_home.locator("#recordings").set_input_files([MP3])
    expect(row(at_home, MP3.name).locator(".state")).to_have_text("Saved")
    refused = held.named("list.txt")
    refused.continue_() if last == "refused" else refused.abort()
    expect(at_home.locator(".card")).to_have_count(1)


def test_attachments_are_sent_shown_and_deleted_with_a_question(hand: Hand, api: httpx.Client) -> None:
    page = hand.page
    entry = api.post("/entries", json={"text": "a lake"}).json()["id"]
    page.goto(f"/entries/{entry}")
    hand.give(
        page.locator("#attach"),
        [
            {"name": "sea.png", "mimeType": "image/png", "buffer": PNG},
            {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": PDF},
        ],
    )
    expect(page.locator(".attachment")).to_have_count(2)
    picture = page.locator(".attachment", has_text="sea.png").locator("img")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 2)
    with page.expect_event("dialog") as asked:
        page.once("dialog", lambda dialog: dialog.dismiss())
        hand.press(page.get_by_role("button", name="Delete letter.pdf"))
    assert asked.value.message == "Delete this attachment for good?"
    expect(page.locator(".attachment")).to_have_count(2)
    page.once("dialog", lambda dialog: dialog.accept())
    hand.press(page.get_by_role("button", name="Delete letter.pdf"))
    expect(page.locator(".attachment")).to_have_count(1)
    assert [each["original_filename"] for each in api.get(f"/entries/{entry}").json()["attachments"]] == ["sea.png"]


def test_leaving_what_was_not_sent_is_asked_about_until_it_is_sent(at_home: Page, foreseen: list[str]) -> None:
    foreseen.append("ERR_FAILED")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    at_home.on("dialog", leave)
    at_home.route("**/api/v1/upload*", lambda route: route.abort())
    for tries in (1, 2):
        at_home.goto("/")
        at_home.locator("#recordings").set_input_files([MP3])
        expect(row(at_home, MP3.name).locator(".state.bad")).to_contain_text("Not sent yet")
        if tries == 2:
            at_home.unroute("**/api/v1/upload*")
            row(at_home, MP3.name).get_by_role("button", name="Try again").click()
            expect(at_home.locator(".card")).to_have_count(1)
        at_home.goto("/entries/new")
        assert asked == ["beforeunload"]


def test_whoever_is_signed_out_is_told_so(at_home: Page, foreseen: list[str]) -> None:
    foreseen.append("401")
    at_home.goto("/")
    at_home.context.clear_cookies()
    at_home.locator("#recordings").set_input_files([MP3])
    expect(row(at_home, MP3.name).locator(".state.bad")).to_contain_text("you are signed out")
