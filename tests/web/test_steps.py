"""Promises about what an entry's page says is done with it, and about stopping and repeating that without scripts."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from flask import Flask

from dreamweb import db
from dreamweb.analysis import FoundMotif
from dreamweb.models.job import Job, Lane
from dreamweb.words import say
from tests.conftest import wav
from tests.processed import ALL_DONE, done, hear, set_jobs, tidy, understand
from tests.web.conftest import Browser, words

PIECE = {"HX-Request": "true"}

NO_SERVER = say("The speech server %(server)s cannot be reached. Is it running?", server="http://pi:8000")


@pytest.fixture
def sent(api: httpx.Client) -> str:
    """The id of an entry of which nothing but the recording is there."""
    return str(api.post("/upload", content=wav(320_000)).json()["id"])


def course(browser: Browser, entry: str) -> str:
    """What the page says is done with an entry."""
    page = browser.get(f"/entries/{entry}").text
    return words(page[page.index('id="steps"') : page.index("</section>", page.index('id="steps"'))].partition(">")[2])


def running(**more: Any) -> dict[str, Any]:
    now = db.now()
    about = {"state": "running", "started_at": now - timedelta(seconds=60), "lease_until": now + timedelta(minutes=9)}
    return {"step": "transcribe"} | about | more


def failed(**more: Any) -> dict[str, Any]:
    return {"step": "transcribe", "state": "failed", "reason": NO_SERVER, "finished_at": db.now()} | more


def state_of(app: Flask, job: str) -> str:
    with app.app_context():
        found = db.session().get(Job, UUID(job))
        return "running, to be stopped" if found and found.cancelling else found.state if found else "gone"


def test_each_state_of_a_step_is_said_in_words(app: Flask, at_home: Browser, sent: str) -> None:
    no_engine = say("There is no speech engine.")
    states: list[tuple[dict[str, Any], str]] = [
        ({"step": "transcribe"}, "Waiting"),
        (running(progress=0.4), "Listening to it... 40 %, about 2 minutes left"),
        (running(progress=0.99), "99 %, less than a minute left"),
        (running(), "Listening to it..."),
        (running(cancelling=True), "Stopping..."),
        (done("transcribe", "faster-whisper 1.2.1, small"), "Transcribed by faster-whisper 1.2.1, small"),
        (done("analyse", "local"), "Read by rules of our own"),
        (failed(), "Could not be transcribed. The speech server http://pi:8000 cannot be reached. Is it running?"),
        (failed(step="analyse", reason=None), "What it is about could not be found."),
        (failed(state="skipped", reason=no_engine), "Not transcribed. There is no speech engine."),
        (failed(state="cancelled", reason=None), "Not transcribed. You stopped it."),
    ]
    for job, said in states:
        set_jobs(app, sent, job)
        assert said in course(at_home, sent)


def test_a_step_that_failed_for_now_says_when_and_why_it_is_tried_again(
    app: Flask, at_home: Browser, sent: str
) -> None:
    [job] = set_jobs(app, sent, {"step": "transcribe", "reason": NO_SERVER, "run_at": db.now() + timedelta(minutes=40)})
    said = course(at_home, sent)
    assert "It is tried again at" in said
    assert "Is it running?" in said
    assert 'hx-trigger="every 30s"' in at_home.get(f"/entries/{sent}").text
    assert "Try it now" in said
    at_home.submit(f"/jobs/{job}/retry")
    assert "It is tried again at" not in course(at_home, sent)


def test_what_waits_says_how_many_are_before_it_and_how_long_that_takes(
    app: Flask, api: httpx.Client, at_home: Browser, sent: str
) -> None:
    others = [api.post("/entries", json={"text": f"A dream of {n} trains."}).json()["id"] for n in range(2)]
    for other in others:
        set_jobs(app, other, {"step": "analyse"})
    set_jobs(app, sent, {"step": "transcribe"})
    assert "Waiting: 2 before it" in course(at_home, sent)
    assert "minute" not in course(at_home, sent)
    now = db.now()
    set_jobs(app, others[0], done("transcribe", started_at=now - timedelta(seconds=90), finished_at=now, amount=1.0))
    set_jobs(app, others[1])
    assert re.search(r"Waiting, about \d+ minutes", course(at_home, sent))


def test_without_a_worker_it_says_so_and_is_seldom_asked_again(app: Flask, at_home: Browser, sent: str) -> None:
    long_ago = db.now() - timedelta(minutes=5)
    set_jobs(app, sent, {"step": "transcribe", "run_at": long_ago})
    page = at_home.get(f"/entries/{sent}").text
    assert "no worker is running. WORKERS is 0" in words(page)
    assert 'hx-trigger="every 30s"' in page
    set_jobs(app, sent, running(started_at=long_ago, lease_until=long_ago))  # its worker was killed
    page = at_home.get(f"/entries/{sent}").text
    assert "no worker is running" in words(page)
    assert 'hx-trigger="every 30s"' in page
    set_jobs(app, sent, running())
    page = at_home.get(f"/entries/{sent}").text
    assert "no worker" not in words(page)
    assert 'hx-trigger="every 2s"' in page


def test_it_is_seldom_asked_again_while_its_engine_rests(app: Flask, at_home: Browser, sent: str) -> None:
    set_jobs(app, sent, {"step": "transcribe", "lane": "speech"})
    assert 'hx-trigger="every 2s"' in at_home.get(f"/entries/{sent}").text
    with app.app_context(), db.transaction() as session:
        session.add(Lane(name="speech", paused_until=db.now() + timedelta(minutes=40)))
    assert 'hx-trigger="every 30s"' in at_home.get(f"/entries/{sent}").text


def test_it_is_asked_again_only_while_something_runs_or_waits(app: Flask, at_home: Browser, sent: str) -> None:
    set_jobs(app, sent, done("audio"), running(progress=0.4))
    page = at_home.get(f"/entries/{sent}").text
    address = re.search(r'hx-get="(/entries/[^"]+/steps\?seen=[^"]+)" hx-trigger="every 2s"', page)
    assert address
    same = at_home.get(address[1], headers=PIECE)
    assert (same.status_code, same.text) == (204, "")
    set_jobs(app, sent, done("audio"), running(progress=0.5))
    piece = at_home.get(address[1], headers=PIECE)
    assert "50 %" in words(piece)
    assert "every 2s" in piece.text
    assert "<html" not in piece.text
    assert 'id="entry-state" hx-swap-oob="true"' in piece.text
    hear(app, sent)
    set_jobs(app, sent, *ALL_DONE)
    last = at_home.get(address[1], headers=PIECE)
    assert "Everything is done." in words(last)
    assert "hx-trigger" not in last.text
    texts = [re.search(r'data-texts="(\w+)"', each.text) for each in (piece, last)]
    assert texts[0]
    assert texts[1]
    assert texts[0][1] != texts[1][1]


def test_without_scripts_the_piece_is_the_page(at_home: Browser, sent: str) -> None:
    answer = at_home.get(f"/entries/{sent}/steps")
    assert answer.url.path == f"/entries/{sent}"


def test_a_step_is_stopped_and_tried_again_without_scripts(app: Flask, at_home: Browser, sent: str) -> None:
    [job] = set_jobs(app, sent, {"step": "transcribe"})
    page = at_home.submit(f"/jobs/{job}/cancel")
    assert page.url.path == f"/entries/{sent}"
    assert state_of(app, job) == "cancelled"
    assert "Not transcribed. You stopped it." in course(at_home, sent)
    at_home.submit(f"/jobs/{job}/retry")
    assert "Waiting" in course(at_home, sent)
    [job] = set_jobs(app, sent, running())
    at_home.submit(f"/jobs/{job}/cancel")
    assert state_of(app, job) == "running, to be stopped"


def test_what_has_ended_meanwhile_cannot_be_stopped_and_the_page_says_so(
    app: Flask, at_home: Browser, sent: str
) -> None:
    [job] = set_jobs(app, sent, done("transcribe", "x"))
    for what in ("cancel", "retry"):
        page = at_home.submit(f"/jobs/{job}/{what}")
        assert page.status_code == 200
        assert 'class="notice bad"' in page.text
        piece = at_home.post(f"/jobs/{job}/{what}", headers=PIECE | {"X-CSRFToken": at_home.token()})
        assert (piece.status_code, "Transcribed by x" in piece.text, "<html" in piece.text) == (200, True, False)


def test_steps_of_an_entry_can_be_done_again(app: Flask, api: httpx.Client, at_home: Browser, sent: str) -> None:
    hear(app, sent)
    set_jobs(app, sent, *ALL_DONE)
    page = at_home.submit(f"/entries/{sent}/steps", {"step": "analyse"})
    assert page.url.path == f"/entries/{sent}"
    assert course(at_home, sent).count("Waiting") == 2  # in its line, and before all of them
    assert "Read by" not in course(at_home, sent)
    assert at_home.submit(f"/entries/{sent}/steps", {"step": "nonsense"}).status_code == 400
    written = api.post("/entries", json={"text": "A written dream."}).json()["id"]
    assert "Listen to it again" not in course(at_home, written)
    assert at_home.submit(f"/entries/{written}/steps", {"step": "transcribe"}).status_code == 400
    nothing = api.post("/entries", json={"recall": "none"}).json()["id"]
    assert 'id="steps"' not in at_home.get(f"/entries/{nothing}").text


def test_what_was_tidied_but_is_not_used_says_why(app: Flask, at_home: Browser, sent: str) -> None:
    hear(app, sent)
    reason = say("%(engine)s gave back no words. Your own words stay as they are.", engine="openai:x")
    tidy(app, sent, "", reason)
    set_jobs(app, sent, done("transcribe", "y"), done("tidy", "openai:x", reason=reason))
    assert "Tidied by openai:x openai:x gave back no words." in course(at_home, sent)


def test_what_was_understood_is_shown_where_the_person_said_nothing(
    app: Flask, api: httpx.Client, at_home: Browser, sent: str
) -> None:
    hear(app, sent)
    understand(app, sent)
    page = words(at_home.get(f"/entries/{sent}"))
    for said in ("The house by the sea", "Suggested title", "into which the sea comes", "Mood, perhaps: calm"):
        assert said in page
    for said in ("Lucidity, perhaps: 2 of 5", "What did the sea want", "Found by rules of our own", "Places house"):
        assert said in page
    api.patch(f"/entries/{sent}", json={"title": "My own", "mood": "afraid", "lucidity": 4})
    page = words(at_home.get(f"/entries/{sent}"))
    for said in ("The house by the sea", "Suggested title", "perhaps"):
        assert said not in page


def test_what_an_engine_says_is_never_read_as_html(app: Flask, at_home: Browser, sent: str) -> None:
    evil = "\"'><script>alert(1)</script>"
    hear(app, sent, evil, engine=evil)
    hostile = {"title": evil, "summary": evil, "mood": evil, "questions": [evil]}
    understand(app, sent, FoundMotif("symbol", evil, evil, (evil,)), engine=evil, **hostile)
    set_jobs(app, sent, done("transcribe", evil), failed(step="analyse", reason=say(evil)))
    for address in (f"/entries/{sent}", f"/entries/{sent}/versions"):
        page = at_home.get(address).text
        assert evil in html.unescape(page)
        assert "<script>" not in page


def test_hidden_motifs_are_not_shown_and_own_signs_are_marked(
    app: Flask, api: httpx.Client, at_home: Browser, sent: str
) -> None:
    hear(app, sent)
    understand(app, sent)
    page = at_home.get(f"/entries/{sent}").text
    found = dict(re.findall(r'id="motif-([^"]+)".*?<span>(\w+)</span></a>', page))
    by_name = {name: motif for motif, name in found.items()}
    assert set(by_name) == {"house", "sea", "grandmother"}
    at_home.submit(f"/motifs/{by_name['sea']}/hide")
    at_home.submit(f"/motifs/{by_name['house']}/sign")
    page = at_home.get(f"/entries/{sent}").text
    assert f"motif-{by_name['sea']}" not in page
    assert "your dream sign: house" in words(page)
    assert at_home.get(f"/motifs/{by_name['house']}").status_code == 200


def test_every_word_knows_when_it_was_said_and_what_was_left_out_says_why(
    app: Flask, at_home: Browser, sent: str
) -> None:
    hear(app, sent, "<b>One</b> two.", "Three four.", "After a pause.")
    page = at_home.get(f"/entries/{sent}").text
    assert '<span data-start="0.5" data-end="0.9">&lt;b&gt;One&lt;/b&gt;</span> <span data-start="1"' in page
    assert re.findall(r"playback#t=([\d.]+)", page) == ["0.5", "4.5", "11.5"]
    assert "Thank you. Left out: It is quiet here" in words(page)


def test_three_hours_of_speech_are_a_page_like_any_other(app: Flask, at_home: Browser, sent: str) -> None:
    hear(app, sent, *(" ".join(["word"] * 8) for _ in range(27_000 // 8)))
    answer = at_home.get(f"/entries/{sent}?version=transcription")
    assert answer.status_code == 200
    assert answer.text.count("data-start") == 27_000
    assert answer.elapsed < timedelta(seconds=5)
