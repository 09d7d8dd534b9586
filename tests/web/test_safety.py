"""Promises about who may do what on the pages, and about what a hostile page, person or request cannot do.

The tests walk the map of routes: a new page is covered by being there.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from dreamweb import db
from dreamweb.config import resource
from dreamweb.files import Scratch
from dreamweb.models.account import BrowserSession
from dreamweb.search import saved
from dreamweb.tools import Tools
from tests.attachables import PNG
from tests.conftest import SAMPLES, Person, files_below, wav
from tests.web.conftest import PASSWORD, Browser
from tests.worked import put_motifs

FOR_PROGRAMS = {"api", "health", "docs", "static"}

PUBLIC = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/welcome"),
    ("POST", "/welcome"),
    ("GET", "/shortcut"),
    ("GET", "/session"),
    ("GET", "/worker.js"),
    ("GET", "/record/shell"),
    ("GET", "/offline"),
    ("GET", "/manifest.webmanifest"),
    ("POST", "/share"),
}
"""Every page that needs no sign-in."""

FROM_ANYWHERE = {"/share"}
"""What other programs send to, which know no token of ours: it does nothing with what is sent."""

FOR_BROWSERS = {
    "/session": ("application/json", "no-store"),
    "/worker.js": ("text/javascript", "no-cache"),  # with nothing in it of anybody: any cache may have it
    "/manifest.webmanifest": ("application/manifest+json", "private, no-cache"),
}
"""What is no page but is fetched by one, its content type, and who may keep it."""

OF_OWNERS = {"accounts.every", "accounts.add", "accounts.one"}
OF_OWNERS |= {"accounts.set_password", "accounts.disable", "accounts.enable"}

SAFE = {"GET", "HEAD"}

BODIES = {"PATCH": {"title": "mine now"}, "POST": {"segments": [{"segment": 0, "chunks": 1}]}}
"""What programs send to something that is there; to what takes a file, it is none."""

pytestmark = pytest.mark.slow  # many thousands of requests; who may what does not depend on the database

ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""What has nothing to do with databases."""

FIELDS = {"title": "mine now", "text": "mine now", "name": "eve", "password": "mine now, too", "role": "owner"}
FIELDS |= {"current": PASSWORD, "known": "0" * 64, "scope": "write", "token_id": str(uuid4()), "updated_at": ""}
"""What forms send; each takes what it knows."""

POLICY = "script-src 'self'; style-src 'self'"

HERS = b"<script>alert(1)</script>"
"""What ana has sent of a recording: nobody has looked at it yet."""


def rules(app: Flask, *, for_programs: bool = False) -> Iterator[tuple[str, Rule]]:
    """Every method of every page, or of every route of the API."""
    for rule in app.url_map.iter_rules():
        kind = rule.endpoint.partition(".")[0]
        if (kind == "api") if for_programs else (kind not in FOR_PROGRAMS):
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                yield method, rule


def address(rule: Rule, value: object) -> str:
    return re.sub(r"<[^>]*>", str(value), rule.rule.replace("<int:n>", "0"))


class Somebody:
    """A browser straight in front of the application, without a server between: thousands of requests are cheap."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def token(self) -> str:
        """A CSRF token of this browser's session."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/sign-in", follow_redirects=True).text)
        return html.unescape(found[1]) if found else ""

    def sign_in(self, person: Person) -> Somebody:
        sent = {"csrf_token": self.token(), "name": person.account.name, "password": PASSWORD}
        assert self.client.post("/sign-in", data=sent).status_code == 303
        return self

    def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> TestResponse:
        data: dict[str, Any] = FIELDS | ({"csrf_token": token} if token is not None else {})
        # The file is new each time: it is read to its end.
        data |= {"file": (io.BytesIO(PNG), "mine.png")} if path.endswith(("/attachments", "/recordings")) else {}
        return self.client.open(path, method=method, data=None if method in SAFE else data, **more)


@dataclass(frozen=True)
class House:
    """Ana's journal with something of everything, and two browsers: hers, and that of bor, who is a member."""

    app: Flask
    ana: Somebody
    bor: Somebody
    ids: dict[str, str]
    storage: Path

    def kept(self) -> tuple[dict[str, list[str]], list[Path]]:
        """All that there is: every row, and every file."""
        with self.app.app_context(), db.db.engine.connect() as connection:
            rows = {
                table.name: sorted(str(row) for row in connection.execute(select(table)))
                for table in db.Base.metadata.sorted_tables
            }
        return rows, files_below(self.storage)

    def own(self, rule: Rule) -> list[str]:
        """What of ana's the route is for."""
        return [self.ids[name.removesuffix("_id")] for name in sorted(rule.arguments - {"n"})]


@pytest.fixture
def house(app: Flask, tools: Tools, ana: Person, bor: Person) -> House:
    person = Somebody(app).sign_in(ana)
    client, headers = person.client, {"X-CSRFToken": person.token()}
    sent = client.post("/api/v1/upload", data=(SAMPLES / "sl-hisa.mp3").read_bytes(), headers=headers).get_json()
    picture = {"file": (io.BytesIO(PNG), "a.png")}
    attached = client.post(f"/api/v1/entries/{sent['id']}/attachments", data=picture, headers=headers).get_json()
    trashed = client.post("/api/v1/entries", json={"text": "in the trash"}, headers=headers).get_json()
    assert client.delete(f"/api/v1/entries/{trashed['id']}", headers=headers).status_code == 204
    token = client.post("/api/v1/tokens", json={"name": "phone"}, headers=headers).get_json()
    capture = str(uuid4())
    assert client.put(f"/api/v1/captures/{capture}/chunks/0", data=HERS, headers=headers).status_code == 201
    Somebody(app).sign_in(ana)  # one more session, so that there is one to be ended
    with app.app_context():
        session = str(
            db.session().scalars(select(BrowserSession.id).order_by(BrowserSession.created_at.desc())).first()
        )
    ids = {"entry": sent["id"], "attachment": attached["id"], "trashed": trashed["id"], "token": token["id"]}
    jobs = client.get(f"/api/v1/entries/{sent['id']}/jobs", headers=headers).get_json()["items"]
    ids |= {
        "job": jobs[0]["id"],
        "account": str(ana.account.id),
        "session": session,
        "client": capture,
        "nothing": str(uuid4()),
    }
    ids |= {"motif": put_motifs(app, ana.account, {("place", "House"): 1})["House"]}
    with app.app_context(), db.transaction():
        saved.save(ana.account, "sea")
        ids |= {"search": str(saved.every(ana.account)[0].id)}
    return House(app, person, Somebody(app).sign_in(bor), ids, tools.storage.root)


def test_what_is_someone_elses_is_404_on_every_page_and_stays_as_it_is(house: House) -> None:
    token, before, walked = house.bor.token(), house.kept(), 0
    for method, rule in rules(house.app):
        for value in house.ids.values() if rule.arguments else ():
            answer = house.bor.ask(method, address(rule, value), token)
            assert (answer.status_code, answer.mimetype) == (404, "text/html"), f"{method} {rule}"
            walked += 1
    assert walked >= 100
    assert house.kept() == before


def test_a_cookie_opens_no_route_of_the_api_to_what_is_someone_elses(house: House) -> None:
    headers, before, walked = {"X-CSRFToken": house.bor.token()}, house.kept(), 0
    for method, rule in rules(house.app, for_programs=True):
        for value in house.ids.values() if rule.arguments else ():
            if rule.endpoint == "api.captures.put_chunk":
                continue  # everybody has client_ids of their own: see the next test
            body = {"json": BODIES[method]} if method in BODIES else {}
            answer = house.bor.client.open(address(rule, value), method=method, headers=headers, **body)  # type: ignore[arg-type]
            if rule.endpoint == "api.captures.finish_capture":
                # What nobody has begun is answered like this too: whoever has the recording shall send all of it.
                assert (answer.status_code, answer.get_json()["missing"]) == (409, [[0, 0]]), value
            else:
                assert answer.status_code == 404, f"{method} {rule}"
            walked += 1
    assert walked >= 60
    assert house.kept() == before


def test_a_chunk_under_the_client_id_of_another_begins_a_recording_of_ones_own(house: House) -> None:
    path, headers = f"/api/v1/captures/{house.ids['client']}", {"X-CSRFToken": house.bor.token()}
    for n in (0, 1):
        sent = house.bor.client.put(f"{path}/chunks/{n}", data=b"mine now", headers=headers)
        assert sent.status_code == 201
    for somebody, said in ((house.ana, HERS), (house.bor, b"mine now" * 2)):
        answer = somebody.client.get(f"{path}/audio", buffered=True)
        assert answer.data == said
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")
    before = house.kept()[0]["captures"]
    assert len(before) == 2
    assert house.bor.ask("POST", f"/captures/{house.ids['client']}/delete", headers["X-CSRFToken"]).status_code == 303
    assert house.ana.client.get(f"{path}/audio", buffered=True).data == HERS


