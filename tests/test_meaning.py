"""Promises about searching by meaning: what is meant is found without its words, and nothing that must not be."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from flask import Flask
from sqlalchemy import event, select, text, update

from dreamweb import db, jobs
from dreamweb.adapters.children import Watch
from dreamweb.config import load
from dreamweb.details import Filters
from dreamweb.models import Account, Entry
from dreamweb.models.embedding import Embedding
from dreamweb.models.job import Job
from dreamweb.search import conditions, finding, meaning, pgvector, query, results
from dreamweb.tools import Tools
from tests import embedding_model
from tests.conftest import Person
from tests.embedding_server import Comparing, embedding_server, refusal
from tests.meanings import DIMENSIONS, WORDS, of_text
from tests.test_hostile_search import typed
from tests.test_pipeline import abroad
from tests.working import Working, working

OTHERS = (
    "I was reading in a garden and nobody spoke.",
    "A green lamp stood on the table, and I counted spoons.",
    "We climbed a hill with heavy bags and ate bread.",
    "Na mizi je stala zelena svetilka in štela sem žlice.",
    "Brala sem na vrtu in nihče ni govoril.",
    "Šli smo na hrib in jedli kruh.",
)
"""Dreams that mean nothing that is looked for here."""

pytestmark = pytest.mark.slow  # on PostgreSQL, in both ways, by the fault runs

SEA = "The sea, waves, waves, waves: all sea."


@pytest.fixture
def server() -> Iterator[Comparing]:
    with embedding_server() as comparing:
        yield comparing


@pytest.fixture
def settings(settings: dict[str, Any], server: Comparing) -> dict[str, Any]:
    """With that embedding server: the application is built before a test can say so."""
    return settings | {"embedding_engine": "server", "embedding_model": "m", "embedding_url": server.url}


Write = Callable[..., str]


@pytest.fixture
def write(api: httpx.Client) -> Write:
    """Writes a dream into ana's journal; answers its id."""

    def write(text: str, **more: Any) -> str:
        made = api.post("/entries", json={"text": text} | more)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    return write


@pytest.fixture
def others(write: Write) -> list[str]:
    """A journal in which nothing is unusual yet."""
    return [write(text) for text in OTHERS]


def search(api: httpx.Client, typed: str, **more: object) -> dict[str, Any]:
    answer = api.get("/search", params={"q": typed} | more)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [item["entry"]["id"] for item in found["items"]]


