"""What is done to motifs and dream signs loses no dream: naming, merging and taking away, also while a worker works."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, event, func, select

from dreamweb import db, entries, jobs, motifs
from dreamweb.analysis import FoundMotif
from dreamweb.db import session, transaction
from dreamweb.details import Details
from dreamweb.models.entry import Entry
from dreamweb.models.job import Job
from dreamweb.models.motif import EntryMotif, Motif
from dreamweb.pipeline import signs
from dreamweb.processing import control
from tests.conftest import Person
from tests.working import Working

pytestmark = pytest.mark.usefixtures("inside")

HOUSE = FoundMotif("place", "house", "house", ("house",))


@pytest.fixture
def write(ana: Person) -> Callable[[str], UUID]:
    def make(text: str) -> UUID:
        with transaction():
            return entries.create(ana.account, Details(text=text)).id

    return make


def name_sign(ana: Person, kind: str, name: str, lemma: str = "") -> UUID:
    """As the page does it: a worker looks for it later."""
    with transaction():
        sign = motifs.add_sign(ana.account, kind, name, lemma)
        jobs.enqueue(None, "sign", account_id=ana.account.id, request={"motif_id": str(sign.id)})
        return sign.id


def engine_finds(ana: Person, entry: UUID, *found: FoundMotif) -> None:
    with transaction():
        motifs.found(entries.get(ana.account, entry, lock=True), found, "engine")


def sign_is_found(ana: Person, entry: UUID, sign: UUID, word: str) -> None:
    with transaction():
        motifs.find_signs(entries.get(ana.account, entry, lock=True), {sign: [(word,)]}, [word], [word])


def index_again(ana: Person, entry: UUID, work: Working) -> None:
    with transaction():
        control.again(ana.account, entry, ["index"])
    work.all()


def only_signs() -> None:
    """Nothing waits but the looking for signs: what engines would find is not asked about."""
    with transaction():
        session().execute(delete(Job).where(Job.step != "sign"))


def motif(motif_id: UUID) -> Motif:
    db.end_reading()
    return session().get_one(Motif, motif_id, populate_existing=True)


def id_of(lemma: str) -> UUID:
    return session().scalars(select(Motif.id).where(Motif.lemma == lemma)).one()


def links(entry: UUID) -> dict[str, tuple[list[str], str | None]]:
    """The words of an entry's motifs and who has found them, by the shown name."""
    db.end_reading()
    query = select(EntryMotif).where(EntryMotif.entry_id == entry).execution_options(populate_existing=True)
    return {link.motif.name: (link.words, link.engine) for link in session().scalars(query)}


def test_a_sign_that_counts_for_its_own_lemma_is_not_merged_with_itself(
    ana: Person, write: Callable[[str], UUID], work: Working
) -> None:
    entry = write("sanjala sem hišo, v njej so bile hiše")
    engine_finds(ana, entry, FoundMotif("place", "hiša", "hiša", ("hišo",)))
    sign = name_sign(ana, "place", "hiše")
    with transaction():
        motifs.merge(ana.account, id_of("hiša"), sign)
    only_signs()
    work.all()
    assert (motif(sign).merged_into_id, motif(sign).sign) == (None, True)
    assert links(entry) == {"hiše": (["hišo"], "engine")}


def test_a_sign_becomes_one_with_what_an_engine_found_before(
    ana: Person, write: Callable[[str], UUID], work: Working
) -> None:
    entry = write("v starem mestu so bile hiše brez oken")
    engine_finds(ana, entry, FoundMotif("place", "hiša", "hiša", ("hiše",)))
    sign = name_sign(ana, "place", "hiše")
    only_signs()
    work.all()
    assert motif(sign).merged_into_id == id_of("hiša")
    assert motif(id_of("hiša")).sign
    assert links(entry) == {"hiša": (["hiše"], "engine")}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("zorblax", "The zorblax came at night.", "zorblax"),
        ("stara hiša", "Spala sem v stari hiši ob reki.", "stari hiši"),
        ("zorblax", "Ponoči je prišel zorblax in molčal.", "zorblax"),
    ],
)
def test_a_renamed_sign_is_found_by_what_it_was_named_first(
    ana: Person, write: Callable[[str], UUID], work: Working, name: str, text: str, words: str
) -> None:
    entry = write(text)
    sign = name_sign(ana, "symbol", name)
    work.all()
    with transaction():
        motifs.rename(ana.account, sign, "My old friend")
    index_again(ana, entry, work)
    assert links(entry)["My old friend"][0] == [words]


def test_a_sign_is_found_by_the_words_of_all_that_were_merged_with_it(
    ana: Person, write: Callable[[str], UUID], work: Working
) -> None:
    entry, other = write("The zorblax came at night."), write("The murgle came at night.")
    zorblax, spirits = name_sign(ana, "symbol", "zorblax"), name_sign(ana, "symbol", "spirits")
    murgle = name_sign(ana, "symbol", "murgle")
    work.all()
    with transaction():
        motifs.merge(ana.account, zorblax, murgle)
        motifs.merge(ana.account, murgle, spirits)
    for each in (entry, other):
        index_again(ana, each, work)
    assert links(entry)["spirits"] == (["zorblax"], None)
    assert links(other)["spirits"] == (["murgle"], None)


