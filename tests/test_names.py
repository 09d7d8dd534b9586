"""Promises about what is called something: tags, files and recordings are found in every form of their names."""

from __future__ import annotations

import httpx

from tests.attachables import JPG
from tests.conftest import wav
from tests.working import Working


def found(api: httpx.Client, typed: str) -> list[str]:
    answer = api.get("/search", params={"q": typed})
    assert answer.status_code == 200, answer.text
    return [item["entry"]["id"] for item in answer.json()["items"]]


def attach(api: httpx.Client, entry: str, name: str) -> str:
    made = api.post(f"/entries/{entry}/attachments", params={"filename": name}, content=JPG)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def test_tags_are_found_in_every_form_also_those_that_come_later(api: httpx.Client, work: Working) -> None:
    entry = api.post("/entries", json={"text": "I ran.", "tags": ["old friends"]}).json()["id"]
    work.all()
    assert found(api, "friend") == found(api, "friends") == [entry]
    api.patch(f"/entries/{entry}", json={"tags": ["nightmares", "stare hiše"]})
    assert found(api, "nightmares") == [entry]  # at once; other forms when it was read
    work.hurry()
    assert found(api, "nightmare") == found(api, "hiša") == found(api, "hisi") == [entry]
    assert found(api, "friend") == []


def test_names_of_files_are_found_in_every_form_until_the_file_is_gone(api: httpx.Client, work: Working) -> None:
    entry = api.post("/entries", json={"text": "I ran."}).json()["id"]
    work.all()
    attachment = attach(api, entry, "hiše_ob_morju.jpg")
    work.all()
    assert found(api, "hiša") == found(api, "morje") == [entry]
    assert api.delete(f"/attachments/{attachment}").status_code == 204
    work.all()
    assert found(api, "hiša") == []


def test_the_name_of_a_recording_is_found_in_every_form(api: httpx.Client, work: Working) -> None:
    entry = api.post("/upload", params={"filename": "flying whales.wav"}, content=wav(4800)).json()["id"]
    for nameless in ({}, {"filename": "recording.wav"}):
        api.post("/upload", params=nameless, content=wav(9600 + len(nameless)))
    work.all()
    assert found(api, "whale") == [entry]
    assert found(api, "record") == []


def test_names_make_no_dreams_alike(api: httpx.Client, work: Working) -> None:
    """A dream is like another by what was dreamt."""
    one, other = (api.post("/entries", json={"text": text}).json()["id"] for text in ("I ran.", "I slept."))
    for entry in (one, other):
        attach(api, entry, "zeppelins.jpg")
    work.all()
    assert found(api, "zeppelin") == [other, one]
    assert api.get(f"/entries/{one}/similar").json()["items"] == []