def test_what_is_in_the_trash_can_be_read_and_changed_by_nobody(house: House) -> None:
    token, before = house.ana.token(), house.kept()
    for method, rule in rules(house.app):
        if "entry_id" in rule.arguments and rule.endpoint not in ("entries.restore", "entries.remove"):
            answer = house.ana.ask(method, address(rule, house.ids["trashed"]), token)
            assert answer.status_code == 404, f"{method} {rule}"
    assert house.kept() == before


def test_to_members_the_pages_of_owners_do_not_exist(house: House) -> None:
    token, before = house.bor.token(), house.kept()
    found = [(method, rule) for method, rule in rules(house.app) if rule.endpoint in OF_OWNERS]
    assert {rule.endpoint for _, rule in found} == OF_OWNERS
    assert {rule.endpoint for _, rule in rules(house.app) if rule.rule.startswith("/accounts")} == OF_OWNERS
    for method, rule in found:
        for value in (house.ids["account"], house.ids["nothing"]):
            assert house.bor.ask(method, address(rule, value), token).status_code == 404, f"{method} {rule}"
    assert house.kept() == before


def test_the_samples_of_another_are_not_removed(house: House) -> None:
    assert house.ana.ask("POST", "/samples", house.ana.token()).status_code == 303
    before = house.kept()
    assert house.bor.ask("POST", "/samples/remove", house.bor.token()).status_code == 303
    assert house.kept() == before


def test_only_what_we_have_marked_ourselves_is_removed_as_a_sample(house: House) -> None:
    headers = {"X-CSRFToken": house.ana.token()}
    for mark in (1, "yes", "true", "t", "nonsense", {"a": 1}, [1], None, 0.5):
        made = {"text": f"my own, {mark}", "metadata": {"sample": mark}}
        assert house.ana.client.post("/api/v1/entries", json=made, headers=headers).status_code == 201
    before = house.kept()
    assert house.ana.client.get("/").status_code == 200
    assert house.ana.ask("POST", "/samples/remove", headers["X-CSRFToken"]).status_code == 303
    assert house.kept() == before


@pytest.mark.parametrize("cookie", [None, "nonsense", "eyJfdXNlcl9pZCI6IngifQ.aaaaaa.AAAAAAAAAAAAAAAAAAAAAAAAAAA"])
def test_whoever_is_not_signed_in_is_asked_to_and_changes_nothing(house: House, cookie: str | None) -> None:
    nobody, before = Somebody(house.app), house.kept()
    token = nobody.token()
    if cookie:
        nobody.client.set_cookie("dreamweb", cookie)
    asked = set()
    for method, rule in rules(house.app):
        view = house.app.view_functions[rule.endpoint]
        assert ((method, rule.rule) in PUBLIC) == (getattr(view, "public", False) and method != "HEAD"), rule.rule
        if getattr(view, "public", False):
            continue
        path = address(rule, house.ids["entry"])
        answer = nobody.ask(method, path, token)
        assert answer.status_code == 303, f"{method} {path}"
        assert answer.location.startswith("/sign-in"), answer.location
        piece = nobody.ask(method, path, token, headers={"HX-Request": "true"})
        assert (piece.status_code, piece.headers["HX-Redirect"]) == (204, "/sign-in"), path
        asked.add((method, rule.rule))
    assert len(asked) >= 40
    assert house.kept() == before


def test_every_page_that_changes_something_needs_a_token_of_this_session(house: House) -> None:
    foreign, before, refused = house.bor.token(), house.kept(), 0
    for method, rule in rules(house.app):
        if method in SAFE or rule.rule in FROM_ANYWHERE:
            continue
        own = house.own(rule)
        for value in [*own, house.ids["trashed"]] if own else [""]:
            for token in (None, "wrong", foreign):
                answer = house.ana.ask(method, address(rule, value), token)
                assert (answer.status_code, answer.mimetype) == (400, "text/html"), f"{method} {rule}"
                refused += 1
            by_header = house.ana.ask(method, address(rule, value), headers={"X-CSRFToken": foreign})
            assert by_header.status_code == 400
    assert refused >= 100
    assert house.kept() == before


