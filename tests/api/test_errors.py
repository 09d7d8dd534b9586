"""Promises about errors, headers, health and the API's own description."""

from __future__ import annotations

import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from dreamweb import db
from tests.conftest import Person


def test_every_error_is_json_with_a_code_and_the_request_id(live: str, api: httpx.Client) -> None:
    for answer, status, code in (
        (httpx.get(f"{live}/api/v1/nowhere"), 404, "NOT_FOUND"),
        (api.get("/entries/not-a-uuid"), 404, "NOT_FOUND"),
        (api.put("/entries"), 405, "METHOD_NOT_ALLOWED"),
        (api.post("/entries", content=b"{"), 400, "INVALID_REQUEST"),
        (api.post("/entries", json={}), 422, "UNPROCESSABLE"),
        (
            api.post("/entries", content=b"[" * 9_000_000, headers={"Content-Type": "application/json"}),
            413,
            "FILE_TOO_LARGE",
        ),
    ):
        body = answer.json()
        assert (answer.status_code, body["error_code"]) == (status, code)
        assert body["detail"]
        assert body["request_id"] == answer.headers["X-Request-ID"]


def test_what_the_server_itself_refuses_is_json_too(live: str) -> None:
    host, port = live.removeprefix("http://").split(":")
    for request in (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"\x00\x01 nonsense\r\n\r\n"):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request)
            answer = connection.makefile("rb").read().decode()
        assert answer.startswith(("HTTP/1.1 400", "HTTP/1.0 400"))
        assert '"error_code": "INVALID_REQUEST"' in answer


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-123_4.5", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("", False)]
)
def test_a_sane_request_id_is_taken_over_and_another_replaced(live: str, sent: str, kept: bool) -> None:
    answer = httpx.get(f"{live}/health", headers={"X-Request-ID": sent})
    assert (answer.headers["X-Request-ID"] == sent) == kept
    assert answer.headers["X-Request-ID"]


def test_every_answer_forbids_sniffing_and_foreign_content(live: str, api: httpx.Client) -> None:
    for answer in (httpx.get(f"{live}/health"), api.get("/entries"), api.get("/nowhere"), httpx.get(f"{live}/docs")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_health_needs_no_token_and_says_how_each_part_is(live: str) -> None:
    body = httpx.get(f"{live}/health").json()
    assert set(body) == {"status", "database", "storage", "timestamp", "version"}
    assert (body["status"], body["database"], body["storage"]) == ("healthy", "connected", "writable")
    assert re.fullmatch(r"[\d-]+T[\d:]+\.\d{6}Z", body["timestamp"])


def test_health_answers_within_a_second_even_when_the_database_hangs(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def hang() -> None:
        released.wait(10)
        raise OperationalError("connect", {}, OSError("gone"))

    with app.app_context():
        monkeypatch.setattr(db.db.engine.pool, "connect", hang)
    seconds = []
    for _ in range(3):
        started = time.monotonic()
        answer = client.get("/health")
        seconds.append(time.monotonic() - started)
        assert answer.status_code == 503
        assert answer.get_json()["status"] == "unhealthy"
        assert answer.get_json()["database"] == "disconnected"
        assert answer.get_json()["storage"] == "writable"
    released.set()
    assert min(seconds) < 1  # a busy machine may delay one of them


def test_health_is_told_the_same_to_many_who_ask_at_once(live: str) -> None:
    def ask(_: int) -> set[int]:
        with httpx.Client() as client:
            return {client.get(f"{live}/health").status_code for _ in range(40)}

    with ThreadPoolExecutor(8) as pool:
        assert set().union(*pool.map(ask, range(8))) == {200}


def test_health_notices_a_storage_that_cannot_be_written(client: FlaskClient, tmp_path: object, app: Flask) -> None:
    root = app.extensions["dreamweb"].storage.root
    (root / ".incoming").rmdir()
    answer = client.get("/health")
    assert (answer.status_code, answer.get_json()["storage"]) == (503, "not writable")


def test_other_origins_are_let_in_only_where_a_setting_says_so(
    settings: dict[str, object], request: pytest.FixtureRequest
) -> None:
    settings["cors_origins"] = "https://dreams.example, http://localhost:3000"
    live: str = request.getfixturevalue("live")
    person: Person = request.getfixturevalue("ana")
    path = f"{live}/api/v1/entries"
    asked = {"Origin": "https://dreams.example", "Access-Control-Request-Method": "PATCH"}
    asked["Access-Control-Request-Headers"] = "authorization, if-match"
    preflight = httpx.options(path, headers=asked)
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://dreams.example"
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    answer = httpx.get(path, headers=person.headers | {"Origin": "https://dreams.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://dreams.example"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    other = httpx.get(path, headers=person.headers | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_without_the_setting_no_other_origin_is_let_in(live: str, ana: Person) -> None:
    answer = httpx.get(f"{live}/api/v1/entries", headers=ana.headers | {"Origin": "https://dreams.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers
