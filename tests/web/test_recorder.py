"""Promises about the recorder's page without its scripts: what the server keeps of recordings that came to nothing."""

from __future__ import annotations

from datetime import timedelta

import httpx
from flask import Flask

from dreamweb import finishing
from dreamweb.tools import Tools
from tests.recorded import SLICES, Capture
from tests.web.conftest import Browser, words


def test_what_cannot_be_played_is_shown_and_can_be_saved_or_deleted(
    app: Flask, tools: Tools, api: httpx.Client, at_home: Browser
) -> None:
    capture = Capture(api)
    capture.put(0, b"no sound at all" * 100)
    assert "cannot be played" not in words(at_home.get("/record").text)
    with app.app_context():
        assert finishing.finish_idle(tools, timedelta(0)) == 0
    page = at_home.get("/record").text
    assert "Sent, but it cannot be played" in words(page)
    assert f"/api/v1{capture.url}/audio" in page
    assert at_home.get(f"/api/v1{capture.url}/audio").content == b"no sound at all" * 100
    gone = at_home.submit(f"{capture.url}/delete")
    assert "Deleted." in words(gone.text)
    assert api.get(capture.url).status_code == 404
    assert "cannot be played" not in words(at_home.get("/record").text)


def test_the_entry_of_a_recording_says_how_it_went(api: httpx.Client, at_home: Browser) -> None:

    capture = Capture(api).send(SLICES[:2])
    for n in (0, 2):
        capture.put(n, SLICES[n], segment=1)
    segments = [
        {"segment": 0, "chunks": 2, "started_at": "2025-01-31T04:10:00Z", "ended_at": "2025-01-31T04:10:06Z"},
        {"segment": 1, "chunks": 3, "started_at": "2025-01-31T04:10:18Z", "ended_at": "2025-01-31T04:10:27Z"},
    ]
    made = api.post(f"{capture.url}/finish", json={"segments": segments, "accept_gaps": True}).json()
    said = words(at_home.get(f"/entries/{made['id']}").text)
    assert "The microphone was away once. 12 seconds are missing." in said
    assert "1 piece of it never arrived." in said
    assert "As it was recorded" in said