def test_what_may_come_from_anywhere_is_neither_kept_nor_read(house: House, tools: Tools) -> None:
    marked = {rule.rule for _, rule in rules(house.app) if marked_from_anywhere(house.app, rule)}
    assert marked == FROM_ANYWHERE
    before = house.kept()

    def touched() -> Scratch:
        raise AssertionError("a file is taken in")

    tools.storage.scratch = touched  # type: ignore[method-assign]
    for somebody in (house.ana, Somebody(house.app)):
        for path in FROM_ANYWHERE:
            for files in ({}, {"audio": (io.BytesIO(b"ID3" + bytes(100_000)), "memo.mp3")}):
                answer = somebody.client.post(path, data=FIELDS | files)
                assert answer.status_code == 501
                assert_is_a_page_of_ours(answer, path)
    assert house.kept() == before


def marked_from_anywhere(app: Flask, rule: Rule) -> bool:
    return bool(getattr(app.view_functions[rule.endpoint], "from_anywhere", False))


def test_what_a_page_of_others_sends_signs_nobody_out(house: House) -> None:
    """Browsers leave our cookie out then, but would take another one in its place."""
    routes = [*rules(house.app), *rules(house.app, for_programs=True)]
    paths = {address(rule, house.ids["nothing"]) for method, rule in routes if method == "POST"}
    assert {"/share", "/sign-in", "/sign-out"} <= paths
    for path in sorted(paths | {"/nowhere", "/static/nowhere", "/api/nowhere", "/health"}):
        for headers in ({}, {"HX-Request": "true"}):
            answer = house.app.test_client().post(path, data=FIELDS, headers=headers)
            assert answer.headers.getlist("Set-Cookie") == [], path


@ON_ONE
def test_over_https_a_form_of_another_page_is_refused_whatever_its_token(house: House) -> None:
    token, before = house.ana.token(), house.kept()
    for referrer in (None, "https://evil.example/", "http://localhost/", "https://localhost.evil.example/"):
        headers = {"Referer": referrer} if referrer else {}
        answer = house.ana.ask("POST", "/entries", token, base_url="https://localhost", headers=headers)
        assert answer.status_code == 400, referrer
    assert house.kept() == before
    ours = {"Referer": "https://localhost/entries/new"}
    assert (
        house.ana.ask("POST", "/entries/nothing", token, base_url="https://localhost", headers=ours).status_code == 303
    )


def test_a_cookie_changes_nothing_by_the_api_without_our_token_in_the_header(house: House) -> None:
    ours, foreign, before, refused = house.ana.token(), house.bor.token(), house.kept(), 0
    for method, rule in rules(house.app, for_programs=True):
        path = address(rule, *house.own(rule) or [""])
        if method in SAFE:
            answer = house.ana.client.open(path, method=method, buffered=True)
            assert answer.status_code in (200, 404), f"{method} {rule}"
            continue
        for more in (
            {},
            {"headers": {"X-CSRFToken": "wrong"}},
            {"headers": {"X-CSRFToken": foreign}},
            {"data": {"csrf_token": ours}},
            {"query_string": {"csrf_token": ours}},
            {"headers": {"Origin": "https://evil.example"}, "json": {"text": "x"}},
        ):
            answer = house.ana.client.open(path, method=method, **more)  # type: ignore[arg-type]
            assert answer.status_code == 403, f"{method} {rule}"
            assert answer.get_json()["error_code"] == "FORBIDDEN"
            refused += 1
    assert refused >= 40
    assert house.kept() == before
    headers = {"X-CSRFToken": ours}
    assert (
        house.ana.client.post("/api/v1/entries", json={"text": "by a script of ours"}, headers=headers).status_code
        == 201
    )


@ON_ONE
@pytest.mark.parametrize("origins", ["https://app.example", "*"])
def test_pages_of_other_origins_never_get_to_use_the_cookie(
    settings: dict[str, Any], request: pytest.FixtureRequest, origins: str
) -> None:
    settings["cors_origins"] = origins
    app: Flask = request.getfixturevalue("app")
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "x-csrftoken"
    client = Somebody(app).sign_in(request.getfixturevalue("ana")).client
    for method in ("OPTIONS", "GET"):
        answer = client.open("/api/v1/entries", method=method, headers=asked)
        assert answer.headers["Access-Control-Allow-Origin"] in ("https://app.example", "*")
        assert "Access-Control-Allow-Credentials" not in answer.headers
    for path in ("/", "/settings", "/sign-in", "/session"):
        assert "Access-Control" not in str(client.get(path, headers=asked).headers)


# --- What every answer carries ---


