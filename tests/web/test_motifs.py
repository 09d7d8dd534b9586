"""Promises about motifs: found by type and size, renamed, merged, hidden, and made dream signs."""

from __future__ import annotations

import re

import httpx
import pytest
from flask import Flask

from tests.conftest import Person
from tests.web.conftest import Browser, words
from tests.web.test_timeline import many
from tests.worked import jobs_of, motif_named, put_motifs

FOUND = {("place", "House"): 12, ("place", "Sea"): 3, ("person", "Grandmother"): 1, ("action", "to fly"): 5}


@pytest.fixture
def ids(app: Flask, ana: Person) -> dict[str, str]:
    """Ana's motifs, in twelve dreams."""
    many(app, ana, 12)
    return put_motifs(app, ana.account, FOUND)


def chips(page: str) -> list[str]:
    return re.findall(r'<a class="chip size-\d[^>]*href="[^"]*"[^>]*>.*?<span>([^<]*)</span>', page, re.DOTALL)


def test_without_motifs_the_page_says_where_they_come_from(at_home: Browser) -> None:
    assert "No motifs yet" in words(at_home.open("/motifs"))


def test_motifs_stand_by_type_the_frequent_ones_first_and_larger(ids: dict[str, str], at_home: Browser) -> None:
    page = at_home.open("/motifs")
    assert chips(page) == ["Grandmother", "House", "Sea", "to fly"]
    assert "People" in words(page)
    sizes = dict(re.findall(rf"size-(\d)[^>]*/motifs/({'|'.join(ids.values())})", page))
    by_id = {motif: int(size) for size, motif in re.findall(r'size-(\d)[^"]*" href="/motifs/([^"]+)"', page)}
    assert [by_id[ids[name]] for name in ("House", "to fly", "Sea", "Grandmother")] == [5, 4, 3, 1], sizes
    assert "in 12 entries" in words(page)


def test_a_type_or_only_ones_own_signs_can_be_asked_for(ids: dict[str, str], at_home: Browser) -> None:
    assert chips(at_home.open("/motifs?type=place")) == ["House", "Sea"]
    assert chips(at_home.open("/motifs?type=nonsense")) == ["Grandmother", "House", "Sea", "to fly"]
    assert "None of these" in words(at_home.open("/motifs?signs=1"))
    at_home.submit(f"/motifs/{ids['Sea']}/sign")
    assert chips(at_home.open("/motifs?signs=1")) == ["Sea"]


def test_a_motif_shows_its_dreams_page_by_page(app: Flask, ana: Person, at_home: Browser) -> None:
    many(app, ana, 47)
    address = f"/motifs/{put_motifs(app, ana.account, {('place', 'House'): 45})['House']}"
    seen: list[str] = []
    at: str | None = address
    while at:
        page = at_home.get(at)
        seen += re.findall(r'id="entry-([^"]+)"', page.text)
        older = re.search(r'class="more[^"]*" href="([^"]+)"', page.text)
        at = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == len(set(seen)) == 45


def test_what_is_in_the_trash_does_not_count(ids: dict[str, str], at_home: Browser) -> None:
    address = f"/motifs/{ids['Grandmother']}"
    entry = re.search(r'id="entry-([^"]+)"', at_home.open(address))
    assert entry
    at_home.submit(f"/entries/{entry[1]}/delete")
    assert "In no dream yet" in words(at_home.open(address))


def test_a_motif_is_renamed(ids: dict[str, str], at_home: Browser) -> None:
    address = f"/motifs/{ids['Sea']}"
    assert "<h1>Ocean</h1>" in at_home.submit(f"{address}/rename", {"name": " Ocean "}).text
    refused = at_home.submit(f"{address}/rename", {"name": "x" * 101})
    assert refused.status_code == 422
    assert "1 to 100 characters" in words(refused)
    assert f'value="{"x" * 101}"' in refused.text


