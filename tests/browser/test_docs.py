"""Promises about the pages that explain the API."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import SAMPLES, Person

pytestmark = pytest.mark.slow


def authorise(page: Page, person: Person) -> None:
    page.get_by_role("button", name="Authorize").click()
    form = page.locator(".auth-container").filter(has_text="Bearer")
    form.locator("input").fill(person.token)
    form.locator("button[type=submit]").click()
    page.get_by_role("button", name="Close").first.click()


def test_swagger_ui_shows_every_route_and_tries_one(page: Page, ana: Person) -> None:
    page.goto("/docs")
    described = page.request.get("/api/v1/openapi.json").json()["paths"]
    expect(page.locator(".opblock")).to_have_count(sum(len(operations) for operations in described.values()))
    authorise(page, ana)
    listing = page.locator("#operations-entries-list_entries")
    listing.locator(".opblock-summary-control").click()
    listing.get_by_role("button", name="Try it out").click()
    listing.get_by_role("button", name="Execute").click()
    expect(listing.locator(".live-responses-table td.response-col_status:not(.col_header)").first).to_have_text("200")


def test_swagger_ui_sends_a_recording(page: Page, ana: Person) -> None:
    page.goto("/docs")
    authorise(page, ana)
    sending = page.locator("#operations-recordings-upload")
    sending.locator(".opblock-summary-control").click()
    sending.get_by_role("button", name="Try it out").click()
    sending.locator("input[type=file]").first.set_input_files(SAMPLES / "sl-hisa.mp3")
    sending.get_by_role("button", name="Execute").click()
    expect(sending.locator(".live-responses-table td.response-col_status:not(.col_header)").first).to_have_text("201")


def test_redoc_shows_every_route(page: Page) -> None:
    page.goto("/redoc")
    expect(page.get_by_role("heading", name="DreamWeb")).to_be_visible()
    for path in ("/api/v1/upload", "/api/v1/entries/{entry_id}/audio", "/health"):
        expect(page.get_by_text(path, exact=True).first).to_be_attached()
