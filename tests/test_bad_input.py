"""Promises about what nobody should send: it is refused in plain JSON, and nothing of it stays behind."""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import itertools
import json
import logging
import os
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote_from_bytes
from uuid import uuid4

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import func, select

from dreamweb import log
from dreamweb.api import errors
from dreamweb.db import session
from dreamweb.models.account import Token
from dreamweb.models.entry import Entry
from dreamweb.storage import Storage
from dreamweb.tools import Tools
from tests.conftest import Person, files_below, until
from tests.nasty import (
    BROKEN_JSON,
    CHUNKS,
    CODINGS,
    DREAM,
    END,
    FORM,
    HEADERS,
    JSON_NAMES,
    LENGTHS,
    LINES,
    METHODS,
    NAMES,
    NASTY,
    PATHS,
    SOUND,
    forms,
    json_values,
    odd_values,
    part,
    raw_names,
)

pytestmark = pytest.mark.slow

T = TypeVar("T")

CODES = {code for _, code in errors.CODES.values()} | set(errors.HTTP_CODES.values()) | {"DATABASE_ERROR"}


@pytest.fixture(params=[1, pytest.param(20, marks=pytest.mark.fault)], ids=["", "long"])
def times(request: pytest.FixtureRequest) -> int:
    """How many times as much is tried."""
    return int(request.param)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Server:
    """The real server, spoken to in bytes; judges each of its answers, and at the end what is left behind."""

    app: Flask
    port: int
    token: str
    storage: Storage
    folder: Path
    log: io.StringIO
    before: set[Path]
    say_how_many: Callable[[str, int], None]
    made: int = 0
    tried: int = 0
    secrets: list[str] = field(default_factory=list)

    def tell(self, data: bytes, *, method: str = "GET", half_close: bool = False, wait: float = 30) -> Answer | None:
        """Send bytes and judge the answer; None when the server hung up without a word."""
        self.tried += 1
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(data)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            answer = http.client.HTTPResponse(connection, method=method)
            try:
                answer.begin()
                told = Answer(answer.status, answer.headers, answer.read())
            except (http.client.RemoteDisconnected, ConnectionResetError):
                return None
        self.judge(told, method)
        return told

    def request(self, line: str | bytes, headers: list[bytes] | None = None, body: bytes = b"", **more: Any) -> Answer:
        """A whole request with a right length and token, unless `headers` say otherwise."""
        line = line.encode("latin-1") if isinstance(line, str) else line
        lines = [line + b" HTTP/1.1", b"Connection: close", *(headers or [])]
        names = {each.partition(b":")[0].lower() for each in lines}
        if b"host" not in names:
            lines.append(b"Host: dreams.example")
        if b"authorization" not in names:
            lines.append(b"Authorization: Bearer " + self.token.encode())
        if body and not names & {b"content-length", b"transfer-encoding"}:
            lines.append(b"Content-Length: %d" % len(body))
        data = b"\r\n".join(lines) + b"\r\n\r\n" + body
        answer = self.tell(data, method=line.split(b" ")[0].decode("latin-1"), **more)
        assert answer is not None, data[:1000]
        return answer

    def json(self, line: str, body: bytes, *headers: bytes) -> Answer:
        return self.request(line, [b"Content-Type: application/json", *headers], body)

    def judge(self, answer: Answer, method: str) -> None:
        head = answer.headers
        assert answer.status < 500, answer.body[:1000]
        assert head["X-Content-Type-Options"] == "nosniff", answer
        assert "default-src 'none'" in head["Content-Security-Policy"], answer
        assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", head["X-Request-ID"]), answer
        if answer.status == 201:
            self.made += 1
        if answer.status in (404, 405) and head["Content-Type"] == "text/html; charset=utf-8":
            return  # an address outside the API: a page says so
        if answer.status >= 400 and method != "HEAD":
            assert head["Content-Type"] == "application/json", answer
            told = json.loads(answer.body)
            assert set(told) - {"fields"} == {"detail", "error_code", "request_id"}, told
            assert told["detail"], told
            assert told["error_code"] in CODES, told
            assert told["request_id"] == head["X-Request-ID"], told

    def settle(self, what: str, kind: str) -> None:
        """After everything: nothing is there that was not answered with 201."""
        with self.app.app_context():
            paths = [path for path in session().scalars(select(Entry.file_path)) if path]
            rows = session().scalar(select(func.count()).select_from(Entry)) or 0
            tokens = session().scalar(select(func.count()).select_from(Token)) or 0
            session().rollback()
        assert rows + tokens - 1 == self.made
        until(lambda: self.open_files() == [])
        assert set(files_below(self.storage.root)) == {self.storage.path(path) for path in paths}
        assert self.files_outside() == self.before
        assert not list(Path("/tmp").glob("evil*"))
        assert self.request("GET /api/v1/entries").status == 200
        self.judge_log()
        self.say_how_many(f"{what} ({kind})", self.tried)

    def open_files(self) -> list[str]:
        """Files of the storage that this process still holds, also those without a name."""
        held = []
        for each in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                held.append(os.readlink(each))  # noqa: PTH115 -- its target need not exist
        return [target for target in held if target.startswith(str(self.storage.root))]

    def files_outside(self) -> set[Path]:
        return {
            path
            for path in files_below(self.folder)
            if not path.is_relative_to(self.storage.root) and "sqlite3" not in path.name
        }

    def judge_log(self) -> None:
        """Every line is one of ours, and none holds what must stay private."""
        text = self.log.getvalue()
        assert text
        for line in text.splitlines():
            assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| (DEBUG|INFO|WARNING) \| [\w.]+ \| ", line), line
        assert DREAM not in text.casefold()
        assert "dw_" not in text
        for secret in self.secrets:
            assert secret not in text


