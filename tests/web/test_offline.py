"""Promises about what browsers fetch to be able to do without us."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.conftest import Person
from tests.web.conftest import Browser, SignIn, words

# What browsers keep does not depend on where the server keeps the rest.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def given_to_the_worker(browser: httpx.Client, address: str = "/worker.js") -> dict[str, Any]:
    """What the worker is told to keep."""
    found = re.search(r"serve\((.*)\);\n$", browser.get(address).text, re.DOTALL)
    assert found
    given: dict[str, Any] = json.loads(found[1])
    return given


def test_scripts_are_told_who_is_signed_in_and_a_token_that_works(
    nobody: Browser, at_home: Browser, ana: Person
) -> None:
    told = at_home.get("/session")
    assert told.headers["Cache-Control"] == "no-store"
    said = told.json()
    assert said["account"] == str(ana.account.id)
    assert said["limits"] == {"chunk_bytes": 4 * 1024 * 1024, "recording_bytes": 5 * 1024 * 1024}
    client = {"X-CSRFToken": said["csrf_token"]}
    assert at_home.post("/api/v1/entries", json={"text": "a lake"}, headers=client).status_code == 201
    strange = nobody.get("/session")
    assert (strange.json()["account"], strange.json()["csrf_token"]) == (None, "")
    # It could come after that of a sign-in in another tab, and take its place.
    assert "Set-Cookie" not in strange.headers


def test_a_token_ends_with_the_sign_in_it_was_made_for(sign_in: SignIn, bor: Person) -> None:
    """So that what one has recorded never goes to another who signs in on the same device meanwhile."""
    browser = sign_in("ana")
    token = browser.get("/session").json()["csrf_token"]
    browser.submit("/sign-out", page="/settings")
    browser.sign_in("bor")
    refused = browser.post("/api/v1/entries", json={"text": "a lake"}, headers={"X-CSRFToken": token})
    assert refused.status_code == 403


def test_the_worker_is_for_the_whole_journal_and_everything_it_keeps_is_there(nobody: Browser) -> None:
    answer = nobody.get("/worker.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-cache"
    again = nobody.get("/worker.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    given = given_to_the_worker(nobody)
    kept = {*given["files"], given["shell"], given["away"]}
    for address in kept:
        assert nobody.get(address).status_code == 200, address
    # Without a network nothing else comes: whatever the two pages and the scripts of ours ask for is kept, too.
    asked = set()
    for page in (given["shell"], given["away"]):
        asked |= set(re.findall(r'(?:src|href)="(/static/[^"#]+\.(?:js|css|svg))[#"]', nobody.get(page).text))
    for script in [address for address in kept if address.endswith(".js") and "/vendor/" not in address]:
        folder = script.rpartition("/")[0]
        imported = re.findall(r'(?:from|import) "\./([\w-]+\.js)"', nobody.get(script).text)
        asked |= {f"{folder}/{name}" for name in imported}
    assert asked - kept == set()


def test_what_is_kept_says_nothing_of_anybody(at_home: Browser, nobody: Browser, ana: Person) -> None:
    at_home.submit("/entries", {"text": "a lake"}, page="/", follow_redirects=False)  # a notice waits for the next page
    for page in ("/record/shell?lang=en", "/offline?lang=en"):
        answer = at_home.get(page)
        assert answer.text == nobody.get(page).text
        assert str(ana.account.id) not in answer.text
    assert '<div class="notice good">' in at_home.get("/").text


def test_what_is_kept_is_in_the_language_of_the_pages(nobody: Browser) -> None:
    for language in ("en", "sl"):
        given = given_to_the_worker(nobody, f"/worker.js?lang={language}")
        for page in ("shell", "away"):
            assert f'<html lang="{language}"' in nobody.get(given[page]).text
    given = given_to_the_worker(nobody, "/worker.js?lang=<b>")
    assert given["shell"].endswith("?lang=en")


def test_the_journal_can_be_installed(nobody: Browser) -> None:
    link = re.search(r'<link rel="manifest" href="([^"]+)"', nobody.get("/sign-in").text)
    assert link
    answer = nobody.get(link[1])
    assert answer.headers["Content-Type"].startswith("application/manifest+json")
    manifest = answer.json()
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable", "monochrome"}
    for icon in manifest["icons"]:
        drawn = nobody.get(icon["src"]).content
        size = int.from_bytes(drawn[16:20])
        assert icon["sizes"] == f"{size}x{size}"
    assert [shortcut["url"] for shortcut in manifest["shortcuts"]] == ["/record#now", "/entries/new"]
    assert manifest["share_target"]["action"] == "/share"


def test_what_is_shared_without_a_worker_is_refused_in_words_and_not_kept(
    nobody: Browser, at_home: Browser, api: httpx.Client
) -> None:
    for browser in (nobody, at_home):
        answer = browser.post("/share", files={"audio": ("memo.mp3", b"ID3" + bytes(200_000))})
        assert answer.status_code == 501
        assert "It is still where it was" in words(answer)
    assert api.get("/entries").json()["items"] == []
