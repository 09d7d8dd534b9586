"""Promises about settings, devices, tokens and people, with a keyboard alone and with a finger."""

from __future__ import annotations

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import Hand, OpenBrowser
from tests.conftest import Person


def test_theme_and_language_change_at_once(hand: Hand) -> None:
    page = hand.page
    page.goto("/settings")
    document = page.locator("html")
    if hand.touches:
        page.get_by_text("night red", exact=True).tap()
    else:
        hand.tick(page.locator("[name=theme]:checked"))
        for _ in range(3):
            page.keyboard.press("ArrowRight")
    hand.choose(page.locator("select[name=language]"), "Slovenščina")
    hand.press(page.locator("main .primary"))
    expect(document).to_have_attribute("data-theme", "night")
    expect(document).to_have_attribute("lang", "sl")
    ground = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
    assert ground in ("oklch(0 0 0)", "rgb(0, 0, 0)")
    page.goto("/")
    expect(document).to_have_attribute("lang", "sl")
    expect(document).to_have_attribute("data-theme", "night")


def test_a_token_is_made_copied_used_and_revoked(hand: Hand, live: str) -> None:
    page = hand.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live)
    page.goto("/settings/tokens")
    hand.write(page.get_by_label("For what"), "my phone")
    hand.press(page.get_by_role("button", name="Make the token"))
    secret = page.locator(".secret code").inner_text()
    expect(page.locator(".qr svg")).to_be_visible()
    hand.press(page.get_by_role("button", name="Copy"))
    expect(page.locator(".secret [role=status]")).to_have_text("Copied")
    assert page.evaluate("() => navigator.clipboard.readText()") == secret
    hand.press(page.get_by_role("link", name="Open the recipe on this device"))
    expect(page.locator("[data-token]").first).to_have_text(secret)
    assert secret not in page.url
    sent = httpx.post(f"{live}/api/v1/upload", headers={"Authorization": f"Bearer {secret}"}, content=b"x")
    assert sent.status_code == 400
    page.goto("/settings/tokens")
    hand.press(page.get_by_role("link", name="Change: my phone"))
    hand.press(page.get_by_role("button", name="Revoke this token"))
    expect(page.locator(".list")).not_to_contain_text("my phone")
    sent = httpx.post(f"{live}/api/v1/upload", headers={"Authorization": f"Bearer {secret}"}, content=b"x")
    assert sent.status_code == 401


def test_a_lost_device_is_signed_out_from_another(hand: Hand, open_at_home: OpenBrowser) -> None:
    lost, page = open_at_home().new_page(), hand.page
    page.goto("/settings/sessions")
    expect(page.locator(".list > li")).to_have_count(2)
    hand.press(page.locator(".list").get_by_role("button", name="Sign out"))
    expect(page.locator(".list > li")).to_have_count(1)
    lost.goto("/")
    expect(lost.get_by_role("button", name="Sign in")).to_be_visible()


def test_an_owner_adds_shuts_out_and_lets_in(hand: Hand, bor: Person) -> None:
    page = hand.page
    page.goto("/accounts")
    hand.write(page.get_by_label("Name"), "cene")
    hand.write(page.get_by_label("Password"), "battery staple")
    hand.press(page.get_by_role("button", name="Add"))
    expect(page.locator(".list > li")).to_have_count(3)
    hand.press(page.get_by_role("link", name="Change: cene"))
    hand.press(page.get_by_role("button", name="Shut out"))
    expect(page.locator("main")).to_contain_text("shut out since")
    hand.press(page.get_by_role("button", name="Let in again"))
    expect(page.get_by_role("button", name="Shut out")).to_be_visible()


def test_a_token_gets_a_new_secret_and_a_password_another_one(hand: Hand, live: str) -> None:
    page = hand.page
    page.goto("/settings/tokens")
    hand.write(page.get_by_label("For what"), "my phone")
    hand.press(page.get_by_role("button", name="Make the token"))
    first = page.locator(".secret code").inner_text()
    page.goto("/settings/tokens")
    hand.press(page.get_by_role("link", name="Change: my phone"))
    hand.press(page.get_by_role("button", name="Make a new secret"))
    expect(page.locator(".secret code")).not_to_have_text(first)
    second = page.locator(".secret code").inner_text()
    for secret, status in ((first, 401), (second, 400)):
        headers = {"Authorization": f"Bearer {secret}"}
        assert httpx.post(f"{live}/api/v1/upload", headers=headers, content=b"x").status_code == status
    page.goto("/settings")
    hand.write(page.get_by_label("The password you have"), "correct horse")
    hand.write(page.get_by_label("The new one"), "battery staple")
    hand.press(page.get_by_role("button", name="Change the password"))
    expect(page.locator(".notice.good")).to_contain_text("Your password was changed")
    hand.follow(page.get_by_role("button", name="Sign out"))
    hand.write(page.get_by_label("Name"), "ana")
    hand.write(page.get_by_label("Password"), "battery staple")
    hand.press(page.get_by_role("button", name="Sign in"))
    expect(page.locator(".quick")).to_be_visible()
