"""What is to be done is done once, in its order, by whoever holds it, and not by whoever has lost it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from dreamweb import db, entries, jobs
from dreamweb.db import session, transaction
from dreamweb.details import Changes, Details
from dreamweb.errors import Conflict, Invalid, NotFound, Transient
from dreamweb.jobs import LostError
from dreamweb.models.entry import Entry
from dreamweb.models.job import Job, Lane
from dreamweb.processing import control, forecast
from dreamweb.words import load, say
from tests.conftest import Person

pytestmark = pytest.mark.usefixtures("inside")


def all_jobs() -> dict[str, Job]:
    db.end_reading()
    return {job.step: job for job in session().scalars(select(Job).execution_options(populate_existing=True))}


def the_job() -> Job:
    (job,) = all_jobs().values()
    return job


def begun(step: str) -> jobs.Claim:
    claimed = jobs.claim("w")
    assert claimed
    assert claimed.step == step
    return claimed


def finish(claimed: jobs.Claim, state: str = "done") -> None:
    with transaction():
        jobs.close(jobs.hold(claimed), state)


def lapse(**values: Any) -> None:
    """As if time had gone by."""
    with transaction():
        session().execute(update(Job).values(values))


def test_an_entry_and_its_first_job_appear_together_or_not_at_all(ana: Person) -> None:
    with suppress(ZeroDivisionError), transaction():
        entries.create(ana.account, Details(text="It was gone."))
        raise ZeroDivisionError
    assert not all_jobs()
    with transaction():
        entries.create(ana.account, Details(text="It stayed."))
    assert list(all_jobs()) == ["analyse"]


def test_a_night_without_recall_gives_nothing_to_do(ana: Person) -> None:
    with transaction():
        entries.create(ana.account, Details(recall="none"))
    assert jobs.claim("w") is None


def test_a_job_is_claimed_once(write: Callable[..., Entry]) -> None:
    entry = write()
    claimed = jobs.claim("w1")
    assert claimed
    assert (claimed.entry_id, claimed.step, claimed.attempts) == (entry.id, "analyse", 1)
    assert jobs.claim("w2") is None


def test_many_workers_at_once_get_each_job_once(app: Flask, write: Callable[..., Entry]) -> None:
    for number in range(24):
        write(f"dream {number}")
    got: list[UUID] = []

    def work(name: str) -> None:
        with app.app_context():
            while claimed := jobs.claim(name):
                got.append(claimed.id)
                finish(claimed)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(got) == len(set(got)) == 24


def test_what_somebody_waits_for_comes_before_the_backlog(write: Callable[..., Entry]) -> None:
    old, new = write("an old one"), write("a new one")
    lapse(priority=jobs.BACKLOG)
    with transaction():
        jobs.enqueue(entries_lock(new), "analyse")
    first, second = jobs.claim("w"), jobs.claim("w")
    assert first
    assert second
    assert (first.entry_id, second.entry_id) == (new.id, old.id)


def entries_lock(entry: Entry) -> Entry:
    found = session().get(Entry, entry.id, with_for_update=True, populate_existing=True)
    assert found
    return found


def test_a_worker_frozen_past_its_lease_may_not_finish_what_another_has_taken(write: Callable[..., Entry]) -> None:
    write()
    frozen = jobs.claim("frozen")
    assert frozen
    lapse(lease_until=db.now() - timedelta(seconds=1))
    other = jobs.claim("other")
    assert other
    assert other.id == frozen.id
    assert other.fence > frozen.fence
    assert other.crashes == 1
    for late in (lambda: finish(frozen), lambda: jobs.beat(frozen, 0.5), lambda: jobs.look(frozen)):
        with pytest.raises(LostError):
            late()
    finish(other)
    assert the_job().state == "done"


def test_a_worker_that_says_it_lives_keeps_its_job(write: Callable[..., Entry]) -> None:
    write()
    claimed = jobs.claim("w")
    assert claimed
    lapse(lease_until=db.now() - timedelta(seconds=1))
    jobs.beat(claimed, 0.4)
    assert jobs.claim("other") is None
    assert the_job().progress == 0.4


def test_what_a_dead_worker_did_is_free_at_once_when_its_successor_starts(write: Callable[..., Entry]) -> None:
    write()
    assert jobs.claim("pi/0")
    assert jobs.free("pi/1") == 0
    assert jobs.free("pi/0") == 1
    again = jobs.claim("pi/0")
    assert again
    assert again.crashes == 1


def test_a_failure_that_may_pass_is_tried_again_later_and_later(write: Callable[..., Entry]) -> None:
    write()
    pauses = []
    for _ in range(jobs.MAX_ATTEMPTS):
        claimed = jobs.claim("w")
        assert claimed
        with transaction():
            job = jobs.hold(claimed)
            tried_again = jobs.retry_later(job, Transient(say("There is no answer.")))
            if not tried_again:
                jobs.close(job, "failed", reason=say("There is no answer."))
        if tried_again:
            assert jobs.claim("w") is None  # not before its time
            pauses.append(round((the_job().run_at - db.now()).total_seconds()))
            lapse(run_at=db.now() - timedelta(seconds=1))
    assert pauses == sorted(pauses)
    assert pauses[0] < 15
    assert pauses[-1] > 3000
    assert (the_job().state, load(the_job().reason or {})) == ("failed", "There is no answer.")


def test_a_lane_that_was_asked_to_wait_waits_with_all_its_jobs(write: Callable[..., Entry]) -> None:
    write("one"), write("two")
    claimed = jobs.claim("w")
    assert claimed
    with transaction():
        assert jobs.retry_later(jobs.hold(claimed), Transient(say("Too many."), retry_after=120))
    assert jobs.claim("w") is None
    with transaction():
        session().execute(update(Lane).values(paused_until=db.now()))
    other = jobs.claim("w")
    assert other
    assert other.id != claimed.id


def test_calls_of_one_engine_keep_their_distance(write: Callable[..., Entry]) -> None:
    write("one"), write("two")
    assert jobs.claim("w", pause=timedelta(minutes=1))
    assert jobs.claim("w", pause=timedelta(minutes=1)) is None
    with transaction():
        session().execute(update(Job).where(Job.state == "waiting").values(step="index", lane="index"))
    assert jobs.claim("w", pause=timedelta(minutes=1))  # which needs no engine


def test_many_workers_at_once_ask_one_engine_no_more_often_than_it_likes(
    app: Flask, write: Callable[..., Entry]
) -> None:
    for number in range(20):
        write(f"dream {number}")
    got: list[jobs.Claim] = []
    at_once = threading.Barrier(4)

    def work(name: str) -> None:
        with app.app_context():
            at_once.wait(30)
            if claimed := jobs.claim(name, pause=timedelta(minutes=1)):
                got.append(claimed)

    for _ in range(5):
        with transaction():
            jobs.wake("language")
        threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(got) == 5


def test_a_pause_is_never_made_shorter(write: Callable[..., Entry]) -> None:
    write("one"), write("two")
    first, second = begun("analyse"), begun("analyse")
    for claimed, seconds in ((first, 300), (second, 60)):
        with transaction():
            jobs.retry_later(jobs.hold(claimed), Transient(say("Too many."), retry_after=seconds))
    until = session().scalars(select(Lane.paused_until)).one()
    assert until > db.now() + timedelta(seconds=200)


def test_an_entry_that_is_changed_while_it_is_analysed_is_analysed_once_more(
    ana: Person, write: Callable[..., Entry]
) -> None:
    entry = write()
    claimed = jobs.claim("w")
    assert claimed
    with transaction():
        entries.change(ana.account, entry.id, Changes(text="I was swimming."))
    finish(claimed)
    assert the_job().state == "waiting"


def test_a_job_that_waits_is_cancelled_at_once_and_can_be_had_again(ana: Person, write: Callable[..., Entry]) -> None:
    write()
    with transaction():
        control.cancel(ana.account, the_job().id)
    cancelled = all_jobs()["analyse"]
    assert cancelled.state == "cancelled"
    finish(begun("index"))  # which follows it, is done all the same
    assert jobs.claim("w") is None
    with pytest.raises(Conflict), transaction():
        control.cancel(ana.account, cancelled.id)
    with transaction():
        control.retry(ana.account, cancelled.id)
    begun("analyse")


def test_a_job_that_runs_learns_that_it_is_cancelled(ana: Person, write: Callable[..., Entry]) -> None:
    write()
    claimed = jobs.claim("w")
    assert claimed
    assert not jobs.look(claimed)
    with transaction():
        control.cancel(ana.account, claimed.id)
    assert jobs.look(claimed)
    with pytest.raises(Conflict), transaction():
        control.retry(ana.account, claimed.id)


def test_nobody_touches_the_jobs_of_others(bor: Person, write: Callable[..., Entry]) -> None:
    entry = write()
    for act in (control.cancel, control.retry):
        with pytest.raises(NotFound), transaction():
            act(bor.account, the_job().id)
    with pytest.raises(NotFound), transaction():
        control.again(bor.account, entry.id)
    assert not forecast.expected(bor.account)


def test_a_written_entry_has_no_recording_to_be_transcribed(ana: Person, write: Callable[..., Entry]) -> None:
    entry = write()
    with pytest.raises(Invalid), transaction():
        control.again(ana.account, entry.id, ["transcribe"])


def test_a_job_goes_with_its_entry(ana: Person, write: Callable[..., Entry]) -> None:
    entry = write()
    claimed = jobs.claim("w")
    assert claimed
    with transaction():
        entries.trash(ana.account, entry.id)
        entries.delete(ana.account, entry.id)
    with pytest.raises(LostError):
        finish(claimed)


def test_finished_jobs_are_forgotten_after_a_month(write: Callable[..., Entry]) -> None:
    write("old"), write("new")
    old, new = jobs.claim("w"), jobs.claim("w")
    assert old
    assert new
    finish(old)
    finish(new)
    with transaction():
        long_ago = db.now() - jobs.KEEP - timedelta(hours=1)
        session().execute(update(Job).where(Job.id == old.id).values(finished_at=long_ago))
    with transaction():
        assert jobs.forget_old() == 1
    assert the_job().id == new.id


def test_what_is_scheduled_comes_again_and_stands_there_once() -> None:
    for _ in range(2):
        jobs.schedule("forget", timedelta(days=1))
    claimed = jobs.claim("w")
    assert claimed
    assert claimed.entry_id is None
    finish(claimed)
    waits = the_job()
    assert waits.state == "waiting"
    assert waits.run_at > db.now() + timedelta(hours=23)


def test_the_time_a_step_needs_is_learned_from_earlier_ones(ana: Person, write: Callable[..., Entry]) -> None:
    for _ in range(3):
        write("x" * 100)
        claimed = jobs.claim("w")
        assert claimed
        with transaction():
            job = jobs.hold(claimed)
            job.amount, job.started_at = 100, db.now() - timedelta(seconds=20)
            jobs.close(job, "done")
    write("y" * 50), write("z" * 50)
    first, second = forecast.expected(ana.account)
    assert (first.ahead, second.ahead) == (0, 1)
    assert first.seconds == pytest.approx(10, rel=0.2)
    assert second.seconds == pytest.approx(20, rel=0.2)
