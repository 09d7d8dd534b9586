"""Promises about searching over the API; what is found first is promised by the relevance table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import event

from dreamweb import db
from dreamweb.tools import Tools
from tests.working import Working, working


@pytest.fixture
def worker(app: Flask, tools: Tools) -> Iterator[Working]:
    with working(app, tools) as one:
        yield one


def written(api: httpx.Client, title: str, text: str = "", **fields: Any) -> str:
    answer = api.post("/entries", json={"title": title, "text": text} | fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def searched(api: httpx.Client, typed: str, **more: Any) -> dict[str, Any]:
    answer = api.get("/search", params={"q": typed, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def found(api: httpx.Client, typed: str, **more: Any) -> list[str]:
    """The titles of what is found, the best first."""
    return [item["entry"]["title"] for item in searched(api, typed, **more)["items"]]


def marked(pieces: list[dict[str, Any]]) -> list[str]:
    return [piece["text"] for piece in pieces if piece["match"]]


def test_what_was_just_written_is_found_at_once(api: httpx.Client) -> None:
    written(api, "Red lift", "It went down through the sea.", tags=["elevators"])
    for typed in ("sea", "LIFT", "elevators", '"down through"', "thro*"):
        assert found(api, typed) == ["Red lift"], typed
    assert found(api, "sea -lift") == []


def test_every_form_is_found_when_the_words_are_known_by_their_lemmas(api: httpx.Client, worker: Working) -> None:
    written(api, "Obala", "Letela sem nad morjem.", language="sl")
    written(api, "Flight", "The children flew away.", language="en")
    assert found(api, "morje") == []
    worker.all()
    for typed in ("morje", "morju", "letim", "letela morja", "leteti"):
        assert found(api, typed) == ["Obala"], typed
    for typed in ("child", "flying", "fly children"):
        assert found(api, typed) == ["Flight"], typed


def test_letters_may_lack_their_carons_and_have_them(api: httpx.Client, worker: Working) -> None:
    written(api, "Žaba", "Skočila je v šolo.", language="sl")
    worker.all()
    for typed in ("zaba", "žaba", "sola", "solo", "šola", "SKOCILA"):
        assert found(api, typed) == ["Žaba"], typed


def test_an_emoji_is_no_letter_of_the_word_before_it(api: httpx.Client) -> None:
    written(api, "Wolf", "a wolf🐺 and a moon🥲🌚stone 👍🏽yes")
    for typed in ("wolf", "moon", "stone", "yes", "wolf 🐺"):
        assert found(api, typed) == ["Wolf"], typed


def test_a_word_that_says_little_need_not_be_there(api: httpx.Client) -> None:
    written(api, "Train", "Nobody drove it.")
    written(api, "Without", "There was no place in it.")
    assert found(api, "the train with it") == ["Train"]
    assert found(api, '"the train"') == []
    assert set(found(api, "it")) == {"Train", "Without"}  # when it is all that is asked


def test_a_title_counts_more_than_the_text(api: httpx.Client) -> None:
    written(api, "Other", "A whale, among many other things that were in the water.")
    written(api, "Whale", "It was large, and among many other things in the water.")
    written(api, "Third", "Among many other things, it was dry.")
    assert found(api, "whale") == ["Whale", "Other"]


def test_the_words_are_marked_in_title_and_snippet_in_every_form(api: httpx.Client, worker: Working) -> None:
    text = "Najprej ni bilo nič. " * 40 + "Potem sem v hiši našla hišo. " + "In spet nič. " * 40
    written(api, "Stara hiša", text, language="sl")
    worker.all()
    item = searched(api, "hiše")["items"][0]
    assert marked(item["title"]) == ["hiša"]
    assert marked(item["snippet"]) == ["hiši", "hišo"]
    whole = "".join(piece["text"] for piece in item["snippet"])
    assert whole.startswith("… ")
    assert whole.endswith(" …")
    assert len(whole) < 300
    assert whole.strip("… ") in text
    assert "".join(piece["text"] for piece in item["title"]) == "Stara hiša"


def test_fields_narrow_what_is_found(api: httpx.Client) -> None:
    written(api, "One", "sea", tags=["Old friends"], mood="calm", dreamed_at="2024-05-05T03:00:00Z")
    written(api, "Two", "sea", kind="journal", private=True, dreamed_at="2025-01-31T03:00:00Z")
    cases = {
        'tag:"old friends"': ["One"],
        "tag:“Old Friends” sea": ["One"],
        'sea -tag:"old friends"': ["Two"],
        "mood:calm": ["One"],
        "kind:journal": ["Two"],
        "vrsta:dnevnik": ["Two"],
        "is:private": ["Two"],
        "on:2024": ["One"],
        "sea after:2024": ["Two"],
        "sea before:2025-01": ["One"],
        'tag:"old friends" OR is:private': ["Two", "One"],
        "has:audio": [],
        "motif:sea": [],
    }
    for typed, wanted in cases.items():
        assert sorted(found(api, typed)) == sorted(wanted), typed
    assert found(api, "sea", kind="journal") == ["Two"]
    assert found(api, "sea", start="2025-01-01") == ["Two"]
    assert found(api, "sea", sort="time") == ["Two", "One"]


def test_what_is_not_understood_is_said_and_looked_for_as_words(api: httpx.Client) -> None:
    written(api, "Banana", "It has a colour.")
    body = searched(api, "has:banana")
    assert [item["entry"]["title"] for item in body["items"]] == ["Banana"]
    assert "banana" in body["notes"][0]
    assert searched(api, "banana")["notes"] == []


def test_a_mistyped_word_is_told_from_those_of_the_journal(api: httpx.Client, worker: Working) -> None:
    written(api, "Stopnice", "Babica je stala na stopnicah.", language="sl")
    worker.all()
    assert searched(api, "babcia stopnice")["suggestion"] == "babica stopnice"
    assert searched(api, "babica")["suggestion"] is None
    assert searched(api, "xylophone")["suggestion"] is None


def test_a_word_of_a_deleted_entry_is_not_suggested(api: httpx.Client, worker: Working) -> None:
    entry = written(api, "Grandmother", "She was singing.", language="en")
    worker.all()
    assert searched(api, "grandmothr")["suggestion"] == "grandmother"
    assert api.delete(f"/entries/{entry}").status_code == 204
    assert searched(api, "grandmothr")["suggestion"] is None
    assert found(api, "grandmother") == []
    assert api.post(f"/entries/{entry}/restore").status_code == 200
    assert found(api, "grandmother") == ["Grandmother"]


@pytest.mark.parametrize("sort", ["relevance", "time"])
def test_page_by_page_everything_comes_once(api: httpx.Client, sort: str) -> None:
    wanted = {written(api, f"Dream {number}", "sea " * (1 + number % 4)) for number in range(23)}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = searched(api, "sea", sort=sort, limit=5, **({"cursor": cursor} if cursor else {}))
        seen += [item["entry"]["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == 23
    assert set(seen) == wanted


def test_a_search_takes_the_same_few_statements_however_much_it_finds(api: httpx.Client, app: Flask) -> None:
    counted: list[str] = []
    with app.app_context():
        engine = db.db.engine

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counted.append(statement)

    numbers = []
    for size in (2, 12):
        for number in range(size):
            written(api, f"{size} {number}", "a whale in the sea", tags=[f"tag {number}"])
        counted.clear()
        assert len(found(api, "whale sea")) >= size
        numbers.append(sum(not each.startswith("BEGIN") for each in counted))
    assert numbers[0] == numbers[1] <= 12
