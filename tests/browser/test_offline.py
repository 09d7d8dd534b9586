"""Promises about the time without a network: the journal opens, records, and keeps nothing that is private."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dreamweb import db
from tests.browser.conftest import Launch, OpenBrowser, hears
from tests.browser.test_outbox import Device, entries, waiting
from tests.browser.test_recorder import begin, said
from tests.conftest import SAMPLES, Person, until

# What browsers keep does not depend on where the server keeps it.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

WORKER_READY = """async () => {
  await navigator.serviceWorker.ready;
  if (navigator.serviceWorker.controller) return;
  await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
}"""

KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const { pathname } = new URL(request.url);
      found[pathname] = await (await cache.match(request, { ignoreVary: true })).text();
    }
  }
  return found;
}"""


@pytest.fixture(scope="session")
def browser(launch: Launch, speech: Path) -> Browser:
    """One that hears people telling their dreams."""
    return launch(*hears(speech))


@pytest.fixture
def app_like(open_at_home: OpenBrowser, foreseen: list[str]) -> BrowserContext:
    """Ana's browser, after a first visit: the worker is there, and no page is open."""
    foreseen += ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED"]
    context = open_at_home(service_workers="allow", permissions=["microphone"])
    page = context.new_page()
    page.goto("/")
    page.evaluate(WORKER_READY)
    page.close()
    return context


def test_the_recorder_opens_without_a_network_and_what_it_keeps_arrives_later(
    app_like: BrowserContext, api: httpx.Client
) -> None:
    app_like.set_offline(True)
    page = app_like.new_page()
    page.goto("/entries/new")
    expect(page.get_by_role("heading", name="No connection to the journal")).to_be_visible()
    page.goto("/")
    expect(page.locator(".record-button")).to_be_visible()
    page.goto("/record")
    begin(page)
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Done").click()
    expect(said(page)).to_have_text("Kept on this device, will be sent as soon as there is a connection.")
    page.close()
    later = app_like.new_page()
    later.goto("/record")
    expect(waiting(later)).to_contain_text("No connection. Kept on this device")
    app_like.set_offline(False)
    expect(waiting(later)).to_contain_text("Saved in the journal.")
    [entry] = entries(api)
    assert entry["duration_seconds"] == pytest.approx(2.1, abs=0.6)


def test_nothing_private_is_in_the_caches_and_signing_out_forgets_who_was_here(
    app_like: BrowserContext, api: httpx.Client
) -> None:
    entry = api.post("/entries", json={"title": "A secret lake", "text": "Nobody knows."}).json()["id"]
    page = app_like.new_page()
    for address in ("/", f"/entries/{entry}", "/settings", "/record"):
        page.goto(address)
    account = page.evaluate("document.body.dataset.account")
    assert Device(page).run("return await outbox.known()") == account
    kept = page.evaluate(KEPT)
    pages = {address for address in kept if not address.startswith("/static/")}
    assert pages == {"/record/shell", "/offline"}
    for address, text in kept.items():
        for private in ("A secret lake", "Nobody knows", account, 'X-CSRFToken": "I'):
            assert private not in text, address
    page.goto("/settings")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")
    assert Device(page).run("return await outbox.known()") is None
    app_like.set_offline(True)
    page.goto("/")
    expect(page.locator(".record-button")).to_be_visible()
    expect(page.get_by_text("A secret lake")).to_have_count(0)


def test_a_new_worker_waits_until_all_pages_were_closed(app_like: BrowserContext, app: Flask, ana: Person) -> None:
    """Whoever is recording is not disturbed by it."""
    page = app_like.new_page()
    page.goto("/record")
    [old] = page.evaluate("caches.keys()")
    with app.app_context(), db.transaction() as session:
        session.merge(ana.account).language = "sl"  # which changes what is kept, as another version of the journal does
    page.goto("/")
    waits = "navigator.serviceWorker.ready.then(({ waiting }) => waiting?.state === 'installed')"
    until(lambda: bool(page.evaluate(waits)))
    assert len(page.evaluate("caches.keys()")) == 2
    page.close()
    page = app_like.new_page()
    page.goto("/")
    until(lambda: len(page.evaluate("caches.keys()")) == 1)
    assert page.evaluate("caches.keys()") != [old]
    app_like.set_offline(True)
    page.goto("/record")
    expect(page.locator("html")).to_have_attribute("lang", "sl")


SHARE = """([name, text]) => {
  const form = document.createElement("form");
  Object.assign(form, { method: "POST", action: "/share", enctype: "multipart/form-data" });
  const input = Object.assign(document.createElement("input"), { type: "file", name: "audio" });
  const carried = new DataTransfer();
  carried.items.add(new File([Uint8Array.from(text, (sign) => sign.charCodeAt(0))], name, { type: "audio/mpeg" }));
  input.files = carried.files;
  form.append(input);
  document.body.append(form);
  form.submit();
}"""


def share(page: Page, name: str) -> None:
    """What Android does with a file that is shared with us; it sends no token of ours."""
    page.evaluate(SHARE, [name, (SAMPLES / "sl-hisa.mp3").read_bytes().decode("latin-1")])


def test_a_shared_file_is_kept_and_sent(app_like: BrowserContext, api: httpx.Client) -> None:
    page = app_like.new_page()
    page.goto("/")
    share(page, "voice memo.mp3")
    page.wait_for_url("**/record")
    listed = Device(page).run("return (await outbox.list())[0]")
    Device(page).wait_until_confirmed(listed["client_id"])
    assert [entry["original_filename"] for entry in entries(api)] == ["voice memo.mp3"]


def test_a_shared_file_without_a_worker_is_refused_in_words(at_home: Page, foreseen: list[str]) -> None:
    foreseen.append("501")
    at_home.goto("/")
    share(at_home, "voice memo.mp3")
    expect(at_home.get_by_role("heading", name="The file was not taken")).to_be_visible()
