"""Promises about the pages where there is an embedding engine: what is found by its meaning, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flask import Flask

from tests.conftest import Person
from tests.embedding_server import Comparing, embedding_server, refusal
from tests.test_meaning import OTHERS, SEA
from tests.test_pipeline import abroad
from tests.web.conftest import Browser, words
from tests.web.test_search import WHILE_TYPING, titles
from tests.worked import put_job
from tests.working import Working


@pytest.fixture
def server() -> Iterator[Comparing]:
    with embedding_server() as comparing:
        yield comparing


@pytest.fixture
def settings(settings: dict[str, Any], server: Comparing) -> dict[str, Any]:
    key = {"embedding_key": "hush", "embedding_model": "bge-m3"}
    return settings | {"embedding_engine": "server", "embedding_url": server.url} | key


@pytest.fixture
def sea(api: httpx.Client, work: Working) -> str:
    """A journal that was read, with one dream of the sea; answers its id."""
    for text in OTHERS:
        api.post("/entries", json={"text": text})
    made = str(api.post("/entries", json={"text": SEA, "title": "Blue"}).json()["id"])
    work.all()
    return made


def test_a_dream_is_found_by_what_it_means_and_it_is_said(server: Comparing, sea: str, at_home: Browser) -> None:
    page = at_home.open("/search?q=ocean")
    assert titles(page) == ["Blue"]
    said = words(page)
    assert "1 dream" in said
    assert "No dream has all of these words. These mean nearly the same:" in said
    assert "· near in meaning" in said
    assert SEA in said


def test_among_dreams_with_the_word_only_the_others_say_that_they_are_near(
    server: Comparing, sea: str, api: httpx.Client, work: Working, at_home: Browser
) -> None:
    api.post("/entries", json={"title": "Letters", "text": "An ocean in a letter from a friend in the hills."})
    work.all()
    page = at_home.open("/search?q=ocean")
    assert titles(page) == ["Letters", "Blue"]
    assert page.count("near in meaning") == 1
    assert "No dream has all of these words" not in page


def test_what_is_near_in_meaning_can_be_narrowed_too(
    server: Comparing, sea: str, api: httpx.Client, work: Working, at_home: Browser
) -> None:
    api.patch(f"/entries/{sea}", json={"tags": ["blue dreams"], "mood": "calm"})
    api.post("/entries", json={"text": "An ocean in a letter from a friend in the hills.", "tags": ["blue dreams"]})
    work.all()
    page = words(at_home.open("/search?q=ocean&narrow=1"))
    assert "blue dreams 2" in page
    assert "calm 1" in page
    assert "blue dreams 1" in words(at_home.open("/search?q=ocean&narrow=1&sort=time"))


def test_letter_by_letter_nothing_is_sent_to_the_engine(server: Comparing, sea: str, at_home: Browser) -> None:
    read = len(server.asked)
    for typed in ("o", "oc", "oce", "ocea", "ocean"):
        piece = at_home.get(f"/search?q={typed}&typing=1", headers=WHILE_TYPING)
    assert len(server.asked) == read
    assert "Press Enter to look for what means nearly the same, too." in piece.text


def test_an_engine_that_is_silent_is_said_and_words_are_found(server: Comparing, sea: str, at_home: Browser) -> None:
    server.replies = [refusal(500, "no")]
    page = at_home.open("/search?q=sea")
    assert titles(page) == ["Blue"]
    assert "Only words were looked for" in words(page)


def test_a_word_that_nobody_typed_is_not_sent_to_another_machine(
    server: Comparing, settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    settings |= {"embedding_url": abroad(server.url)}
    api, work, at_home = (request.getfixturevalue(name) for name in ("api", "work", "at_home"))
    api.post("/entries", json={"title": "Hers", "text": "It was Esmeralda again.", "private": True})
    work.all()
    assert titles(at_home.open("/search?q=Esmerlada")) == ["Hers"]
    assert not any("smeralda" in text for text in server.texts)


def test_newest_first_finds_words_only(server: Comparing, sea: str, at_home: Browser) -> None:
    read = len(server.asked)
    assert titles(at_home.open("/search?q=ocean&sort=time")) == []
    assert len(server.asked) == read


def test_what_was_mistyped_is_mended_before_it_is_compared(
    server: Comparing, sea: str, api: httpx.Client, work: Working, at_home: Browser
) -> None:
    api.post("/entries", json={"title": "Letters", "text": "An ocean in a letter from a friend in the hills."})
    work.all()
    page = at_home.open("/search?q=ocaen")
    assert titles(page) == ["Letters", "Blue"]
    assert server.texts[-1] == "ocean"


def test_a_dream_that_means_the_same_is_similar(
    server: Comparing, sea: str, api: httpx.Client, work: Working, at_home: Browser
) -> None:
    api.post("/entries", json={"title": "Modro", "text": "Morje, valovi, morje, valovi."})
    work.all()
    page = at_home.open(f"/entries/{sea}/similar")
    assert titles(page) == ["Modro"]
    assert "near in meaning" in page
    assert "In both:" not in page


def test_the_page_of_engines_says_how_far_it_is_and_never_the_key(
    server: Comparing, sea: str, api: httpx.Client, at_home: Browser, elsewhere: Browser
) -> None:
    api.post("/entries", json={"recall": "none"})
    said = words(at_home.open("/settings/engines"))
    assert "An embedding server, on this machine" in said
    assert "bge-m3" in said
    assert "7 of 7 entries" in said
    assert "hush" not in said
    for hidden in ("bge-m3", "7 of 7"):
        assert hidden not in words(elsewhere.open("/settings/engines"))


def test_a_failing_engine_says_why_until_all_is_read(
    server: Comparing, sea: str, api: httpx.Client, work: Working, at_home: Browser
) -> None:
    server.key = "another"
    api.post("/entries", json={"text": "A new dream."})
    work.all()
    said = words(at_home.open("/settings/engines"))
    assert "7 of 8 entries" in said
    assert "The embedding server does not accept the key. Check EMBEDDING_KEY." in said


def test_the_engine_can_be_tried(server: Comparing, work: Working, at_home: Browser) -> None:
    at_home.submit("/settings/engines/try", {"what": "embedding", "language": "sl"})
    work.all()
    said = words(at_home.open("/settings/engines"))
    assert "The same dream in other words:" in said
    assert "alike. Another dream:" in said
    assert "server: bge-m3" in said


def test_an_engine_that_cannot_tell_dreams_apart_is_said(app: Flask, ana: Person, at_home: Browser) -> None:
    result = {"alike": 0.5, "unlike": 0.6, "seconds": 1}
    asked = {"what": "embedding", "language": "en"}
    put_job(app, ana.account, None, "trial", "done", request=asked, result=result, engine="server: m")
    assert "It cannot tell them apart." in words(at_home.open("/settings/engines"))
