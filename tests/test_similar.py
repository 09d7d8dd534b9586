"""Promises about similar dreams: they share what is rare, in any form, and nobody else's, hidden or deleted things."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import mean
from typing import Any
from uuid import UUID

import httpx
import pytest
from flask import Flask
from sqlalchemy import event, insert, select

from dreamweb import accounts, create_app, db, entries, motifs
from dreamweb.analysis import FoundMotif
from dreamweb.config import load
from dreamweb.db import Base
from dreamweb.details import Details
from dreamweb.models import Account, Entry
from dreamweb.models.motif import Motif
from dreamweb.search import similar
from dreamweb.tools import Tools
from tests.conftest import Databases, Person
from tests.sought import ENTRIES
from tests.working import working

OWN = {
    "lighthouse": "A lighthouse stood in the middle of the desert. A red fox was sleeping at its door, and the sand "
    "was warm.",
    "two foxes": "Again there were lighthouses, a whole row of them behind our garden. Two foxes slept on the wall and "
    "I did not want to wake them.",
    "violončelo": "V kleti sem našla violončelo, ki je imelo namesto strun lase. Nekdo je igral v temi.",
    "dve violončeli": "Stric je nosil dve violončeli po hribu navzgor, strune so pokale ena za drugo.",
    "wet library": "An elevator went sideways through a library, and all the books were wet.",
    "librarian": "I was alone in two libraries at once. Elevators came and went, and I looked for one wet book.",
    "čebele": "Čebele so se naselile v mojem klavirju. Ko sem igral, je iz njega tekel med.",
    "poln čebel": "Na vrtu je stal star klavir, poln čebel, in nekdo je zaprl pokrov.",
    "astronaut": "My brother had become an astronaut and called me from the moon.",
    "post office": "On the moon there was a small post office. Astronauts queued there with parcels for their "
    "brothers.",
}
"""Pairs that anybody would take for one dream told twice."""

PAIRS = [(a, b) for a, b in zip(list(OWN)[::2], list(OWN)[1::2], strict=True)]

AKIN = [
    ("babičina hiša", "babičina pesem"),
    ("night train", "missed train"),
    ("vlak v snegu", "zamujeni vlak"),
    ("night swim", "guided lake"),
    ("vodeno", "jezero"),
    ("grandmother's stairs", "piano"),
    ("falling teeth", "piano"),
    ("office party", "fired"),
    ("house by the sea", "moving house"),
    ("letenje", "čoln"),
]
"""Dreams that have a thing, a place or a person in common, and much else not."""

Found = Mapping[str, Sequence[tuple[str, float, Sequence[str]]]]


def journal(app: Flask) -> dict[UUID, str]:
    """Seventy dreams, not read yet."""
    texts = OWN | {each.name: each.text for each in ENTRIES}
    with app.app_context():
        with db.transaction():
            account = accounts.add("ana", None, "owner")
        names = {}
        for name, text in texts.items():
            with db.transaction():
                names[entries.create(account, Details(text=text)).id] = name
    return names


def all_similar(app: Flask, names: Mapping[UUID, str]) -> Found:
    """Of every dream by its name, the similar ones, their scores and what is shared."""
    with app.app_context():
        account = accounts.named("ana")
        assert account
        return {
            name: [
                (names[like.entry_id], like.score, [each.name for each in like.shared])
                for like in similar.to(account, entry_id, 50)
            ]
            for entry_id, name in names.items()
        }


def copy(source: Flask, target: Flask) -> None:
    """What the worker has made of a journal, in another database."""
    for name in ("accounts", "dream_entries", "motifs", "entry_motifs"):
        table = Base.metadata.tables[name]
        with source.app_context():
            rows = [dict(row) for row in db.session().execute(select(table)).mappings()]
        with target.app_context(), db.transaction() as session:
            session.execute(insert(table), rows)


@pytest.fixture(scope="module")
def found(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Found]]:
    """The same journal, which a worker has read, on both databases."""
    made, apps = {}, {}
    for kind in ("sqlite", "postgresql"):
        folder = tmp_path_factory.mktemp(kind)
        url = databases.url(kind, folder)
        settings = {"database_url": url, "data_dir": folder / "data", "workers": 0, "log_level": "WARNING"}
        apps[kind] = app = create_app(**settings)
        if kind == "sqlite":
            names = journal(app)
            with working(app, Tools.of(load(**settings))) as work:
                work.all()
        else:
            copy(apps["sqlite"], app)
        made[kind] = all_similar(app, names)
    yield made
    for app in apps.values():
        with app.app_context():
            db.db.engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_two_that_belong_together_each_is_the_first_of_the_other_in_whatever_form_its_words_are(
    found: dict[str, Found], kind: str
) -> None:
    for one, other in PAIRS:
        assert (found[kind][one][0][0], found[kind][other][0][0]) == (other, one)
    assert set(found[kind]["violončelo"][0][2]) == {"struna", "violončelo"}  # strun, strune; violončeli
    assert set(found[kind]["two foxes"][0][2]) >= {"lighthouse", "fox"}


def test_what_a_reader_finds_akin_stands_near_the_top(found: dict[str, Found]) -> None:
    def rank(one: str, other: str) -> float:
        names = [name for name, _, _ in found["sqlite"][one]]
        return 1 / (names.index(other) + 1) if other in names else 0.0

    pairs = [*PAIRS, *AKIN]
    reciprocal = mean((rank(one, other) + rank(other, one)) / 2 for one, other in pairs)
    assert reciprocal >= 0.7  # 0.744 as it is; 0.58 when both lists were joined by their ranks


def test_both_databases_find_the_same_in_the_same_order(found: dict[str, Found]) -> None:
    for name, likes in found["sqlite"].items():
        other = found["postgresql"][name]
        assert [each for each, _, _ in likes] == [each for each, _, _ in other], name
        assert [shared for _, _, shared in likes] == [shared for _, _, shared in other], name


# --- One by one ---

Write = Callable[..., str]


@pytest.fixture
def dream(app: Flask, ana: Person) -> Write:
    """Writes a dream as a worker leaves it: with these lemmas, and these motifs, each of which is a symbol."""

    def make(lemmas: str = "", *symbols: str, of: Person = ana, **details: Any) -> str:
        with app.app_context(), db.transaction():
            entry = entries.create(of.account, Details(text=lemmas or "Nothing was read of it yet.", **details))
            entry.lemmas = f" {lemmas} " if lemmas else None
            motifs.found(entry, [FoundMotif("symbol", name, name, (name,)) for name in symbols], "local")
            return str(entry.id)

    return make


def likes(api: httpx.Client, entry_id: str, **query: object) -> list[dict[str, Any]]:
    answer = api.get(f"/entries/{entry_id}/similar", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def ids(api: httpx.Client, entry_id: str) -> list[str]:
    return [item["entry"]["id"] for item in likes(api, entry_id)]


def hide(app: Flask, account: Account, name: str) -> None:
    with app.app_context(), db.transaction() as session:
        motif = session.scalars(select(Motif).where(Motif.account_id == account.id, Motif.name == name)).one()
        motifs.hide(account, motif.id, True)


def test_the_likest_comes_first_with_what_is_shared_in_words(api: httpx.Client, dream: Write) -> None:
    one = dream("a eclipse over the harbour while whale sing", "whale")
    word = dream("the eclipse be quick")
    most = dream("whale sing in the harbour", "whale")
    dream("a bicycle in the snow", "bicycle")
    found = likes(api, one)
    assert [item["entry"]["id"] for item in found] == [most, word]
    assert found[0]["score"] > found[1]["score"] > 0
    assert found[0]["shared"][0] == "whale"
    assert set(found[0]["shared"]) == {"whale", "sing", "harbour"}
    assert found[1]["shared"] == ["eclipse"]


def test_a_rare_motif_says_more_than_a_rare_word(api: httpx.Client, dream: Write) -> None:
    one = dream("ladder and copper", "ladder")
    word, motif = dream("copper and paper"), dream("it be high", "ladder")
    assert ids(api, one) == [motif, word]


def test_what_most_dreams_have_and_words_that_say_nothing_make_none_similar(api: httpx.Client, dream: Write) -> None:
    made = [dream("the sea and i be there again", "sea") for _ in range(9)]
    assert ids(api, made[0]) == []


def test_nothing_is_similar_where_nothing_is_shared(api: httpx.Client, dream: Write) -> None:
    one = dream("a accountant stamp my forehead", "accountant")
    dream("square on a screen", "square")
    assert ids(api, one) == []


@pytest.mark.parametrize("lemmas", ["", "12 7 a in na"])
def test_an_entry_without_words_that_were_read_has_an_empty_list(api: httpx.Client, dream: Write, lemmas: str) -> None:
    one = dream(lemmas)
    dream("whale sing 12 7", "whale")
    assert ids(api, one) == []


def test_what_nobody_has_read_yet_has_an_empty_list(api: httpx.Client) -> None:
    fields = [{"text": "An eclipse over the harbour."}, {"text": "An eclipse again."}, {"recall": "none"}]
    for made in [api.post("/entries", json=each).json()["id"] for each in fields]:
        assert ids(api, made) == []


def test_what_is_in_the_trash_is_not_similar_until_it_comes_back(api: httpx.Client, dream: Write) -> None:
    one, other = dream("eclipse", "whale"), dream("eclipse", "whale")
    assert api.delete(f"/entries/{other}").status_code == 204
    assert ids(api, one) == []
    assert api.get(f"/entries/{other}/similar").status_code == 404
    assert api.post(f"/entries/{other}/restore").status_code == 200
    assert ids(api, one) == [other]


def test_a_hidden_motif_does_not_count_not_as_a_word_either(
    app: Flask, ana: Person, api: httpx.Client, dream: Write
) -> None:
    one, other = dream("eclipse whale", "whale"), dream("eclipse whale", "whale")
    only_whale = dream("whale swim", "whale")
    assert set(ids(api, one)) == {other, only_whale}
    hide(app, ana.account, "whale")
    [left] = likes(api, one)
    assert (left["entry"]["id"], left["shared"]) == (other, ["eclipse"])


def test_motifs_that_were_merged_are_one(app: Flask, ana: Person, api: httpx.Client, dream: Write) -> None:
    one, other = dream("it be large", "whale"), dream("it be blue", "kit")
    assert ids(api, one) == []
    with app.app_context(), db.transaction() as session:
        found = {motif.name: motif.id for motif in session.scalars(select(Motif))}
        motifs.merge(ana.account, found["kit"], found["whale"])
    [like] = likes(api, one)
    assert (like["entry"]["id"], like["shared"]) == (other, ["whale"])


def test_another_account_is_never_similar_and_finds_nothing_of_mine(
    bor: Person, api: httpx.Client, stranger: httpx.Client, dream: Write
) -> None:
    mine, theirs = dream("eclipse", "whale"), dream("eclipse", "whale", of=bor)
    assert ids(api, mine) == ids(stranger, theirs) == []
    assert stranger.get(f"/entries/{mine}/similar").status_code == 404


def test_how_many_others_have_in_theirs_does_not_make_it_common_in_mine(
    bor: Person, api: httpx.Client, dream: Write
) -> None:
    for _ in range(6):
        dream("eclipse", "whale", of=bor)
    one, other = dream("eclipse"), dream("eclipse")
    assert ids(api, one) == [other]


def test_what_is_private_is_similar_to_its_own_person(api: httpx.Client, dream: Write) -> None:
    one, other = dream("eclipse"), dream("eclipse", private=True)
    assert ids(api, one) == [other]


def test_as_many_as_are_asked_for(api: httpx.Client, dream: Write) -> None:
    one = dream("eclipse whale", "whale")
    dream("eclipse")
    best = dream("eclipse whale", "whale")
    assert [item["entry"]["id"] for item in likes(api, one, limit=1)] == [best]
    for limit in ("0", "51", "x"):
        assert api.get(f"/entries/{one}/similar", params={"limit": limit}).status_code == 422


def test_a_book_that_has_every_word_is_not_like_everything(api: httpx.Client, dream: Write) -> None:
    every = " ".join(f"word{chr(97 + a)}{chr(97 + b)}x" for a in range(26) for b in range(26))
    book = dream(every + " eclipse harbour anchor" + " page" * 400, "anchor")
    one, akin = dream("eclipse harbour anchor", "anchor"), dream("eclipse harbour shell", "anchor")
    assert ids(api, one) == [akin, book]


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            statements.append(statement)

    with app.app_context():
        engine = db.db.engine
        event.listen(engine, "before_cursor_execute", note)
        yield statements
        event.remove(engine, "before_cursor_execute", note)


def test_it_takes_few_statements_however_much_is_shared(app: Flask, ana: Person, dream: Write) -> None:
    words = [f"eclips{letter}" for letter in "abcdefghijkl"]
    one = dream(" ".join(words), *words[:6])
    for word in words:
        dream(word, word)
    with counted(app) as statements:
        found = similar.to(ana.account, UUID(one), 10)
        entries.several(ana.account, [like.entry_id for like in found])
    assert len(found) == 10
    assert len(statements) <= 9


def test_an_enormous_entry_answers(app: Flask, api: httpx.Client, dream: Write) -> None:
    one = dream("eclipse")
    with app.app_context(), db.transaction() as session:
        text = " ".join(itertools.islice(map("".join, itertools.product("abcdefghij", repeat=6)), 100_000))
        session.get_one(Entry, UUID(one)).lemmas = f" {text} eclipse "
    dream("eclipse")
    assert len(ids(api, one)) <= 1
