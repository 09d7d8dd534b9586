"""Deletes finished jobs that nobody will ask for any more, once a day, and looks whether meanings are to be read."""

from __future__ import annotations

from typing import Any

from dreamweb import jobs
from dreamweb.adapters.children import Watch
from dreamweb.db import transaction
from dreamweb.pipeline.work import Done, Hands, nothing


def run(hands: Hands, _request: dict[str, Any], _watch: Watch) -> Done:
    with transaction():
        jobs.forget_old()
        if hands.tools.engines.may_embed(private=False):
            jobs.nudge("embed")  # a recording that was cut off may be read a day later
    return Done(nothing)
