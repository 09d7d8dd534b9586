"""Writes what workers would have left behind: jobs in every state, and motifs of entries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import delete, select

from dreamweb import db
from dreamweb.db import now, transaction
from dreamweb.models import Account, Entry
from dreamweb.models.job import OPEN, Job
from dreamweb.models.motif import EntryMotif, Motif
from dreamweb.words import dump, say

NO_SERVER = say("The speech server %(server)s cannot be reached. Is it running?", server="127.0.0.1:9")


def put_job(app: Flask, account: Account, entry_id: str | None, step: str, state: str, **more: Any) -> str:
    """A job that takes the place of an open one of the same step; answers its id."""
    ended = now() if state not in OPEN else None
    begun = now() - timedelta(seconds=40) if state != "waiting" else None
    values: dict[str, Any] = {"lane": step, "started_at": begun, "finished_at": ended}
    if state == "running":
        values |= {"worker": "here/0", "lease_until": now() + timedelta(seconds=60), "attempts": 1}
    if isinstance(more.get("reason"), str):
        more["reason"] = dump(more["reason"])
    entry = UUID(entry_id) if entry_id else None
    with app.app_context(), transaction() as session:
        if entry:
            session.execute(delete(Job).where(Job.entry_id == entry, Job.step == step, Job.state.in_(OPEN)))
        job = Job(account_id=account.id, entry_id=entry, step=step, state=state, **values | more)
        session.add(job)
        session.flush()
        return str(job.id)


def no_jobs(app: Flask) -> None:
    """As if everything had been done, and forgotten."""
    with app.app_context(), transaction() as session:
        session.execute(delete(Job))


def jobs_of(app: Flask, step: str) -> list[Job]:
    with app.app_context():
        return list(db.session().scalars(select(Job).where(Job.step == step).order_by(Job.created_at)))


def put_motifs(app: Flask, account: Account, found: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """Motifs by type and name, each in so many of the account's entries; answers their ids by name."""
    ids = {}
    with app.app_context(), transaction() as session:
        entries = list(session.scalars(select(Entry.id).where(Entry.account_id == account.id)))
        for (kind, name), count in found.items():
            motif = Motif(account_id=account.id, type=kind, lemma=name.casefold(), name=name)
            session.add(motif)
            session.flush()
            ids[name] = str(motif.id)
            links = [EntryMotif(entry_id=entry, motif_id=motif.id, words=[name], engine="local") for entry in entries]
            session.add_all(links[:count])
    return ids


def motif_named(app: Flask, name: str) -> Motif:
    with app.app_context():
        return db.session().scalars(select(Motif).where(Motif.name == name)).one()
