"""The search index says what the entries say, whatever was done to them, and nobody waits or fails because of it."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import hypothesis
import pytest
from flask import Flask
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from dreamweb import entries, motifs, versions
from dreamweb.analysis import MOTIF_TYPES, FoundMotif
from dreamweb.db import end_reading, session, transaction
from dreamweb.details import MAX_TAGS, MAX_TEXT, Changes, Details
from dreamweb.errors import Conflict, DreamWebError, Invalid
from dreamweb.models import Account, Attachment, Entry
from dreamweb.models.entry import Tag
from dreamweb.models.motif import Motif
from tests.conftest import Person
from tests.indexed import check, check_quickly, content

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("inside")]

_WORDS = ("hiša", "Morje", "babica", "flying", "TEETH", "o'clock", "čoln", "café", "naïve", "2024", "東京", "🌊", "x_y")
_ENGINE = "engine"


class Dreamer:
    """Does to one account's entries whatever it is told, by the functions that pages and steps call."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def do(self, name: str, number: int) -> None:
        randomly = random.Random(number)
        with transaction():
            try:
                getattr(self, name)(randomly)
            except (Conflict, Invalid):
                session().rollback()

    def _words(self, randomly: random.Random, most: int = 6) -> str:
        return " ".join(randomly.choices(_WORDS, k=randomly.randint(1, most)))

    def _one(self, randomly: random.Random, *, trashed: bool | None = False) -> Entry | None:
        query = select(Entry.id).where(Entry.account_id == self.account.id).order_by(Entry.created_at, Entry.id)
        if trashed is not None:
            query = query.where(Entry.deleted_at.is_not(None) if trashed else Entry.deleted_at.is_(None))
        ids = session().scalars(query).all()
        return entries.get(self.account, randomly.choice(ids), trashed=trashed, lock=True) if ids else None

    def _motif(self, randomly: random.Random) -> UUID | None:
        query = select(Motif.id).where(Motif.account_id == self.account.id).order_by(Motif.created_at, Motif.id)
        ids = session().scalars(query).all()
        return randomly.choice(ids) if ids else None

    # What somebody does

    def write(self, randomly: random.Random) -> None:
        tags = randomly.sample(_WORDS, randomly.randint(0, 4))
        title = self._words(randomly) if randomly.random() < 0.6 else None
        entries.create(self.account, Details(title=title, text=self._words(randomly), tags=tags))

    def record(self, randomly: random.Random) -> None:
        name = f"{uuid4()}.wav"
        recording = entries.Recording(
            uuid4(), f"{self._words(randomly, 2)}.wav", name, name, datetime.now(UTC), "audio/wav", 44, "0" * 64, 1.0
        )
        entries.create(self.account, Details(tags=randomly.sample(_WORDS, 1)), recording)

    def change(self, randomly: random.Random) -> None:
        if entry := self._one(randomly):
            some: dict[str, Any] = {
                "title": randomly.choice([None, self._words(randomly)]),
                "text": randomly.choice([None, self._words(randomly)]),
                "tags": randomly.sample(_WORDS, randomly.randint(0, 5)),
                "language": randomly.choice([None, "sl", "en"]),
            }
            named = randomly.sample(sorted(some), randomly.randint(1, 4))
            entries.change(self.account, entry.id, Changes(**{name: some[name] for name in named}))

    def trash(self, randomly: random.Random) -> None:
        if entry := self._one(randomly):
            entries.trash(self.account, entry.id)

    def restore(self, randomly: random.Random) -> None:
        if entry := self._one(randomly, trashed=True):
            entries.restore(self.account, entry.id)

    def purge(self, randomly: random.Random) -> None:
        if entry := self._one(randomly, trashed=randomly.choice([None, True])):
            entries.delete(self.account, entry.id)

    def attach(self, randomly: random.Random) -> None:
        if entry := self._one(randomly, trashed=None):
            name = secrets.token_hex(8)
            session().add(
                Attachment(
                    entry_id=entry.id, original_filename=f"{self._words(randomly, 2)}.jpg", saved_filename=name,
                    file_path=name, content_type="image/jpeg", size_bytes=1, sha256="0" * 64,
                )
            )  # fmt: skip

    def detach(self, randomly: random.Random) -> None:
        if (entry := self._one(randomly, trashed=None)) and entry.attachments:
            session().execute(delete(Attachment).where(Attachment.id == randomly.choice(entry.attachments).id))

    def rename_attachment(self, randomly: random.Random) -> None:
        if (entry := self._one(randomly, trashed=None)) and entry.attachments:
            entry.attachments[0].original_filename = self._words(randomly)

    def rename_tag(self, randomly: random.Random) -> None:
        name = f"{secrets.token_hex(4)} {self._words(randomly, 2)}"[:50]  # no other tag has it
        session().execute(update(Tag).where(Tag.account_id == self.account.id).where(
            Tag.id.in_(select(Tag.id).where(Tag.account_id == self.account.id).order_by(Tag.name).limit(1))
        ).values(name=name))  # fmt: skip

    def rename_motif(self, randomly: random.Random) -> None:
        if motif := self._motif(randomly):
            motifs.rename(self.account, motif, self._words(randomly))

    def hide_motif(self, randomly: random.Random) -> None:
        if motif := self._motif(randomly):
            motifs.hide(self.account, motif, randomly.choice([True, False]))

    def merge_motifs(self, randomly: random.Random) -> None:
        motif, into = self._motif(randomly), self._motif(randomly)
        if motif and into:
            motifs.merge(self.account, motif, into)

    def add_sign(self, randomly: random.Random) -> None:
        motifs.add_sign(self.account, randomly.choice(MOTIF_TYPES), self._words(randomly, 2), "")

    def remove_sign(self, randomly: random.Random) -> None:
        if motif := self._motif(randomly):
            motifs.remove_sign(self.account, motif)

    # What steps do

    def hear(self, randomly: random.Random) -> None:
        self._make(randomly, "transcription")

    def tidy(self, randomly: random.Random) -> None:
        self._make(randomly, "cleaned_text")

    def _make(self, randomly: random.Random, kind: str) -> None:
        if entry := self._one(randomly):
            heard = randomly.choice(["", self._words(randomly, 30)])
            versions.add(entry, kind, heard, engine=_ENGINE, language=None)

    def use_version(self, randomly: random.Random) -> None:
        if (entry := self._one(randomly)) and (made := [each for each in versions.of(entry) if each.kind != "text"]):
            versions.use(entry, randomly.choice(made).id)

    def analyse(self, randomly: random.Random) -> None:
        if entry := self._one(randomly):
            words = randomly.sample(_WORDS, randomly.randint(0, 4))
            found = [FoundMotif(randomly.choice(MOTIF_TYPES), word, word.lower(), (word,)) for word in words]
            motifs.found(entry, found, _ENGINE)
            entry.analysis = {"title": randomly.choice([None, self._words(randomly)]), "mood": "calm"}

    def index(self, randomly: random.Random) -> None:
        if entry := self._one(randomly):
            words = versions.all_text(entry).split()
            lemmas = [word.lower() for word in words]
            motifs.drop_unjustified(entry, versions.all_text(entry))
            signs = motifs.signs(self.account.id)
            wanted = {motif: {(name.casefold(),) for name in names} for motif, names in signs.items()}
            motifs.find_signs(entry, wanted, lemmas, words)
            entry.lemmas = f" {' '.join(lemmas)} "
            entry.title_lemmas = (versions.shown_title(entry) or "").lower()

    def set_lemma(self, randomly: random.Random) -> None:
        if motif := self._motif(randomly):
            motifs.set_lemma(motif, randomly.choice(_WORDS).lower())


