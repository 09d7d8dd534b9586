"""Promises about tokens and about who is asking."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import httpx
import pytest
from flask import Flask
from sqlalchemy import select

from dreamweb import accounts, db
from dreamweb.models import Account, Token
from tests.conftest import Person, until


def made(api: httpx.Client, **fields: object) -> dict[str, object]:
    answer = api.post("/tokens", json={"name": "Phone"} | fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, object] = answer.json()
    return body


def works(live: str, token: object, path: str = "/entries") -> int:
    return httpx.get(f"{live}/api/v1{path}", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_is_shown_once_and_only_its_hash_is_kept(api: httpx.Client, app: Flask, live: str) -> None:
    token = made(api, scopes=["read", "upload"])
    secret = str(token["token"])
    assert secret.startswith("dw_")
    assert token["scopes"] == ["upload", "read"]
    assert works(live, secret) == 200
    assert secret not in api.get("/tokens").text
    with app.app_context():
        row = db.session().scalars(select(Token).where(Token.name == "Phone")).one()
        assert secret not in str(vars(row))
        assert len(row.token_hash) == 64


def test_a_revoked_token_is_shut_out_at_once(api: httpx.Client, live: str) -> None:
    token = made(api)
    assert works(live, token["token"]) == 200
    assert api.delete(f"/tokens/{token['id']}").status_code == 204
    assert works(live, token["token"]) == 401
    assert api.delete(f"/tokens/{token['id']}").status_code == 404


def test_a_token_ends_when_it_says(api: httpx.Client, live: str) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
    token = made(api, expires_at=soon.isoformat())
    worked = works(live, token["token"]) == 200
    assert worked or dt.datetime.now(dt.UTC) >= soon
    until(lambda: works(live, token["token"]) == 401)
    assert dt.datetime.now(dt.UTC) >= soon


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "x" * 101}, {"scopes": []}, {"scopes": ["all"]}, {"expires_at": "2020-01-01"}, {}]
)
def test_an_impossible_token_is_refused(api: httpx.Client, fields: dict[str, object]) -> None:
    answer = api.post("/tokens", json=({"name": "x"} | fields) if fields else {})
    assert (answer.status_code, answer.json()["error_code"]) == (422, "UNPROCESSABLE")


def test_the_last_use_is_noted(api: httpx.Client, live: str) -> None:
    token = made(api)
    before = {entry["id"]: entry for entry in api.get("/tokens").json()["items"]}[token["id"]]
    assert before["last_used_at"] is None
    works(live, token["token"])

    def last_used_at() -> str:
        return {entry["id"]: entry for entry in api.get("/tokens").json()["items"]}[token["id"]]["last_used_at"] or ""

    until(lambda: last_used_at() > str(token["created_at"]))  # written after the answer is sent


def test_many_tokens_are_listed_page_by_page(api: httpx.Client) -> None:
    made_ids = [made(api, name=f"Phone {n}")["id"] for n in range(5)]
    seen, cursor = [], None
    for _ in range(4):
        page = api.get("/tokens", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [token["id"] for token in page["items"]]
        if not (cursor := page["next_cursor"]):
            break
    assert seen[1:] == made_ids  # behind the one that asks
    assert api.get("/tokens", params={"cursor": "x"}).status_code == 400
    assert api.get("/tokens", params={"limit": 101}).status_code == 422


def test_tokens_of_others_are_neither_seen_nor_revoked(api: httpx.Client, stranger: httpx.Client) -> None:
    token = made(api)
    assert str(token["id"]) not in stranger.get("/tokens").text
    assert stranger.delete(f"/tokens/{token['id']}").status_code == 404
    assert stranger.delete(f"/tokens/{uuid.uuid4()}").status_code == 404


def test_tokens_that_may_only_upload_or_read_manage_no_tokens(api: httpx.Client, live: str) -> None:
    for scope in ("upload", "read"):
        headers = {"Authorization": f"Bearer {made(api, scopes=[scope])['token']}"}
        assert httpx.get(f"{live}/api/v1/tokens", headers=headers).status_code == 403
        assert httpx.post(f"{live}/api/v1/tokens", json={"name": "x"}, headers=headers).status_code == 403


def test_a_closed_account_is_shut_out(api: httpx.Client, app: Flask, ana: Person) -> None:
    assert api.get("/entries").status_code == 200
    with app.app_context(), db.transaction() as session:
        account = session.get(Account, ana.account.id)
        assert account
        account.disabled_at = db.now()
    assert api.get("/entries").status_code == 401
    with app.app_context():
        assert accounts.by_password("ana", "correct horse") is None


def test_name_and_password_make_a_token_and_do_nothing_else(live: str, ana: Person) -> None:
    answer = httpx.post(f"{live}/api/v1/tokens", json={"name": "Phone"}, auth=("Ana", "correct horse"))
    assert answer.status_code == 201
    assert works(live, answer.json()["token"]) == 200
    assert httpx.get(f"{live}/api/v1/entries", auth=("ana", "correct horse")).status_code == 401


def test_wrong_passwords_are_slowed_down_for_the_account_and_do_not_block_others(
    live: str, ana: Person, make_person: Callable[..., Person]
) -> None:
    make_person("bor", "member")

    def attempt(name: str, password: str) -> httpx.Response:
        return httpx.post(f"{live}/api/v1/tokens", json={"name": "x"}, auth=(name, password))

    for _ in range(9):
        assert attempt("ana", "wrong").status_code == 401
        assert attempt("ana", "correct horse").status_code == 201  # only failures count
    assert attempt("ana", "wrong").status_code == 401
    refused = attempt("ana", "correct horse")
    assert (refused.status_code, refused.json()["error_code"]) == (429, "RATE_LIMITED")
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert works(live, ana.token) == 200


def test_wrong_passwords_for_many_names_are_slowed_down_for_the_address(live: str) -> None:
    codes = [
        httpx.post(f"{live}/api/v1/tokens", json={"name": "x"}, auth=(f"name{n}", "wrong")).status_code
        for n in range(12)
    ]
    assert codes == [401] * 10 + [429] * 2


def test_wrong_tokens_do_not_block_the_other_devices_of_the_house(live: str, ana: Person) -> None:
    assert [works(live, "dw_forgotten") for _ in range(30)] == [401] * 30
    assert works(live, ana.token) == 200
