"""Promises about the pages of settings: who one is, where one is signed in, and what this server is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dreamweb.web import devices
from tests.conftest import SAMPLES, Person
from tests.web.conftest import Browser, SignIn

PAGES = ["/settings", "/settings/sessions", "/settings/tokens", "/settings/engines", "/settings/about", "/queue"]
PAGES += ["/accounts", "/shortcut"]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.0 Mobile/15E148 Safari/604.1"
)

PREFERRED = {"name": "ana", "language": "", "time_zone": "", "theme": "auto", "night_from": "", "night_until": ""}


def others(browser: Browser) -> list[str]:
    """Where a form of the page signs another browser out."""
    return re.findall(r'action="(/settings/sessions/[0-9a-f-]{36}/end)"', browser.open("/settings/sessions"))


def test_each_page_leads_to_the_others_and_out_and_keeps_the_security_policy(at_home: Browser) -> None:
    for path in PAGES:
        page = at_home.open(path)
        assert all(f'href="{other}"' in page for other in PAGES), path
        assert 'action="/sign-out"' in page, path
        assert not re.search(r" style=|<script(?![^>]* src=)| on[a-z]+=", page), path


def test_without_a_sign_in_the_pages_ask_for_one(nobody: Browser, ana: Person) -> None:
    for path in set(PAGES) - {"/shortcut"}:
        answer = nobody.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/sign-in?next={path}")


def test_what_somebody_prefers_is_kept_and_used(at_home: Browser) -> None:
    wanted = {"name": "Ana Novak", "language": "sl", "time_zone": "Asia/Tokyo", "theme": "dark"}
    assert at_home.fill("/settings", **PREFERRED | wanted).status_code == 303
    page = at_home.open("/settings")
    assert '<html lang="sl" data-theme="dark">' in page
    for value in ("Ana Novak", "Asia/Tokyo"):
        assert f'value="{value}"' in page
    assert at_home.fill("/settings", **PREFERRED).status_code == 303
    assert 'data-theme="light"' not in at_home.open("/settings")


def test_the_night_theme_comes_by_the_hour(at_home: Browser) -> None:
    there = datetime.now(ZoneInfo("Asia/Tokyo"))
    hours = {
        "night_from": f"{there - timedelta(hours=1):%H:%M}",
        "night_until": f"{there + timedelta(hours=1):%H:%M}",
        "time_zone": "Asia/Tokyo",
        "theme": "light",
    }
    at_home.fill("/settings", **PREFERRED | hours)
    page = at_home.open("/settings")
    assert 'data-theme="night"' in page
    assert f'value="{hours["night_from"]}"' in page
    at_home.fill("/settings", **PREFERRED | hours | {"time_zone": "Europe/Lisbon"})
    assert 'data-theme="light"' in at_home.open("/settings")


def test_impossible_preferences_are_refused_and_stay_to_be_mended(at_home: Browser) -> None:
    for wrong, said in (
        ({"time_zone": "Mars/Olympus"}, "there is no such time zone"),
        ({"theme": "pink"}, "one of"),
        ({"night_from": "22:00"}, "set both hours"),
        ({"night_from": "late", "night_until": "07:00"}, "a time like"),
        ({"name": " "}, "1 to 64 characters"),
    ):
        answer = at_home.fill("/settings", **PREFERRED | {"language": "en", "time_zone": "Asia/Tokyo"} | wrong)
        assert answer.status_code == 422
        assert said in answer.text
        assert f'value="{wrong.get("time_zone", "Asia/Tokyo")}"' in answer.text.partition('id="time_zone"')[2]
    assert 'value="Asia/Tokyo" aria' not in at_home.open("/settings")


def test_a_name_that_is_taken_is_refused(at_home: Browser, bor: Person) -> None:
    answer = at_home.fill("/settings", **PREFERRED | {"name": "BOR"})
    assert answer.status_code == 409
    assert "already" in answer.text
    assert 'value="BOR"' in answer.text
    assert 'value="ana"' in at_home.open("/settings")


def test_changing_the_password_signs_out_all_others(at_home: Browser, sign_in: SignIn, ana: Person) -> None:
    phone = sign_in(device=SAFARI)
    answer = at_home.fill("/settings/password", current="correct horse", password="battery staple")
    assert answer.status_code == 303
    assert at_home.is_signed_in()
    assert not phone.is_signed_in()
    assert sign_in(password="battery staple").is_signed_in()
    assert at_home.get("/api/v1/entries", headers=ana.headers).status_code == 200  # tokens stay
    refused = phone.fill("/sign-in", name="ana", password="correct horse")
    assert refused.status_code in (400, 401)


def test_a_password_is_changed_only_by_telling_the_one_there_is(at_home: Browser, sign_in: SignIn) -> None:
    phone = sign_in()
    wrong = at_home.fill("/settings/password", current="correct mule", password="battery staple")
    assert (wrong.status_code, "this is not your password" in wrong.text) == (401, True)
    short = at_home.fill("/settings/password", current="correct horse", password="short")
    assert (short.status_code, "at least 8 characters" in short.text) == (422, True)
    assert phone.is_signed_in()
    guesses = [at_home.fill("/settings/password", current="x", password="battery staple") for _ in range(10)]
    assert guesses[-1].status_code == 429


def test_another_browsers_session_can_be_ended(at_home: Browser, sign_in: SignIn) -> None:
    phone = sign_in(device=SAFARI)
    page = at_home.open("/settings/sessions")
    assert page.count("this device") == 1
    assert "Safari on iPhone" in page
    [end] = others(at_home)
    assert at_home.fill(end).status_code == 303
    assert not phone.is_signed_in()
    assert at_home.is_signed_in()
    assert "Safari on iPhone" not in at_home.open("/settings/sessions")


def test_all_other_browsers_can_be_signed_out_at_once(at_home: Browser, sign_in: SignIn) -> None:
    phones = [sign_in(), sign_in()]
    assert len(others(at_home)) == 2
    assert at_home.fill("/settings/sessions/end-others").status_code == 303
    assert [phone.is_signed_in() for phone in phones] == [False, False]
    assert others(at_home) == []


def test_nobody_sees_or_ends_the_sessions_of_others(at_home: Browser, sign_in: SignIn, bor: Person) -> None:
    phone = sign_in()
    stranger = sign_in("bor")
    [end] = others(at_home)
    assert others(stranger) == []
    assert stranger.fill(end).status_code == 404
    stranger.fill("/settings/sessions/end-others")
    assert phone.is_signed_in()


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/26.0 Safari/605.1.15", "Safari on Mac"),
        ("curl/8.14.1", "curl/8.14.1"),
        ("", "A browser that does not say its name"),
    ],
)
def test_a_browser_is_named_as_people_would(user_agent: str, name: str) -> None:
    assert devices.name(user_agent) == name


def test_the_room_that_a_journal_takes_is_told(at_home: Browser, sign_in: SignIn, ana: Person, bor: Person) -> None:
    recording = (SAMPLES / "sl-vlak.wav").read_bytes()
    sent = at_home.post("/api/v1/upload", files={"file": ("vlak.wav", recording)}, headers=ana.headers)
    assert sent.status_code == 201
    page = at_home.open("/settings/about")
    assert f"1, {len(recording) / 1000:.1f} kB" in page
    assert "at most 5 MB" in page
    assert "Free on the disk" in page
    member = sign_in("bor").open("/settings/about")
    assert "0, 0 B" in member
    assert "Free on the disk" not in member


def test_a_form_of_somebody_elses_page_changes_nothing(at_home: Browser, sign_in: SignIn) -> None:
    phone = sign_in()
    fields = PREFERRED | {"name": "eve", "current": "correct horse", "password": "battery staple"}
    for path in ("/settings", "/settings/password", "/settings/sessions/end-others"):
        assert at_home.post(path, data=fields).status_code == 400
    assert phone.is_signed_in()
    assert 'value="ana"' in phone.open("/settings")


def test_a_sign_in_leads_to_pages_of_ours_only(new_browser: Callable[[], Browser], ana: Person) -> None:
    for wanted, led_to in (
        ("/settings/tokens", "/settings/tokens"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ):
        answer = new_browser().fill("/sign-in", name="ana", password="correct horse", next=wanted)
        assert (answer.status_code, answer.headers["Location"]) == (303, led_to)