def test_merged_motifs_are_one(ids: dict[str, str], at_home: Browser) -> None:
    assert f'<option value="{ids["House"]}">' in at_home.open(f"/motifs/{ids['Grandmother']}")
    page = at_home.submit(f"/motifs/{ids['Grandmother']}/merge", {"into": ids["Sea"]})
    assert page.url.path == f"/motifs/{ids['Sea']}"
    assert "counts for this one from now on" in words(page)
    assert chips(at_home.open("/motifs")) == ["House", "Sea", "to fly"]
    old = at_home.get(f"/motifs/{ids['Grandmother']}")
    assert old.url.path == f"/motifs/{ids['Sea']}"


def test_a_motif_is_merged_only_with_one_of_ones_own(
    app: Flask, ids: dict[str, str], bor: Person, at_home: Browser
) -> None:
    foreign = put_motifs(app, bor.account, {("place", "Cellar"): 0})["Cellar"]
    for into in ("", "nonsense", ids["Sea"], foreign):
        refused = at_home.submit(f"/motifs/{ids['Sea']}/merge", {"into": into})
        assert refused.status_code == 422, into
        assert 'id="into-error"' in refused.text


def test_a_hidden_motif_is_listed_last_and_comes_back(ids: dict[str, str], at_home: Browser) -> None:
    page = at_home.submit(f"/motifs/{ids['Sea']}/hide")
    assert "Sea" not in chips(page.text)
    assert "1 hidden motif Sea" in words(page)
    assert "hidden" in words(at_home.open(f"/motifs/{ids['Sea']}"))
    at_home.submit(f"/motifs/{ids['Sea']}/show")
    assert "Sea" in chips(at_home.open("/motifs"))


def test_a_dream_sign_of_ones_own_is_looked_for_in_old_dreams_too(app: Flask, ana: Person, at_home: Browser) -> None:
    page = at_home.submit("/motifs", {"name": "  Stara   hiša ", "type": "place"})
    motif = motif_named(app, "Stara hiša")
    assert page.url.path == f"/motifs/{motif.id}"
    assert "It is looked for in old dreams too" in words(page)
    assert "your dream sign" in words(page)
    assert (motif.lemma, motif.sign, motif.type) == ("stara hiša", True, "place")
    (job,) = jobs_of(app, "sign")
    assert (job.account_id, job.entry_id, job.request) == (ana.account.id, None, {"motif_id": str(motif.id)})
    assert chips(at_home.open("/motifs")) == ["Stara hiša"]
    again = at_home.submit("/motifs", {"name": "stara hiša", "type": "place"})
    assert again.status_code == 409
    assert "This dream sign is there already." in words(again)
    gone = at_home.submit(f"/motifs/{motif.id}/sign/remove")
    assert "It is no dream sign of yours any more." in words(gone)


def test_a_found_motif_becomes_a_dream_sign(app: Flask, ids: dict[str, str], at_home: Browser) -> None:
    at_home.submit(f"/motifs/{ids['to fly']}/rename", {"name": "Flying"})
    page = at_home.submit(f"/motifs/{ids['to fly']}/sign")
    assert "your dream sign" in words(page)
    motif = motif_named(app, "Flying")
    assert (motif.lemma, motif.sign) == ("to fly", True)
    assert len(jobs_of(app, "sign")) == 1


@pytest.mark.parametrize(
    ("name", "kind", "field"), [("", "place", "name"), ("x" * 101, "place", "name"), ("a", "", "type")]
)
def test_an_impossible_sign_is_refused_at_its_field(
    app: Flask, at_home: Browser, name: str, kind: str, field: str
) -> None:
    page = at_home.submit("/motifs", {"name": name, "type": kind})
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert jobs_of(app, "sign") == []


def test_the_motifs_of_others_are_not_there(ids: dict[str, str], elsewhere: Browser, api: httpx.Client) -> None:
    assert chips(elsewhere.open("/motifs")) == []
    assert elsewhere.get(f"/motifs/{ids['Sea']}").status_code == 404