@pytest.fixture
def bad(
    app: Flask, live: str, ana: Person, tools: Tools, tmp_path: Path, say_how_many: Callable[[str, int], None]
) -> Iterator[Server]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(log._Formatter())
    logging.getLogger().addHandler(handler)
    server = Server(
        app=app,
        port=int(live.rpartition(":")[2]),
        token=ana.token,
        storage=tools.storage,
        folder=tmp_path,
        log=written,
        before=set(),
        say_how_many=say_how_many,
        secrets=["correct horse", str(app.config["SECRET_KEY"]), base64.b64encode(b"ana:correct horse").decode()],
    )
    server.before = server.files_outside()
    yield server
    logging.getLogger().removeHandler(handler)


def tried(many: int, strategy: st.SearchStrategy[T], check: Callable[[T], object]) -> None:
    """Check `many` examples."""

    @hypothesis.settings(max_examples=many)
    @hypothesis.given(strategy)
    def run(example: T) -> None:
        check(example)

    run()


def test_whatever_a_file_is_called_it_is_kept_under_our_own_name_inside_the_storage(
    bad: Server, times: int, database_kind: str
) -> None:
    def upload(case: tuple[bytes, str]) -> None:
        name, how = case
        headers, body, line = [FORM], b"", "POST /api/v1/upload"
        if how == "form":
            body = part(b"file", SOUND, filename=name) + END
        elif how == "rfc 5987":
            encoded = b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''"
            body = encoded + quote_from_bytes(name).encode() + b"\r\n\r\n" + SOUND + b"\r\n" + END
        else:
            headers, body, line = [], SOUND, f"POST /api/v1/upload?filename={quote_from_bytes(name)}"
        answer = bad.request(line, headers, body)
        if answer.status != 201:  # a line break in the name ends the header: then it is no form
            assert how == "form" or not name, (case, answer)
            assert answer.status == 400, (case, answer)
            return
        told = json.loads(answer.body)
        assert re.fullmatch(r"[0-9a-f-]{36}_\d{8}T\d{6}\.webm", told["saved_filename"])
        assert 1 <= len(told["original_filename"]) <= 255
        assert told["original_filename"].isprintable() or not re.search(r"[\x00-\x1f/\\]", told["original_filename"])
        assert Path(told["file_path"]).parent.parent == bad.storage.root
        played = bad.request(f"GET /api/v1/entries/{told['id']}/audio?download=1")
        assert (played.status, played.body) == (200, SOUND)

    ways = itertools.cycle(["form", "rfc 5987", "query", "form"])
    for nasty in NASTY:
        upload((nasty.encode(), next(ways)))
    tried(20 * times, st.tuples(raw_names, st.sampled_from(["form", "rfc 5987", "query"])), upload)
    bad.settle("file names", database_kind)


