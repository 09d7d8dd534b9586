"""Promises about the similar dreams on the page of an entry, in a browser."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import expect

from dreamweb import db, entries, motifs
from dreamweb.analysis import FoundMotif
from dreamweb.details import Details
from tests.browser.conftest import Hand
from tests.conftest import Person

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def test_they_come_by_themselves_when_they_are_scrolled_to(app: Flask, ana: Person, hand: Hand) -> None:
    made = []
    for title in ("The first", "The second"):
        with app.app_context(), db.transaction():
            entry = entries.create(ana.account, Details(title=title, text="A whale sang.\n\n" * 40))
            entry.lemmas = " whale sing "
            motifs.found(entry, [FoundMotif("symbol", "whale", "whale", ("whale",))], "local")
            made.append(entry.id)
    page = hand.page
    page.goto(f"/entries/{made[0]}")
    link = page.get_by_role("link", name="Similar dreams")
    expect(link).to_be_attached()
    link.scroll_into_view_if_needed()
    similar = page.get_by_role("region", name="Similar dreams")
    expect(similar).to_contain_text("In both:")
    expect(similar.get_by_role("link", name="whale")).to_be_visible()
    expect(link).to_have_count(0)
    hand.press(similar.get_by_role("link", name="The second"))
    page.wait_for_url(f"**/entries/{made[1]}")
