"""Promises about the texts of an entry: none is lost, any two can be compared, and each can be used again."""

from __future__ import annotations

import re
import time

import httpx
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from dreamweb.web.differences import compare
from dreamweb.words import say
from tests.conftest import SAMPLES
from tests.processed import hear, set_jobs, tidy
from tests.web.conftest import Browser, words
from tests.web.test_entries import write


@pytest.fixture
def said(app: Flask, api: httpx.Client) -> str:
    """The id of an entry that was heard twice and tidied once, and once in vain."""
    entry = str(api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()["id"])
    hear(app, entry, "A howl in the house.", engine="faster-whisper 1.2.1, tiny")
    hear(app, entry, "An owl in the house.", engine="faster-whisper 1.2.1, small")
    tidy(app, entry, "There was an owl in the house.")
    tidy(app, entry, "Nonsense.", say("%(engine)s answered in another language.", engine="openai:x"))
    set_jobs(app, entry)
    return entry


def keys(browser: Browser, entry: str) -> dict[str, str]:
    """The versions that can be chosen, by what they are called, but for the time."""
    page = browser.get(f"/entries/{entry}/versions").text
    form = page[page.index('id="show"') : page.index("</select>")]
    return {name.rsplit(", ", 2)[0]: key for key, name in re.findall(r'value="([^"]+)"[^>]*>([^<]+)<', form)}


TINY, SMALL = "Transcription, faster-whisper 1.2.1, tiny", "Transcription, faster-whisper 1.2.1, small"


def test_every_version_is_listed_with_who_made_it_and_why_it_is_not_used(at_home: Browser, said: str) -> None:
    page = words(at_home.get(f"/entries/{said}/versions"))
    assert len(re.findall("in use", page)) == 2
    for each in ("faster-whisper 1.2.1, tiny", "faster-whisper 1.2.1, small", "openai:tidy", "in another language"):
        assert each in page
    assert f'href="/entries/{said}/versions"' in at_home.get(f"/entries/{said}").text


def test_one_version_is_read(at_home: Browser, said: str) -> None:
    page = words(at_home.get(f"/entries/{said}/versions", params={"show": keys(at_home, said)[TINY]}))
    assert "A howl in the house." in page
    assert "An owl" not in page
    for nonsense in ("nonsense", "", "text"):
        assert at_home.get(f"/entries/{said}/versions", params={"show": nonsense}).status_code == 200


def test_two_versions_are_compared_word_by_word_the_older_first(at_home: Browser, said: str) -> None:
    known = keys(at_home, said)
    for one, other in ((TINY, SMALL), (SMALL, TINY)):
        page = at_home.get(f"/entries/{said}/versions", params={"show": known[one], "with": known[other]}).text
        assert "<del>A howl</del> in the house." in page
        assert "<ins>An owl</ins> in the house." in page


def test_an_older_transcription_is_used_again_and_what_follows_is_done_anew(
    at_home: Browser, api: httpx.Client, said: str
) -> None:
    page = at_home.submit(f"/entries/{said}/versions/use", {"version_id": keys(at_home, said)[TINY]})
    assert "in use now" in words(page)
    assert "howl" in words(page)
    entry = api.get(f"/entries/{said}").json()
    assert entry["transcription"] == "A howl in the house."
    assert [job["step"] for job in api.get(f"/entries/{said}/jobs").json()["items"]] == ["tidy"]
    assert len(keys(at_home, said)) == 3  # two that were tidied bear the same name


def test_any_version_becomes_the_own_text_and_the_old_one_is_kept(
    at_home: Browser, api: httpx.Client, said: str
) -> None:
    api.patch(f"/entries/{said}", json={"text": "In my own words.", "private": True, "tags": ["owl"]})
    page = at_home.submit(f"/entries/{said}/versions/copy", {"version_id": keys(at_home, said)[SMALL]})
    assert "your own text now" in words(page)
    entry = api.get(f"/entries/{said}").json()
    assert (entry["text"], entry["private"], entry["tags"]) == ("An owl in the house.", True, ["owl"])
    old = keys(at_home, said)["Own text, you"]
    known = at_home.get(f"/entries/{said}/versions", params={"show": old})
    assert "In my own words." in words(known)
    at_home.submit(f"/entries/{said}/versions/use", {"version_id": old})
    assert api.get(f"/entries/{said}").json()["text"] == "In my own words."


def test_only_a_version_of_this_entry_can_be_used(
    at_home: Browser, elsewhere: Browser, api: httpx.Client, said: str
) -> None:
    other = write(at_home)
    known = keys(at_home, said)
    for what in ("use", "copy"):
        for wanted in (known[TINY], "nonsense", "", "text"):
            assert at_home.submit(f"{other}/versions/{what}", {"version_id": wanted}).status_code == 404
        assert elsewhere.submit(f"/entries/{said}/versions/{what}", {"version_id": known[TINY]}).status_code == 404
    assert elsewhere.get(f"/entries/{said}/versions").status_code == 404
    assert api.get(f"/entries/{said}").json()["transcription"] == "An owl in the house."


def test_an_entry_without_versions_says_so(at_home: Browser) -> None:
    assert "There is no text of this entry yet." in words(at_home.get(f"{write(at_home, text='', title='x')}/versions"))
    written = at_home.get(f"{write(at_home)}/versions")
    assert "Own text" in words(written)
    assert "Use this version" not in written.text


@given(
    st.lists(st.sampled_from(["a", "<b>", "house.", "\n", "  "])), st.lists(st.sampled_from(["a", "&", "house.", " "]))
)
def test_what_is_compared_is_neither_lost_nor_read_as_html(before: list[str], after: list[str]) -> None:
    first, second = " ".join(before), " ".join(after)
    compared = compare(first, second)
    assert compared
    for html, text in zip(compared, (first, second), strict=True):
        assert isinstance(html, Markup)
        assert Markup(re.sub("</?(ins|del)>", "", html)).unescape() == text
    assert ("<del>" in compared[0] or "<ins>" in compared[1]) == (first.split() != second.split())


@pytest.mark.parametrize("words", ["and the ", "a ", "One. Two. "])
def test_comparing_takes_no_time_that_anybody_has_to_wait(words: str) -> None:
    for count in (280, 3000, 27_000):
        started = time.monotonic()
        compare(words * count, "x " + words[::-1] * count)
        assert time.monotonic() - started < 3