def test_odd_values_beside_a_recording_are_refused_or_kept_but_never_break(
    bad: Server, times: int, database_kind: str
) -> None:
    def upload(case: tuple[dict[str, str], bool, bool]) -> None:
        fields, in_form, whole = case
        sound = SOUND if whole else SOUND[:40]
        if in_form:
            parts = [part(name.encode(), value.encode()) for name, value in fields.items()]
            answer = bad.request(
                "POST /api/v1/upload", [FORM], b"".join(parts) + part(b"file", sound, filename=b"a") + END
            )
        else:
            query = "&".join(f"{name}={quote_from_bytes(value.encode())}" for name, value in fields.items())
            answer = bad.request(f"POST /api/v1/upload?{query}", [], sound)
        assert answer.status in (201, 400, 409, 413, 422, 431), (case, answer)

    fields = st.dictionaries(st.sampled_from(NAMES), odd_values, max_size=4)
    tried(40 * times, st.tuples(fields, st.booleans(), st.booleans()), upload)
    bad.settle("values beside a recording", database_kind)


def test_odd_json_is_refused_or_kept_but_never_breaks(bad: Server, times: int, database_kind: str) -> None:
    entry = json.loads(bad.json("POST /api/v1/entries", b'{"text": "x"}').body)["id"]
    lines = ["POST /api/v1/entries", f"PATCH /api/v1/entries/{entry}", "POST /api/v1/tokens"]

    def send(case: tuple[str, Any, bool]) -> None:
        line, value, in_ascii = case
        answer = bad.json(line, json.dumps(value, ensure_ascii=in_ascii).encode("utf-8", "surrogatepass"))
        assert answer.status in (200, 201, 400, 409, 412, 413, 422), (case, answer)

    for line in lines:
        for body in BROKEN_JSON:
            bad.json(line, body)
    anything = json_values | st.dictionaries(st.sampled_from(JSON_NAMES), json_values, max_size=6)
    tried(75 * times, st.tuples(st.sampled_from(lines), anything, st.booleans()), send)
    bad.settle("JSON bodies", database_kind)


def test_odd_queries_are_refused_or_answered_but_never_break(bad: Server, times: int, database_kind: str) -> None:
    for number in range(3):
        bad.json("POST /api/v1/entries", json.dumps({"text": f"{number}"}).encode())
    cursor = json.loads(bad.request("GET /api/v1/entries?limit=1").body)["next_cursor"]

    def ask(case: tuple[list[tuple[str, bytes]], bool]) -> None:
        pairs, quoted = case
        query = b"&".join(
            name.encode() + b"=" + (quote_from_bytes(value).encode() if quoted else re.sub(rb"[\s#]", b"", value))
            for name, value in pairs
        )
        answer = bad.request(b"GET /api/v1/entries?" + query)
        assert answer.status in (200, 400, 422, 431), (case, answer)

    def forged(position: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(position).encode())

    cursors = st.one_of(
        st.binary(max_size=600),
        st.just(cursor.encode()),
        st.integers(0, len(cursor)).map(lambda at: cursor[:at].encode()),
        json_values.map(forged),
        st.tuples(odd_values, odd_values).map(lambda pair: forged(list(pair))),
        st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2025-01-01"]).map(
            lambda moment: forged([moment, str(uuid4())])
        ),
    )
    names = ["kind", "tag", "match", "start", "end", "mood", "has", "status", "trash", "limit", "nobody", ""]
    texts = odd_values.map(lambda value: value.encode("utf-8")) | st.binary(max_size=60)
    pair = st.tuples(st.sampled_from(names), texts) | st.tuples(st.just("cursor"), cursors)
    tried(100 * times, st.tuples(st.lists(pair, max_size=5), st.booleans()), ask)
    bad.settle("queries", database_kind)


