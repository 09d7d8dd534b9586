"""What people wish for holds: cancelled is cancelled, twice is once, and old results do not stand in for new ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from dreamweb import db, entries, jobs, motifs, versions
from dreamweb.analysis import FoundMotif
from dreamweb.config import load
from dreamweb.db import session, transaction
from dreamweb.details import Changes, Details
from dreamweb.errors import BadSetting, Transient
from dreamweb.models.entry import Entry
from dreamweb.models.job import Job, Lane
from dreamweb.processing import control
from dreamweb.words import say
from tests.conftest import Person

pytestmark = pytest.mark.usefixtures("inside")


@pytest.fixture
def entry(ana: Person) -> Entry:
    with transaction():
        return entries.create(ana.account, Details(text="I was flying over the sea."))


def job_of(entry: Entry, step: str = "analyse") -> Job:
    db.end_reading()
    query = select(Job).where(Job.entry_id == entry.id, Job.step == step).order_by(Job.created_at.desc(), Job.id)
    job = session().scalar(query.limit(1).execution_options(populate_existing=True))
    assert job
    return job


def begun() -> jobs.Claim:
    claimed = jobs.claim("w")
    assert claimed
    return claimed


def close(claimed: jobs.Claim, state: str) -> None:
    with transaction():
        jobs.close(jobs.hold(claimed), state)


def locked(entry: Entry) -> Entry:
    found = session().get(Entry, entry.id, with_for_update=True, populate_existing=True)
    assert found
    return found


def test_a_text_changed_after_its_analysis_was_cancelled_is_analysed(ana: Person, entry: Entry) -> None:
    claimed = begun()
    with transaction():
        control.cancel(ana.account, claimed.id)
    with transaction():
        entries.change(ana.account, entry.id, Changes(text="I was swimming."))
    close(claimed, "cancelled")
    assert job_of(entry).state == "waiting"


def test_what_was_cancelled_is_not_tried_again_after_a_failure(ana: Person, entry: Entry) -> None:
    claimed = begun()
    with transaction():
        control.cancel(ana.account, claimed.id)
    with transaction():
        assert jobs.retry_later(jobs.hold(claimed), Transient(say("There is no answer.")))
    assert job_of(entry).state == "cancelled"


def test_what_waits_after_a_cancelled_step_is_done(ana: Person, entry: Entry) -> None:
    with transaction():
        control.cancel(ana.account, job_of(entry).id)
    assert job_of(entry, "index").state == "waiting"


def test_a_step_asked_for_twice_is_done_once(ana: Person, entry: Entry) -> None:
    first = begun()
    close(first, "failed")
    with transaction():
        control.retry(ana.account, first.id)
    running = begun()
    with transaction():
        control.retry(ana.account, first.id)
    close(running, "done")
    assert job_of(entry).state == "done"


def test_a_server_that_says_one_second_does_not_use_up_all_tries(entry: Entry) -> None:
    for _ in range(4):
        with transaction():
            jobs.retry_later(jobs.hold(begun()), Transient(say("Too many."), retry_after=1))
        with transaction():
            session().execute(update(Job).values(run_at=db.now()))
            session().execute(update(Lane).values(paused_until=db.now()))
    with transaction():
        jobs.retry_later(jobs.hold(begun()), Transient(say("Too many."), retry_after=1))
    assert job_of(entry).run_at > db.now() + timedelta(minutes=30)


def test_a_person_need_not_wait_for_a_lane_that_rests(ana: Person, entry: Entry) -> None:
    with transaction():
        jobs.retry_later(jobs.hold(begun()), Transient(say("Too many."), retry_after=3000))
    assert jobs.claim("w") is None
    with transaction():
        control.retry(ana.account, job_of(entry).id)
    assert jobs.claim("w")


def test_what_was_tidied_before_does_not_stand_for_what_is_heard_now(entry: Entry) -> None:
    with transaction():
        current = locked(entry)
        versions.add(current, "transcription", "a cat", engine="e", language="en")
        versions.add(current, "cleaned_text", "A cat.", engine="e", language="en")
        versions.add(current, "transcription", "a whale", engine="e", language="en")
    assert (current.transcription, current.cleaned_text) == ("a whale", None)
    assert [version.text for version in versions.of(current) if version.in_use] == ["a whale"]
    assert len(versions.of(current)) == 3


def test_old_entries_are_caught_up_with_once(ana: Person, entry: Entry) -> None:
    close(begun(), "done")
    with transaction():
        entries.create(ana.account, Details(recall="none"))
    assert control.count_without_text(ana.account) == 1
    with transaction():
        assert control.catch_up(ana.account) == 1
        assert control.catch_up() == 0
    assert job_of(entry).priority == jobs.BACKLOG
    with transaction():
        locked(entry).lemmas = " i fly "
    close(begun(), "done")
    assert control.count_without_text(ana.account) == 0


def test_a_renamed_motif_gives_the_entry_another_etag(ana: Person, entry: Entry) -> None:
    with transaction():
        motifs.found(locked(entry), [FoundMotif("symbol", "sea", "sea", ("sea",))], "e")
    before = entries.get(ana.account, entry.id)
    etag, motif = entries.etag_of(before), before.motifs[0].motif_id
    with transaction():
        motifs.rename(ana.account, motif, "the great sea")
    session().expire_all()
    assert entries.etag_of(entries.get(ana.account, entry.id)) != etag


@pytest.mark.parametrize(
    "address", ["http://localhost:9000/v1 and more", "http://x:99999/v1", "http://x:y", "http://[::1", "http://?", "x"]
)
def test_an_address_of_an_engine_that_is_none_ends_the_start(settings: dict[str, Any], address: str) -> None:
    with pytest.raises(BadSetting, match="SPEECH_URL"):
        load(**settings | {"speech_engine": "server", "speech_url": address})
