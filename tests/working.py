"""Does, in the test's own process, what a worker does in one of its own."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import delete, select, update

from dreamweb import db
from dreamweb.adapters.embedding import Embedder
from dreamweb.adapters.language import Language
from dreamweb.adapters.speech import Speech
from dreamweb.db import session, transaction
from dreamweb.models.job import Job, Lane
from dreamweb.pipeline.work import Hands
from dreamweb.tools import Tools
from dreamweb.worker import Worker


@dataclass
class Working:
    """A worker that works when it is told to, and does not wait."""

    app: Flask
    worker: Worker

    def all(self) -> int:
        """Do everything there is to do now; answers how many steps that were."""
        steps = 0
        with self.app.app_context():
            while self.worker.step():
                steps += 1
        return steps

    def hurry(self) -> int:
        """The same, without the pauses before what waits for a while."""
        steps = 0
        with self.app.app_context():
            while True:
                with transaction():
                    session().execute(update(Job).where(Job.state == "waiting").values(run_at=db.now()))
                    session().execute(delete(Lane))
                if not self.worker.step():
                    return steps
                steps += 1

    def jobs(self) -> dict[str, Job]:
        """The newest job of each step."""
        with self.app.app_context():
            query = select(Job).order_by(Job.created_at, Job.id).execution_options(populate_existing=True)
            return {job.step: job for job in session().scalars(query)}


_language = Language()
"""The one child of this process that reads texts: it keeps nothing between two questions, and starts slowly."""
atexit.register(_language.end)

_embedder = Embedder()
"""The one that compares meanings, likewise."""
atexit.register(_embedder.end)


@contextmanager
def working(app: Flask, tools: Tools, name: str = "test") -> Iterator[Working]:
    hands = Hands(tools, Speech(tools.engines.speech), _language, _embedder)
    try:
        yield Working(app, Worker(app, hands, name))
    finally:
        hands.speech.end()