@pytest.mark.parametrize("first", ["sign", "engine"])
def test_what_an_engine_has_found_stays_when_a_sign_is_taken_away(
    ana: Person, write: Callable[[str], UUID], first: str
) -> None:
    both, own = write("There was a house."), write("Another house.")
    sign = name_sign(ana, "place", "house", "house")
    if first == "engine":
        engine_finds(ana, both, HOUSE)
    for entry in (both, own):
        sign_is_found(ana, entry, sign, "house")
    if first == "sign":
        engine_finds(ana, both, HOUSE)
    with transaction():
        motifs.remove_sign(ana.account, sign)
    assert (links(both), links(own)) == ({"house": (["house"], "engine")}, {})


def test_of_two_that_are_merged_what_an_engine_has_found_stays(ana: Person, write: Callable[[str], UUID]) -> None:
    entry = write("A house by the sea.")
    sign = name_sign(ana, "place", "sea", "sea")
    sign_is_found(ana, entry, sign, "sea")
    engine_finds(ana, entry, HOUSE)
    with transaction():
        motifs.merge(ana.account, id_of("house"), sign)
    assert links(entry) == {"sea": (["house"], "engine")}


def test_a_sign_that_was_taken_away_meanwhile_is_linked_with_nothing(ana: Person, write: Callable[[str], UUID]) -> None:
    entry = write("There was a house.")
    sign = name_sign(ana, "place", "house")
    with transaction():
        motifs.remove_sign(ana.account, sign)
    sign_is_found(ana, entry, sign, "house")
    assert links(entry) == {}


def test_a_sign_that_was_merged_meanwhile_counts_for_the_other(ana: Person, write: Callable[[str], UUID]) -> None:
    entry = write("There was a house.")
    sign, other = name_sign(ana, "place", "house"), name_sign(ana, "place", "home")
    with transaction():
        motifs.merge(ana.account, sign, other)
    sign_is_found(ana, entry, sign, "house")
    assert links(entry) == {"home": (["house"], None)}


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "new"])
@pytest.mark.parametrize(("what", "left"), [("merge", {"sea"}), ("remove", {"house"})])
def test_who_merges_or_takes_away_waits_for_who_has_begun_to_link(
    app: Flask,
    ana: Person,
    write: Callable[[str], UUID],
    monkeypatch: pytest.MonkeyPatch,
    linked: bool,
    what: str,
    left: set[str],
) -> None:
    entry, other = write("A house by the sea."), write("Another house by another sea.")
    engine_finds(ana, entry if linked else other, HOUSE)
    house, sea = id_of("house"), name_sign(ana, "place", "sea", "sea")
    if linked:
        sign_is_found(ana, entry, sea, "sea")
    begun, link = threading.Event(), motifs._link

    def link_slowly(*found: Any) -> None:
        begun.set()
        time.sleep(0.5)
        link(*found)

    def find() -> None:
        with app.app_context(), transaction():
            locked = entries.get(ana.account, entry, lock=True)
            motifs.found(locked, [HOUSE], "engine")
            motifs.find_signs(locked, {sea: [("sea",)]}, ["sea"], ["sea"])

    def meddle() -> None:
        begun.wait(5)
        with app.app_context(), transaction():
            if what == "merge":
                motifs.merge(ana.account, house, sea)
            else:
                motifs.remove_sign(ana.account, sea)

    db.end_reading()
    monkeypatch.setattr(motifs, "_link", link_slowly)
    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(find), threads.submit(meddle)]:
            each.result()
    assert set(links(entry)) == left


def test_entries_with_a_sign_are_enqueued_a_few_at_a_time(
    ana: Person, write: Callable[[str], UUID], work: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [write(f"The zorblax came {number} times.") for number in range(5)]
    write("Nobody came.")
    work.all()
    monkeypatch.setattr(signs, "_SOME", 2)
    name_sign(ana, "symbol", "zorblax")
    loaded: list[set[str]] = []

    def note(entry: Entry, _context: object) -> None:
        loaded.append(set(entry.__dict__))

    db.end_reading()
    session().expunge_all()
    event.listen(Entry, "load", note)
    try:
        assert work.worker.step()
    finally:
        event.remove(Entry, "load", note)
    waiting = select(Job.entry_id).where(Job.step == "index", Job.state == "waiting")
    assert set(session().scalars(waiting)) == set(written)
    assert len(loaded) == len(written)
    assert all("text" not in names for names in loaded)
    work.all()
    assert all(links(entry)["zorblax"][0] == ["zorblax"] for entry in written)
    assert session().scalar(select(func.count()).select_from(EntryMotif).where(EntryMotif.engine.is_(None))) == 5
