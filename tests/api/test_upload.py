"""Promises about sending a recording."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from dreamweb.tools import Tools
from tests.conftest import SAMPLE_FACTS, SAMPLES, Person, files_below

MP3 = SAMPLES / "sl-hisa.mp3"


def sent(api: httpx.Client, name: str = "sl-hisa.mp3", **data: str) -> httpx.Response:
    return api.post("/upload", files={"file": (name, (SAMPLES / name).read_bytes())}, data=data)


@pytest.mark.parametrize("sample", sorted(SAMPLE_FACTS))
def test_every_kind_of_recording_is_kept_byte_for_byte_and_known_by_its_bytes(
    api: httpx.Client, tools: Tools, sample: str
) -> None:
    data = (SAMPLES / sample).read_bytes()
    answer = api.post("/upload", content=data, headers={"Content-Type": "application/x-unknown"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    facts = SAMPLE_FACTS[sample]
    assert body["content_type"] == facts["content_type"]
    assert body["saved_filename"].endswith("." + facts["extension"])
    assert body["duration_seconds"] == pytest.approx(facts["duration_seconds"], abs=0.1)
    assert body["size_bytes"] == len(data)
    assert body["sha256"] == hashlib.sha256(data).hexdigest()
    assert Path(body["file_path"]).read_bytes() == data
    assert api.get(f"/entries/{body['id']}/audio").content == data


def test_the_answer_has_every_field_of_the_contract(api: httpx.Client, tools: Tools) -> None:
    before = dt.datetime.now(dt.UTC)
    answer = sent(api)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {
        *("id", "original_filename", "saved_filename", "file_path", "uploaded_at", "message", "content_type"),
        *("size_bytes", "sha256", "duration_seconds", "status", "url"),
    }
    uploaded = dt.datetime.fromisoformat(body["uploaded_at"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", body["uploaded_at"])
    assert before <= uploaded <= dt.datetime.now(dt.UTC)
    assert uuid.UUID(body["id"]).version == 4
    assert body["original_filename"] == "sl-hisa.mp3"
    assert body["saved_filename"] == f"{body['id']}_{uploaded:%Y%m%dT%H%M%S}.mp3"
    assert body["file_path"] == str(tools.storage.root / f"{uploaded:%Y-%m-%d}" / body["saved_filename"])
    assert (body["message"], body["status"]) == ("File uploaded successfully", "stored")
    assert body["url"] == f"{str(api.base_url).removesuffix('/api/v1/')}/entries/{body['id']}"


def test_the_file_lies_alone_in_its_place_with_mode_644(api: httpx.Client, tools: Tools) -> None:
    path = Path(sent(api).json()["file_path"])
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.stat().st_nlink == 1
    assert files_below(tools.storage.root) == [path]


def test_a_large_raw_body_is_given_its_place_without_being_copied(api: httpx.Client, tools: Tools) -> None:
    wav = bytearray((SAMPLES / "sl-vlak.wav").read_bytes())
    wav[40:44] = wav[4:8] = b"\xff\xff\xff\xff"  # a streamed WAV: as long as it comes
    data = bytes(wav) + bytes(2_000_000)
    answer = api.post("/upload", content=data)
    assert answer.status_code == 201, answer.text
    assert Path(answer.json()["file_path"]).read_bytes() == data
    assert len(files_below(tools.storage.root)) == 1


@pytest.mark.parametrize("field", ["file", "audio"])
def test_the_form_field_may_be_called_file_or_audio(api: httpx.Client, field: str) -> None:
    assert api.post("/upload", files={field: ("a.mp3", MP3.read_bytes())}).status_code == 201


def test_raw_bytes_are_taken_also_when_curl_calls_them_a_form(api: httpx.Client) -> None:
    answer = api.post(
        "/upload", content=MP3.read_bytes(), headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code == 201
    assert answer.json()["size_bytes"] == MP3.stat().st_size


def test_raw_bytes_are_taken_in_chunks_of_unknown_total_length(api: httpx.Client) -> None:
    data = MP3.read_bytes()
    pieces = (data[at : at + 1000] for at in range(0, len(data), 1000))
    answer = api.post("/upload", content=pieces)
    assert answer.status_code == 201
    assert answer.json()["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("how", ["form", "query"])
def test_what_is_known_of_the_dream_may_be_sent_along(api: httpx.Client, how: str) -> None:
    fields = {
        "title": "Hiša ob morju",
        "tags": "morje, Hiša,morje",
        "dreamed_at": "2025-01-31T04:10:00+01:00",
        "language": "sl",
        "kind": "dream",
        "client_id": str(uuid.uuid4()),
    }
    if how == "form":
        answer = sent(api, **fields)
    else:
        answer = api.post("/upload", content=MP3.read_bytes(), params={**fields, "filename": "nočni zapis.mp3"})
    assert answer.status_code == 201, answer.text
    entry = api.get(f"/entries/{answer.json()['id']}").json()
    assert entry["title"] == "Hiša ob morju"
    assert entry["tags"] == ["hiša", "morje"]
    assert entry["dreamed_at"] == "2025-01-31T03:10:00.000000Z"
    assert (entry["language"], entry["kind"], entry["client_id"]) == ("sl", "dream", fields["client_id"])
    assert entry["original_filename"] == ("sl-hisa.mp3" if how == "form" else "nočni zapis.mp3")


def test_auto_language_is_left_to_be_found_out(api: httpx.Client) -> None:
    entry = api.get(f"/entries/{sent(api, language='auto', title='').json()['id']}").json()
    assert entry["language"] is None


def test_the_same_bytes_under_the_same_client_id_are_one_entry(api: httpx.Client, tools: Tools) -> None:
    client_id = str(uuid.uuid4())
    first = sent(api, client_id=client_id)
    again = sent(api, client_id=client_id, title="changed")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(files_below(tools.storage.root)) == 1
    assert len(api.get("/entries").json()["items"]) == 1


def test_other_bytes_under_the_same_client_id_are_refused_and_not_kept(api: httpx.Client, tools: Tools) -> None:
    client_id = str(uuid.uuid4())
    sent(api, client_id=client_id)
    answer = sent(api, "en-key.flac", client_id=client_id)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "CONFLICT")
    assert len(files_below(tools.storage.root)) == 1


def test_eight_devices_that_send_the_same_at_once_make_one_entry(live: str, ana: Person, tools: Tools) -> None:
    client_id = str(uuid.uuid4())

    def send(_: int) -> httpx.Response:
        with httpx.Client(base_url=f"{live}/api/v1", headers=ana.headers, timeout=60) as client:
            return sent(client, client_id=client_id)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(files_below(tools.storage.root)) == 1


def test_the_same_client_id_of_someone_else_is_another_entry(api: httpx.Client, stranger: httpx.Client) -> None:
    client_id = str(uuid.uuid4())
    assert sent(api, client_id=client_id).status_code == 201
    assert sent(stranger, client_id=client_id).status_code == 201


def test_repeating_an_upload_that_was_moved_to_the_trash_does_not_bring_it_back(api: httpx.Client) -> None:
    client_id = str(uuid.uuid4())
    first = sent(api, client_id=client_id).json()
    api.delete(f"/entries/{first['id']}")
    assert sent(api, client_id=client_id).status_code == 200
    assert api.get("/entries").json()["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "EMPTY_FILE"),
        (b"MZ\x90\x00" + bytes(500), 400, "INVALID_FILE_TYPE"),
        (b"<!doctype html><p>hello", 400, "INVALID_FILE_TYPE"),
        (b"PK\x03\x04" + bytes(300), 400, "INVALID_FILE_TYPE"),
        (b"\x89PNG\r\n\x1a\n" + bytes(300), 400, "INVALID_FILE_TYPE"),
        (b"I dreamt of a house.", 400, "INVALID_FILE_TYPE"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10), 400, "INVALID_FILE_TYPE"),
        (b"\x7fELF" + bytes(500), 400, "INVALID_FILE_TYPE"),
    ],
)
@pytest.mark.parametrize("how", ["form", "raw"])
def test_what_is_no_recording_is_refused_and_nothing_is_kept(
    api: httpx.Client, tools: Tools, body: bytes, status: int, code: str, how: str
) -> None:
    if how == "form":
        answer = api.post("/upload", files={"file": ("dream.mp3", body, "audio/mpeg")})
    else:
        answer = api.post("/upload", content=body, headers={"Content-Type": "audio/mpeg"})
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert files_below(tools.storage.root) == []
    assert api.get("/entries").json()["items"] == []


def test_a_form_without_a_file_is_told_so(api: httpx.Client) -> None:
    for answer in (
        api.post("/upload", files={"other": ("a.mp3", MP3.read_bytes())}),
        api.post("/upload", files={"x": (None, "y")}),
        api.post("/upload", files={"file": (None, MP3.read_bytes())}),
        api.post("/upload", json={"file": "a.mp3"}),
        api.post("/upload"),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (400, "MISSING_FILE")


def test_a_recording_above_the_limit_is_refused_in_json_and_not_kept(api: httpx.Client, tools: Tools) -> None:
    data = MP3.read_bytes() * 200  # 7 MB; the limit here is 5
    pieces = (data[at : at + 65536] for at in range(0, len(data), 65536))
    for answer in (
        api.post("/upload", files={"file": ("a.mp3", data)}),
        api.post("/upload", content=data),
        api.post("/upload", content=pieces),
        api.post("/upload", content=data[: 5 * 1024 * 1024 + 10]),
    ):
        assert (answer.status_code, answer.json()["error_code"]) == (413, "FILE_TOO_LARGE")
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert files_below(tools.storage.root) == []


def test_a_wrong_field_is_named_and_nothing_is_kept(api: httpx.Client, tools: Tools) -> None:
    answer = sent(api, client_id="not a uuid", dreamed_at="yesterday")
    assert (answer.status_code, answer.json()["error_code"]) == (422, "UNPROCESSABLE")
    assert set(answer.json()["fields"]) == {"client_id", "dreamed_at"}
    assert files_below(tools.storage.root) == []


@pytest.mark.parametrize("scopes", [("upload",), ("write",), ("upload", "read")])
def test_a_token_that_may_upload_may_upload(live: str, make_person: object, scopes: tuple[str, ...]) -> None:
    person = make_person("ana", scopes=scopes)  # type: ignore[operator]
    answer = httpx.post(f"{live}/api/v1/upload", content=MP3.read_bytes(), headers=person.headers)
    assert answer.status_code == 201


def test_a_token_that_may_only_read_may_not_upload(live: str, make_person: object, tools: Tools) -> None:
    person = make_person("ana", scopes=("read",))  # type: ignore[operator]
    answer = httpx.post(f"{live}/api/v1/upload", content=MP3.read_bytes(), headers=person.headers)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN")
    assert files_below(tools.storage.root) == []


def test_without_a_token_nothing_is_kept(live: str, tools: Tools) -> None:
    for headers in ({}, {"Authorization": "Bearer dw_wrong"}, {"Authorization": "Basic YTpi"}):
        answer = httpx.post(f"{live}/api/v1/upload", files={"file": MP3.read_bytes()}, headers=headers)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert files_below(tools.storage.root) == []


def test_formats_that_the_settings_leave_out_are_refused(
    settings: dict[str, object], request: pytest.FixtureRequest
) -> None:
    settings["allowed_audio_formats"] = "mp3, m4a"
    api: httpx.Client = request.getfixturevalue("api")
    assert sent(api).status_code == 201
    answer = sent(api, "en-key.flac")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_FILE_TYPE")
    assert "MP3" in answer.json()["detail"]


def test_title_and_time_come_from_the_file_when_nothing_else_says_them(api: httpx.Client) -> None:
    entry = api.get(f"/entries/{sent(api, 'sl-hisa.mp3').json()['id']}").json()
    assert entry["title"] == "Stara hiša"
    assert entry["dreamed_at"] == "2024-05-01T04:30:00.000000Z"
    own = sent(api, "sl-hisa.mp3", title="Mine", dreamed_at="2025-01-31T04:00:00Z").json()
    entry = api.get(f"/entries/{own['id']}").json()
    assert (entry["title"], entry["dreamed_at"]) == ("Mine", "2025-01-31T04:00:00.000000Z")