ACTIONS = tuple(name for name in vars(Dreamer) if not name.startswith("_") and name != "do")

_BEFORE = ("write", "write", "record", "hear", "analyse", "analyse", "attach", "index")
"""With something there, there is more that can be done."""

_done = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 2**32)), min_size=25, max_size=60)


@pytest.fixture
def new_account(make_person: Callable[..., Person]) -> Callable[[], Account]:
    return lambda: make_person(f"p{secrets.token_hex(6)}", "member").account


def check_whatever_is_done(
    new_account: Callable[[], Account], say_how_many: Callable[[str, int], None], kind: str, examples: int
) -> None:
    counted = {"done": 0, "sequences": 0, "entries": 0}

    @hypothesis.settings(max_examples=examples, phases=[hypothesis.Phase.generate])
    @hypothesis.given(_done)
    def try_it(actions: Sequence[tuple[str, int]]) -> None:
        dreamer = Dreamer(new_account())
        for name, number in [*((name, actions[0][1] + at) for at, name in enumerate(_BEFORE)), *actions]:
            dreamer.do(name, number)
            check_quickly()  # each time: the next change of an entry would mend what this one has left
        counted["entries"] += check()
        counted["sequences"] += 1
        counted["done"] += len(actions)
        with transaction():
            session().execute(delete(Account).where(Account.id == dreamer.account.id))
        assert check() == 0, "the index has entries of an account that is gone"
        session().expunge_all()

    try_it()
    assert counted["entries"] > examples
    say_how_many(f"sequences of changes after which the index is as if made anew, {kind}", counted["sequences"])
    say_how_many(f"changes in them, {kind}", counted["done"])


