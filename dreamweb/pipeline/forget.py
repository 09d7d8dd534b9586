"""Deletes finished jobs that nobody will ask for any more, once a day."""

from __future__ import annotations

from typing import Any

from dreamweb import jobs
from dreamweb.adapters.children import Watch
from dreamweb.db import transaction
from dreamweb.pipeline.work import Done, Hands, nothing


def run(_hands: Hands, _request: dict[str, Any], _watch: Watch) -> Done:
    with transaction():
        jobs.forget_old()
    return Done(nothing)