@pytest.fixture(params=["sqlite", "postgresql", "postgresql without pgvector"])
def database_kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the extension and without it, the nearest are found in different ways."""
    kind, _, without = str(request.param).partition(" ")
    if without:
        monkeypatch.setattr("dreamweb.search.pgvector._has_extension", lambda: False)
    return kind


@pytest.fixture
def by_index(request: pytest.FixtureRequest) -> bool:
    """Whether they are found by an index."""
    return "postgresql]" in request.node.name


# --- What is found ---


def test_a_dream_is_found_by_what_it_means_in_other_words_and_another_language(
    server: Comparing, by_index: bool, api: httpx.Client, others: list[str], write: Write, work: Working, app: Flask
) -> None:
    sea = write("I stood at a window. Nothing but the sea, and then waves, waves, waves.")
    morje = write("Tam je bilo morje in na morju valovi.")
    work.all()
    found = search(api, "ocean")
    assert set(ids(found)) == {sea, morje}
    assert found["total"] == 2
    assert all(item["by_meaning"] for item in found["items"])
    assert all(not piece["match"] for item in found["items"] for piece in item["snippet"])
    assert ids(search(api, "vlak plazilec")) == []
    with app.app_context():
        used = db.session().get_bind().dialect.name == "postgresql" and pgvector.is_there("server:m:", DIMENSIONS)
    assert used is by_index


def test_who_types_a_word_that_is_there_finds_that_first(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    near_only = write("Waves and waves, all of it sea.")
    with_word = write("An ocean in a bottle, a train, a letter, a spoon and much else that nobody needs.")
    both = write("The ocean, the sea.")
    work.all()
    found = search(api, "ocean")
    assert ids(found) == [both, with_word, near_only]
    assert [item["by_meaning"] for item in found["items"]] == [False, False, True]


def test_the_passage_that_means_it_is_shown(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    quiet = "".join(f"I sat at window {number} and nothing happened for a long time. " for number in range(80))
    write(f"{quiet}Nothing but the sea, and then {'waves, ' * 30}sea. {quiet}")
    work.all()
    [item] = search(api, "ocean")["items"]
    shown = "".join(piece["text"] for piece in item["snippet"])
    assert shown.startswith("… ")
    text = item["entry"]["text"]
    start = text.index(shown.strip("… "))
    assert abs(start - text.index("Nothing but the sea")) < 1300
    assert len(shown) < 300


def test_what_stands_beside_the_words_must_be_fulfilled_all_the_same(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    old = write(SEA, dreamed_at="2020-01-01T03:00:00Z", tags=["summer"])
    new = write("The waves and the sea, in quiet.", dreamed_at="2024-01-01T03:00:00Z")
    work.all()
    assert set(ids(search(api, "ocean"))) == {old, new}
    for asked, expected in {
        "ocean tag:summer": {old},
        "ocean before:2021": {old},
        "ocean after:2021": {new},
        "ocean -quiet": {old},
        'ocean "in quiet"': {new},
        "ocean qui*": {new},
        "ocean -tag:summer": {new},
        "ocean has:audio": set(),
        "ocean is:private": set(),
    }.items():
        assert set(ids(search(api, asked))) == expected, asked
    assert ids(search(api, "ocean", tag="summer")) == [old]
    assert ids(search(api, "ocean", end="2021-01-01T00:00:00Z")) == [old]


@pytest.mark.parametrize("asked", ['"ocean"', "oce*", "tag:ocean", "-ocean", "the", "in"])
def test_who_asks_for_just_that_gets_just_that(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working, asked: str
) -> None:
    write(SEA)
    work.all()
    read = len(server.asked)
    assert not any(item["by_meaning"] for item in search(api, asked)["items"])
    assert len(server.asked) == read


def test_by_time_and_on_request_only_words_are_found(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    write(SEA)
    work.all()
    assert ids(search(api, "ocean", sort="time")) == []
    assert ids(search(api, "ocean", meaning="false")) == []
    assert ids(search(api, "ocean")) != []


def test_what_has_the_word_is_never_said_to_be_merely_near(
    server: Comparing,
    api: httpx.Client,
    others: list[str],
    write: Write,
    work: Working,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even what ranks so low by it that it is not listed for it."""
    monkeypatch.setattr(finding, "DEEPEST", 2)
    for number in range(4):
        write(f"The ocean, waves, waves, all sea, and {'letters and spoons ' * number}.")
    for number in range(20):
        write(f"I was reading letter {number} at a table in a garden.")
    work.all()
    found = search(api, "ocean")
    assert (found["total"], len(found["items"])) == (4, 4)
    assert not any(item["by_meaning"] for item in found["items"])