def test_odd_headers_are_refused_or_ignored_but_never_break(bad: Server, times: int, database_kind: str) -> None:
    told = json.loads(bad.request("POST /api/v1/upload", [], SOUND).body)
    lines = ["GET /api/v1/entries", f"GET /api/v1/entries/{told['id']}", f"GET /api/v1/entries/{told['id']}/audio"]
    lines += [
        f"HEAD /api/v1/entries/{told['id']}/audio",
        "POST /api/v1/tokens",
        "GET /health",
        "OPTIONS /api/v1/entries",
    ]
    lines += [f"PATCH /api/v1/entries/{told['id']}", "POST /api/v1/upload"]

    def ask(case: tuple[str, list[tuple[bytes, bytes]]]) -> None:
        line, headers = case
        body = b'{"name": "x"}' if line.startswith(("POST", "PATCH")) else b""
        bad.request(line, [name + b": " + value for name, value in headers], body)

    for line in lines:
        for name, values in HEADERS.items():
            for value in values:
                ask((line, [(name, value)]))
    printable = st.binary(max_size=80).map(lambda value: re.sub(rb"[\x00-\x08\x0a-\x1f\x7f]", b"", value))
    header = st.one_of(
        *[st.tuples(st.just(name), st.sampled_from(values) | printable) for name, values in HEADERS.items()],
        st.tuples(
            st.from_regex(rb"[A-Za-z-]{1,30}", fullmatch=True).filter(lambda name: b"ength" not in name), printable
        ),
    )
    tried(50 * times, st.tuples(st.sampled_from(lines), st.lists(header, min_size=1, max_size=4)), ask)
    bad.settle("headers", database_kind)


def test_a_change_is_made_only_for_the_etag_that_the_entry_has(bad: Server, database_kind: str) -> None:
    created = bad.json("POST /api/v1/entries", b'{"text": "x"}')
    path = f"/api/v1/entries/{json.loads(created.body)['id']}"
    etag = created.headers["ETag"].encode()
    for wrong in (b'W/"x"', b"W/" + etag, b"", b",", b'"other"', b'"a", "b"', b"\xff"):
        assert bad.json(f"PATCH {path}", b'{"title": "y"}', b"If-Match: " + wrong).status == 412, wrong
        if wrong.strip(b","):
            assert bad.request(f"GET {path}", [b"If-Match: " + wrong]).status in (200, 412)
    assert json.loads(bad.request(f"GET {path}", [b'If-Match: "other"']).body)["error_code"] == "PRECONDITION_FAILED"
    assert bad.json(f"PATCH {path}", b'{"title": "y"}', b'If-Match: "other", ' + etag).status == 200
    bad.settle("ETags", database_kind)


