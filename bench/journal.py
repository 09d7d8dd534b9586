"""Fills a journal with entries as long and as different as real ones."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import insert, text

from dreamweb import accounts, create_app, db, sessions
from dreamweb.config import resource
from dreamweb.db import Base
from dreamweb.models import Account, Entry, Tag
from dreamweb.models.entry import entry_tags

NEWEST = datetime(2025, 6, 1, 6, 30, tzinfo=UTC)
APART = timedelta(hours=6)
COMMON, RARE = "sea", "eclipse"
"""A tag on about a third of the entries, and one on thirty, spread over the whole time."""

_TAGS = [COMMON, "flying", "house", "family", "school", "chase", "night", "water", "forest", "stairs", "train", "lost"]
_DREAM = (
    "I was walking through a house that I knew and did not know and behind every door there was the sea again quiet "
    "and green my grandmother stood at the window potem sva šli po stopnicah navzdol in morje je bilo vse bližje "
    "the train had left without us someone called my name and then I knew that I was dreaming and could fly over"
)
_BATCH = 2000


def application(folder: Path, url: str, token: str) -> Flask:
    """The application in this process, on a database that is upgraded and has an owner with this token."""
    app = create_app(data_dir=folder, database_url=url, log_level="ERROR", db_pool_size=2)
    with app.app_context():
        db.upgrade(resource("migrations"))
        with db.transaction():
            accounts.ensure_first(None, None, token)
    return app


def cookie(app: Flask) -> str:
    """The cookie of a browser with which the owner is signed in."""
    with app.app_context(), db.transaction():
        key = sessions.begin(accounts.every()[0], "bench")
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = key
    found = browser.get_cookie("dreamweb")
    return f"dreamweb={found.value}" if found else ""


def fill(app: Flask, size: int) -> None:
    """Give the owner `size` entries, and somebody else a tenth as many; a few of each are in the trash."""
    with app.app_context():
        owner = accounts.every()[0]
        with db.transaction():
            neighbour = accounts.add("neighbour", None)
        for account, number in ((owner, size), (neighbour, size // 10)):
            with db.transaction() as session:
                _fill(session, account, number)
        if db.db.engine.dialect.name == "postgresql":
            # Autovacuum does the same within a minute.
            with db.transaction() as session:
                session.execute(text("ANALYZE"))


def _fill(session: Any, account: Account, size: int) -> None:
    rng = random.Random(f"{account.name}{size}")
    tags = [{"id": _uuid(rng), "account_id": account.id, "name": name} for name in (*_TAGS, RARE)]
    session.execute(insert(Tag), tags)
    for start in range(0, size, _BATCH):
        rows = [_entry(rng, account, number) for number in range(start, min(start + _BATCH, size))]
        session.execute(insert(Base.metadata.tables[Entry.__tablename__]), rows)
        pairs = []
        for number, row in enumerate(rows, start):
            chosen = rng.sample(tags[1:-1], rng.choice((0, 1, 1, 2, 3)))
            chosen += [tags[0]] if rng.random() < 0.33 else []
            chosen += [tags[-1]] if number % max(1, size // 30) == 0 else []
            pairs += [{"entry_id": row["id"], "tag_id": tag["id"]} for tag in chosen]
        session.execute(insert(entry_tags), pairs)


def _entry(rng: random.Random, account: Account, number: int) -> dict[str, Any]:
    """The `number`th youngest, `APART` from the next; two in three are recorded, and one in fifty is thrown away."""
    entry_id, moment = _uuid(rng), NEWEST - number * APART - timedelta(seconds=rng.randrange(7200))
    recorded = rng.random() < 0.67
    dream = _text(rng, int(rng.lognormvariate(6.6, 0.6)))
    saved = f"{entry_id}_{moment:%Y%m%dT%H%M%S}.webm" if recorded else None
    return {
        "id": entry_id,
        "account_id": account.id,
        "client_id": _uuid(rng),
        "kind": rng.choices(("dream", "journal", "guided"), (8, 1, 1))[0],
        "status": "ready",
        "title": _text(rng, 30),
        "text": None if recorded else dream,
        "transcription": dream if recorded else None,
        "cleaned_text": dream if recorded else None,
        "language": rng.choice(("en", "sl")),
        "dreamed_at": moment,
        "mood": rng.choice((None, "calm", "afraid", "happy")),
        "lucidity": rng.choice((None, 0, 1, 5)),
        "recall": "full",
        "metadata": {"slept": round(rng.uniform(5, 9), 1)},
        "private": False,
        "original_filename": "recording.webm" if recorded else None,
        "saved_filename": saved,
        "file_path": f"{moment:%Y-%m-%d}/{saved}" if recorded else None,
        "content_type": "audio/webm" if recorded else None,
        "size_bytes": rng.randrange(10**5, 10**7) if recorded else None,
        "sha256": f"{rng.getrandbits(256):064x}" if recorded else None,
        "duration_seconds": rng.uniform(10, 900) if recorded else None,
        "uploaded_at": moment,
        "created_at": moment,
        "updated_at": moment,
        "deleted_at": moment if rng.random() < 0.02 else None,
        "synced_to_notion": False,
    }


def _text(rng: random.Random, length: int) -> str:
    start = rng.randrange(len(_DREAM))
    return f"{_DREAM[start:]} {_DREAM * (length // len(_DREAM) + 1)}"[:length]


def _uuid(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)
