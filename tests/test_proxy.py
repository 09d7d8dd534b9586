"""Promises about a proxy in front that speaks HTTPS: what it says is believed when the settings name it, else never."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.conftest import SAMPLES, TOKEN, Process

ON_ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "dreams.local", "X-Forwarded-For": "192.168.1.7"}


def through_proxy(process: Process) -> httpx.Client:
    """A browser, or a phone, as the proxy hands it on."""
    return httpx.Client(base_url=process.url, headers=FORWARDED | {"Referer": "https://dreams.local/sign-in"})


def sign_in(client: httpx.Client) -> httpx.Response:
    page = client.get("/sign-in")
    form = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert form
    # The cookie is for HTTPS only, and httpx sees no HTTPS here; it is the proxy that has it.
    cookies = "; ".join(each.partition(";")[0] for each in page.headers.get_list("Set-Cookie"))
    typed = {"csrf_token": form[1], "name": "ana", "password": "correct horse"}
    return client.post("/sign-in", data=typed, headers={"Cookie": cookies})


def upload(client: httpx.Client) -> str:
    answer = client.post(
        "/api/v1/upload",
        content=(SAMPLES / "sl-vlak.wav").read_bytes(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "audio/wav"},
    )
    assert answer.status_code == 201
    return str(answer.json()["url"])


@ON_ONE
def test_behind_a_trusted_proxy_everything_is_https(serving: Process) -> None:
    serving.configure(trusted_proxy="127.0.0.1")
    serving.start()
    with through_proxy(serving) as client:
        assert upload(client).startswith("https://dreams.local/entries/")
        signed_in = sign_in(client)
        assert signed_in.status_code in (302, 303), signed_in.text
        assert all("Secure" in cookie for cookie in signed_in.headers.get_list("Set-Cookie"))
    assert "ip=192.168.1.7" in serving.log.read_text()


@ON_ONE
def test_what_a_stranger_says_in_the_place_of_a_proxy_is_thrown_away(serving: Process) -> None:
    serving.start()
    with through_proxy(serving) as client:
        assert upload(client).startswith(serving.url)
        signed_in = sign_in(client)
        assert signed_in.status_code in (302, 303)
        assert not any("Secure" in cookie for cookie in signed_in.headers.get_list("Set-Cookie"))
    assert "192.168.1.7" not in serving.log.read_text()
