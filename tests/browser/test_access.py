"""Promises about coming in and going out, with a keyboard alone and with a finger."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Hand
from tests.conftest import Person


def test_the_first_visit_ends_among_dreams(stranger_hand: Hand) -> None:
    """From an empty installation to the owner's account, three samples, and an empty journal again."""
    hand, page = stranger_hand, stranger_hand.page
    page.goto("/")
    expect(page.get_by_role("heading", name="Welcome to DreamWeb")).to_be_visible()
    hand.write(page.get_by_label("Name"), "Živa")
    hand.write(page.get_by_label("Password"), "correct horse")
    hand.press(page.get_by_role("button", name="Begin"))
    expect(page).to_have_url("/")
    hand.press(page.get_by_role("button", name="Look around with three sample dreams"))
    expect(page.locator(".card")).to_have_count(3)
    hand.press(page.get_by_role("link", name="Flying over the bay"))
    expect(page.locator(".prose em")).to_have_text("this is a dream")
    page.go_back()
    hand.press(page.get_by_role("button", name="Remove the samples"))
    expect(page.locator(".card")).to_have_count(0)
    expect(page.get_by_role("button", name="three sample dreams")).to_be_visible()


def test_signing_in_leads_where_one_wanted_to_go(stranger_hand: Hand, ana: Person, foreseen: list[str]) -> None:
    foreseen.append("401")
    hand, page = stranger_hand, stranger_hand.page
    page.goto("/calendar?month=2025-01")
    expect(page).to_have_url("/sign-in?next=/calendar?month%3D2025-01")
    for password in ("wrong horse", "correct horse"):
        hand.write(page.get_by_label("Name"), "ana")
        hand.write(page.get_by_label("Password"), password)
        hand.press(page.get_by_role("button", name="Sign in"))
        if password == "wrong horse":
            expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
            expect(page.get_by_label("Name")).to_have_value("ana")
    expect(page).to_have_url("/calendar?month=2025-01")
    expect(page.get_by_role("heading", name="January 2025")).to_be_visible()
    hand.press(page.get_by_role("link", name="Settings"))
    hand.press(page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    page.goto("/trash")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
