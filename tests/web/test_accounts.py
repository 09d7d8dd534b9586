"""Promises about the accounts of a household, and about who may manage them."""

from __future__ import annotations

import re

from flask import Flask

from tests.conftest import Person
from tests.web.conftest import Browser, SignIn


def said(browser: Browser, path: str = "/accounts") -> str:
    """What the page says to what was done before."""
    notices = re.findall(r'<div class="notice[^"]*">(.*?)</div>', browser.open(path))
    return " ".join(notices)


def test_the_owner_adds_an_account_that_can_sign_in(at_home: Browser, sign_in: SignIn) -> None:
    made = at_home.fill("/accounts", name="Žiga", password="battery staple", role="member")
    assert made.status_code == 303
    page = at_home.open("/accounts")
    assert "<strong>Žiga</strong>" in page
    assert sign_in("žiga", "battery staple").is_signed_in()


def test_an_impossible_account_is_refused(at_home: Browser) -> None:
    for wrong, status, why in (
        ({"name": "ANA"}, 409, "already"),
        ({"name": ""}, 422, "1 to 64 characters"),
        ({"password": "short"}, 422, "at least 8 characters"),
        ({"role": "king"}, 422, "one of owner, member"),
    ):
        wanted = {"name": "cene", "password": "battery staple", "role": "member"} | wrong
        answer = at_home.fill("/accounts", **wanted)
        assert answer.status_code == status
        assert why in answer.text
        assert "battery staple" not in answer.text
    assert at_home.open("/accounts").count("<strong>") == 1


def test_members_find_no_accounts_page(sign_in: SignIn, ana: Person, bor: Person) -> None:
    member = sign_in("bor")
    one = f"/accounts/{ana.account.id}"
    assert [member.get(path).status_code for path in ("/accounts", one)] == [404, 404]
    for path in ("/accounts", f"{one}/password", f"{one}/disable", f"{one}/enable"):
        answer = member.fill(path, name="cene", password="battery staple", role="owner")
        assert answer.status_code == 404, path
    assert "/accounts" not in member.open("/settings")
    assert sign_in().open("/accounts").count("<strong>") == 2


def test_a_new_password_from_the_owner_signs_that_person_out(at_home: Browser, sign_in: SignIn, bor: Person) -> None:
    phone = sign_in("bor")
    page = f"/accounts/{bor.account.id}"
    short = at_home.fill(f"{page}/password", password="short")
    assert (short.status_code, phone.is_signed_in()) == (422, True)
    assert at_home.fill(f"{page}/password", password="battery staple").status_code == 303
    assert not phone.is_signed_in()
    assert at_home.is_signed_in()
    assert sign_in("bor", "battery staple").is_signed_in()


def test_an_owner_changes_their_own_password_only_by_telling_the_old_one(
    at_home: Browser, sign_in: SignIn, ana: Person
) -> None:
    page = f"/accounts/{ana.account.id}"
    assert "/password" not in at_home.open(page)
    answer = at_home.fill(f"{page}/password", password="battery staple")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings")
    assert sign_in().is_signed_in()


def test_a_disabled_account_is_shut_out_until_it_is_enabled(at_home: Browser, sign_in: SignIn, bor: Person) -> None:
    phone = sign_in("bor")
    page = f"/accounts/{bor.account.id}"
    assert at_home.fill(f"{page}/disable").status_code == 303
    assert not phone.is_signed_in()
    assert phone.get("/api/v1/entries", headers=bor.headers).status_code == 401
    assert "shut out since" in at_home.open(page)
    assert at_home.fill(f"{page}/enable").status_code == 303
    assert phone.is_signed_in()
    assert phone.get("/api/v1/entries", headers=bor.headers).status_code == 200


def test_the_last_owner_cannot_be_disabled(at_home: Browser, app: Flask, ana: Person) -> None:
    page = f"/accounts/{ana.account.id}"
    assert at_home.fill(f"{page}/disable").status_code == 303
    assert "This is the only owner." in said(at_home, page)
    assert at_home.fill("/accounts", name="eva", password="battery staple", role="owner").status_code == 303
    assert at_home.fill(f"{page}/disable").status_code == 303
    assert not at_home.is_signed_in()
