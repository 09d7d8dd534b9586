"""Promises about signing in and out, and about the first visit to an empty journal."""

from __future__ import annotations

import html
import re
import threading
from base64 import b64encode
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from dreamweb import accounts, db, sessions
from dreamweb.db import now
from dreamweb.models.account import BrowserSession
from dreamweb.web import pages, welcome
from tests.conftest import Person
from tests.web.conftest import PASSWORD, Browser, SignIn, words

ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""What has nothing to do with databases."""

HOME, AWAY = "192.168.1.20", "1.1.1.1"


def token(client: FlaskClient, page: str = "/sign-in", **more: Any) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page, **more).text)
    assert found, page
    return html.unescape(found[1])


def try_password(client: FlaskClient, password: str, name: str = "ana", address: str = HOME) -> TestResponse:
    """As the page does, from an address."""
    where = {"REMOTE_ADDR": address}
    sent = {"csrf_token": token(client), "name": name, "password": password}
    return client.post("/sign-in", data=sent, environ_overrides=where)


def by_basic(client: FlaskClient, password: str, name: str = "ana", address: str = HOME) -> TestResponse:
    """As a phone does that makes itself a token."""
    headers = {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}
    where = {"REMOTE_ADDR": address}
    return client.post("/api/v1/tokens", json={"name": "x"}, headers=headers, environ_overrides=where)


# --- Sessions ---


def test_somebody_signs_in_is_led_to_where_they_wanted_and_signs_out(nobody: Browser, ana: Person) -> None:
    asked = nobody.get("/settings/sessions")
    assert asked.url.path == "/sign-in"
    wanted = re.search(r'name="next" value="([^"]+)"', asked.text)
    assert wanted
    assert wanted[1] == "/settings/sessions"
    there = nobody.submit("/sign-in", {"name": " ANA ", "password": PASSWORD, "next": wanted[1]})
    assert there.url.path == "/settings/sessions"
    out = nobody.submit("/sign-out", page="/settings")
    assert out.url.path == "/sign-in"
    assert not nobody.is_signed_in()


def test_nobody_is_dazzled_who_signs_in_at_night(nobody: Browser, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for until, wanted in ((time.max, "dark"), (time.min, "auto")):
        monkeypatch.setattr(pages, "_DARK_FROM", time.min)
        monkeypatch.setattr(pages, "_DARK_UNTIL", until)
        assert f'data-theme="{wanted}"' in nobody.get("/sign-in").text


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(nobody: Browser, ana: Person) -> None:
    told = set()
    for name in ("ana", "nobody"):
        answer = nobody.fill("/sign-in", name=name, password="wrong password")
        assert answer.status_code == 401
        assert 'value="wrong password"' not in answer.text
        told.add(words(answer))
    assert len(told) == 1
    assert "The name or the password is wrong." in told.pop()


def test_names_that_do_not_exist_cost_as_much_as_those_that_do(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context(), db.transaction():
        accounts.add("ana", PASSWORD)
        accounts.add("by token only", None)
        accounts.disable(accounts.add("shut out", PASSWORD))
    verified: list[str] = []

    class Watched:
        def verify(self, known: str, password: str) -> bool:
            verified.append(known)
            return hasher.verify(known, password)

    hasher = accounts._hasher
    monkeypatch.setattr(accounts, "_hasher", hasher)
    with app.app_context():
        accounts.by_password("x", "y")  # the first of all makes the hash to compare with
        monkeypatch.setattr(accounts, "_hasher", Watched())
        for name in ("ana", "nobody", "by token only", "shut out", "", "a\0b", "x" * 5000):
            assert accounts.by_password(name, "wrong password") is None
    assert len(verified) == 7
    assert {known.rpartition("$")[0].rpartition("$")[0] for known in verified} == {"$argon2id$v=19$m=19456,t=2,p=1"}


@ON_ONE
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_is_kept_from_scripts_and_other_pages_and_from_plain_http_where_there_is_better(
    app: Flask, ana: Person, scheme: str
) -> None:
    client, base = app.test_client(), f"{scheme}://localhost"
    sent = {"csrf_token": token(client, base_url=base), "name": "ana", "password": PASSWORD}
    answer = client.post("/sign-in", data=sent, base_url=base, headers={"Referer": f"{base}/sign-in"})
    assert answer.status_code == 303
    [set_cookie] = answer.headers.getlist("Set-Cookie")
    flags = set(set_cookie.split("; ")[1:])
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= flags
    assert ("Secure" in flags) == (scheme == "https")
    assert not any(flag.startswith("Domain") for flag in flags)
    assert len(set_cookie) < 1000


def test_a_cookie_from_before_the_sign_in_is_worth_nothing_after_it(app: Flask, ana: Person) -> None:
    client = app.test_client()
    fields = {"csrf_token": token(client), "name": "ana", "password": PASSWORD}
    before = client.get_cookie("dreamweb")
    assert before
    assert client.post("/sign-in", data=fields).status_code == 303
    after = client.get_cookie("dreamweb")
    assert after
    assert after.value != before.value
    thief = app.test_client()
    thief.set_cookie("dreamweb", before.value)
    assert thief.get("/settings").status_code == 303
    old_form = client.post("/entries/nothing", data={"csrf_token": fields["csrf_token"]})
    assert old_form.status_code == 400  # its token went with the session


def test_signing_in_once_more_ends_the_session_there_was(app: Flask, ana: Person, bor: Person) -> None:
    client = app.test_client()
    assert try_password(client, PASSWORD).status_code == 303
    first = client.get_cookie("dreamweb")
    assert first
    fields = {"csrf_token": token(client, "/settings"), "name": "bor", "password": PASSWORD}
    assert client.post("/sign-in", data=fields).status_code == 303
    assert 'value="bor"' in client.get("/settings").text
    thief = app.test_client()
    thief.set_cookie("dreamweb", first.value)
    assert thief.get("/settings").status_code == 303
    with app.app_context():
        assert len(sessions.every(ana.account)) == 0


def test_what_ends_a_session_ends_it_on_the_server(app: Flask, ana: Person, make_person: Callable[..., Person]) -> None:
    """A copy of the cookie, which somebody may have kept, opens nothing either: neither a page nor the API."""
    eva = make_person("eva", "member")

    def sign_out(client: FlaskClient) -> None:
        client.post("/sign-out", data={"csrf_token": token(client, "/settings")})

    def change(_client: FlaskClient) -> None:
        with app.app_context(), db.transaction():
            accounts.set_password(eva.account, PASSWORD)
            sessions.end_all(eva.account)

    def disable(_client: FlaskClient) -> None:
        with app.app_context(), db.transaction():
            accounts.disable(eva.account)

    def age(_client: FlaskClient) -> None:
        with app.app_context(), db.transaction() as session:
            long_ago = now() - sessions.LASTS - timedelta(minutes=1)
            session.execute(update(BrowserSession).values(last_used_at=long_ago))

    for end in (sign_out, change, age, disable):
        client, thief = app.test_client(), app.test_client()
        assert try_password(client, PASSWORD, "eva").status_code == 303
        copy = client.get_cookie("dreamweb")
        assert copy
        thief.set_cookie("dreamweb", copy.value)
        headers = {"X-CSRFToken": token(thief, "/settings")}
        assert thief.get("/api/v1/entries").status_code == 200
        end(client)
        assert thief.get("/settings").status_code == 303, end.__name__
        assert thief.get("/api/v1/entries").status_code == 401, end.__name__
        assert thief.post("/api/v1/entries", json={"text": "x"}, headers=headers).status_code == 401, end.__name__
    assert try_password(app.test_client(), PASSWORD, "eva").status_code == 401  # she is shut out


@ON_ONE
def test_signing_out_forgets_the_pages_but_not_what_is_unsaved(sign_in: SignIn) -> None:
    browser = sign_in()
    browser.follow_redirects = False
    out = browser.submit("/sign-out", page="/settings")
    assert out.headers["Clear-Site-Data"] == '"cache"'
    assert browser.submit("/sign-out").status_code == 303  # twice does no harm
    assert browser.get("/").headers["Location"] == "/sign-in"


@ON_ONE
def test_a_cookie_that_was_made_elsewhere_is_no_session(app: Flask, ana: Person) -> None:
    with app.app_context(), db.transaction():
        key = sessions.begin(ana.account, "test")
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    ours = signer.dumps({"_user_id": key})
    signed, _, signature = ours.rpartition(".")
    for cookie in (
        # Not its last letter, of which two bits say nothing.
        f"{signed}.{'B' if signature.startswith('A') else 'A'}{signature[1:]}",
        ours.partition(".")[0],
        f"{{'_user_id': '{key}'}}",
        signer.dumps({"_user_id": str(ana.account.id)}),
        signer.dumps({"_user_id": ""}),
        signer.dumps({"_user_id": None}),
        "x" * 4000,
    ):
        client = app.test_client()
        client.set_cookie("dreamweb", cookie)
        client.set_cookie("session", ours)
        client.set_cookie("remember_token", f"{key}|{'0' * 128}")
        assert client.get("/settings").status_code == 303, cookie
        assert client.get("/api/v1/entries").status_code == 401, cookie
    client = app.test_client()
    client.set_cookie("dreamweb", ours)
    assert client.get("/settings").status_code == 200


# --- Guessing passwords ---


def test_after_ten_wrong_passwords_an_address_has_to_wait_however_it_asks(app: Flask, ana: Person) -> None:
    client = app.test_client()
    for number in range(5):
        assert try_password(client, "wrong password", f"name {number}").status_code == 401
        assert by_basic(client, "wrong password", f"other {number}").status_code == 401
    page, api = try_password(client, PASSWORD), by_basic(client, PASSWORD)
    assert (page.status_code, page.mimetype) == (429, "text/html")
    assert (api.status_code, api.get_json()["error_code"]) == (429, "RATE_LIMITED")
    assert int(page.headers["Retry-After"]) > 0
    assert try_password(client, PASSWORD, address="192.168.1.21").status_code == 303


def test_after_ten_wrong_passwords_a_name_has_to_wait_wherever_it_is_asked_from(app: Flask, ana: Person) -> None:
    client = app.test_client()
    names = ("ana", "ANA", " ana ", "Ana", "ａｎａ")
    for number in range(5):
        assert try_password(client, "wrong password", names[number], f"10.0.0.{number}").status_code == 401
        assert by_basic(client, "wrong password", names[number], f"10.0.1.{number}").status_code == 401
    assert try_password(client, PASSWORD, address="10.0.2.1").status_code == 429
    assert by_basic(client, PASSWORD, address="10.0.2.2").status_code == 429


@ON_ONE
def test_a_network_of_ipv6_addresses_is_one_guesser(app: Flask, ana: Person) -> None:
    client = app.test_client()
    for number in range(10):
        guess = try_password(client, "wrong password", f"name {number}", f"2001:db8:1:2::{number:x}")
        assert guess.status_code == 401
    assert try_password(client, PASSWORD, address="2001:db8:1:2:ffff::1").status_code == 429
    assert try_password(client, PASSWORD, address="2001:db8:1:3::1").status_code == 303
    mapped = app.test_client()
    assert try_password(mapped, PASSWORD, address="::ffff:192.0.2.1").status_code == 303


@ON_ONE
def test_right_passwords_are_never_counted(app: Flask, ana: Person) -> None:
    for _ in range(12):
        assert try_password(app.test_client(), PASSWORD).status_code == 303


# --- The first visit ---


def claim(app: Flask) -> str:
    found: welcome._Claim = app.extensions["dreamweb_claim"]
    return found.code


def begin(app: Flask, host: str = "dreams.local", address: str = HOME, **fields: str) -> TestResponse:
    """Somebody makes the first account."""
    client = app.test_client()
    where: dict[str, Any] = {"base_url": f"http://{host}", "environ_overrides": {"REMOTE_ADDR": address}}
    sent = {"csrf_token": token(client, "/welcome", **where), "name": "ana", "password": PASSWORD} | fields
    return client.post("/welcome", data=sent, **where)


def names(app: Flask) -> list[str]:
    with app.app_context():
        return [account.name for account in accounts.every()]


def test_the_first_visitor_makes_the_owners_account_and_is_signed_in(nobody: Browser, app: Flask) -> None:
    assert nobody.get("/").url.path == "/welcome"
    wrong = nobody.submit("/welcome", {"name": "ana", "password": "short"}, page="/welcome")
    assert wrong.status_code == 422
    assert "at least 8 characters" in wrong.text
    sent = {"name": "ana", "password": PASSWORD, "time_zone": "Europe/Ljubljana", "role": "member"}
    home = nobody.submit("/welcome", sent, page="/welcome")
    assert (home.status_code, home.url.path) == (200, "/")
    assert "/accounts" in nobody.get("/settings").text
    assert 'value="Europe/Ljubljana"' in nobody.get("/settings").text
    with app.app_context():
        [owner] = accounts.every()
        assert (owner.name, owner.role) == ("ana", "owner")


def test_when_there_is_an_account_nobody_is_welcome(app: Flask, ana: Person) -> None:
    client = app.test_client()
    assert client.get("/welcome").location == "/sign-in"
    sent = {"csrf_token": token(client), "name": "eve", "password": PASSWORD, "code": claim(app)}
    assert client.post("/welcome", data=sent).location == "/sign-in"
    assert names(app) == ["ana"]


def test_two_first_visitors_at_once_make_one_owner(app: Flask) -> None:
    clients = [app.test_client() for _ in range(4)]
    tokens = [token(client, "/welcome") for client in clients]
    start, answers = threading.Barrier(4), []

    def make(number: int) -> None:
        sent = {"csrf_token": tokens[number], "name": f"owner {number}", "password": PASSWORD}
        start.wait()
        answers.append(clients[number].post("/welcome", data=sent).location)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == ["/", "/sign-in", "/sign-in", "/sign-in"]
    assert len(names(app)) == 1


AT_HOME = [
    "dreams.local",
    "dreams",
    "localhost:8000",
    "127.0.0.1:8000",
    "192.168.1.5",
    "[fd00::1]:8000",
    "pi.fritz.lan",
]
FROM_OUTSIDE = [
    "dreams.example.org",
    "evil.example",
    AWAY,
    "[2606:4700::1111]",
    "dreams.local.evil.example",
    f"[::ffff:{AWAY}]",
]


@ON_ONE
def test_only_from_home_and_under_a_name_of_home_the_first_account_needs_no_code(app: Flask) -> None:
    def asks(host: str, address: str) -> bool:
        page = app.test_client().get("/welcome", base_url=f"http://{host}", environ_overrides={"REMOTE_ADDR": address})
        return 'name="code"' in page.text

    for host in AT_HOME:
        for address in (HOME, "127.0.0.1", "10.1.2.3", "fd00::2", "::1", "fe80::1", f"::ffff:{HOME}"):
            assert not asks(host, address), (host, address)
        for address in (AWAY, "2606:4700::1111", f"::ffff:{AWAY}", "100.64.0.1", "unknown", ""):
            assert asks(host, address), (host, address)
    for host in FROM_OUTSIDE:
        # A name that leads a browser at home here: a reverse proxy, or a hostile page that has changed where it leads.
        assert asks(host, HOME), host
    for host in ("[", "a b", "x/y", "[::1"):
        page = app.test_client().get("/welcome", headers={"Host": host}, environ_overrides={"REMOTE_ADDR": HOME})
        assert 'name="code"' in page.text, host


@ON_ONE
@pytest.mark.parametrize(("host", "address"), [("dreams.local", AWAY), ("dreams.example.org", "127.0.0.1")])
def test_who_comes_from_elsewhere_needs_the_code_of_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture, host: str, address: str
) -> None:
    for wrong in ("", "00000000", claim(app)[:7], claim(app) + "0", "č"):
        refused = begin(app, host, address, code=wrong)
        assert (refused.status_code, names(app)) == (401, []), wrong
        assert "This is not the code in the log." in html.unescape(refused.text)
        assert claim(app) not in refused.text
    said = [record for record in caplog.records if "The code for making the first account" in record.message]
    assert said[0].levelname == "WARNING"
    assert said[0].fields == {"code": claim(app), "ip": address}  # type: ignore[attr-defined]
    assert re.fullmatch(r"[0-9A-F]{8}", claim(app))
    assert begin(app, host, address, code=f" {claim(app).lower()} ").status_code == 303
    assert names(app) == ["ana"]


@ON_ONE
def test_guessing_the_code_is_slowed_down(app: Flask) -> None:
    for _ in range(10):
        assert begin(app, address=AWAY, code="00000000").status_code == 401
    assert begin(app, address=AWAY, code=claim(app)).status_code == 429
    assert names(app) == []


@ON_ONE
def test_some_time_after_the_start_the_code_is_needed_at_home_too(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(welcome, "OPEN_FOR", -1)
    assert begin(app).status_code == 401
    assert begin(app, code=claim(app)).status_code == 303


def test_a_cookie_of_an_earlier_journal_opens_nothing_and_hinders_nobody(app: Flask, ana: Person) -> None:
    """The database was begun anew, and the key that signs cookies was kept."""
    client = app.test_client()
    assert try_password(client, PASSWORD).status_code == 303
    with app.app_context(), db.transaction() as session:
        for table in ("tokens", "sessions", "accounts"):
            session.execute(text(f"DELETE FROM {table}"))
    assert client.get("/").location == "/sign-in"
    sent = {"csrf_token": token(client, "/welcome"), "name": "eva", "password": PASSWORD}
    assert client.post("/welcome", data=sent).location == "/"
    assert names(app) == ["eva"]


def test_the_first_sign_in_tells_the_clock_and_later_ones_do_not(nobody: Browser, bor: Person) -> None:
    fields = {"name": bor.account.name, "password": PASSWORD}
    for zone, kept in (("Mars/Olympus", ""), ("Asia/Tokyo", "Asia/Tokyo"), ("Europe/Ljubljana", "Asia/Tokyo")):
        nobody.submit("/sign-in", fields | {"time_zone": zone})
        shown = re.search(r'name="time_zone"[^>]*', nobody.get("/settings").text)
        assert shown
        assert ("value=" in shown[0], kept in shown[0]) == (bool(kept), True)
        nobody.submit("/sign-out", page="/settings")
