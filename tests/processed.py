"""Puts into a journal what a worker would have made of an entry, and where it would be with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import delete

from dreamweb import db, motifs, versions
from dreamweb.analysis import FoundMotif
from dreamweb.models import Entry
from dreamweb.models.job import Job
from dreamweb.words import Said, dump, say

SENTENCES = ("I stand in an old house.", "The sea comes in by the window.", "Then I hear my grandmother.")
"""What is said in the recording of `understood`: one each four seconds, and the third after a pause."""

LEFT_OUT = say("It is quiet here, and these are words that engines make up in a silence.")


def set_jobs(app: Flask, entry_id: str, *jobs: dict[str, Any]) -> list[str]:
    """Let an entry have these jobs and no others; answers their ids."""
    with app.app_context(), db.transaction() as session:
        entry = session.get_one(Entry, UUID(entry_id))
        session.execute(delete(Job).where(Job.entry_id == entry.id))
        rows = []
        for place, job in enumerate(jobs):
            values = {"lane": job["step"], "created_at": db.now() - timedelta(minutes=9 - place)} | job
            if isinstance(values.get("reason"), Said):
                values["reason"] = dump(values["reason"])
            rows.append(Job(entry_id=entry.id, account_id=entry.account_id, **values))
        session.add_all(rows)
        session.flush()
        entry.processed_at = db.now()
        return [str(row.id) for row in rows]


def segments(*sentences: str, seconds: float = 4.0) -> list[dict[str, Any]]:
    """Sentences as an engine hears them: a word each half second, and a pause of three seconds before the third."""
    found, start = [], 0.5
    for place, sentence in enumerate(sentences):
        start += 3 if place == 2 else 0
        words = [[start + n * 0.5, start + n * 0.5 + 0.4, word] for n, word in enumerate(sentence.split())]
        found.append({"start": start, "end": words[-1][1], "text": sentence, "words": words, "dropped": None})
        start += seconds
    return found


def hear(app: Flask, entry_id: str, *sentences: str, engine: str = "faster-whisper 1.2.1, small") -> None:
    """Transcribe an entry; at its end there is a silence in which the engine has made something up."""
    said = segments(*(sentences or SENTENCES))
    end = said[-1]["end"]
    made_up = {"start": end, "end": end + 2, "text": "Thank you.", "words": [], "dropped": dump(LEFT_OUT)}
    with app.app_context(), db.transaction() as session:
        entry = session.get_one(Entry, UUID(entry_id))
        text = " ".join(each["text"] for each in said)
        details = {"segments": [*said, made_up]}
        versions.add(entry, "transcription", text, engine=engine, language="en", details=details)
        entry.language, entry.status = "en", "ready"


def hear_nothing(app: Flask, entry_id: str, *made_up: str) -> None:
    """Transcribe an entry in which nobody speaks: all that the engine has made of it was left out."""
    found = [each | {"dropped": dump(LEFT_OUT)} for each in segments(*made_up)]
    with app.app_context(), db.transaction() as session:
        entry = session.get_one(Entry, UUID(entry_id))
        versions.add(entry, "transcription", "", engine="whisper", language=None, details={"segments": found})


def tidy(app: Flask, entry_id: str, text: str, rejected: Said | None = None) -> None:
    with app.app_context(), db.transaction() as session:
        entry = session.get_one(Entry, UUID(entry_id))
        versions.add(entry, "cleaned_text", text, engine="openai:tidy", language="en", rejected=rejected)


def understand(app: Flask, entry_id: str, *found: FoundMotif, engine: str = "local", **more: Any) -> None:
    """Analyse an entry."""
    analysis = {
        "language": "en",
        "title": "The house by the sea",
        "summary": "An old house, into which the sea comes.",
        "mood": "calm",
        "sentiment": 0.2,
        "lucidity": 2,
        "questions": ["What did the sea want in the house?"],
        "engine": engine,
        "made_at": "2026-11-21T05:00:00+00:00",
    }
    usual = (
        FoundMotif("place", "house", "house", ("old house",)),
        FoundMotif("symbol", "sea", "sea", ("sea",)),
        FoundMotif("person", "grandmother", "grandmother", ("grandmother",)),
    )
    with app.app_context(), db.transaction() as session:
        entry = session.get_one(Entry, UUID(entry_id))
        entry.analysis = analysis | more
        motifs.found(entry, found or usual, engine)
        assert versions.best_text(entry)


def done(step: str, engine: str | None = None, **more: Any) -> dict[str, Any]:
    """A step that has been done."""
    return {"step": step, "state": "done", "engine": engine, "finished_at": db.now()} | more


ALL_DONE = (
    done("audio"),
    done("transcribe", "faster-whisper 1.2.1, small"),
    done("tidy", "local"),
    done("analyse", "local"),
    done("index"),
)
