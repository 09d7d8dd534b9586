"""Promises about the queue, the engines and the motifs, with a keyboard alone and with a finger."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import update

from dreamweb import db
from dreamweb.db import now, transaction
from dreamweb.models.job import Job
from tests.browser.conftest import Hand
from tests.conftest import SAMPLES, Person
from tests.worked import NO_SERVER, motif_named, no_jobs, put_job, put_motifs


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"speech_engine": "server", "speech_url": "http://127.0.0.1:9/v1"}


def test_the_queue_moves_by_itself_and_can_be_stopped(app: Flask, ana: Person, api: httpx.Client, hand: Hand) -> None:
    page = hand.page
    sent = api.post("/upload", params={"title": "A house"}, content=(SAMPLES / "sl-hisa.mp3").read_bytes()).json()
    no_jobs(app)
    page.goto("/queue")
    page.on("dialog", lambda dialog: dialog.accept())
    hand.press(page.get_by_role("button", name="Process everything that has no text yet"))
    expect(page.locator("#flashes")).to_contain_text("1 recording waits to be listened to.")
    put_job(app, ana.account, sent["id"], "audio", "done")
    put_job(app, ana.account, sent["id"], "transcribe", "running", progress=0.25)
    expect(page.locator("#queue")).to_contain_text("Listening to it...")
    expect(page.locator("#queue progress")).to_have_js_property("value", 0.25)
    hand.press(page.get_by_role("button", name="Stop"))
    expect(page.locator("#queue")).to_contain_text("Stopping...")
    with app.app_context(), transaction() as session:
        values = {"state": "failed", "finished_at": now(), "reason": {"msgid": str(NO_SERVER), "values": {}}}
        session.execute(update(Job).where(Job.step == "transcribe").values(values))
    expect(page.locator("#queue")).to_contain_text("cannot be reached. Is it running?")
    expect(page.locator("#queue")).not_to_have_attribute("hx-trigger", "every 2s")
    hand.press(page.get_by_role("button", name="Try again"))
    expect(page.locator("#queue")).to_contain_text("Listening · Waiting")
    hand.press(page.get_by_role("button", name="Do not do it"))
    expect(page.locator("#queue")).not_to_contain_text("Listening · Waiting")


def test_an_engine_is_tried_and_says_what_it_heard(app: Flask, ana: Person, hand: Hand) -> None:
    page = hand.page
    page.goto("/settings/engines")
    hand.press(page.get_by_role("button", name="Try it in Slovenian"))
    trial = page.locator("#trial-speech")
    expect(trial).to_contain_text("It waits for a worker ...")
    with app.app_context():
        job_id = db.session().query(Job.id).filter(Job.step == "trial").scalar()
        for values, said in (
            ({"state": "running", "started_at": now()}, "It listens."),
            (
                {"state": "done", "finished_at": now(), "engine": "server: large", "result": {"text": "Letela sem."}},
                "Letela sem.",
            ),
        ):
            with transaction() as session:
                session.execute(update(Job).where(Job.id == job_id).values(values))
            expect(trial).to_contain_text(said)
    expect(trial.get_by_role("button", name="Try it in English")).to_be_visible()


def test_motifs_are_named_merged_and_hidden(app: Flask, ana: Person, api: httpx.Client, hand: Hand) -> None:
    page = hand.page
    api.post("/entries", json={"title": "At the sea", "text": "The sea was calm."})
    put_motifs(app, ana.account, {("place", "Sea"): 1, ("place", "Seaside"): 1, ("feeling", "Fear"): 1})
    page.goto("/")
    hand.press(page.locator("nav.bar").get_by_role("link", name="Motifs"))
    hand.press(page.get_by_role("link", name="Seaside"))
    expect(page.locator(".card-title")).to_have_text(["At the sea"])
    hand.press(page.locator(".motif-change summary"))
    hand.write(page.get_by_label("Name"), "Shore")
    hand.press(page.get_by_role("button", name="Save"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Shore")
    page.on("dialog", lambda dialog: dialog.accept())
    hand.press(page.locator(".motif-change summary"))
    hand.choose(page.get_by_label("It is the same as"), "Sea")
    hand.press(page.get_by_role("button", name="Merge"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sea")
    hand.press(page.get_by_role("button", name="Make it my dream sign"))
    expect(page.locator(".motif-sign")).to_have_text("· your dream sign")
    page.goto(f"/motifs/{motif_named(app, 'Fear').id}")
    hand.press(page.get_by_role("button", name="Hide it"))
    expect(page.locator(".motifs .chip")).to_have_count(1)
    hand.press(page.locator("#hidden summary"))
    hand.press(page.get_by_role("button", name="Show again: Fear"))
    expect(page.locator(".motif-sign")).to_have_count(0)
    page.goto("/motifs")
    hand.write(page.get_by_label("Name"), "old house")
    hand.choose(page.get_by_label("What it is"), "Place")
    hand.press(page.get_by_role("button", name="Look for it"))
    expect(page.locator("#flashes")).to_contain_text("It is looked for in old dreams too, in a moment.")
