"""Promises about the page of engines: what it shows to whom, and that they can be tried."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from dreamweb.db import now, transaction
from dreamweb.models.version import ModelCall
from dreamweb.words import dump
from tests.conftest import Person
from tests.web.conftest import Browser, words
from tests.worked import NO_SERVER, jobs_of, no_jobs, put_job

PAGE = "/settings/engines"


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {
        "speech_engine": "server",
        "speech_url": "http://dw:hush@speech.example:9000/v1?key=hush",
        "speech_key": "sk-hush",
        "speech_model": "large-v3",
        "language_models": "server:llama3.2,anthropic:claude-x,local",
        "language_url": "http://localhost:11434/v1",
        "anthropic_api_key": "sk-ant-hush",
        "monthly_tokens": 1000,
    }


def test_an_owner_sees_what_is_set_and_never_a_key(at_home: Browser) -> None:
    page = at_home.open(PAGE)
    said = words(page)
    for shown in (
        "A speech server, on another machine",
        "large-v3",
        "http://speech.example:9000/v1",
        "A model server: llama3.2, on this machine http://localhost:11434/v1",
        "Anthropic: claude-x, on another machine",
        "Rules of our own, no model, on this machine",
        "SPEECH_ENGINE",
        "MONTHLY_TOKENS",
        "docs/engines.md",
    ):
        assert shown in said, shown
    assert "hush" not in page


def test_a_member_sees_only_what_kinds_they_are(elsewhere: Browser) -> None:
    said = words(elsewhere.open(PAGE))
    for shown in (
        "A speech server, on another machine",
        "A model server, on this machine",
        "Anthropic, on another machine",
    ):
        assert shown in said, shown
    for hidden in ("example", "large-v3", "llama", "claude", "SPEECH_", "WORKERS"):
        assert hidden not in said, hidden


def test_what_is_said_of_privacy_is_what_is_set(at_home: Browser) -> None:
    assert "An entry that you mark private is never sent there." in words(at_home.open(PAGE))


def test_the_tokens_of_this_month_are_counted(app: Flask, at_home: Browser) -> None:
    with app.app_context(), transaction() as session:
        for age, tokens in ((0, 700), (0, 400), (40, 5000)):
            call = ModelCall(step="tidy", engine="x", tokens_in=tokens, tokens_out=0)
            call.created_at = now() - timedelta(days=age)
            session.add(call)
    said = words(at_home.open(PAGE))
    assert "1,100" in said
    assert "The limit of this month is reached." in said


def test_trying_an_engine_asks_a_worker_and_only_once_at_a_time(
    app: Flask, ana: Person, at_home: Browser, elsewhere: Browser
) -> None:
    for language in ("sl", "en"):
        page = at_home.submit(f"{PAGE}/try", {"what": "speech", "language": language})
        assert page.url.path == PAGE
    assert "It waits for a worker ..." in words(page)
    assert page.text.count('hx-trigger="every 2s"') == 1
    (job,) = jobs_of(app, "trial")
    assert (job.account_id, job.request) == (ana.account.id, {"what": "speech", "language": "sl"})
    assert "It waits for a worker" not in words(elsewhere.open(PAGE))
    at_home.submit(f"{PAGE}/try", {"what": "language", "language": "en"})
    elsewhere.submit(f"{PAGE}/try", {"what": "speech", "language": "en"})
    assert len(jobs_of(app, "trial")) == 3


def test_scripts_are_given_one_trial_and_asked_again_until_it_has_ended(
    app: Flask, ana: Person, at_home: Browser
) -> None:
    asked = {"what": "speech", "language": "sl"}
    put_job(app, ana.account, None, "trial", "running", request=asked)
    piece = at_home.get(f"{PAGE}?what=speech", headers={"HX-Request": "true"}).text
    assert "It listens." in piece
    assert 'hx-trigger="every 2s"' in piece
    assert "<html" not in piece
    no_jobs(app)
    result = {"text": "V sanjah sem letela.", "seconds": 2.4}
    put_job(app, ana.account, None, "trial", "done", request=asked, result=result, engine="server: large-v3")
    piece = at_home.get(f"{PAGE}?what=speech", headers={"HX-Request": "true"}).text
    assert "V sanjah sem letela." in piece
    assert "2.4 s, server: large-v3" in words(piece)
    assert "hx-trigger" not in piece


def test_what_was_understood_in_a_trial_is_shown_and_who_failed_before(
    app: Flask, ana: Person, at_home: Browser
) -> None:
    motifs = [{"type": "place", "name": "morje"}, {"type": "feeling", "name": "veselje"}]
    result = {"text": "Letela sem.", "title": "Nad morjem", "motifs": motifs, "failed": [dump(NO_SERVER)], "seconds": 1}
    asked = {"what": "language", "language": "sl"}
    put_job(app, ana.account, None, "trial", "done", request=asked, result=result, engine="local")
    said = words(at_home.open(PAGE))
    for shown in ("Nad morjem", "Letela sem.", "morje Place", "veselje Feeling", "rules of our own", "127.0.0.1:9"):
        assert shown in said, shown


def test_a_text_that_was_rejected_in_a_trial_is_no_success(app: Flask, ana: Person, at_home: Browser) -> None:
    asked = {"what": "language", "language": "en"}
    result = {"text": "pwned", "title": "Pwned", "failed": [], "rejected": dump(NO_SERVER), "seconds": 1}
    put_job(app, ana.account, None, "trial", "done", request=asked, result=result, engine="server:llama")
    page = at_home.open(PAGE)
    assert "trial-said stack bad" in page
    assert "127.0.0.1:9 cannot be reached. Is it running? It wrote: Pwned" in words(page)


def test_a_trial_that_failed_says_why_and_can_be_repeated(app: Flask, ana: Person, at_home: Browser) -> None:
    asked = {"what": "speech", "language": "sl"}
    put_job(app, ana.account, None, "trial", "failed", request=asked, reason=NO_SERVER)
    said = words(at_home.open(PAGE))
    assert "It did not work. The speech server 127.0.0.1:9 cannot be reached. Is it running?" in said
    at_home.submit(f"{PAGE}/try", asked)
    assert [job.state for job in jobs_of(app, "trial")] == ["failed", "waiting"]


def test_a_trial_that_nobody_begins_says_that_there_is_no_worker(app: Flask, ana: Person, at_home: Browser) -> None:
    asked = {"what": "speech", "language": "sl"}
    put_job(app, ana.account, None, "trial", "waiting", request=asked, run_at=now() - timedelta(minutes=2))
    page = at_home.open(PAGE)
    assert "No worker has begun it for more than a minute." in words(page)
    assert "hx-trigger" not in page


def test_a_sample_that_there_is_not_is_refused(app: Flask, at_home: Browser) -> None:
    for what, language in (("speech", "de"), ("cooking", "sl"), ("", "")):
        assert at_home.fill(f"{PAGE}/try", what=what, language=language).status_code == 400
    assert jobs_of(app, "trial") == []
