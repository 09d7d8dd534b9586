"""Promises about files that lie beside an entry."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import update

from dreamweb import attachments, db, entries, recordings
from dreamweb.models import Entry
from dreamweb.tools import Tools
from tests.attachables import JPG, KINDS, MP4, PAGES, PDF, PNG, REFUSED
from tests.conftest import SAMPLES, Person, files_below
from tests.nasty import NASTY


@pytest.fixture
def entry(api: httpx.Client) -> str:
    return str(api.post("/entries", json={"text": "I was flying over a quiet sea."}).json()["id"])


def attach(api: httpx.Client, entry: str, data: bytes = PNG, name: str = "a.png", **fields: str) -> httpx.Response:
    return api.post(f"/entries/{entry}/attachments", files={"file": (name, data)}, data=fields)


def attached(api: httpx.Client, entry: str, data: bytes = PNG, name: str = "a.png", **fields: str) -> dict[str, Any]:
    answer = attach(api, entry, data, name, **fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def read(api: httpx.Client, made: dict[str, Any], query: str = "", **headers: str) -> httpx.Response:
    return api.get(f"/attachments/{made['id']}{query}", headers=headers)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("error_code", "")


def test_every_kind_of_file_is_kept_byte_for_byte_and_known_by_its_bytes(
    api: httpx.Client, tools: Tools, entry: str
) -> None:
    for number, (kind, (data, content_type)) in enumerate(KINDS.items()):
        if number == 20:  # as many as an entry may have
            entry = api.post("/entries", json={"text": "another"}).json()["id"]
        answer = api.post(
            f"/entries/{entry}/attachments", content=data, headers={"Content-Type": "application/x-unknown"}
        )
        assert answer.status_code == 201, (kind, answer.text)
        made = answer.json()
        assert (made["content_type"], made["size_bytes"]) == (content_type, len(data)), kind
        assert made["sha256"] == hashlib.sha256(data).hexdigest()
        got = read(api, made)
        assert got.content == data
        assert got.headers["Content-Type"].partition(";")[0] == content_type
        shown = content_type not in ("image/heic", "text/plain")
        assert got.headers["Content-Disposition"].startswith("inline" if shown else "attachment"), kind
        assert f".{kind.split()[0]}" in got.headers["Content-Disposition"]
        assert read(api, made, "?download=1").headers["Content-Disposition"].startswith("attachment")
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in got.headers["Content-Security-Policy"]
        played = content_type.startswith(("audio/", "video/"))
        assert ("sandbox" in got.headers["Content-Security-Policy"]) != played
    assert sorted(path.read_bytes() for path in files_below(tools.storage.root)) == sorted(
        data for data, _ in KINDS.values()
    )


def test_attachments_stand_in_their_entry_in_the_order_they_came(api: httpx.Client, tools: Tools, entry: str) -> None:
    before = dt.datetime.now(dt.UTC)
    made = [attached(api, entry, data, name) for name, data in (("c.png", PNG), ("a.pdf", PDF), ("b.mp4", MP4))]
    for one in made:
        assert set(one) == {"id", "original_filename", "content_type", "size_bytes", "sha256", "created_at", "url"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", one["created_at"])
        assert before <= dt.datetime.fromisoformat(one["created_at"]) <= dt.datetime.now(dt.UTC)
        assert one["url"] == f"{api.base_url}attachments/{one['id']}"
        assert httpx.get(one["url"], headers=api.headers).status_code == 200
    assert api.get(f"/entries/{entry}").json()["attachments"] == made
    assert api.get("/entries").json()["items"][0]["attachments"] == made
    assert api.patch(f"/entries/{entry}", json={"title": "x"}).json()["attachments"] == made
    for path in files_below(tools.storage.root):
        assert re.fullmatch(r"attachment_[0-9a-f-]{36}_\d{8}T\d{6}\.(png|pdf|mp4)", path.name)
        assert path.stat().st_mode & 0o777 == 0o644


def test_a_recorded_entry_may_have_attachments_too(api: httpx.Client, tools: Tools) -> None:
    sound = (SAMPLES / "sl-hisa.mp3").read_bytes()
    entry = api.post("/upload", content=sound).json()["id"]
    made = attached(api, entry, sound, "again.mp3")
    assert api.get(f"/entries/{entry}/audio").content == read(api, made).content == sound
    assert len(files_below(tools.storage.root)) == 2


def test_programs_and_whatever_is_no_known_kind_are_refused_whatever_they_are_called(
    api: httpx.Client, tools: Tools, entry: str
) -> None:
    for number, (what, data) in enumerate(REFUSED.items()):
        name = ("photo.jpg", "notes.txt", "film.mp4", "paper.pdf", "run.exe")[number % 5]
        for answer in (
            attach(api, entry, data, name),
            api.post(
                f"/entries/{entry}/attachments",
                content=data,
                params={"filename": name},
                headers={"Content-Type": "image/png"},
            ),
        ):
            assert code_of(answer) == (400, "INVALID_FILE_TYPE"), what
    assert files_below(tools.storage.root) == []
    assert api.get(f"/entries/{entry}").json()["attachments"] == []


def test_a_text_that_could_be_taken_for_more_is_plain_text_to_be_saved_as_such(api: httpx.Client, entry: str) -> None:
    for name, data in PAGES.items():
        made = attached(api, entry, data, name)
        assert made["original_filename"] == name
        for query in ("", "?download=0", "?download=1"):
            answer = read(api, made, query)
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert answer.headers["Content-Disposition"] == f"attachment; filename={name}.txt"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_picture_that_is_called_a_program_is_saved_as_a_picture(api: httpx.Client, entry: str) -> None:
    for name, saved in (
        ("holiday.jpg.exe", "holiday.jpg.exe.jpg"),
        ("holiday.JPEG", "holiday.JPEG"),
        ("holiday", "holiday.jpg"),
        ("holiday.jpg.", "holiday.jpg..jpg"),
    ):
        made = attached(api, entry, JPG, name)
        assert read(api, made).headers["Content-Disposition"] == f"inline; filename={saved}"


def test_whatever_name_is_sent_is_shown_safely_and_never_becomes_a_path(
    api: httpx.Client, tools: Tools, entry: str
) -> None:
    for name in NASTY:
        answer = api.post(f"/entries/{entry}/attachments", content=PNG, params={"filename": name})
        assert answer.status_code == 201, (name, answer.text)
        made = answer.json()
        shown = made["original_filename"]
        assert 0 < len(shown) <= 255
        assert not re.search(r"[\x00-\x1f\x7f/\\\u202e]", shown)
        got = read(api, made)
        assert got.content == PNG
        assert "X-Evil" not in got.headers
        assert re.search(r"\.(png|PNG)\"?$", got.headers["Content-Disposition"])
        (path,) = files_below(tools.storage.root)
        assert path.parent.parent == tools.storage.root
        assert api.delete(f"/attachments/{made['id']}").status_code == 204


def test_the_same_bytes_under_the_same_client_id_are_one_attachment(
    api: httpx.Client, tools: Tools, entry: str
) -> None:
    client_id = str(uuid.uuid4())
    first = attach(api, entry, client_id=client_id)
    again = api.post(f"/entries/{entry}/attachments", content=PNG, params={"client_id": client_id})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert code_of(attach(api, entry, PDF, client_id=client_id)) == (409, "CONFLICT")
    other = api.post("/entries", json={"text": "another"}).json()["id"]
    assert attach(api, other, PDF, client_id=client_id).status_code == 201
    assert len(files_below(tools.storage.root)) == 2
    assert [attach(api, entry).status_code for _ in range(2)] == [201, 201]  # on purpose


def test_eight_devices_that_attach_the_same_at_once_attach_it_once(
    live: str, ana: Person, tools: Tools, entry: str
) -> None:
    client_id = str(uuid.uuid4())

    def send(_: int) -> httpx.Response:
        with httpx.Client(base_url=f"{live}/api/v1", headers=ana.headers, timeout=60) as client:
            return attach(client, entry, client_id=client_id)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == len(files_below(tools.storage.root)) == 1


def test_the_settings_say_how_large_how_many_and_of_which_kinds(
    settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    settings |= {"max_attachment_size_mb": 1, "max_attachments": 2, "allowed_attachment_formats": "png, .PDF"}
    api: httpx.Client = request.getfixturevalue("api")
    tools: Tools = request.getfixturevalue("tools")
    entry = api.post("/entries", json={"text": "x"}).json()["id"]
    path = f"/entries/{entry}/attachments"
    large = PNG + bytes(1024 * 1024)
    for answer in (
        attach(api, entry, large),
        attach(api, entry, large * 3),
        api.post(path, content=large),
        api.post(path, content=(large[at : at + 65536] for at in range(0, len(large), 65536))),
    ):
        assert code_of(answer) == (413, "FILE_TOO_LARGE")
        assert "MAX_ATTACHMENT_SIZE_MB" in answer.json()["detail"]
    assert code_of(attach(api, entry, JPG)) == (400, "INVALID_FILE_TYPE")
    assert "PNG, PDF." in attach(api, entry, JPG).json()["detail"]
    assert [attach(api, entry, data).status_code for data in (PNG, PDF)] == [201, 201]
    assert code_of(attach(api, entry)) == (409, "CONFLICT")
    assert len(files_below(tools.storage.root)) == 2


def test_a_recording_may_be_larger_than_an_attachment_and_the_other_way_around(
    settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    settings |= {"max_attachment_size_mb": 3, "max_file_size_mb": 1}
    api: httpx.Client = request.getfixturevalue("api")
    entry = api.post("/entries", json={"text": "x"}).json()["id"]
    assert attach(api, entry, PNG + bytes(2_500_000)).status_code == 201
    answer = api.post("/upload", content=(SAMPLES / "sl-vlak.wav").read_bytes() + bytes(2_500_000))
    assert code_of(answer) == (413, "FILE_TOO_LARGE")


def test_what_is_no_file_is_told_so(api: httpx.Client, tools: Tools, entry: str) -> None:
    path = f"/entries/{entry}/attachments"
    for answer in (
        api.post(path),
        api.post(path, json={"file": "a.png"}),
        api.post(path, files={"other": ("a.png", PNG)}),
        api.post(path, files={"file": (None, PNG)}),
    ):
        assert code_of(answer) == (400, "MISSING_FILE")
    for answer in (attach(api, entry, b""), api.post(path, content=b"", headers={"Content-Type": "image/png"})):
        assert code_of(answer) == (400, "EMPTY_FILE")
    wrong = attach(api, entry, client_id="1")
    assert code_of(wrong) == (422, "UNPROCESSABLE")
    assert set(wrong.json()["fields"]) == {"client_id"}
    assert code_of(api.get(f"/attachments/{uuid.uuid4()}?download=maybe")) == (422, "UNPROCESSABLE")
    assert files_below(tools.storage.root) == []


def test_ranges_and_conditions_are_answered(api: httpx.Client, entry: str) -> None:
    made = attached(api, entry, MP4, "film.mp4")
    part = read(api, made, Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, MP4[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(MP4)}"
    assert read(api, made, Range="bytes=-5").content == MP4[-5:]
    assert code_of(read(api, made, Range=f"bytes={len(MP4)}-")) == (416, "RANGE_NOT_SATISFIABLE")
    whole = read(api, made)
    assert whole.headers["ETag"] == f'"{made["sha256"]}"'
    assert read(api, made, **{"If-None-Match": whole.headers["ETag"]}).status_code == 304
    assert code_of(read(api, made, **{"If-Match": '"x"'})) == (412, "PRECONDITION_FAILED")
    head = api.head(f"/attachments/{made['id']}")
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(MP4)), b"")


def test_a_deleted_attachment_is_gone_and_the_others_stay(api: httpx.Client, tools: Tools, entry: str) -> None:
    first, second = attached(api, entry, PNG), attached(api, entry, PDF)
    path = f"/attachments/{first['id']}"
    assert api.delete(path).status_code == 204
    assert code_of(api.get(path)) == code_of(api.delete(path)) == (404, "NOT_FOUND")
    assert api.get(f"/entries/{entry}").json()["attachments"] == [second]
    assert [file.read_bytes() for file in files_below(tools.storage.root)] == [PDF]


def test_attaching_shows_in_the_etag_but_does_not_stand_in_the_way_of_who_is_just_writing(
    api: httpx.Client, entry: str
) -> None:
    path = f"/entries/{entry}"
    seen = api.get(path)
    made = attached(api, entry)
    changed = api.get(path, headers={"If-None-Match": seen.headers["ETag"]})
    assert (changed.status_code, changed.json()["attachments"]) == (200, [made])
    assert changed.json()["updated_at"] == seen.json()["updated_at"]
    assert api.patch(path, json={"title": "x", "updated_at": seen.json()["updated_at"]}).status_code == 200
    known = api.get(path).headers["ETag"]
    api.delete(f"/attachments/{made['id']}")
    assert api.patch(path, json={"title": "y"}, headers={"If-Match": known}).status_code == 412


def test_attachments_go_to_the_trash_with_their_entry_and_come_back_with_it(
    api: httpx.Client, tools: Tools, entry: str
) -> None:
    made = attached(api, entry)
    path = f"/attachments/{made['id']}"
    api.delete(f"/entries/{entry}")
    assert api.get("/entries?trash=true").json()["items"][0]["attachments"] == [made]
    for answer in (api.get(path), api.delete(path), attach(api, entry)):
        assert code_of(answer) == (404, "NOT_FOUND")
    api.post(f"/entries/{entry}/restore")
    assert api.get(path).content == PNG
    assert len(files_below(tools.storage.root)) == 1


def test_what_is_deleted_for_good_takes_its_attachments_along(api: httpx.Client, tools: Tools, entry: str) -> None:
    other = api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()["id"]
    kept = api.post("/entries", json={"text": "kept"}).json()["id"]
    made = [attached(api, one, data) for one in (entry, other) for data in (PNG, PDF)]
    last = attached(api, kept, MP4)
    for one in (entry, other):
        assert api.delete(f"/entries/{one}?permanent=true").status_code == 204
    assert all(read(api, one).status_code == 404 for one in made)
    assert read(api, last).content == MP4
    assert len(files_below(tools.storage.root)) == 1


def test_emptying_the_trash_takes_attachments_along(api: httpx.Client, app: Flask, tools: Tools, entry: str) -> None:
    young = api.post("/entries", json={"text": "thrown away just now"}).json()["id"]
    for one in (entry, young):
        attached(api, one)
        attached(api, one, PDF)
        api.delete(f"/entries/{one}")
    with app.app_context():
        with db.transaction() as session:
            long_ago = db.now() - entries.KEEP_TRASH - dt.timedelta(minutes=1)
            session.execute(update(Entry).where(Entry.id == uuid.UUID(entry)).values(deleted_at=long_ago))
        assert recordings.empty_trash(tools.storage) == 1
    assert len(files_below(tools.storage.root)) == 2
    assert len(api.post(f"/entries/{young}/restore").json()["attachments"]) == 2


def test_a_file_that_is_missing_on_the_server_is_said_to_be(api: httpx.Client, tools: Tools, entry: str) -> None:
    made = attached(api, entry)
    files_below(tools.storage.root)[0].unlink()
    assert code_of(read(api, made)) == (404, "NOT_FOUND")
    assert api.delete(f"/attachments/{made['id']}").status_code == 204


def test_a_stranger_can_attach_nothing_and_leaves_nothing(
    api: httpx.Client, stranger: httpx.Client, tools: Tools, entry: str
) -> None:
    assert code_of(attach(stranger, entry)) == (404, "NOT_FOUND")
    assert files_below(tools.storage.root) == []


def test_no_key_of_a_recording_is_taken_for_an_attachment(api: httpx.Client, tools: Tools, entry: str) -> None:
    api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes())
    attached(api, entry, (SAMPLES / "sl-hisa.mp3").read_bytes())
    keys = list(tools.storage.keys())
    assert sorted(attachments.is_attachment(key) for key in keys) == [False, True]
