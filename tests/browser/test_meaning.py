"""Promises about searching by meaning as it is used: with a keyboard alone and with a finger, in any theme."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from dreamweb.config import load
from dreamweb.tools import Tools
from tests.browser.conftest import PHONE, Hand, OpenBrowser
from tests.browser.test_every_page import TOO_SMALL, TOO_WIDE, breaches
from tests.embedding_server import Comparing, embedding_server
from tests.test_meaning import OTHERS, SEA
from tests.working import working


@pytest.fixture
def server() -> Iterator[Comparing]:
    with embedding_server() as comparing:
        yield comparing


@pytest.fixture
def settings(settings: dict[str, Any], server: Comparing) -> dict[str, Any]:
    return settings | {"embedding_engine": "server", "embedding_model": "bge-m3", "embedding_url": server.url}


@pytest.fixture
def read(app: Flask, settings: dict[str, Any], api: httpx.Client) -> None:
    """A journal that was read, with two dreams of the sea."""
    for number, text in enumerate(OTHERS):
        api.post("/entries", json={"title": f"Quiet {number}", "text": text})
    api.post("/entries", json={"title": "Blue", "text": SEA, "private": True})
    api.post("/entries", json={"title": "Modro", "text": "Morje, valovi, morje, valovi."})
    with working(app, Tools.of(load(**settings))) as work:
        work.all()


def test_what_is_typed_is_found_by_its_words_and_with_enter_by_its_meaning(read: None, hand: Hand) -> None:
    page = hand.page
    page.goto("/search")
    field = page.get_by_role("searchbox")
    hand.write(field, "ocean")
    expect(page.locator("#found")).to_contain_text("Press Enter to look for what means nearly the same, too.")
    page.keyboard.press("Enter")
    expect(page.locator(".card-title")).to_have_count(2)
    expect(page.locator("#found")).to_contain_text("These mean nearly the same:")
    expect(page.locator(".card").first).to_contain_text("near in meaning")
    hand.press(page.get_by_role("link", name="Modro"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Modro")
    page.get_by_role("link", name="Similar dreams").scroll_into_view_if_needed()
    expect(page.get_by_role("region", name="Similar dreams")).to_contain_text("near in meaning")
    page.go_back()
    expect(page.locator(".card-title")).to_have_count(2)


@pytest.mark.parametrize("theme", ["light", "dark", "night"])
def test_nothing_is_in_the_way_of_anybody(read: None, api: httpx.Client, open_at_home: OpenBrowser, theme: str) -> None:
    page: Page = open_at_home(**PHONE | {"viewport": {"width": 360, "height": 740}}).new_page()
    page.goto("/settings")
    page.locator(f"[name=theme][value={theme}]").check(force=True)
    page.locator("main .primary").first.click()
    for path in ("/search?q=ocean", "/settings/engines"):
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        assert breaches(page) == []
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate(TOO_SMALL) == []