def assert_forbids_what_it_does_not_need(answer: TestResponse, what: str) -> None:
    said = answer.headers
    assert POLICY in said["Content-Security-Policy"], what
    assert "unsafe" not in said["Content-Security-Policy"], what
    assert "default-src 'none'" in said["Content-Security-Policy"], what
    assert "frame-ancestors 'none'" in said["Content-Security-Policy"], what
    assert said["X-Content-Type-Options"] == "nosniff", what
    assert said["Referrer-Policy"] == "same-origin", what
    assert {"Cookie", "HX-Request"} <= set(answer.vary.to_header().split(", ")), what


def assert_is_a_page_of_ours(answer: TestResponse, what: str) -> None:
    assert_forbids_what_it_does_not_need(answer, what)
    assert answer.mimetype == "text/html", what
    assert re.search(r"\bprivate\b|\bno-store\b", answer.headers["Cache-Control"]), what
    assert not re.search(r"<[^>]*\s(style|on[a-z]+)\s*=|<script(?![^>]*\ssrc=)|javascript:", answer.text), what


@ON_ONE
def test_every_page_forbids_what_it_does_not_need_and_is_kept_by_no_cache_but_the_browsers(house: House) -> None:
    seen = 0
    for method, rule in rules(house.app):
        if method != "GET":
            continue
        values = dict.fromkeys(rule.arguments, "") | {f"{name}_id": value for name, value in house.ids.items()}
        path = rule.build({name: values[name] for name in rule.arguments})
        assert path
        for somebody in (house.ana, Somebody(house.app)):
            answer = somebody.client.get(path[1], follow_redirects=True)
            assert answer.status_code == 200, path
            if path[1] in FOR_BROWSERS:
                assert_forbids_what_it_does_not_need(answer, path[1])
                assert (answer.mimetype, answer.headers["Cache-Control"]) == FOR_BROWSERS[path[1]]
            else:
                assert_is_a_page_of_ours(answer, path[1])
            seen += 1
    assert seen >= 30


@ON_ONE
def test_errors_are_pages_to_people_and_json_to_programs(house: House) -> None:
    token = house.ana.token()
    many = {f"field{number}": "x" for number in range(1500)}
    for somebody in (house.ana, Somebody(house.app)):
        for method, path, status in (
            ("GET", "/nowhere", 404),
            ("GET", f"/static/none/{uuid4()}.css", 404),
            ("PUT", "/sign-in", 405),
            ("DELETE", "/", 405),
            ("GET", "/?cursor=nonsense", 400 if somebody is house.ana else 303),
        ):
            answer = somebody.client.open(path, method=method)
            assert answer.status_code == status, path
            if status != 303:
                assert_is_a_page_of_ours(answer, path)
            piece = somebody.client.open(path, method=method, headers={"HX-Request": "true"})
            if status != 303:
                assert piece.text.startswith('<div class="notice bad" role="alert">'), path
                assert POLICY in piece.headers["Content-Security-Policy"]
        for path in ("/api/v1/nowhere", "/api/nowhere"):
            answer = somebody.client.get(path)
            assert (answer.status_code, answer.mimetype) == (404, "application/json"), path
    large = house.ana.client.post("/entries", data={"csrf_token": token, "text": "x" * 4_200_000})
    parts = house.ana.client.post("/entries", data=many, content_type="multipart/form-data; boundary=edge")
    for answer in (large, parts):
        assert answer.status_code == 413
        assert_is_a_page_of_ours(answer, "too large")


def test_a_database_that_refuses_is_told_by_a_page(house: House) -> None:
    with house.app.app_context(), db.transaction() as session:
        session.execute(text("DROP TABLE sessions"))
    for path in ("/", "/nowhere", "/shortcut", "/settings"):
        answer = house.ana.client.get(path)
        assert answer.status_code == (404 if path == "/nowhere" else 500)
        assert_is_a_page_of_ours(answer, path)
    answer = house.ana.client.get("/api/v1/entries")
    assert (answer.status_code, answer.mimetype) == (500, "application/json")


