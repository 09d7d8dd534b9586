"""Promises about the similar dreams on the page of an entry."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from dreamweb import db, entries, motifs
from dreamweb.analysis import FoundMotif
from dreamweb.details import Details
from tests.conftest import Person
from tests.web.conftest import Browser, words
from tests.web.test_timeline import counted

HTMX = {"HX-Request": "true"}

Write = Callable[..., str]


@pytest.fixture
def dream(app: Flask, ana: Person) -> Write:
    """Writes a dream as a worker leaves it, and answers its page."""

    def make(lemmas: str, *symbols: str, **details: Any) -> str:
        with app.app_context(), db.transaction():
            entry = entries.create(ana.account, Details(text=f"This was {lemmas}.", **details))
            entry.lemmas = f" {lemmas} "
            motifs.found(entry, [FoundMotif("symbol", name, name, (name,)) for name in symbols], "local")
            return f"/entries/{entry.id}"

    return make


def test_the_page_of_a_dream_leads_to_similar_ones_without_scripts(at_home: Browser, dream: Write) -> None:
    one, other = dream("eclipse whale", "whale", title="The first"), dream("eclipse whale", "whale", title="The second")
    link = re.search(rf'href="({one}/similar)"[^>]*>Similar dreams<', at_home.get(one).text)
    assert link
    page = at_home.get(link[1])
    assert "The first" in words(page)
    assert re.search(r"The second .* In both: whale eclipse", words(page))
    assert f'href="{other}"' in page.text
    assert f'href="{one}"' in page.text


def test_what_is_shared_leads_to_the_motif_and_to_a_search(at_home: Browser, dream: Write) -> None:
    one = dream("eclipse whale", "whale")
    dream("eclipse whale", "whale")
    page = at_home.get(f"{one}/similar").text
    motif = re.search(r'href="(/motifs/[^"]+)"[^>]*><span class="veiled">whale', page)
    search = re.search(r'href="(/search\?q=eclipse)"', page)
    assert motif
    assert search
    assert at_home.get(motif[1]).status_code == at_home.get(search[1]).status_code == 200


def test_scrolling_to_it_brings_the_section_alone(at_home: Browser, dream: Write) -> None:
    one = dream("eclipse", title="The first")
    dream("eclipse", title="The second")
    part = at_home.get(f"{one}/similar", headers=HTMX)
    assert part.text.lstrip().startswith("<section")
    assert "The second" in part.text
    assert "The first" not in part.text
    assert at_home.get(f"{one}/similar").headers["Vary"]


def test_it_says_so_when_nothing_is_similar(at_home: Browser, dream: Write) -> None:
    one = dream("eclipse")
    assert "Nothing like it yet." in words(at_home.get(f"{one}/similar"))


def test_private_dreams_are_veiled_with_what_they_share(at_home: Browser, dream: Write) -> None:
    one = dream("eclipse")
    dream("eclipse", title="A secret", private=True)
    part = at_home.get(f"{one}/similar", headers=HTMX).text
    assert 'class="card private"' in part
    assert '<span class="veiled">A secret</span>' in part
    assert '<span class="veiled">eclipse</span>' in part


def test_nothing_of_it_is_taken_for_html(at_home: Browser, dream: Write) -> None:
    one = dream("eclipse", "<b>whale</b>")
    dream("eclipse", "<b>whale</b>", title="<img src=x>")
    page = at_home.get(f"{one}/similar").text
    assert "<b>whale" not in page
    assert "<img src=x" not in page


def test_nobody_sees_what_is_similar_to_a_dream_of_somebody_else(elsewhere: Browser, dream: Write) -> None:
    one = dream("eclipse")
    assert elsewhere.get(f"{one}/similar").status_code == 404
    assert elsewhere.get(f"/entries/{UUID(int=1)}/similar").status_code == 404


def test_it_costs_the_page_of_the_dream_nothing_and_few_statements_of_its_own(
    app: Flask, at_home: Browser, dream: Write
) -> None:
    one = dream("eclipse whale harbour", "whale")
    for _ in range(3):
        dream("eclipse whale", "whale")
    with counted(app) as statements:
        at_home.get(f"{one}/similar", headers=HTMX)
    assert len(statements) <= 8
    with counted(app) as statements:
        at_home.get(one)
    assert not any("search_documents" in each for each in statements)
