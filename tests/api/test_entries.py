"""Promises about writing, listing, reading, changing and deleting entries."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import event

from dreamweb import db, entries, recordings
from dreamweb.models import Entry
from dreamweb.tools import Tools
from tests.conftest import SAMPLES, Person, files_below


def written(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = api.post("/entries", json={"text": "I was flying over a quiet sea."} | fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def recorded(api: httpx.Client, name: str = "sl-hisa.mp3", **fields: str) -> str:
    answer = api.post("/upload", files={"file": (name, (SAMPLES / name).read_bytes())}, data=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def listed(api: httpx.Client, **query: Any) -> list[str]:
    answer = api.get("/entries", params=query)
    assert answer.status_code == 200, answer.text
    return [entry["id"] for entry in answer.json()["items"]]


def test_a_written_entry_is_answered_whole_and_read_back_the_same(api: httpx.Client) -> None:
    fields = {
        "text": "Letela sem nad mirnim morjem. 🌊",
        "title": "Čez morje",
        "kind": "journal",
        "dreamed_at": "2025-01-31T03:00:00.000001Z",
        "tags": ["morje", "letenje"],
        "mood": "Calm",
        "lucidity": 3,
        "recall": "fragment",
        "metadata": {"moon": "full", "sleep": {"hours": 7.5, "woke": [4, None, True]}},
        "language": "sl",
        "private": True,
        "client_id": str(uuid.uuid4()),
    }
    made = written(api, **fields)
    assert api.get(f"/entries/{made['id']}").json() == made
    assert made | {"mood": "calm", "tags": ["letenje", "morje"]} == made
    for name in ("text", "title", "kind", "dreamed_at", "lucidity", "recall", "metadata", "language", "private"):
        assert made[name] == fields[name], name
    for name in ("original_filename", "saved_filename", "file_path", "sha256", "duration_seconds", "transcription"):
        assert made[name] is None, name
    assert (made["status"], made["motifs"], made["attachments"], made["synced_to_notion"]) == ("ready", [], [], False)
    for name in ("created_at", "updated_at", "uploaded_at", "dreamed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", made[name]), name


@pytest.mark.parametrize("fields", [{"title": "Only a title"}, {"text": "Only a text"}, {"recall": "none"}])
def test_a_text_a_title_or_a_night_without_recall_is_enough(api: httpx.Client, fields: dict[str, str]) -> None:
    assert api.post("/entries", json=fields).status_code == 201


@pytest.mark.parametrize("fields", [{}, {"text": ""}, {"text": "  ", "title": ""}, {"recall": "full"}, {"mood": "sad"}])
def test_an_entry_that_says_nothing_is_refused(api: httpx.Client, fields: dict[str, str]) -> None:
    answer = api.post("/entries", json=fields)
    assert (answer.status_code, answer.json()["error_code"]) == (422, "UNPROCESSABLE")
    assert listed(api) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "nightmare"),
        ("lucidity", 6),
        ("recall", "some"),
        ("dreamed_at", "2999-01-01T00:00:00Z"),
        ("dreamed_at", "0001-01-01T00:00:00+14:00"),
        ("dreamed_at", "soon"),
        ("tags", ["x" * 51]),
        ("tags", [f"t{n}" for n in range(51)]),
        ("metadata", {"a": "x" * 70_000}),
        ("metadata", ["no object"]),
        ("title", "x" * 201),
        ("text", "NUL \0"),
        ("language", "de"),
        ("client_id", "1"),
        ("nonsense", 1),
    ],
)
def test_an_impossible_value_is_named(api: httpx.Client, field: str, value: object) -> None:
    answer = api.post("/entries", json={"text": "x", field: value})
    body = answer.json()
    assert (answer.status_code, body["error_code"]) == (422, "UNPROCESSABLE")
    assert [name.split(".")[0] for name in body["fields"]] == [field]
    assert listed(api) == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"", b'{"text": NaN}', b"[" * 100_000, b'"\xff"'])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_malformed_json_is_refused_and_changes_nothing(api: httpx.Client, body: bytes, method: str) -> None:
    entry = written(api)
    path = "/entries" if method == "POST" else f"/entries/{entry['id']}"
    answer = api.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_REQUEST")
    assert api.get("/entries").json()["items"] == [entry]


def test_writing_the_same_twice_under_one_client_id_is_one_entry(api: httpx.Client) -> None:
    fields = {"text": "Once", "client_id": str(uuid.uuid4())}
    answers = [api.post("/entries", json=fields) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = api.post("/entries", json=fields | {"text": "Twice"})
    assert (other.status_code, other.json()["error_code"]) == (409, "CONFLICT")


def test_the_list_goes_from_the_newest_dream_to_the_oldest_in_pages_without_gap_or_repetition(
    api: httpx.Client,
) -> None:
    same_moment = "2025-03-01T04:00:00Z"
    made = [written(api, dreamed_at=f"2025-01-{day:02}T04:00:00Z")["id"] for day in range(1, 16)]
    made += [written(api, dreamed_at=same_moment)["id"] for _ in range(10)]
    seen: list[str] = []
    cursor = None
    for _ in range(20):
        page = api.get("/entries", params={"limit": 4} | ({"cursor": cursor} if cursor else {})).json()
        seen += [entry["id"] for entry in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
        written(api, dreamed_at="2025-06-01T04:00:00Z")  # what comes in meanwhile does not shift the pages
    assert sorted(seen) == sorted(made)
    assert seen[10:] == made[14::-1]


def test_the_filters_find_what_they_say(api: httpx.Client) -> None:
    sea = written(api, tags=["sea"], mood="calm", dreamed_at="2025-01-01T23:59:59Z")["id"]
    both = written(api, tags=["sea", "house"], kind="journal", dreamed_at="2025-01-02T00:00:00Z")["id"]
    house = written(api, tags=["house"], dreamed_at="2025-01-03T12:00:00Z", text=None, title="x")["id"]
    audio = recorded(api, dreamed_at="2025-01-04T04:00:00Z")
    for query, expected in (
        ({}, [audio, house, both, sea]),
        ({"kind": "journal"}, [both]),
        ({"tag": "sea"}, [both, sea]),
        ({"tag": "SEA "}, [both, sea]),
        ({"tag": ["sea", "house"]}, [both]),
        ({"tag": ["sea", "house"], "match": "any"}, [house, both, sea]),
        ({"mood": "Calm"}, [sea]),
        ({"has": "audio"}, [audio]),
        ({"has": "text"}, [both, sea]),
        ({"status": "stored"}, [audio]),
        ({"start": "2025-01-02"}, [audio, house, both]),
        ({"start": "2025-01-02T00:00:01Z"}, [audio, house]),
        ({"end": "2025-01-02"}, [both, sea]),
        ({"end": "2025-01-02T00:00:00Z"}, [sea]),
        ({"start": "2025-01-02", "end": "2025-01-03", "tag": "house"}, [house, both]),
        ({"tag": "nowhere"}, []),
        ({"limit": 1}, [audio]),
    ):
        assert listed(api, **query) == expected, query


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"kind": "x"}, {"start": "x"}, {"tags": "a"}, {"has": "x"}]
)
def test_an_impossible_filter_is_named(api: httpx.Client, query: dict[str, str]) -> None:
    answer = api.get("/entries", params=query)
    assert (answer.status_code, answer.json()["error_code"]) == (422, "UNPROCESSABLE")
    assert list(answer.json()["fields"]) == list(query)


def test_a_cursor_that_is_not_ours_is_refused(api: httpx.Client) -> None:
    for cursor in ("x", "AAAA", "WzEsMl0", "é"):
        answer = api.get("/entries", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_REQUEST")


def test_a_change_touches_what_it_names_and_nothing_else(api: httpx.Client) -> None:
    before = written(api, title="Old", tags=["sea"], mood="calm", metadata={"a": 1})
    answer = api.patch(f"/entries/{before['id']}", json={"title": "New", "tags": ["house", "Sea"], "mood": None})
    after = answer.json()
    assert answer.status_code == 200
    assert after["updated_at"] > before["updated_at"]
    assert after == before | {
        "title": "New",
        "tags": ["house", "sea"],
        "mood": None,
        "updated_at": after["updated_at"],
    }
    assert api.get(f"/entries/{before['id']}").json() == after


def test_a_change_cannot_empty_an_entry(api: httpx.Client) -> None:
    path = f"/entries/{written(api, title=None)['id']}"
    answer = api.patch(path, json={"text": None})
    assert (answer.status_code, answer.json()["error_code"]) == (422, "UNPROCESSABLE")
    assert api.patch(path, json={"text": None, "recall": "none"}).status_code == 200
    recorded_path = f"/entries/{recorded(api)}"
    assert api.patch(recorded_path, json={"title": None}).status_code == 200


def test_of_two_devices_the_second_learns_that_it_would_overwrite_the_first(api: httpx.Client) -> None:
    entry = written(api)
    path = f"/entries/{entry['id']}"
    etag = api.get(path).headers["ETag"]
    assert api.patch(path, json={"title": "first"}, headers={"If-Match": etag}).status_code == 200
    for answer in (
        api.patch(path, json={"title": "second"}, headers={"If-Match": etag}),
        api.patch(path, json={"title": "second", "updated_at": entry["updated_at"]}),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (412, "PRECONDITION_FAILED")
    current = api.get(path)
    assert current.json()["title"] == "first"
    fresh = {"title": "third", "updated_at": current.json()["updated_at"]}
    assert api.patch(path, json=fresh).status_code == 200
    assert api.patch(path, json={"title": "fourth"}, headers={"If-Match": "*"}).status_code == 200


def test_an_entry_that_was_not_changed_is_not_sent_again(api: httpx.Client) -> None:
    path = f"/entries/{written(api)['id']}"
    etag = api.get(path).headers["ETag"]
    assert api.get(path, headers={"If-None-Match": etag}).status_code == 304
    api.patch(path, json={"title": "x"})
    assert api.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_deleting_moves_to_the_trash_and_restoring_brings_it_back_whole(api: httpx.Client) -> None:
    entry_id = recorded(api, tags="sea")
    before = api.get(f"/entries/{entry_id}").json()
    assert api.delete(f"/entries/{entry_id}").status_code == 204
    for answer in (
        api.get(f"/entries/{entry_id}"),
        api.get(f"/entries/{entry_id}/audio"),
        api.patch(f"/entries/{entry_id}", json={"title": "x"}),
        api.delete(f"/entries/{entry_id}"),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    assert listed(api) == []
    assert listed(api, trash="true") == [entry_id]
    restored = api.post(f"/entries/{entry_id}/restore")
    assert restored.status_code == 200
    assert restored.json() == before | {"updated_at": restored.json()["updated_at"]}
    assert listed(api) == [entry_id]
    assert api.get(f"/entries/{entry_id}/audio").status_code == 200
    assert api.post(f"/entries/{entry_id}/restore").status_code == 404


@pytest.mark.parametrize("from_trash", [False, True])
def test_deleting_for_good_removes_the_file_too(api: httpx.Client, tools: Tools, from_trash: bool) -> None:
    entry_id = recorded(api)
    kept = recorded(api, "en-key.flac")
    if from_trash:
        api.delete(f"/entries/{entry_id}")
    assert api.delete(f"/entries/{entry_id}", params={"permanent": "true"}).status_code == 204
    assert api.post(f"/entries/{entry_id}/restore").status_code == 404
    assert listed(api) == [kept]
    assert len(files_below(tools.storage.root)) == 1


def test_the_trash_is_emptied_after_thirty_days_and_not_before(api: httpx.Client, app: Flask, tools: Tools) -> None:
    old, young = recorded(api), recorded(api, "en-key.flac")
    for entry_id, days in ((old, 31), (young, 29)):
        api.delete(f"/entries/{entry_id}")
        with app.app_context(), db.transaction() as session:
            entry = session.get(Entry, uuid.UUID(entry_id))
            assert entry
            entry.deleted_at = db.now() - dt.timedelta(days=days)
    with app.app_context():
        assert recordings.empty_trash(tools.storage) == 1
    assert listed(api, trash="true") == [young]
    assert len(files_below(tools.storage.root)) == 1


def test_an_entry_restored_at_the_last_moment_is_not_deleted(api: httpx.Client, app: Flask) -> None:
    entry_id = recorded(api)
    api.delete(f"/entries/{entry_id}")
    with app.app_context(), db.transaction() as session:
        entry = session.get(Entry, uuid.UUID(entry_id))
        assert entry
        entry.deleted_at = db.now() - dt.timedelta(days=31)
    with app.app_context():
        batch = entries.expired()
        assert len(batch) == 1
        assert api.post(f"/entries/{entry_id}/restore").status_code == 200
        with db.transaction():
            entries.delete_expired(batch)
    assert api.get(f"/entries/{entry_id}/audio").status_code == 200


def test_the_recording_plays_in_ranges(api: httpx.Client) -> None:
    path = f"/entries/{recorded(api, 'sl-hisa.mp3')}/audio"
    data = (SAMPLES / "sl-hisa.mp3").read_bytes()
    whole = api.get(path)
    assert whole.content == data
    assert whole.headers["Content-Type"] == "audio/mpeg"
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["Content-Disposition"] == "inline; filename=sl-hisa.mp3"
    for asked, start, end in (("0-99", 0, 100), ("100-", 100, len(data)), ("-50", len(data) - 50, len(data))):
        part = api.get(path, headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.content) == (206, data[start:end]), asked
        assert part.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(data)}"
    for ignored in ("bytes=0-9,20-29", "bytes=abc", "lines=1-2"):  # the whole is a right answer, RFC 9110
        assert api.get(path, headers={"Range": ignored}).status_code == 200
    beyond = api.get(path, headers={"Range": f"bytes={len(data)}-"})
    assert (beyond.status_code, beyond.json()["error_code"]) == (416, "RANGE_NOT_SATISFIABLE")
    assert api.get(path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_a_download_carries_the_original_name_whatever_it_is(api: httpx.Client) -> None:
    data = (SAMPLES / "sl-hisa.mp3").read_bytes()
    name = 'Nočna "hiša" š.mp3'
    made = api.post("/upload", content=data, params={"filename": name}).json()
    answer = api.get(f"/entries/{made['id']}/audio", params={"download": 1})
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert "filename*=UTF-8''No%C4%8Dna%20%22hi%C5%A1a%22%20%C5%A1.mp3" in answer.headers["Content-Disposition"]


def test_a_written_entry_has_no_recording_and_a_missing_file_is_said(api: httpx.Client) -> None:
    assert api.get(f"/entries/{written(api)['id']}/audio").status_code == 404
    entry = api.get(f"/entries/{recorded(api)}").json()
    Path(entry["file_path"]).unlink()
    answer = api.get(f"/entries/{entry['id']}/audio")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND")
    assert "missing" in answer.json()["detail"]


def test_what_belongs_to_someone_else_is_simply_not_found(api: httpx.Client, stranger: httpx.Client) -> None:
    entry_id = recorded(api, tags="sea")
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("DELETE", "?permanent=true"),
        ("POST", "/restore"),
        ("GET", "/audio"),
    ):
        answer = stranger.request(method, f"/entries/{entry_id}{path}", json={} if method == "PATCH" else None)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND"), (method, path)
    assert listed(stranger) == listed(stranger, tag="sea") == []
    assert listed(api) == [entry_id]


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [("upload", set()), ("read", {"GET"}), ("write", {"GET", "POST", "PATCH", "DELETE"})],
)
def test_a_token_does_what_its_scope_says(
    live: str, make_person: Callable[..., Person], api: httpx.Client, scope: str, allowed: set[str]
) -> None:
    entry_id = written(api)["id"]
    headers = make_person("ana", scopes=(scope,)).headers
    for method, path, body in (
        ("GET", "/entries", None),
        ("GET", f"/entries/{entry_id}", None),
        ("POST", "/entries", {"text": "x"}),
        ("PATCH", f"/entries/{entry_id}", {"title": "x"}),
        ("DELETE", f"/entries/{entry_id}", None),
    ):
        answer = httpx.request(method, f"{live}/api/v1{path}", json=body, headers=headers)
        assert answer.is_success == (method in allowed), (method, path)
        assert answer.is_success or answer.json()["error_code"] == "FORBIDDEN"


def test_reading_costs_at_most_five_statements_however_many_entries_there_are(app: Flask, api: httpx.Client) -> None:
    entry_id = written(api, tags=["a", "b"])["id"]
    for _ in range(30):
        other = written(api, tags=["a", "c"])["id"]
        assert api.post(f"/entries/{other}/attachments", content=b"a note").status_code == 201
    api.get("/entries")  # the token's first use is noted after this
    statements: list[str] = []
    with app.app_context():
        engine = db.db.engine

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    for path in ("/entries?limit=30", "/entries?tag=a&tag=b", f"/entries/{entry_id}"):
        statements.clear()
        assert api.get(path).status_code == 200
        assert len(statements) <= 5, (path, statements)
