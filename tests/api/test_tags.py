"""Promises about the list of tags."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def tags(api: httpx.Client, **query: Any) -> list[tuple[str, int]]:
    answer = api.get("/tags", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["next_cursor"] is None
    return [(tag["name"], tag["entries"]) for tag in answer.json()["items"]]


@pytest.fixture(autouse=True)
def _journal(api: httpx.Client, stranger: httpx.Client) -> None:
    for names in (["sea", "house"], ["sea", "seal"], ["sea"], ["house", "100%"], ["šola"]):
        api.post("/entries", json={"text": "x", "tags": names})
    gone = api.post("/entries", json={"text": "x", "tags": ["sea", "gone"]}).json()["id"]
    api.delete(f"/entries/{gone}")
    stranger.post("/entries", json={"text": "x", "tags": ["sea", "secret"]})


def test_the_most_used_tags_come_first_and_those_of_the_trash_or_of_others_do_not_count(api: httpx.Client) -> None:
    assert tags(api) == [("sea", 3), ("house", 2), ("100%", 1), ("seal", 1), ("šola", 1)]
    assert tags(api, limit=2) == [("sea", 3), ("house", 2)]


def test_a_prefix_is_taken_as_it_is_written_in_whatever_case(api: httpx.Client) -> None:
    assert tags(api, prefix="SEA") == [("sea", 3), ("seal", 1)]
    assert tags(api, prefix="Š") == [("šola", 1)]
    assert tags(api, prefix="100%") == [("100%", 1)]
    assert tags(api, prefix="") == tags(api)
    for nothing in ("%", "_", "ea", "secret", "gone"):
        assert tags(api, prefix=nothing) == []


@pytest.mark.parametrize(
    "query", [{"prefix": "x" * 51}, {"prefix": "\0"}, {"limit": 101}, {"limit": 0}, {"cursor": "x"}]
)
def test_an_impossible_question_is_refused(api: httpx.Client, query: dict[str, Any]) -> None:
    answer = api.get("/tags", params=query)
    assert (answer.status_code, answer.json()["error_code"]) == (422, "UNPROCESSABLE")
    assert set(answer.json()["fields"]) == set(query)
