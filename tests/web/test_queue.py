"""Promises about the page of what is done, what waits and what has failed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from flask import Flask

from dreamweb.db import now
from dreamweb.words import say
from tests.conftest import SAMPLES, Person
from tests.web.conftest import Browser, words
from tests.worked import NO_SERVER, jobs_of, no_jobs, put_job


@pytest.fixture
def dream(app: Flask, api: httpx.Client) -> str:
    """A recording for which nothing is done just now."""
    sent = api.post("/upload", params={"title": "A house"}, content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()
    no_jobs(app)
    return str(sent["id"])


def test_an_empty_queue_says_so(at_home: Browser) -> None:
    assert "Nothing to do" in words(at_home.open("/queue"))


def test_what_runs_says_how_far_it_is_and_is_asked_for_again(
    app: Flask, ana: Person, at_home: Browser, dream: str
) -> None:
    put_job(app, ana.account, dream, "transcribe", "running", progress=0.4)
    page = at_home.open("/queue")
    assert "A house Listening to it..." in words(page)
    assert "40" in words(page)
    assert "left" in words(page)
    assert 'hx-trigger="every 2s"' in page
    piece = at_home.get("/queue", headers={"HX-Request": "true"}).text
    assert "Listening to it..." in piece
    assert "<html" not in piece


def test_what_waits_has_its_place_and_what_is_tried_later_its_reason(
    app: Flask, ana: Person, bor: Person, at_home: Browser, elsewhere: Browser, dream: str
) -> None:
    put_job(app, ana.account, dream, "tidy", "waiting")
    later = now() + timedelta(minutes=20)
    put_job(app, ana.account, dream, "transcribe", "waiting", run_at=later, reason=NO_SERVER, attempts=2)
    page = words(at_home.open("/queue"))
    assert "Tidying the text · Waiting" in page
    assert "It is tried again at" in page
    assert "127.0.0.1:9 cannot be reached" in page
    assert "Nothing to do" in words(elsewhere.open("/queue"))


def test_nothing_is_asked_for_again_while_nothing_will_happen(
    app: Flask, ana: Person, at_home: Browser, dream: str
) -> None:
    put_job(app, ana.account, dream, "transcribe", "waiting", run_at=now() + timedelta(hours=1), reason=NO_SERVER)
    assert "hx-trigger" not in at_home.open("/queue")
    put_job(app, ana.account, dream, "transcribe", "waiting", run_at=now())
    assert 'hx-trigger="every 2s"' in at_home.open("/queue")


def test_without_a_worker_it_says_so(app: Flask, ana: Person, at_home: Browser, dream: str) -> None:
    put_job(app, ana.account, dream, "transcribe", "waiting", run_at=now() - timedelta(minutes=2))
    page = at_home.open("/queue")
    assert "no worker is running. WORKERS is 0" in words(page)
    assert "hx-trigger" not in page
    put_job(app, ana.account, dream, "tidy", "running")
    assert "no worker" not in words(at_home.open("/queue"))


def test_what_has_failed_says_why_and_is_tried_again(app: Flask, ana: Person, at_home: Browser, dream: str) -> None:
    failed = put_job(app, ana.account, dream, "transcribe", "failed", reason=NO_SERVER)
    page = words(at_home.open("/queue"))
    assert "Could not be transcribed. The speech server 127.0.0.1:9 cannot be reached. Is it running?" in page
    after = at_home.submit(f"/jobs/{failed}/retry", {"next": "/queue"})
    assert after.url.path == "/queue"
    assert "Listening · Waiting" in words(after)
    assert "Could not be transcribed" not in words(after)


def test_what_waits_is_not_done_when_somebody_says_so(app: Flask, ana: Person, at_home: Browser, dream: str) -> None:
    waiting = put_job(app, ana.account, dream, "transcribe", "waiting")
    after = at_home.submit(f"/jobs/{waiting}/cancel", {"next": "/queue"})
    assert after.url.path == "/queue"
    assert [job.state for job in jobs_of(app, "transcribe")] == ["cancelled"]


def test_a_reason_is_told_in_the_readers_language(app: Flask, ana: Person, at_home: Browser, dream: str) -> None:
    reason = say("This entry was written: it has no recording.")
    put_job(app, ana.account, dream, "transcribe", "failed", reason=reason)
    at_home.fill("/settings", name="ana", language="sl", theme="auto")
    assert '<html lang="sl"' in at_home.open("/queue")
    assert "{'msgid'" not in at_home.open("/queue")


def test_a_private_dream_is_not_named_in_the_queue(
    app: Flask, ana: Person, at_home: Browser, api: httpx.Client
) -> None:
    secret = api.post("/entries", json={"title": "My secret", "text": "Nobody shall know.", "private": True}).json()[
        "id"
    ]
    put_job(app, ana.account, secret, "analyse", "failed", reason=NO_SERVER)
    page = at_home.open("/queue")
    assert "Private dream of" in words(page)
    assert "My secret" not in page


def test_without_a_speech_engine_recordings_wait_for_one(at_home: Browser, dream: str) -> None:
    page = at_home.open("/queue")
    assert "1 recording was not listened to yet. There is no speech engine here yet." in words(page)
    assert 'href="/settings/engines"' in page
    assert "/queue/catch-up" not in page


class TestWithAnEngine:
    @pytest.fixture
    def settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        return settings | {"speech_engine": "server", "speech_url": "http://127.0.0.1:9/v1"}

    def test_everything_without_a_text_is_processed_at_once(self, app: Flask, at_home: Browser, dream: str) -> None:
        page = at_home.open("/queue")
        assert "1 recording was not listened to yet." in words(page)
        assert 'data-ask="Listen to 1 recording now? It may take long."' in page
        after = at_home.submit("/queue/catch-up")
        assert "1 recording waits to be listened to." in words(after)
        assert len(jobs_of(app, "audio")) == 1
        assert "Recordings without a text" not in words(after)