def test_a_database_that_goes_away_in_the_middle_is_told_by_a_page(house: House) -> None:
    token = house.ana.token()
    away: list[str] = []

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if away or statement.startswith("INSERT INTO dream_entries"):
            away.append(statement)
            raise OperationalError(statement, {}, psycopg.OperationalError("the server closed the connection"))

    with house.app.app_context():
        event.listen(db.db.engine, "before_cursor_execute", fail)
    answer = house.ana.ask("POST", "/entries/nothing", token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert_is_a_page_of_ours(answer, "away")


@ON_ONE
def test_an_unforeseen_error_is_told_by_a_page_without_a_word_of_what_it_was(house: House) -> None:
    def fail() -> str:
        raise RuntimeError("a secret of the server")

    house.app.view_functions["timeline.home"] = fail
    answer = house.ana.client.get("/")
    assert answer.status_code == 500
    assert "a secret" not in answer.text
    assert_is_a_page_of_ours(answer, "500")


def templates() -> list[Path]:
    return sorted(resource("templates").rglob("*.html"))


@pytest.mark.parametrize("path", templates(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_template_needs_a_policy_that_lets_strangers_run_scripts(path: Path) -> None:
    said = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(
        r"\sstyle\s*=|<style|\son[a-z]+\s*=|hx-on|hx-vals=.js|javascript:|<iframe|<object|<embed", said
    )
    assert not re.search(r"<script(?![^>]*\ssrc=)|(?:src|href)=\"(?:https?:)?//", said)
    assert "autoescape" not in said
    # Our own words only, which hold nothing that somebody has typed: one string, as it stands here.
    for marked in re.findall(r"([^{]*)\|\s*safe\b", said):
        assert re.search(r"""(="[^"]*"|\(\("[^"]*"\)|\(\('[^']*'\))\s*$""", marked), marked


# --- Where a request comes from, and where an answer leads ---

OTHER_HOSTS = [
    *(
        "//evil.example",
        "///evil.example",
        "////evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
    ),
    *("/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example", "/\0/evil"),
    *(
        "https://evil.example",
        "HTTPS:evil.example",
        "https:/evil.example",
        "https:evil.example",
        "http:///evil.example",
    ),
    *(
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
    ),
    *("//evil.example@localhost", "//localhost@evil.example", "https://localhost:@evil.example/", "@evil.example"),
    *("//[", "//[evil", "http://[", "//evil.c\u2100.example", "\uff0f\uff0fevil.example", "/\u2028/evil.example"),
    *("//%65vil.example", "//evil%2eexample", "vbscript:x", "blob:x", "?next=//evil.example", "evil.example", ".", ""),
]
AT_HOME = [
    "/%2f%2fevil.example",
    "/%09/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/;@evil.example/",
    "/č",
]
AT_HOME += [
    "/@evil.example",
    "/:80",
    "/%5cevil.example",
    "/trash?next=//evil.example",
    "/\uff0f\uff0fevil.example",
    "/#//x",
]


def leads_home(location: str) -> bool:
    """Whether a browser on our page would stay with us; they are more lenient than RFC 3986, which httpx follows."""
    lenient = re.sub(r"[\t\r\n]", "", location.strip()).replace("\\", "/")
    return httpx.URL("http://localhost/sign-in").join(lenient).host == "localhost" and not lenient.startswith("//")


@ON_ONE
def test_a_sign_in_never_leads_to_another_host(app: Flask, ana: Person) -> None:
    assert len(OTHER_HOSTS + AT_HOME) >= 40
    browser = Somebody(app)
    for wanted in OTHER_HOSTS + AT_HOME:
        form = Somebody(app).client.get("/sign-in", query_string={"next": wanted})
        kept = re.search(r'name="next" value="([^"]*)"', form.text)
        assert (form.status_code, bool(kept)) == (200, wanted in AT_HOME), repr(wanted)
    sent = {"name": "ana", "password": PASSWORD}
    for hx in ({}, {"HX-Request": "true"}):
        for wanted in ("//evil.example", "/\\evil.example", "//[", "/č"):
            fields = sent | {"csrf_token": browser.token(), "next": wanted}
            answer = browser.client.post("/sign-in", data=fields, headers=hx)
            assert answer.status_code == (204 if hx else 303), repr(wanted)
            location = answer.headers["HX-Redirect" if hx else "Location"]
            assert location == ("/%C4%8D" if wanted == "/č" else "/"), repr(wanted)
    for wanted in OTHER_HOSTS + AT_HOME:  # who is signed in is sent on at once
        answer = browser.client.get("/sign-in", query_string={"next": wanted})
        assert answer.status_code == 303, repr(wanted)
        assert leads_home(answer.location), (wanted, answer.location)
        assert answer.location.isascii()
        assert (answer.location == "/") == (wanted in OTHER_HOSTS), (wanted, answer.location)


HOSTS = ['x"><script>alert(1)</script>', "x'onload=1", "a b", "[", "x/<img src=x>", "x\\y", "x:80:80", "evil.example"]


@ON_ONE
def test_a_host_that_somebody_has_made_up_stays_a_text(at_home: Browser) -> None:
    token = at_home.token("/settings")
    for host in HOSTS:
        headers = {"Host": host}
        shown = at_home.get("/shortcut", headers=headers)
        sent = {"csrf_token": token, "name": "phone", "scope": "upload", "token_id": str(uuid4())}
        made = at_home.post("/settings/tokens", data=sent, headers=headers)
        for answer in (shown, made):
            assert answer.status_code == 200, host
            assert not re.search(r"<script>|<img|\sonload=1", answer.text), host
        assert made.headers["Cache-Control"] == "no-store"


@ON_ONE
def test_no_name_of_a_host_is_used_where_a_browser_is_sent(nobody: Browser, ana: Person) -> None:
    nobody.follow_redirects = False
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "192.168.1.2"}
    for path in ("/", "/settings", "/entries/new", "/welcome"):
        assert nobody.get(path, headers=headers).headers["Location"].startswith("/sign-in")
    sent = {"csrf_token": nobody.token(), "name": "ana", "password": PASSWORD}
    assert nobody.post("/sign-in", data=sent, headers=headers).headers["Location"] == "/"


@ON_ONE
def test_two_slashes_lead_nobody_away(live: str) -> None:
    for path in (
        "//evil.example",
        "//evil.example/%2e%2e",
        "//trash",
        "/\\evil.example",
        "//evil.example/..",
        "/%2fevil",
    ):
        with httpx.Client() as client:
            raw = httpx.Request("GET", live, extensions={"target": path.encode()})
            location = client.send(raw).headers.get("Location", "/")
        assert httpx.URL(live).join(location).host == "127.0.0.1", (path, location)
        assert not location.startswith("//"), (path, location)


@ON_ONE
@pytest.mark.parametrize("broken", ["a\r\nSet-Cookie: x=y", "a\nX-Evil: 1", "\r\n\r\n<script>"])
def test_nothing_that_is_sent_adds_a_line_to_the_headers(house: House, broken: str) -> None:
    token = house.ana.token()
    page, api = f"/entries/{house.ids['entry']}", f"/api/v1/entries/{house.ids['entry']}/attachments"
    sent = house.ana.client.post(
        api, data=PNG, query_string={"filename": broken + ".png"}, headers={"X-CSRFToken": token}
    )
    assert sent.status_code == 201
    found = re.findall(r'href="(/api/v1/attachments/[^"]+)"', house.ana.client.get(page).text)
    answers = [house.ana.client.get(f"{path}?download=true", buffered=True) for path in found]
    answers += [house.ana.client.get("/", query_string={"tag": broken, "next": broken})]
    answers += [house.ana.client.get("/sign-in", query_string={"next": "/" + broken})]
    for answer in answers:
        assert answer.status_code < 400
        assert "X-Evil" not in answer.headers
        assert "x=y" not in str(answer.headers.getlist("Set-Cookie"))
        assert not re.search(r"[\r\n]", "".join(value for _, value in answer.headers))


# --- What strangers may send ---


@ON_ONE
def test_strangers_send_a_few_plain_fields_and_never_a_file(app: Flask, tools: Tools, ana: Person) -> None:
    """Each file of a form would be one in the storage while the form is read, and a thousand of them are too many."""
    nobody = Somebody(app)
    token = nobody.token()
    opened: list[str] = []
    make = tools.storage.scratch

    def watched() -> Scratch:
        opened.append("file")
        return make()

    tools.storage.scratch = watched  # type: ignore[method-assign]
    for path in sorted({path for method, path in PUBLIC if method == "POST"} - FROM_ANYWHERE):
        files = {f"file{number}": (io.BytesIO(b"x"), "x") for number in range(900)}
        for data in (files, {"file": (io.BytesIO(b"x" * 100_000), "x")}, {"password": "x" * 70_000}):
            answer = nobody.client.post(path, data={"csrf_token": token, "name": "ana"} | data)
            assert answer.status_code == 413, path
            assert_is_a_page_of_ours(answer, path)
    assert opened == []


@ON_ONE
def test_a_browser_sends_a_large_recording_by_its_cookie_and_a_stranger_does_not(
    at_home: Browser, live: str, tools: Tools
) -> None:
    data = wav(1_500_000)
    answer = at_home.post("/api/v1/upload", content=data, headers={"X-CSRFToken": at_home.token("/settings")})
    assert answer.status_code == 201, answer.text
    assert answer.json()["file_size_bytes" if "file_size_bytes" in answer.json() else "size_bytes"] == len(data)
    form = at_home.post(
        "/recordings",
        data={"csrf_token": at_home.token("/settings")},
        files=[("file", (f"{number}.wav", wav(900_000))) for number in range(2)],
    )
    assert "2 recordings are saved" in form.text
    before = files_below(tools.storage.root)
    for path, cookie in (
        ("/recordings", ""),
        ("/sign-in", ""),
        ("/recordings", "dreamweb=made-up"),
        ("/sign-in", "dreamweb=x"),
    ):
        refused = httpx.post(live + path, files={"file": ("a.wav", data)}, headers={"Cookie": cookie} if cookie else {})
        assert refused.status_code in (303, 401, 413), path
    sent = httpx.post(f"{live}/api/v1/upload", content=data, headers={"Cookie": "dreamweb=made-up"})
    assert (sent.status_code, sent.json()["error_code"]) == (401, "UNAUTHENTICATED")
    assert files_below(tools.storage.root) == before


@ON_ONE
def test_a_notice_is_not_lost_because_there_are_many(at_home: Browser) -> None:
    names = [f"{uuid4()}{uuid4()}{uuid4()}" for _ in range(60)]
    files: list[Any] = [("file", (name, b"no sound")) for name in names]
    files.append(("file", ("good.wav", wav(50_000))))
    page = at_home.post("/recordings", data={"csrf_token": at_home.token("/settings")}, files=files)
    assert "1 recording is saved" in page.text
    assert names[-1] in page.text
    assert max(len(f"{name}={value}") for name, value in at_home.cookies.items()) < 4096


# --- Forms set only what they show ---


def test_a_form_sets_nothing_that_it_does_not_show(house: House, ana: Person, bor: Person) -> None:
    token = house.bor.token()
    more = {"id": house.ids["entry"], "account_id": house.ids["account"], "role": "owner", "status": "failed"}
    more |= {
        "file_path": "/etc/passwd",
        "sha256": "0",
        "deleted_at": "2025-01-01",
        "disabled_at": "",
        "name_key": "ana",
    }
    more |= {"password_hash": "x", "scopes": "write,read", "created_at": "2020-01-01", "details": '{"sample": true}'}
    post: Callable[..., TestResponse] = house.bor.client.post
    entry = post("/entries", data=more | {"csrf_token": token, "text": "mine", "whole": "1", "client_id": str(uuid4())})
    assert entry.status_code == 303
    settings = more | {"csrf_token": token, "name": "bor", "theme": "dark"}
    assert post("/settings", data=settings).status_code == 303
    made = post(
        "/settings/tokens", data=more | {"csrf_token": token, "name": "x", "scope": "read", "token_id": str(uuid4())}
    )
    assert made.status_code == 200
    with house.app.app_context(), db.db.engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM dream_entries WHERE text = 'mine'")).mappings().all()
        person = connection.execute(text("SELECT * FROM accounts WHERE name = 'bor'")).mappings().one()
        scopes = connection.execute(text("SELECT scopes FROM tokens WHERE name = 'x'")).scalar_one()
    [row] = rows
    assert str(row["account_id"]).replace("-", "") == bor.account.id.hex
    assert (row["status"], row["file_path"], row["deleted_at"]) == ("ready", None, None)
    assert str(row["id"]) not in (house.ids["entry"], more["id"])
    assert (person["role"], person["theme"], person["name_key"], person["disabled_at"]) == (
        "member",
        "dark",
        "bor",
        None,
    )
    assert scopes == "read"


def test_a_client_id_of_another_is_not_theirs(house: House) -> None:
    shared = str(uuid4())
    for somebody, words in ((house.ana, "of ana"), (house.bor, "of bor")):
        sent = {"csrf_token": somebody.token(), "text": words, "client_id": shared, "whole": "1"}
        answer = somebody.client.post("/entries", data=sent, follow_redirects=True)
        assert words in answer.text
    taken = {"csrf_token": house.bor.token(), "name": "x", "scope": "read", "token_id": house.ids["token"]}
    before = house.kept()
    answer = house.bor.client.post("/settings/tokens", data=taken, follow_redirects=True)
    assert answer.status_code == 404
    assert house.kept() == before
