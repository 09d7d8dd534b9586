"""What people are told of the work: what waits, what has failed, whether anybody works, and how an engine is tried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from dreamweb import jobs
from dreamweb.adapters.children import Watch
from dreamweb.adapters.embedding import Embedder
from dreamweb.adapters.language import Language
from dreamweb.adapters.speech import Speech
from dreamweb.db import end_reading, now, session, transaction
from dreamweb.errors import Invalid, Skipped, Transient
from dreamweb.models.entry import Entry
from dreamweb.models.job import Job, Lane
from dreamweb.pipeline import trial
from dreamweb.pipeline.work import Hands
from dreamweb.processing import control, overview, trying
from dreamweb.tools import Tools
from dreamweb.words import say
from tests.conftest import Person

pytestmark = pytest.mark.usefixtures("inside")

LONG_AGO = timedelta(minutes=5)


def change(**values: Any) -> None:
    with transaction():
        session().execute(update(Job).values(values))


def test_nobody_works_when_what_is_due_is_not_begun(write: Callable[..., Entry]) -> None:
    assert not jobs.stalled()
    write()
    assert not jobs.stalled()
    change(run_at=now() - LONG_AGO)
    assert jobs.stalled()
    end_reading()
    assert jobs.claim("w")
    assert not jobs.stalled()


def test_somebody_works_while_one_long_step_is_done(write: Callable[..., Entry]) -> None:
    write("one")
    change(run_at=now() - LONG_AGO)
    assert jobs.claim("w")
    change(started_at=now() - timedelta(hours=1))
    write("two")
    with transaction():
        session().execute(update(Job).where(Job.state == "waiting").values(run_at=now() - LONG_AGO))
    assert not jobs.stalled()
    change(lease_until=now() - LONG_AGO)
    assert jobs.stalled()


def test_an_engine_that_has_to_rest_is_not_taken_for_a_worker_that_is_gone(write: Callable[..., Entry]) -> None:
    write()
    change(run_at=now() - LONG_AGO)
    with transaction():
        session().add(Lane(name="language", paused_until=now() + LONG_AGO))
    assert not jobs.stalled()


def test_what_was_done_anew_has_not_failed(ana: Person, bor: Person, write: Callable[..., Entry]) -> None:
    entry = write()
    change(state="failed", finished_at=now())
    (failed,) = jobs.failed(ana.account)
    assert jobs.failed(bor.account) == []
    assert [item.entry.id for item in overview.of(ana.account).failed] == [entry.id]
    with transaction():
        control.retry(ana.account, failed.id)
    assert jobs.failed(ana.account) == jobs.failed() == []
    assert [item.job.step for item in overview.of(ana.account).waiting] == ["analyse"]


def test_an_overview_names_some_and_counts_the_others(ana: Person, write: Callable[..., Entry]) -> None:
    for number in range(5):
        write(f"dream {number}", title=f"Dream {number}")
    found = overview.of(ana.account, limit=2)
    assert [item.entry.title for item in found.waiting] == ["Dream 0", "Dream 1"]
    assert (found.more, found.moving, found.running) == (3, True, [])


def test_a_trial_is_one_at_a_time_and_failed_at_once(ana: Person, bor: Person) -> None:
    with transaction():
        first = trying.begin(ana.account, "speech", "sl")
        assert trying.begin(ana.account, "speech", "en") is first
        other = trying.begin(ana.account, "language", "en")
        foreign = trying.begin(bor.account, "speech", "en")
    assert len({first.id, other.id, foreign.id}) == 3
    claimed = jobs.claim("w")
    assert claimed
    assert claimed.id == first.id
    with transaction():
        assert not jobs.retry_later(jobs.hold(claimed), Transient(say("The speech server took too long to answer.")))
        jobs.close(jobs.hold(claimed), "failed")
    with transaction():
        assert trying.begin(ana.account, "speech", "sl").id != first.id
    with pytest.raises(Invalid):
        trying.begin(ana.account, "speech", "de")


class TestNothingIsSentOutside:
    @pytest.fixture
    def settings(self, settings: dict[str, Any]) -> dict[str, Any]:
        outside = {"speech_engine": "server", "speech_url": "http://speech.invalid/v1", "outside_calls": False}
        return settings | outside

    def test_not_even_a_sample(self, tools: Tools) -> None:
        hands = Hands(tools, Speech(tools.engines.speech), Language(), Embedder())
        watch = Watch(lambda _share: None, lambda: None)
        with pytest.raises(Skipped, match="nothing is sent outside"):
            trial.run(hands, {"what": "speech", "language": "sl"}, watch)