def test_a_wrong_length_or_coding_is_refused_and_nothing_stays(bad: Server, times: int, database_kind: str) -> None:
    for length in LENGTHS:
        answer = bad.request("POST /api/v1/upload", [b"Content-Length: " + length], SOUND)
        assert answer.status in (400, 413), (length, answer)
    two = bad.request("POST /api/v1/upload", [b"Content-Length: 5", b"Content-Length: 6"], SOUND)
    assert two.status == 400
    for coding in CODINGS:
        answer = bad.request("POST /api/v1/upload", [b"Transfer-Encoding: " + coding], b"5\r\nabcde\r\n0\r\n\r\n")
        assert answer.status == 400, (coding, answer)
    for chunk in CHUNKS:
        answer = bad.request("POST /api/v1/upload", [b"Transfer-Encoding: chunked"], chunk)
        assert answer.status == 400, (chunk, answer)
    both = bad.request(
        "POST /api/v1/upload", [b"Transfer-Encoding: chunked", b"Content-Length: 3"], b"3\r\nabc\r\n0\r\n\r\n"
    )
    assert both.status == 400
    less = bad.request("POST /api/v1/upload", [b"Content-Length: %d" % (len(SOUND) // 2)], SOUND)
    assert less.status in (201, 400)

    def cut_off(case: tuple[int, int, bool, bool]) -> None:
        sent, missing, form, chunked = case
        body = part(b"file", SOUND * 300, filename=b"a.webm") if form else SOUND * 300  # more than is kept in memory
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % (len(body) + missing)
        size = b"%x\r\n" % (len(body) + missing) if chunked else b""
        head = [b"POST /api/v1/upload HTTP/1.1", b"Host: x", b"Authorization: Bearer " + bad.token.encode(), length]
        head += [FORM] if form else []
        bad.tell(b"\r\n".join(head) + b"\r\n\r\n" + size + body[:sent], half_close=True)

    case = st.tuples(st.integers(0, len(SOUND) * 300), st.integers(1, 10_000), st.booleans(), st.booleans())
    tried(20 * times, case, cut_off)
    bad.settle("lengths and codings", database_kind)


def test_a_broken_form_is_refused_and_nothing_stays(bad: Server, times: int, database_kind: str) -> None:
    for what, (content_type, body) in forms().items():
        answer = bad.request("POST /api/v1/upload", [b"Content-Type: " + content_type], body)
        assert answer.status in (201, 400, 413, 422), (what, answer)

    def mangle(case: tuple[int, int, bytes]) -> None:
        at, length, instead = case
        whole = part(b"title", b"x") + part(b"tags", b"a,b") + part(b"file", SOUND[:200], filename=b"a.webm") + END
        bad.request("POST /api/v1/upload", [FORM], whole[:at] + instead + whole[at + length :])

    pieces = st.binary(max_size=30) | st.sampled_from(
        [b"--edge", b"\r\n", b"\r\n\r\n", b"--edge--", b'"', b"name=", b"\0"]
    )
    tried(60 * times, st.tuples(st.integers(0, 500), st.integers(0, 60), pieces), mangle)
    bad.settle("broken forms", database_kind)


def test_odd_addresses_methods_and_lines_are_refused_or_answered_but_never_break(
    bad: Server, times: int, database_kind: str
) -> None:
    for path in PATHS:
        for method in METHODS:
            answer = bad.request(method + b" " + path)
            assert answer.status != 201, (method, path)
            assert not {"X-Evil"} & set(answer.headers), path
            assert "evil" not in answer.headers.get("Location", "").split("dreams.example")[0]
    for line in LINES:
        assert bad.tell(line + b"\r\n\r\n") is not None, line[:100]
    token = st.from_regex(rb"[!-~]{1,40}", fullmatch=True)
    tried(
        150 * times,
        st.tuples(st.sampled_from(METHODS) | token, st.sampled_from(PATHS) | token.map(lambda path: b"/" + path)),
        lambda case: bad.tell(
            case[0] + b" " + case[1] + b" HTTP/1.1\r\nConnection: close\r\n\r\n", method=case[0].decode()
        ),
    )
    bad.settle("addresses, methods and lines", database_kind)


def test_no_line_of_the_log_can_be_forged_or_tells_what_was_dreamt(bad: Server, database_kind: str) -> None:
    forged = "a\n2025-01-31 14:30:22.123 | ERROR | dreamweb | forged\r\n\x85\u2028\x1b[2Jb\u202e.webm"
    encoded = quote_from_bytes(forged.encode())
    form = part(b"file", SOUND, filename="x\x85y".encode()) + END
    assert bad.request(f"POST /api/v1/upload?title={DREAM}&tags={DREAM}", [FORM], form).status == 201
    answer = bad.request(
        f"POST /api/v1/upload?filename={encoded}&text={DREAM}", [f"X-Request-ID: {DREAM} | x".encode()], SOUND
    )
    assert answer.status == 201
    assert bad.request(f"GET /{encoded}").status == 404
    assert bad.request(f"GET /api/v1/entries?mood={DREAM}&tag={DREAM}&cursor={DREAM}").status == 400
    assert (
        bad.json("POST /api/v1/entries", json.dumps({"text": DREAM, "lucidity": DREAM, DREAM: 1}).encode()).status
        == 422
    )
    assert (
        bad.json("POST /api/v1/entries", json.dumps({"text": DREAM, "metadata": {DREAM: DREAM}}).encode()).status == 201
    )
    wrong = base64.b64encode(b"ana\nforged:battery staple")
    assert bad.json("POST /api/v1/tokens", b'{"name": "x"}', b"Authorization: Basic " + wrong).status == 401
    right = base64.b64encode(b"ana:correct horse")
    made = bad.json("POST /api/v1/tokens", b'{"name": "x"}', b"Authorization: Basic " + right)
    bad.secrets += [json.loads(made.body)["token"][3:], "battery staple", wrong.decode()]
    for line in bad.log.getvalue().splitlines():
        assert "| ERROR |" not in line.partition(" | request_id=")[0]
    bad.settle("forged log lines", database_kind)
