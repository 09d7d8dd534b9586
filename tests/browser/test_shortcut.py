"""Promises about the recipes for a phone, as far as scripts fill them in."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.conftest import Person


def test_a_new_token_is_filled_into_the_recipes_and_never_sent_to_the_server(page: Page, ana: Person) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    page.goto("/settings/tokens")
    page.get_by_label("For what").fill("Phone")
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator(".secret code").inner_text()
    assert re.fullmatch(r"dw_[\w-]{43}", secret)
    page.get_by_role("button", name="Copy: the token").click()
    expect(page.locator(".secret [role=status]")).not_to_be_empty()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers} {request.post_data}"))
    page.get_by_role("link", name="Open the recipe").click()
    expect(page.get_by_text("Your token is filled in below.")).to_be_visible()
    expect(page.get_by_text(f"Bearer {secret}", exact=True).first).to_be_visible()
    assert len(asked) > 1
    assert secret not in page.url + "".join(asked)


def test_a_link_with_something_else_than_a_token_fills_in_nothing(page: Page, ana: Person) -> None:
    page.goto("/shortcut#address=https://evil.example&token=<b>dw_</b>")
    expect(page.get_by_text("Bearer dw_...", exact=True).first).to_be_visible()
    expect(page.get_by_text("Your token is filled in below.")).to_be_hidden()
    assert "evil.example" not in page.locator("main").inner_text()
