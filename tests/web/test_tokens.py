"""Promises about the pages of tokens, and of the recipes that use them."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import segno
from flask import Flask

from dreamweb import accounts, db
from tests.conftest import SAMPLES, Person
from tests.web.conftest import Browser, SignIn

SECRET = re.compile(r"dw_[A-Za-z0-9_-]{43}")


def make(browser: Browser, **fields: str) -> httpx.Response:
    wanted = {"name": "Phone", "scope": "upload", "days": "", "token_id": str(uuid.uuid4())} | fields
    return browser.fill("/settings/tokens", **wanted)


def secret_in(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    found = SECRET.search(answer.text)
    assert found
    return found[0]


def sends(live: str, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    recording = (SAMPLES / "sl-hisa.mp3").read_bytes()
    return httpx.post(f"{live}/api/v1/upload", files={"file": recording}, headers=headers).status_code


def page_of(browser: Browser, name: str = "Phone") -> str:
    """Where the token of this name is shown."""
    row = browser.open("/settings/tokens").partition(f"<strong>{name}</strong>")[2]
    found = re.search(r'href="(/settings/tokens/[0-9a-f-]{36})"', row)
    assert found
    return found[1]


def rotation(browser: Browser, page: str) -> dict[str, str]:
    """What the form for a new secret sends."""
    found = re.search(r'name="known" value="([^"]+)"', browser.open(page))
    assert found
    return {"known": found[1]}


def test_a_token_is_shown_once(at_home: Browser) -> None:
    form = {"token_id": str(uuid.uuid4())}
    secret = secret_in(make(at_home, **form))
    assert secret not in at_home.open("/settings/tokens")
    assert secret not in at_home.open(page_of(at_home))
    again = make(at_home, **form)  # as after a reload
    assert again.status_code == 303
    assert not SECRET.search(at_home.open(again.headers["Location"]))
    assert at_home.open("/settings/tokens").count("<strong>Phone</strong>") == 1


def test_a_new_token_may_only_add_recordings_unless_more_is_asked_for(at_home: Browser, live: str) -> None:
    assert re.search(r'value="upload" checked', at_home.open("/settings/tokens"))
    secret = secret_in(make(at_home))
    headers = {"Authorization": f"Bearer {secret}"}
    assert sends(live, secret) == 201
    assert httpx.get(f"{live}/api/v1/entries", headers=headers).status_code == 403
    assert "may only add recordings" in at_home.open("/settings/tokens")
    headers = {"Authorization": f"Bearer {secret_in(make(at_home, scope='read'))}"}
    assert httpx.get(f"{live}/api/v1/entries", headers=headers).status_code == 200


def test_a_token_may_end_by_itself(at_home: Browser, app: Flask, ana: Person) -> None:
    secret = secret_in(make(at_home, days="30"))
    with app.app_context():
        row = accounts.by_token(secret)
        assert row
        assert row.expires_at
        assert timedelta(days=29) < row.expires_at - db.now() < timedelta(days=31)


def test_an_impossible_token_is_refused(at_home: Browser) -> None:
    for wrong, said in (
        ({"name": " "}, "1 to 100 characters"),
        ({"name": "\0"}, "1 to 100 characters"),
        ({"name": "x" * 101}, "1 to 100 characters"),
        ({"name": "API_TOKEN"}, "and not API_TOKEN"),
        ({"scope": "all"}, "at least one of"),
        ({"token_id": "x"}, "load this page again"),
    ):
        answer = make(at_home, **{"name": "My phone"} | wrong)
        assert answer.status_code == 422
        assert said in answer.text
    assert at_home.open("/settings/tokens").count("<strong>") == 1  # hers from before


def test_the_qr_code_holds_address_and_token(at_home: Browser, live: str) -> None:
    answer = make(at_home)
    content = f"{live}/shortcut#{urlencode({'address': live, 'token': secret_in(answer)})}"
    drawing = segno.make(content, error="m", micro=False).svg_inline(omitsize=True, border=2)
    assert re.findall(r' d="([^"]+)"', drawing)[0] in answer.text


def test_a_rotated_token_ends_at_once(at_home: Browser, live: str) -> None:
    old = secret_in(make(at_home))
    assert sends(live, old) == 201
    page = page_of(at_home)
    form = rotation(at_home, page)
    new = secret_in(at_home.fill(f"{page}/rotate", **form))
    assert (sends(live, old), sends(live, new)) == (401, 201)
    again = at_home.fill(f"{page}/rotate", **form)  # as after a reload
    assert again.status_code == 303
    assert "was changed already" in at_home.open(again.headers["Location"])
    assert sends(live, new) == 201


def test_a_token_that_has_ended_or_comes_from_the_settings_gets_no_new_secret(
    at_home: Browser, app: Flask, ana: Person
) -> None:
    with app.app_context(), db.transaction():
        ended, _ = accounts.add_token(ana.account, "Old", ("upload",), db.now() + timedelta(hours=1))
        ended.expires_at = db.now()
        accounts.ensure_first(None, None, "dw_known_from_the_very_start")
    with app.app_context():
        rows = {token.name: token for token in accounts.tokens(ana.account, limit=10)[0]}
    for name, why in (("Old", "has ended"), ("API_TOKEN", "comes from the setting API_TOKEN")):
        page = f"/settings/tokens/{rows[name].id}"
        assert "/rotate" not in at_home.open(page)
        refused = at_home.fill(f"{page}/rotate", known=rows[name].token_hash)
        assert refused.status_code == 303
        assert why in at_home.open(page)


def test_a_revoked_token_is_shut_out_at_once(at_home: Browser, live: str) -> None:
    secret = secret_in(make(at_home))
    page = page_of(at_home)
    assert at_home.fill(f"{page}/revoke").status_code == 303
    assert sends(live, secret) == 401
    assert at_home.get(page).status_code == 404
    assert at_home.fill(f"{page}/revoke").status_code == 404


def test_nobody_sees_or_changes_the_tokens_of_others(at_home: Browser, sign_in: SignIn, bor: Person, live: str) -> None:
    form = {"token_id": str(uuid.uuid4())}
    secret = secret_in(make(at_home, **form))
    page = page_of(at_home)
    known = rotation(at_home, page)
    stranger = sign_in("bor")
    assert "Phone" not in stranger.open("/settings/tokens").partition('class="list"')[2].partition("</ul>")[0]
    assert stranger.get(page).status_code == 404
    assert stranger.fill(f"{page}/rotate", **known).status_code == 404
    assert stranger.fill(f"{page}/revoke").status_code == 404
    assert not SECRET.search(make(stranger, **form).text)
    assert sends(live, secret) == 201


def test_many_tokens_are_shown_page_by_page(at_home: Browser, app: Flask, ana: Person) -> None:
    with app.app_context(), db.transaction():
        for number in range(60):
            accounts.add_token(ana.account, f"Phone {number}")
    first = at_home.open("/settings/tokens")
    more = re.search(r'href="(/settings/tokens\?cursor=[^"]+)"', first)
    assert more
    second = at_home.open(more[1])
    assert all(f"<strong>Phone {number}</strong>" in first + second for number in range(60))


def test_the_recipes_need_no_sign_in_and_name_the_address_they_were_found_under(nobody: Browser, live: str) -> None:
    page = nobody.open("/shortcut")
    assert f"{live}/api/v1/upload" in page
    assert "every device takes for itself" in page
    found = nobody.get("/shortcut", headers={"Host": "dreams.lan:8000"})
    assert "http://dreams.lan:8000/api/v1/upload" in found.text
    assert "is not encrypted" in found.text
    assert "/settings/about" not in found.text