def test_whatever_is_done_to_entries_the_index_is_as_if_it_were_made_anew(
    new_account: Callable[[], Account], say_how_many: Callable[[str, int], None], database_kind: str
) -> None:
    check_whatever_is_done(new_account, say_how_many, database_kind, 6)


@pytest.mark.fault
def test_whatever_is_done_to_entries_many_times_the_index_is_as_if_it_were_made_anew(
    new_account: Callable[[], Account], say_how_many: Callable[[str, int], None], database_kind: str
) -> None:
    check_whatever_is_done(new_account, say_how_many, database_kind, 60)


def test_saving_an_entry_reads_no_links_of_other_entries(database_kind: str) -> None:
    if database_kind == "postgresql":
        pytest.skip("what PostgreSQL plans depends on how much there is; it joins one row laterally")
    plan = session().execute(text("EXPLAIN QUERY PLAN SELECT * FROM search_source WHERE id = 1")).all()
    steps = [str(row[-1]) for row in plan]
    assert any(step.startswith("SEARCH entry_tags") for step in steps)
    assert any(step.startswith("SEARCH attachment ") for step in steps)
    assert not [step for step in steps if step.startswith("MATERIALIZE") or "SCAN entry_" in step], steps


# --- Much, and long ---


def unique_words(characters: int, first: int = 0) -> str:
    """So many characters of words that are all different."""
    words = "".join(f"{number:x}č " for number in range(first, first + characters // 4))
    assert len(words) >= characters
    return words[:characters]


def attached(entry: Entry, count: int) -> list[Attachment]:
    return [
        Attachment(
            entry_id=entry.id, original_filename=f"{number:04} {'č' * 246}.jpg", saved_filename=f"{entry.id}{number}",
            file_path="x", content_type="image/jpeg", size_bytes=1, sha256="0" * 64,
        )
        for number in range(count)
    ]  # fmt: skip


def test_an_entry_with_all_the_text_there_can_be_is_saved_and_found_by_its_beginning(
    ana: Person, app: Flask, say_how_many: Callable[[str, int], None], database_kind: str
) -> None:
    tags = [f"{number:02} {'ž' * 47}" for number in range(MAX_TAGS)]
    with transaction():
        entry = entries.create(ana.account, Details(title="š" * 200, text="short", tags=tags))
        session().add_all(attached(entry, 100))
    for part in ("text", "cleaned_text", "transcription", "lemmas"):
        with transaction():
            current = entries.get(ana.account, entry.id, lock=True)
            setattr(current, part, f"begin{part.partition('_')[0]} {unique_words(MAX_TEXT - 100, len(part) * 250_000)}")
    assert set(content()) == {entry.id}
    client = app.test_client()
    for word in (
        "begintext",
        "begincleaned",
        "begintranscription",
        "0049",
        '"05 žžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžžž"',
    ):
        found = client.get("/api/v1/search", query_string={"q": word}, headers=ana.headers)
        assert found.status_code == 200
        assert found.json
        assert [each["entry"]["id"] for each in found.json["items"]] == [str(entry.id)], word


@pytest.mark.parametrize(
    "long",
    [
        "č" * MAX_TEXT,
        "a" * MAX_TEXT,
        "ab" * 1023 + " " + "x" * 2047,
        "🌊" * MAX_TEXT,
        "1." * (MAX_TEXT // 2),
        "́" * 9999,
    ],
    ids=["one word", "one ASCII word", "limits of a lexeme", "waves", "a long number", "marks"],
)
def test_a_text_that_is_hardly_one_is_saved(ana: Person, long: str, database_kind: str) -> None:
    with transaction():
        entry = entries.create(ana.account, Details(text=f"before {long[: MAX_TEXT - 20]} after"))
    with transaction():
        entries.change(ana.account, entry.id, Changes(title="title"))
    assert check() == 1


# --- Several at once ---


@pytest.mark.parametrize("first", ["change", "rename_motif", "trash"])
def test_two_who_change_what_is_found_of_one_entry_in_two_ways_lose_nothing(
    app: Flask, ana: Person, first: str, database_kind: str
) -> None:
    """One has not committed yet when the other begins: on SQLite the other waits, on PostgreSQL only in the index.

    There the index is written at the end of a transaction: the first one is held between that and its commit.
    """
    with transaction():
        entry = entries.create(ana.account, Details(text="text that was")).id
    with transaction():
        motifs.found(entries.get(ana.account, entry, lock=True), [FoundMotif("place", "sea", "sea", ("sea",))], _ENGINE)
        motif = session().scalars(select(Motif.id)).one()
    end_reading()
    acts: dict[str, Callable[[], object]] = {
        "change": lambda: entries.change(ana.account, entry, Changes(text="text that is")),
        "rename_motif": lambda: motifs.rename(ana.account, motif, "ocean"),
        "trash": lambda: entries.trash(ana.account, entry),
    }

    def act(name: str, begun: threading.Event) -> None:
        with app.app_context(), transaction():
            begun.set()
            acts[name]()

    with ThreadPoolExecutor(1) as pool:
        begun = threading.Event()
        with transaction():
            acts[first]()
            session().flush()
            if database_kind == "postgresql":
                session().execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            other = pool.submit(act, "change" if first == "rename_motif" else "rename_motif", begun)
            if database_kind == "postgresql":
                assert begun.wait(10)
            time.sleep(0.5)
            assert not other.done()
        other.result(10)
    session().expunge_all()
    assert check() == (0 if first == "trash" else 1)


def test_an_entry_that_comes_into_the_trash_while_its_motif_is_renamed_is_not_found(ana: Person) -> None:
    with transaction():
        entry = entries.create(ana.account, Details(text="gone")).id
    with transaction():
        motifs.found(entries.get(ana.account, entry, lock=True), [FoundMotif("place", "sea", "sea", ("sea",))], _ENGINE)
    with transaction():
        entries.trash(ana.account, entry)
    with transaction():
        motifs.rename(ana.account, session().scalars(select(Motif.id)).one(), "ocean")
    assert check() == 0
    with transaction():
        entries.restore(ana.account, entry)
    assert check() == 1


def test_who_writes_entries_and_who_writes_motifs_wait_for_each_other_and_lose_nothing(
    app: Flask, ana: Person, say_how_many: Callable[[str, int], None], database_kind: str
) -> None:
    dreamer = Dreamer(ana.account)
    for number in range(15):
        dreamer.do("write", number)
        dreamer.do("analyse", number)
    kinds: list[tuple[str, ...]] = [
        ("index", "analyse", "hear", "change"),
        ("index", "change", "trash", "restore", "attach"),
        ("rename_motif", "hide_motif", "rename_motif"),
        ("merge_motifs", "rename_motif", "add_sign", "remove_sign"),
        ("rename_tag", "index", "write"),
    ]

    def act(which: int) -> int:
        done = 0
        with app.app_context():
            own, randomly = Dreamer(ana.account), random.Random(which)
            for _ in range(25):
                name = randomly.choice(kinds[which])
                try:
                    own.do(name, randomly.randrange(2**32))
                    done += 1
                except DreamWebError:  # the entry was put into the trash meanwhile
                    session().rollback()
        return done

    with ThreadPoolExecutor(len(kinds)) as pool:
        done = sum(pool.map(act, range(len(kinds))))
    session().expunge_all()
    check()
    assert done > 100
    say_how_many(f"changes made by five at once, {database_kind}", done)
