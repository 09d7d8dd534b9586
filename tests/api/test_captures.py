"""Promises about recordings that are sent while they are spoken: no chunk is lost, and one entry comes of them."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import av
import httpx
import pytest
from flask import Flask
from sqlalchemy import func, select

from dreamweb import captures, finishing
from dreamweb import playback as copies_for_playing
from dreamweb.adapters import audio
from dreamweb.db import session
from dreamweb.models import CaptureChunk
from dreamweb.storage import RESERVE, Storage
from dreamweb.tools import Tools
from tests.conftest import SAMPLES, Person, files_below
from tests.recorded import SLICES, Capture, digest

WHOLE = b"".join(SLICES)
FRAGMENTED = (SAMPLES / "en-lighthouse-fragmented.m4a").read_bytes()


def seconds(data: bytes) -> float:
    """What the file itself says of its length: a player shows that, and lets people seek."""
    with av.open(io.BytesIO(data), "r") as container:
        return (container.duration or 0) / av.time_base


def entries_of(api: httpx.Client) -> list[dict[str, object]]:
    items: list[dict[str, object]] = api.get("/entries").raise_for_status().json()["items"]
    return items


def playback(api: httpx.Client, entry: str) -> bytes:
    return api.get(f"/entries/{entry}/playback").raise_for_status().content


@pytest.fixture
def cut_off(app: Flask, tools: Tools) -> Callable[[], int]:
    """What housekeeping does when clients have been silent for long enough."""

    def run() -> int:
        with app.app_context():
            return finishing.finish_idle(tools, timedelta(0))

    return run


def test_slices_become_one_recording_with_a_length(api: httpx.Client) -> None:
    capture = Capture(api)
    answer = capture.put(0, SLICES[0])
    assert answer.status_code == 201
    assert answer.json() == {
        "client_id": capture.client_id,
        "segment": 0,
        "n": 0,
        "size_bytes": len(SLICES[0]),
        "sha256": digest(SLICES[0]),
    }
    for n in (2, 1, 3):
        assert capture.put(n, SLICES[n]).status_code == 201
    assert capture.state()["segments"] == [
        {"segment": 0, "content_type": "audio/webm;codecs=opus", "chunks": [0, 1, 2, 3], "size_bytes": len(WHOLE)}
    ]
    assert [each["client_id"] for each in api.get("/captures").json()["items"]] == [capture.client_id]
    made = capture.finish(4, title="The sea", tags=["morje"], language="sl", started_at="2025-01-31T04:10:00Z")
    assert made.status_code == 201, made.text
    entry = made.json()
    assert entry["sha256"] == digest(WHOLE)
    assert entry["size_bytes"] == len(WHOLE)
    assert entry["duration_seconds"] == pytest.approx(9.96, abs=0.1)
    again = capture.finish(4)
    assert (again.status_code, again.json()) == (200, entry)
    assert api.get(f"/entries/{entry['id']}/audio").content == WHOLE
    assert seconds(playback(api, entry["id"])) == pytest.approx(9.96, abs=0.1)
    ranged = api.get(f"/entries/{entry['id']}/playback", headers={"Range": "bytes=0-99"})
    assert (ranged.status_code, len(ranged.content)) == (206, 100)
    (kept,) = entries_of(api)
    assert (kept["title"], kept["tags"], kept["language"], kept["cut_off"]) == ("The sea", ["morje"], "sl", False)
    assert kept["dreamed_at"] == "2025-01-31T04:10:00.000000Z"
    assert api.get("/captures").json()["items"] == []
    state = capture.state()
    assert (state["state"], state["entry_id"]) == ("finished", entry["id"])
    assert state["segments"] == [
        {"segment": 0, "content_type": "audio/webm;codecs=opus", "chunks": [0, 1, 2, 3], "size_bytes": len(WHOLE)}
    ]


def test_a_chunk_can_be_sent_again_but_not_another_under_its_number(api: httpx.Client) -> None:
    capture = Capture(api)
    assert [capture.put(0, SLICES[0]).status_code for _ in range(3)] == [201, 200, 200]
    refused = capture.put(0, SLICES[1])
    assert (refused.status_code, refused.json()["error_code"]) == (409, "CONFLICT")
    capture.put(1, SLICES[1])
    assert capture.finish(2).json()["sha256"] == digest(*SLICES[:2])
    # And when it has become an entry: an answer may have been lost.
    assert capture.put(1, SLICES[1]).status_code == 200
    assert capture.put(1, SLICES[2]).status_code == 409
    assert capture.put(2, SLICES[2]).status_code == 409
    assert capture.finish(3).status_code == 409
    assert entries_of(api)[0]["sha256"] == digest(*SLICES[:2])


def test_missing_chunks_are_named_and_nothing_is_made_without_them(api: httpx.Client) -> None:
    capture = Capture(api)
    capture.put(0, SLICES[0])
    capture.put(3, SLICES[3])
    answer = capture.finish(4, 2)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "CHUNKS_MISSING")
    assert answer.json()["missing"] == [[0, 1], [0, 2], [1, 0], [1, 1]]
    assert entries_of(api) == []
    unknown = Capture(api).finish(2)
    assert (unknown.status_code, unknown.json()["missing"]) == (409, [[0, 0], [0, 1]])
    fewer = capture.finish(2)
    assert (fewer.status_code, fewer.json()["error_code"]) == (409, "CONFLICT")
    capture.put(1, SLICES[1])
    capture.put(2, SLICES[2])
    assert capture.finish(4).json()["sha256"] == digest(WHOLE)


@pytest.mark.parametrize(("missing", "left"), [(0, 6.9), (1, 6.9), (2, 6.9), (3, 9.0)])
def test_of_a_recording_with_a_gap_everything_else_plays(api: httpx.Client, missing: int, left: float) -> None:
    capture = Capture(api)
    for n, data in enumerate(SLICES):
        if n != missing:
            capture.put(n, data)
    assert capture.finish(4).status_code == 409
    made = capture.finish(4, accept_gaps=True)
    assert made.status_code == 201, made.text
    assert made.json()["sha256"] == digest(*(data for n, data in enumerate(SLICES) if n != missing))
    assert made.json()["duration_seconds"] == pytest.approx(left, abs=0.15)
    assert seconds(playback(api, made.json()["id"])) == pytest.approx(left, abs=0.15)


def test_segments_are_joined_whatever_recorder_made_them(api: httpx.Client) -> None:
    two = Capture(api).send(SLICES).send(SLICES, segment=1)
    made = two.finish(4, 4).json()
    assert made["sha256"] == digest(WHOLE, WHOLE)
    assert made["duration_seconds"] == pytest.approx(19.92, abs=0.2)
    assert seconds(playback(api, made["id"])) == pytest.approx(19.92, abs=0.2)
    mixed = Capture(api).send(SLICES)
    assert mixed.put(0, FRAGMENTED, segment=1, content_type="audio/mp4").status_code == 201
    made = mixed.finish(4, 1).json()
    assert made["duration_seconds"] == pytest.approx(9.96 + 4.457, abs=0.3)
    assert api.get(f"/entries/{made['id']}/audio").content == WHOLE + FRAGMENTED
    safari = Capture(api)
    half = FRAGMENTED.find(b"moof", len(FRAGMENTED) // 2) - 4
    for n, data in enumerate((FRAGMENTED[:half], FRAGMENTED[half:])):
        safari.put(n, data, content_type="audio/mp4")
    made = safari.finish(2).json()
    assert (made["content_type"], made["sha256"]) == ("audio/mp4", digest(FRAGMENTED))
    answer = api.get(f"/entries/{made['id']}/playback")
    assert answer.headers["Content-Type"] == "audio/mp4"
    assert seconds(answer.content) == pytest.approx(4.457, abs=0.1)


def test_a_capture_whose_client_is_gone_becomes_an_entry_and_takes_what_comes_late(
    api: httpx.Client, tools: Tools, cut_off: Callable[[], int]
) -> None:
    capture = Capture(api).send(SLICES[:2])
    assert cut_off() == 1
    assert cut_off() == 0
    (entry,) = entries_of(api)
    assert (entry["cut_off"], entry["sha256"]) == (True, digest(*SLICES[:2]))
    assert capture.state()["state"] == "cut_off"
    assert api.patch(f"/entries/{entry['id']}", json={"title": "mine"}).status_code == 200
    assert capture.put(1, SLICES[1]).status_code == 200
    assert capture.put(3, SLICES[3]).status_code == 201
    assert cut_off() == 1
    assert entries_of(api)[0]["sha256"] == digest(*SLICES[:2], SLICES[3])
    assert capture.put(2, SLICES[2]).status_code == 201
    done = capture.finish(4, title="not mine")
    assert (done.status_code, done.json()["id"]) == (201, entry["id"])
    (entry,) = entries_of(api)
    assert (entry["cut_off"], entry["sha256"], entry["title"]) == (False, digest(WHOLE), "mine")
    assert seconds(playback(api, str(entry["id"]))) == pytest.approx(9.96, abs=0.1)
    (original,) = [path for path in files_below(tools.storage.root) if ".playback" not in str(path)]
    assert original.read_bytes() == WHOLE
    assert capture.finish(4).status_code == 200


def test_finishing_what_was_cut_off_complete_changes_nothing_but_its_state(
    api: httpx.Client, cut_off: Callable[[], int]
) -> None:
    capture = Capture(api).send(SLICES)
    cut_off()
    before = entries_of(api)[0]
    assert capture.finish(4).status_code == 201
    after = entries_of(api)[0]
    assert (after["id"], after["file_path"], after["cut_off"]) == (before["id"], before["file_path"], False)


def test_what_cannot_be_played_is_kept_as_it_came(api: httpx.Client, cut_off: Callable[[], int]) -> None:
    capture = Capture(api)
    noise = random.Random(1).randbytes(5000)
    capture.put(0, noise)
    answer = capture.finish(1)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_FILE_TYPE")
    assert cut_off() == 0
    assert api.get(capture.url + "/audio").content == noise
    assert capture.state()["state"] == "open"
    assert entries_of(api) == []
    assert api.delete(capture.url).status_code == 204
    assert api.get(capture.url).status_code == 404


def test_a_capture_can_be_deleted_only_while_it_is_no_entry(api: httpx.Client) -> None:
    capture = Capture(api).send(SLICES)
    entry = capture.finish(4).json()["id"]
    answer = api.delete(capture.url)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "CONFLICT")
    assert api.delete(f"/entries/{entry}?permanent=true").status_code == 204
    assert api.get(capture.url).status_code == 404


def test_limits_are_said_and_leave_nothing_behind(api: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = Capture(api)
    assert capture.put(0, b"").json()["error_code"] == "EMPTY_FILE"
    assert capture.put(14_400, b"x").status_code == 413
    assert capture.put(0, b"x", segment=1000).status_code == 422
    assert capture.put(0, b"x" * (captures.MAX_CHUNK + 1)).status_code == 413
    assert api.get(capture.url).status_code == 404
    assert capture.put(0, b"x" * captures.MAX_CHUNK).status_code == 201
    assert capture.put(1, b"x" * captures.MAX_CHUNK).status_code == 413  # 5 MB in all, by the settings
    assert capture.put(1, b"x").status_code == 201
    monkeypatch.setattr(captures, "MAX_OPEN", 1)
    refused = Capture(api).put(0, SLICES[0])
    assert (refused.status_code, refused.json()["error_code"]) == (429, "RATE_LIMITED")
    assert refused.headers["Retry-After"]


def test_a_client_id_that_stands_for_something_else_is_refused(api: httpx.Client, cut_off: Callable[[], int]) -> None:
    client_id = str(uuid4())
    sound = (SAMPLES / "sl-hisa.mp3").read_bytes()
    assert api.post(f"/upload?client_id={client_id}", content=sound).status_code == 201
    assert Capture(api, client_id).put(0, SLICES[0]).status_code == 409
    # The other way round, too: what was sent beside a capture is another recording.
    capture = Capture(api).send(SLICES)
    other = api.post(f"/upload?client_id={capture.client_id}", content=sound + b"TAG".ljust(128, b"2")).json()
    assert capture.finish(4).status_code == 409
    assert cut_off() == 0
    assert api.get(f"/entries/{other['id']}/audio").content == sound + b"TAG".ljust(128, b"2")
    assert len(capture.state()["segments"]) == 1  # type: ignore[arg-type]
    # But the same bytes are the same recording.
    both = Capture(api).send(SLICES)
    sent = api.post(f"/upload?client_id={both.client_id}", content=WHOLE).json()
    assert both.finish(4).json()["id"] == sent["id"]
    assert both.state()["state"] == "finished"


def test_a_token_that_may_only_upload_sends_and_finishes_and_sees_nothing_else(
    live: str, make_person: Callable[..., Person]
) -> None:
    phone = make_person("ana", scopes=("upload",))
    with httpx.Client(base_url=f"{live}/api/v1", headers=phone.headers, timeout=30) as client:
        capture = Capture(client).send(SLICES[:2])
        assert capture.state()["state"] == "open"
        assert client.get("/captures").status_code == 403
        assert client.get(f"{capture.url}/audio").status_code == 403
        assert client.delete(capture.url).status_code == 403
        assert capture.finish(2).status_code == 201


def test_what_a_client_says_at_the_end_counts_also_after_a_cut(api: httpx.Client, cut_off: Callable[[], int]) -> None:
    capture = Capture(api).send(SLICES[:2])
    cut_off()
    assert api.delete(f"/entries/{entries_of(api)[0]['id']}").status_code == 204  # into the trash
    capture.put(2, SLICES[2])
    said = {"title": "The sea", "tags": ["morje"], "kind": "journal", "lucidity": 0, "metadata": {"a": 1}}
    made = capture.finish(3, started_at="2025-01-31T04:10:00Z", **said)
    assert made.status_code == 201, made.text
    (entry,) = api.get("/entries?trash=true").json()["items"]
    assert {name: entry[name] for name in said} == said
    assert entry["dreamed_at"] == "2025-01-31T04:10:00.000000Z"
    assert entry["sha256"] == digest(*SLICES[:3])


def test_a_phone_whose_clock_is_far_ahead_delivers_all_the_same(api: httpx.Client) -> None:
    made = Capture(api).send(SLICES).finish(4, started_at="9999-12-31T23:59:59Z")
    assert made.status_code == 201
    assert str(entries_of(api)[0]["dreamed_at"]) < "2100"


def test_however_much_is_missing_it_is_said_in_a_few_words(api: httpx.Client, cut_off: Callable[[], int]) -> None:
    segments = [{"segment": segment, "chunks": 14_400} for segment in range(1000)]
    answer = api.post(f"/captures/{uuid4()}/finish", json={"segments": segments})
    assert (answer.status_code, len(answer.json()["missing"])) == (409, 1000)
    assert answer.json()["detail"].startswith("14400000 chunks")
    capture = Capture(api)
    capture.put(0, SLICES[0])
    for segment in range(1, 6):
        capture.put(14_399, SLICES[1], segment=segment)
    assert cut_off() == 1
    assert capture.state()["state"] == "cut_off"
    made = capture.finish(1, *[14_400] * 5, accept_gaps=True)
    assert made.status_code == 201, made.text
    state = capture.state()
    assert [segment["chunks"] for segment in state["segments"]] == [[0], *[[14_399]] * 5]  # type: ignore[attr-defined]


def test_a_chunk_that_comes_while_the_others_are_joined_is_in_the_entry(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch, cut_off: Callable[[], int]
) -> None:
    capture = Capture(api).send(SLICES[:3])
    joined: list[int] = []

    def slowly(*arguments: Any, **more: Any) -> str:
        if not joined:
            assert capture.put(3, SLICES[3]).status_code == 201
        joined.append(1)
        return join(*arguments, **more)

    join = audio.join
    monkeypatch.setattr(audio, "join", slowly)
    assert cut_off() == 0  # it is not silent any more
    assert capture.finish(4).status_code == 201
    (entry,) = entries_of(api)
    assert (entry["sha256"], entry["cut_off"], len(joined)) == (digest(WHOLE), False, 2)


def test_a_server_without_room_says_so_and_takes_it_when_there_is_some(
    api: httpx.Client, tools: Tools, monkeypatch: pytest.MonkeyPatch, cut_off: Callable[[], int]
) -> None:
    capture = Capture(api).send(SLICES[:3])
    with monkeypatch.context() as full:
        full.setattr(tools.storage, "free", lambda: 60 * 1024 * 1024 - 2**24)
        for answer in (capture.put(3, SLICES[3]), capture.finish(3)):
            assert (answer.status_code, answer.json()["error_code"]) == (507, "STORAGE_FULL")
        assert cut_off() == 0
    assert capture.put(3, SLICES[3]).status_code == 201
    assert cut_off() == 1
    assert capture.finish(4).json()["sha256"] == digest(WHOLE)


def test_chunks_are_gone_when_the_recording_is_whole(api: httpx.Client, app: Flask) -> None:
    capture = Capture(api).send(SLICES)
    assert capture.finish(4).status_code == 201
    assert api.get(f"{capture.url}/audio").status_code == 404
    with app.app_context():
        assert session().scalar(select(func.count()).select_from(CaptureChunk)) == 0


def test_a_chunk_is_refused_where_there_would_be_no_room_to_join_it(
    api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture, data = Capture(api), SLICES[0]
    monkeypatch.setattr(Storage, "free", lambda _: RESERVE + 2 * len(data))  # it would fit, and nothing else
    refused = capture.put(0, data)
    assert (refused.status_code, refused.json()["error_code"]) == (507, "STORAGE_FULL")
    monkeypatch.undo()
    assert api.get(capture.url).status_code == 404
    assert capture.put(0, data).status_code == 201


def test_a_format_that_is_not_taken_is_refused_at_the_first_chunk(
    settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    settings["allowed_audio_formats"] = "webm"
    api = request.getfixturevalue("api")
    sound = (SAMPLES / "sl-vlak.wav").read_bytes()
    for content_type in ("application/octet-stream", "audio/wav"):
        answer = Capture(api).put(0, sound, content_type=content_type)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_FILE_TYPE")
    assert Capture(api).put(0, SLICES[0], content_type="application/octet-stream").status_code == 201


def test_the_state_of_an_entry_changes_when_it_is_cut_off_no_more(
    api: httpx.Client, cut_off: Callable[[], int]
) -> None:
    capture = Capture(api).send(SLICES)
    cut_off()
    address = f"/entries/{entries_of(api)[0]['id']}"
    before = api.get(address).headers["ETag"]
    assert capture.finish(4).status_code == 201
    assert api.get(address, headers={"If-None-Match": before}).status_code == 200


def test_a_stranger_finds_nothing_and_may_use_the_same_id(api: httpx.Client, stranger: httpx.Client) -> None:
    mine = Capture(api).send(SLICES)
    assert stranger.get(mine.url).status_code == 404
    assert stranger.delete(mine.url).status_code == 404
    assert stranger.get(mine.url + "/audio").status_code == 404
    assert stranger.get("/captures").json()["items"] == []
    theirs = Capture(stranger, mine.client_id)
    assert theirs.put(0, WHOLE).status_code == 201
    assert theirs.finish(1).status_code == 201
    assert mine.finish(4).status_code == 201
    assert len(entries_of(api)) == len(entries_of(stranger)) == 1


def test_finishing_many_times_at_once_makes_one_entry(api: httpx.Client, tools: Tools) -> None:
    capture = Capture(api).send(SLICES)
    answers: list[httpx.Response] = []
    threads = [threading.Thread(target=lambda: answers.append(capture.finish(4))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(entries_of(api)) == 1
    assert len([path for path in files_below(tools.storage.root) if ".playback" not in str(path)]) == 1


def test_a_copy_that_is_gone_is_made_again_and_one_of_nothing_is_swept(
    app: Flask, api: httpx.Client, tools: Tools
) -> None:
    entry = Capture(api).send(SLICES).finish(4).json()["id"]
    copies = tools.storage.root / ".playback"
    (copy,) = copies.iterdir()
    data = copy.read_bytes()
    copy.unlink()
    assert playback(api, entry) == data
    with app.app_context():
        assert copies_for_playing.sweep(tools.storage) == 0
    assert api.delete(f"/entries/{entry}?permanent=true").status_code == 204
    with app.app_context():
        assert copies_for_playing.sweep(tools.storage) == 1
    assert list(copies.iterdir()) == []