def test_the_pages_of_a_list_are_of_one_list(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    made = [write(f"The sea and the waves, number {number}.") for number in range(3)]
    made += [write(f"An ocean, number {number}, with letters and ships.") for number in range(3)]
    for number in range(20):
        write(f"I was reading letter {number} at a table in a garden.")
    work.all()
    whole = ids(search(api, "ocean", limit=100))
    assert set(whole) == set(made)
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = search(api, "ocean", limit=2, **({"cursor": cursor} if cursor else {}))
        found += ids(page)
        cursor = page["next_cursor"]
    assert found == whole


def test_nothing_is_found_that_is_in_the_trash_or_belongs_to_somebody_else(
    server: Comparing,
    api: httpx.Client,
    stranger: httpx.Client,
    others: list[str],
    write: Write,
    work: Working,
) -> None:
    mine = write(SEA)
    for number in range(7):
        stranger.post("/entries", json={"text": f"A letter on a table, number {number}."})
    theirs = stranger.post("/entries", json={"text": "The sea, with waves and waves."}).json()["id"]
    work.all()
    assert ids(search(api, "ocean")) == [mine]
    assert ids(search(stranger, "ocean")) == [theirs]
    assert api.delete(f"/entries/{mine}").status_code == 204
    assert ids(search(api, "ocean")) == []
    assert api.post(f"/entries/{mine}/restore").status_code == 200
    assert ids(search(api, "ocean")) == [mine]
    assert api.delete(f"/entries/{mine}", params={"permanent": "true"}).status_code == 204
    assert ids(search(api, "ocean")) == []


def test_a_journal_of_a_few_dreams_has_nothing_unusual(
    server: Comparing, api: httpx.Client, write: Write, work: Working
) -> None:
    made = write(SEA)
    write("A letter on a table.")
    work.all()
    assert ids(search(api, "ocean")) == []
    assert ids(search(api, "sea")) == [made]


def test_dreams_that_mean_the_same_are_similar(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    one = write(SEA)
    same = write("Morje in valovi, valovi.")
    word = write("Nothing. A bottle.", title="Waves")
    work.all()
    found = api.get(f"/entries/{one}/similar").json()["items"]
    by_id = {item["entry"]["id"]: item for item in found}
    assert by_id[same]["by_meaning"]
    assert by_id[same]["shared"] == []
    assert one not in by_id
    assert [item["score"] for item in found] == sorted((item["score"] for item in found), reverse=True)
    if word in by_id:
        assert by_id[word]["shared"]


def test_a_model_on_this_machine_finds_the_same(
    settings: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model = embedding_model.build(tmp_path / "model")
    settings |= {"embedding_engine": "onnx", "embedding_model": str(model)}
    api, work, write = (request.getfixturevalue(name) for name in ("api", "work", "write"))
    for each in OTHERS:
        write(each)
    sea = write(SEA)
    work.all()
    # The first search may be over before the model is loaded.
    request.getfixturevalue("tools").queries.vector("ocean", 60)
    assert ids(search(api, "ocean")) == [sea]


# --- What is read, and what is not ---


def test_what_is_said_anew_is_read_anew_and_nothing_else_is(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    made = write(SEA)
    work.all()
    read = server.texts
    assert sorted(read) == sorted((*OTHERS, SEA))
    assert api.post(f"/entries/{made}/process", json={"steps": ["index"]}).is_success
    assert api.patch(f"/entries/{made}", json={"mood": "calm", "tags": ["x"]}).is_success
    work.all()
    assert server.texts == read
    assert api.patch(f"/entries/{made}", json={"text": "A train on a railway, a train."}).is_success
    work.hurry()
    assert server.texts[len(read) :] == ["A train on a railway, a train."]
    assert ids(search(api, "ocean")) == []
    assert ids(search(api, "vlak")) == [made]


def test_what_was_written_before_there_was_an_engine_is_read_too_by_another_engine_all_anew(
    app: Flask, settings: dict[str, Any], api: httpx.Client, others: list[str], write: Write, by_index: bool
) -> None:
    made = write(SEA)
    with working(app, Tools.of(load(**settings))) as work:
        work.all()
    for model, dimensions in (("first", None), ("second", 3)):
        with embedding_server() as server:
            if dimensions:
                server.vector = lambda text: [1.0, float("sea" in text), 0.1 * len(text)]
            more = {"embedding_engine": "server", "embedding_model": model, "embedding_url": server.url}
            tools = Tools.of(load(**settings | more))
            with app.app_context(), db.transaction():
                jobs.nudge("embed")
            with working(app, tools) as work:
                work.all()
            assert len(server.texts) == len(OTHERS) + 1
            with app.app_context():
                row = db.session().get(Embedding, UUID(made))
                assert row is not None
                assert (row.engine, row.dimensions) == (f"server:{model}:", dimensions or DIMENSIONS)
                if by_index:
                    assert pgvector.is_there(row.engine, row.dimensions)
                    count = db.session().scalar(text("SELECT count(*) FROM search_near"))
                    assert count == len(OTHERS) + 1
            tools.queries.end()


def test_only_what_is_not_private_is_read_on_another_machine(
    server: Comparing, settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    settings |= {"embedding_url": abroad(server.url)}
    api, work, write = (request.getfixturevalue(name) for name in ("api", "work", "write"))
    for each in OTHERS:
        write(each)
    public, private = write(SEA), write("A secret sea, all waves.", private=True)
    work.all()
    assert not any("secret" in text for text in server.texts)
    assert ids(search(api, "ocean")) == [public]
    assert api.patch(f"/entries/{private}", json={"private": False}).is_success
    assert api.post(f"/entries/{private}/process", json={"steps": ["index"]}).is_success
    work.all()
    assert set(ids(search(api, "ocean"))) == {public, private}
    assert api.patch(f"/entries/{private}", json={"private": True, "text": "Another secret sea of waves."}).is_success
    work.hurry()
    assert "Another secret sea of waves." not in server.texts
    assert ids(search(api, "ocean")) == [public]


def test_a_dream_made_private_while_it_is_compared_abroad_is_sent_no_more(
    server: Comparing, settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    settings |= {"embedding_url": abroad(server.url)}
    api, work, write = (request.getfixturevalue(name) for name in ("api", "work", "write"))
    write(SEA)
    secret = write("A secret sea, all waves.")
    server.replies = [refusal(500, "no")]
    server.meanwhile = lambda: api.patch(f"/entries/{secret}", json={"private": True})
    work.hurry()
    assert len([text for text in server.texts if "secret" in text]) == 1
    assert server.texts[-1] == SEA
    assert work.jobs()["embed"].state == "done"


def test_what_comes_back_of_a_dream_made_private_meanwhile_is_thrown_away(
    server: Comparing, settings: dict[str, Any], request: pytest.FixtureRequest, app: Flask
) -> None:
    settings |= {"embedding_url": abroad(server.url)}
    api, work, write = (request.getfixturevalue(name) for name in ("api", "work", "write"))
    public, secret = write(SEA), write("A secret sea, all waves.")
    server.meanwhile = lambda: api.patch(f"/entries/{secret}", json={"private": True})
    work.hurry()
    with app.app_context():
        assert db.session().scalars(select(Embedding.entry_id)).all() == [UUID(public)]


def test_one_switch_ends_all_that_is_sent(
    server: Comparing, settings: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    settings |= {"embedding_url": abroad(server.url), "outside_calls": False}
    api, work, write = (request.getfixturevalue(name) for name in ("api", "work", "write"))
    made = write(SEA)
    work.all()
    assert search(api, "ocean")["items"] == []
    assert search(api, "ocean")["notes"] == []
    assert ids(search(api, "sea")) == [made]
    assert server.asked == []


def test_a_private_dream_is_read_by_what_is_on_this_machine(
    server: Comparing, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    made = write(SEA, private=True)
    work.all()
    assert ids(search(api, "ocean")) == [made]


def test_what_has_nothing_to_read_is_not_sent(
    server: Comparing, api: httpx.Client, others: list[str], work: Working
) -> None:
    api.post("/entries", json={"recall": "none"})
    work.all()
    assert sorted(server.texts) == sorted(OTHERS)


# --- When the engine fails ---


def failed(app: Flask) -> Job:
    with app.app_context():
        job = jobs.newest("embed")
    assert job
    return job


def test_while_the_engine_is_down_words_are_found_and_it_is_said(
    server: Comparing, app: Flask, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    made = write("An ocean.")
    work.all()
    server.replies = [refusal(500, "no")]
    found = search(api, "ocean")
    assert ids(found) == [made]
    [note] = found["notes"]
    assert note.startswith("Only words were looked for")


def test_dreams_are_read_when_the_engine_is_back(
    server: Comparing, app: Flask, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    server.replies = [refusal(503, "no")] * 3
    made = write(SEA)
    work.all()
    assert failed(app).state == "waiting"
    assert failed(app).reason
    assert api.get(f"/entries/{made}").json()["status"] == "ready"
    work.hurry()
    assert failed(app).state == "done"
    assert ids(search(api, "ocean")) == [made]


def test_a_wrong_key_makes_no_dream_unreadable(
    server: Comparing, app: Flask, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    server.key = "another"
    made = write(SEA)
    work.all()
    job = failed(app)
    assert (job.state, job.reason and job.reason["msgid"]) == (
        "failed",
        "The embedding server does not accept the key. Check EMBEDDING_KEY.",
    )
    server.key = None
    with app.app_context(), db.transaction():
        jobs.nudge("embed")
    work.all()
    assert ids(search(api, "ocean")) == [made]


def test_a_dream_that_the_engine_refuses_keeps_no_other_from_being_read(
    server: Comparing, app: Flask, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    server.refuses = ("forbidden",)
    refused = write("The forbidden sea.")
    made = write(SEA)
    work.all()
    assert ids(search(api, "ocean")) == [made]
    assert failed(app).state == "done"
    asked = len(server.asked)
    with app.app_context(), db.transaction():
        jobs.nudge("embed")
    work.all()
    assert len(server.asked) == asked  # it is not tried for ever
    server.refuses = ()
    assert api.patch(f"/entries/{refused}", json={"text": "The allowed sea."}).is_success
    work.hurry()
    assert set(ids(search(api, "ocean"))) == {made, refused}
    server.refuses = ("forbidden",)
    assert api.patch(f"/entries/{made}", json={"text": "The forbidden sea, waves."}).is_success
    work.hurry()
    assert ids(search(api, "ocean")) == [refused]


def test_a_dream_at_which_the_server_fails_for_ever_keeps_no_other_from_being_read(
    server: Comparing, app: Flask, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    """As Ollama does, with a model that makes no number of certain texts."""

    def vector(read: str) -> Any:
        return ["NaN"] if "poison" in read else of_text(read)

    server.vector = vector
    write("The sea is poison.")
    made = write(SEA)
    work.hurry()
    assert ids(search(api, "ocean")) == [made]
    assert failed(app).state == "done"


def test_pages_of_a_list_stay_what_they_were_when_the_engine_comes_and_goes(
    server: Comparing, app: Flask, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    words = [write(f"An ocean, number {number}, with letters and ships.") for number in range(5)]
    sea = write(SEA)
    for number in range(20):
        write(f"I was reading letter {number} at a table in a garden.")
    work.all()
    queries = app.extensions["dreamweb"].queries
    merged = search(api, "ocean", limit=2)
    queries._known.clear()
    server.replies = [refusal(500, "no")]
    silent = search(api, "ocean", limit=2, cursor=merged["next_cursor"])
    assert (silent["items"], silent["next_cursor"]) == ([], merged["next_cursor"])
    assert silent["notes"]
    by_words = search(api, "ocean", limit=2)  # it rests
    assert by_words["notes"]
    queries._rests_until = 0.0
    rest, cursor = ids(by_words), by_words["next_cursor"]
    while cursor:
        page = search(api, "ocean", limit=2, cursor=cursor)
        rest, cursor = rest + ids(page), page["next_cursor"]
    assert sorted(rest) == sorted(words)
    assert set(ids(search(api, "ocean"))) == {*words, sea}


def test_what_was_another_model_under_the_same_name_is_read_anew(
    server: Comparing, app: Flask, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    write("The waves.")
    work.all()
    server.vector = lambda read: [0.2, *of_text(read)]
    made = write(SEA)
    work.all()
    with app.app_context():
        assert set(db.session().scalars(select(Embedding.dimensions))) == {DIMENSIONS + 1}
    assert made in ids(search(api, "ocean"))


def test_a_dream_that_is_changed_while_it_is_read_is_read_again(
    server: Comparing, app: Flask, api: httpx.Client, others: list[str], write: Write, work: Working
) -> None:
    made = write(SEA)
    changed = False

    def vector(read: str) -> Any:
        nonlocal changed
        if read == SEA and not changed:
            changed = True
            assert api.patch(f"/entries/{made}", json={"text": "A train on a railway."}).is_success
        return of_text(read)

    server.vector = vector
    work.hurry()
    assert changed
    assert ids(search(api, "ocean")) == []
    assert ids(search(api, "vlak")) == [made]


def test_who_says_a_dream_meanwhile_goes_first(
    server: Comparing, app: Flask, api: httpx.Client, write: Write, work: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dreamweb.pipeline.embed._LONGEST", 0.0)
    monkeypatch.setattr("dreamweb.pipeline.embed._AT_ONCE", 2)
    for number in range(6):
        write(f"The sea, number {number}.")
    work.all()
    assert len(server.texts) == 6
    with app.app_context(), db.transaction() as session:
        session.execute(update(Embedding).values(engine="another"))
        jobs.nudge("embed")
    new = write("A new dream.")
    with app.app_context():
        assert work.worker.step()
        assert work.worker.step()
    assert api.get(f"/entries/{new}").json()["status"] == "ready"
    assert len(server.texts) == 6
    work.all()
    assert len(server.texts) == 13


def test_a_nudge_makes_one_job_however_many_there_are(app: Flask) -> None:
    with app.app_context():
        for _ in range(3):
            with db.transaction():
                jobs.nudge("embed")
        assert len(db.session().scalars(select(Job)).all()) == 1
        with db.transaction() as session:
            session.execute(update(Job).values(state="running"))
            jobs.nudge("embed")
        [job] = db.session().scalars(select(Job).execution_options(populate_existing=True)).all()
        assert job.again


# --- What it costs ---


def test_a_search_takes_few_statements_however_much_means_the_same(
    server: Comparing, app: Flask, ana: Person, others: list[str], write: Write, work: Working
) -> None:
    for number in range(12):
        write(f"The sea and waves, number {number}.")
    for number in range(30):
        write(f"A letter on a table, number {number}.")
    work.all()
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            statements.append(statement)

    with app.app_context():
        event.listen(db.db.engine, "before_cursor_execute", note)
        account = db.session().scalars(select(Account)).one()
        parsed = query.parse("ocean")
        meant = meaning.meant(parsed, app.extensions["dreamweb"], 20)
        assert meant
        sought = conditions.seek(account, parsed, Filters(), ZoneInfo("UTC"))
        found = finding.find(sought, near=meaning.nearest(sought, meant))
        shown = results.results(sought, found.hits, meant)
        event.remove(db.db.engine, "before_cursor_execute", note)
    assert len(shown) == 12
    assert len(statements) <= 14


# --- Whatever happens ---


def test_whatever_somebody_types_is_answered_with_nothing_of_others(
    server: Comparing,
    app: Flask,
    ana: Person,
    stranger: httpx.Client,
    others: list[str],
    work: Working,
    database_kind: str,
    say_how_many: Callable[[str, int], None],
) -> None:
    for number in range(6):
        stranger.post("/entries", json={"text": f"The sea of somebody else, and waves, number {number}."})
    work.all()
    randomly = random.Random(int(os.environ.get("DREAMWEB_SEED", "6")))
    client = app.test_client()  # so many requests over sockets would say nothing more
    for _ in range(_TYPED[database_kind]):
        answer = client.get(f"/api/v1/search?q={quote(typed(randomly))}", headers=ana.headers)
        assert answer.status_code == 200, answer.text
        assert answer.json
        assert set(ids(answer.json)) <= set(others)
    say_how_many(f"hostile searches with an embedding engine, {database_kind}", _TYPED[database_kind])


_TYPED = {"sqlite": 150, "postgresql": 600}
_ACTS = 40

Act = Callable[[httpx.Client, str, str], object]

ACTS: dict[str, Act] = {
    "write": lambda api, _, said: api.post("/entries", json={"text": said}),
    "change": lambda api, entry, said: api.patch(entry, json={"text": said}),
    "title": lambda api, entry, said: api.patch(entry, json={"title": said[:100]}),
    "trash": lambda api, entry, _: api.delete(entry),
    "restore": lambda api, entry, _: api.post(f"{entry}/restore"),
    "remove": lambda api, entry, _: api.delete(entry, params={"permanent": "true"}),
    "index": lambda api, entry, _: api.post(f"{entry}/process", json={"steps": ["index"]}),
}


def test_after_whatever_was_done_what_is_kept_is_what_entries_mean_now(
    server: Comparing,
    by_index: bool,
    app: Flask,
    api: httpx.Client,
    work: Working,
    say_how_many: Callable[[str, int], None],
) -> None:
    randomly = random.Random(int(os.environ.get("DREAMWEB_SEED", "6")))
    server.refuses = ("viper",)
    for _ in range(5):
        ACTS["write"](api, "", _words(randomly))
    made = [item["id"] for item in api.get("/entries").json()["items"]]
    for _ in range(_ACTS):
        ACTS[randomly.choice(list(ACTS))](api, f"/entries/{randomly.choice(made)}", _words(randomly))
        made += [item["id"] for item in api.get("/entries").json()["items"] if item["id"] not in made]
        if randomly.random() < 0.3:
            work.hurry()
    work.hurry()
    say_how_many("random changes after which what is kept was compared", _ACTS)
    with app.app_context():
        kept = {row.entry_id: row for row in db.session().scalars(select(Embedding))}
        written = db.session().scalars(select(Entry).where(Entry.deleted_at.is_(None))).all()
        assert written
        for entry in written:
            assert (kept[entry.id].vectors, _places(kept[entry.id])) == _anew(work, entry)
        if by_index:
            indexed = db.session().scalars(text("SELECT entry_id FROM search_near")).all()
            assert Counter(indexed) == Counter({each: len(row.places) for each, row in kept.items() if row.places})


def _words(randomly: random.Random) -> str:
    return " ".join(randomly.choices(WORDS, k=randomly.randint(1, 60)))


def _places(row: Embedding) -> list[tuple[int, int]]:
    return [(start, end) for start, end in row.places]


def _anew(work: Working, entry: Entry) -> tuple[bytes, list[tuple[int, int]]]:
    """The vectors and places of an entry, as they are made now; none where the server refuses."""
    hands, nobody = work.worker.hands, Watch(lambda _: None, lambda: None)
    said = (entry.title or "", entry.text or "")
    if "viper" in " ".join(said):
        return b"", []
    [made] = hands.embedder.passages(hands.tools.engines.embedding, [said], nobody)
    return b"".join(each.vector for each in made), [(each.start, each.end) for each in made]
