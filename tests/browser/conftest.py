"""Gives browser tests a real Chromium, watched for everything a page must not do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set, and there is no Chromium")
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-quic", *quiet])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, live: str) -> Iterator[Page]:
    """A page that fails its test when it errs, breaks its own security policy, or asks another host for anything."""
    page = browser.new_page(base_url=live)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
    page.on(
        "request", lambda asked: None if asked.url.startswith((live, "data:", "blob:")) else wrong.append(asked.url)
    )
    yield page
    page.close()
    assert wrong == []
