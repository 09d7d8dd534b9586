"""Whatever somebody types into the search is answered, soon, and with nothing that is not theirs."""

from __future__ import annotations

import base64
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_from_bytes
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import insert

from dreamweb import db, entries, vocabulary
from dreamweb.db import end_reading, session, transaction
from dreamweb.details import Details, Filters
from dreamweb.models import Entry
from dreamweb.search import conditions, facets, query
from dreamweb.search.finding import DEEPEST, MOST
from tests.conftest import Person

pytestmark = pytest.mark.slow

_TEXT = (
    "I was flying over the sea and the house by the sea was burning; babica je stala pri oknu in morje je bilo mirno. "
    "Čoln brez vesel, kača pod jablano, NEAR and OR and NOT and AND, 100 % c++ 東京 naïve o'clock"
)
_OWN, _FOREIGN = "zebra", "giraffe"
"""Words that only one of the two has."""

_PIECES = (
    'sea', "house", "morje", "babica", "hisa", "NEAR", "NEAR(sea house, 2)", "OR", "ALI", "AND", "NOT", "or", "-",
    "--", "-sea",
    "-(", "+", "*", "sea*", "*sea", "s*", "^sea", "^", '"', "'", '""', '"sea', 'sea"', '"the sea"', "»sea«", "„",
    "“", "(", ")", "((", "))",
    "{title shown} : sea", "title:sea", "shown : sea", "lemmas:", ":", "::", "tag:", "tag:sea", 'tag:"', "mood:",
    "motif:kača", "kind:dream",
    "has:audio", "is:private", "before:2024", "after:", "on:2024-13-45", "on:99999999", "dne:31.2.2024", "sea:*",
    "sea & house", "sea | house",
    "!sea", "!!", "<->", "sea <-> house", "<99999999999>", ":*A", "sea:ABCD", "\\", "\\'", "''", "';--",
    "' OR 1=1 --", "%", "_", "%s", "%(x)s",
    "{}", "{0}", "$1", ":q", "?", "\0", "sea\0house", "\x01", "\x1b[31m", "\r\n", "\t", "\u00ad", "\u200b",
    "\u202e", "\ufeff", "\u0301", "e\u0301",
    "🌊", "👩‍👩‍👧", "🏳️‍🌈", "שלום", "مرحبا", "\u202eaes", "東京", "ﬁ", "İ", "ß", "ſ", "ǆ", "Ω", "\U0010ffff", "\ue000",
    "￿", "a" * 65, "č" * 2000,
    "1e999", "NaN", "-1", "0x10", "1.2.3.4", "a@b.si", "http://x.si/?q=1", "C:\\x", "../../etc/passwd",
    "<script>alert(1)</script>", "&amp;",
    "zebra", "zebr", "zeebra", "girafe", "trash", "o'clock", "don't", "rock'n'roll", "x_y", "a-b-c", "–sea",
    "−sea", "|", "||", "OR OR", "a OR",
)  # fmt: skip

_ALPHABET = "abcčs zž OR-+*^\"'(){}[]:;<>|&!~\\/%_,.?=@#$`"
_ALPHABET += "\n\t\r\0\x01\x7f\x85\xa0\u0300\u0301\u200d\u202e\u2028\ufeff\ufffd🌊é東אم٣"


def typed(randomly: random.Random) -> str:
    return _typed(randomly)[:10_000]


def _typed(randomly: random.Random) -> str:
    kind = randomly.random()
    if kind < 0.5:
        return randomly.choice(["", " ", "  "]).join(randomly.choices(_PIECES, k=randomly.randint(1, 8)))
    if kind < 0.85:
        return "".join(randomly.choices(_ALPHABET, k=randomly.randint(1, 60)))
    if kind < 0.95:
        return "".join(
            chr(randomly.choice([randomly.randrange(0xD800), randomly.randrange(0xE000, 0x110000)])) for _ in range(20)
        )
    return randomly.choice(_PIECES) * randomly.randint(1, 300)


_LONG = {
    "a long word": "a" * 10_000,
    "a long text": "sea house " * 1_000,
    "1,000 ORs": "OR " * 1_000,
    "1,000 words with OR": " OR ".join(f"w{number}" for number in range(1_000)),
    "1,000 quotes": '"' * 1_000,
    "1,000 quoted words": '"sea" ' * 1_000,
    "1,000 parentheses": "(" * 1_000 + "sea" + ")" * 1_000,
    "1,000 prefixes": "se* " * 1_000,
    "one letter each": " ".join(chr(97 + number % 26) + "*" for number in range(1_000)),
    "1,000 fields": "tag:sea " * 1_000,
    "1,000 dates": "before:2024 " * 1_000,
    "1,000 minuses": "-" * 9_000,
    "1,000 words without": "-sea " * 1_000,
    "marks": "e" + "\u0301" * 9_000,
    "colons": ":" * 9_000,
    "emoji": "🌊" * 9_000,
    "mistyped words": "huose flyng wndow babcia mroje " * 300,
    "words of carons": "cszcszcszcsz " * 700,
}

_BYTES = (
    b"\xff",
    b"\xed\xa0\x80",
    b"\xed\xa0\x80\xed\xb0\x80",
    b"sea\xc3",
    b"\xf8\x88\x80\x80\x80",
    b"%",
    b"%u0041",
    b"%zz",
)
"""No UTF-8: halves of surrogates among them."""


@dataclass(frozen=True)
class Journals:
    """Ana's and Bor's, with the same words, and each with one of their own; some of Ana's are in the trash."""

    own: frozenset[str]
    trash: frozenset[str]
    foreign: frozenset[str]


@pytest.fixture
def journals(inside: None, ana: Person, bor: Person) -> Journals:
    made: dict[str, set[str]] = {"own": set(), "trash": set(), "foreign": set()}
    for person, word, tag in ((ana, _OWN, "own tag"), (bor, _FOREIGN, "foreign tag")):
        with transaction():
            for number in range(8):
                details = Details(
                    title=f"The sea {number}", text=f"{_TEXT} {word} {number}", tags=["sea", tag], mood=f"{word} mood"
                )
                entry = entries.create(person.account, details)
                made["own" if person is ana else "foreign"].add(str(entry.id))
            vocabulary.add(person.account.id, [*_TEXT.split(), word])
    with transaction():
        entry = entries.create(
            ana.account, Details(title="The sea in the trash", text=f"{_TEXT} rubbish", tags=["rubbish tag"])
        )
        vocabulary.add(ana.account.id, ["rubbish"])
        made["trash"].add(str(entry.id))
    with transaction():
        entries.trash(ana.account, entry.id)
    end_reading()
    return Journals(*(frozenset(each) for each in made.values()))


def check_answers(
    app: Flask, ana: Person, journals: Journals, say_how_many: Callable[[str, int], None], count: int, kind: str
) -> None:
    client = app.test_client()
    randomly = random.Random(20260101)
    slowest, found, suggested = (0.0, ""), 0, 0
    for number in range(count):
        text = typed(randomly)
        sort = randomly.choice(["relevance", "time"])
        begun = time.perf_counter()
        answer = client.get("/api/v1/search", query_string={"q": text, "sort": sort, "limit": 50}, headers=ana.headers)
        slowest = max(slowest, (time.perf_counter() - begun, repr(text[:60])))
        assert answer.status_code == 200, (text, answer.text)
        assert answer.json
        ids = [each["entry"]["id"] for each in answer.json["items"]]
        assert set(ids) <= journals.own, text
        assert len(ids) == len(set(ids)) == answer.json["total"], text
        assert _FOREIGN not in (answer.json["suggestion"] or "").replace(text, ""), text
        found += bool(ids)
        suggested += bool(answer.json["suggestion"])
        if number % 5 == 0:
            check_facets(ana, text, len(ids))
    assert found > count / 10
    say_how_many(f"hostile searches, {kind}", count)
    say_how_many(f"of them found something, {kind}", found)
    say_how_many(f"of them had a suggestion, {kind}", suggested)
    say_how_many(f"ms, the slowest of them: {slowest[1]}, {kind}", round(slowest[0] * 1000))


def check_facets(person: Person, text: str, total: int) -> None:
    sought = conditions.seek(person.account, query.parse(text), Filters(), ZoneInfo("Europe/Ljubljana"))
    counted = facets.facets(sought, ZoneInfo("Europe/Ljubljana"))
    end_reading()
    names = {each.name for every in (counted.tags, counted.motifs, counted.moods) for each in every}
    assert names <= {"sea", "own tag", f"{_OWN} mood"}, text
    assert all(each.entries <= total for each in counted.tags), text
    assert sum(each.entries for each in counted.years) == total, text


def test_whatever_is_typed_is_answered_with_nothing_but_what_is_ones_own(
    app: Flask, ana: Person, journals: Journals, say_how_many: Callable[[str, int], None], database_kind: str
) -> None:
    check_answers(app, ana, journals, say_how_many, 300, database_kind)


@pytest.mark.fault
def test_whatever_is_typed_thousands_of_times_is_answered_with_nothing_but_what_is_ones_own(
    app: Flask, ana: Person, journals: Journals, say_how_many: Callable[[str, int], None], database_kind: str
) -> None:
    check_answers(app, ana, journals, say_how_many, 5000, database_kind)


@pytest.mark.usefixtures("inside")
def test_a_very_long_search_is_answered_soon(
    app: Flask, ana: Person, journals: Journals, say_how_many: Callable[[str, int], None], database_kind: str
) -> None:
    client = app.test_client()
    for name, text in _LONG.items():
        begun = time.perf_counter()
        answer = client.get("/api/v1/search", query_string={"q": text[:10_000]}, headers=ana.headers)
        took = time.perf_counter() - begun
        assert answer.status_code == 200, (name, answer.text)
        assert answer.json
        assert {each["entry"]["id"] for each in answer.json["items"]} <= journals.own, name
        assert took < 20, name
        say_how_many(f"ms for {name}, {database_kind}", round(took * 1000))
    refused = client.get("/api/v1/search", query_string={"q": "a" * 10_001}, headers=ana.headers)
    assert refused.status_code == 422


@pytest.mark.parametrize("given", _BYTES, ids=repr)
def test_bytes_that_are_no_text_are_answered(app: Flask, ana: Person, journals: Journals, given: bytes) -> None:
    client = app.test_client()
    for raw in (
        quote_from_bytes(given),
        quote_from_bytes(b"sea " + given),
        given.decode("latin-1") if given.startswith(b"%") else "",
    ):
        answer = client.get(f"/api/v1/search?q={raw}", headers=ana.headers)
        assert answer.status_code == 200, answer.text
        assert answer.json
        assert {each["entry"]["id"] for each in answer.json["items"]} <= journals.own


def test_neither_suggestions_nor_facets_tell_of_other_peoples_words_or_of_the_trash(
    app: Flask, ana: Person, bor: Person, journals: Journals
) -> None:
    client = app.test_client()
    for text, suggestion in ((_OWN.replace("b", "v"), _OWN), (_FOREIGN[:-1], None), ("rubish", None)):
        answer = client.get("/api/v1/search", query_string={"q": text}, headers=ana.headers)
        assert answer.json
        assert (answer.json["suggestion"], answer.json["total"]) == (suggestion, 0), text
    for text in (
        _FOREIGN,
        "rubbish",
        f"tag:{_FOREIGN}",
        'tag:"foreign tag"',
        'tag:"rubbish tag"',
        f'mood:"{_FOREIGN} mood"',
    ):
        answer = client.get("/api/v1/search", query_string={"q": text}, headers=ana.headers)
        assert answer.json
        assert (answer.json["items"], answer.json["total"]) == ([], 0), text
        check_facets(ana, text, 0)
    stranger = client.get("/api/v1/search", query_string={"q": f"sea OR {_OWN}"}, headers=bor.headers)
    assert stranger.json
    assert {each["entry"]["id"] for each in stranger.json["items"]} == journals.foreign
    trash = client.get("/api/v1/search", query_string={"q": "rubbish", "trash": "true"}, headers=ana.headers)
    assert trash.status_code == 422
    for unknown in (
        {"q": "sea", "limit": "0"},
        {"q": "sea", "limit": "101"},
        {"q": "sea", "sort": "best"},
        {"q": "sea", "x": "1"},
    ):
        assert client.get("/api/v1/search", query_string=unknown, headers=ana.headers).status_code == 422
    assert client.get("/api/v1/search?q=sea").status_code == 401


# --- Pages ---

LONGEST_CURSOR = 500


@pytest.fixture
def many(inside: None, ana: Person, bor: Person) -> frozenset[str]:
    """Ana's dreams of the sea; many at the same moment, and many that fit just as well."""
    with transaction():
        rows = [
            {
                "id": uuid4(),
                "account_id": person.account.id,
                "text": "the sea " * (1 + number % 4) + "once " * (number % 3),
                "dreamed_at": datetime(2024, 5, 1, 5, tzinfo=UTC) + timedelta(days=number // 9),
            }
            for person in (ana, bor)
            for number in range(40)
        ]
        session().execute(insert(Entry), rows)
    return frozenset(str(row["id"]) for row in rows if row["account_id"] == ana.account.id)


@pytest.mark.parametrize("sort", ["relevance", "time"])
@pytest.mark.parametrize("text", ["sea", "sea OR once", "the sea -nothing", "kind:dream"])
def test_page_by_page_every_entry_comes_once(
    app: Flask, ana: Person, many: frozenset[str], text: str, sort: str
) -> None:
    client = app.test_client()
    for limit in (1, 7, 100):
        whole, pages, cursor = list[dict[str, Any]](), 0, None
        while cursor or not pages:
            asked = {"q": text, "sort": sort, "limit": str(limit)} | ({"cursor": cursor} if cursor else {})
            answer = client.get("/api/v1/search", query_string=asked, headers=ana.headers)
            assert answer.status_code == 200
            assert answer.json
            assert pages or answer.json["total"] == len(many)
            whole += answer.json["items"]
            cursor, pages = answer.json["next_cursor"], pages + 1
        ids = [each["entry"]["id"] for each in whole]
        assert len(ids) == len(set(ids))
        assert set(ids) == many
        assert pages == -(-len(many) // limit)
        order = [each["score"] if sort == "relevance" else each["entry"]["dreamed_at"] for each in whole]
        assert order == sorted(order, reverse=True)


def test_of_very_many_the_best_of_the_newest_are_listed(app: Flask, ana: Person) -> None:
    assert DEEPEST < MOST
    with app.app_context():
        with transaction():
            start = datetime(2020, 1, 1, tzinfo=UTC)
            rows = [
                {
                    "id": uuid4(),
                    "account_id": ana.account.id,
                    "text": "sea",
                    "dreamed_at": start + timedelta(minutes=number),
                }
                for number in range(DEEPEST + 20)
            ]
            session().execute(insert(Entry), rows)
        db.db.session.remove()
    client = app.test_client()
    ids, cursor, total = list[str](), "", 0
    for _ in range(30):
        asked = {"q": "sea", "limit": "100"} | ({"cursor": cursor} if cursor else {})
        answer = client.get("/api/v1/search", query_string=asked, headers=ana.headers)
        assert answer.json
        ids += [each["entry"]["id"] for each in answer.json["items"]]
        cursor, total = answer.json["next_cursor"], answer.json["total"]
        if not cursor:
            break
    assert len(ids) == len(set(ids)) == DEEPEST
    assert total == DEEPEST + 20


def cursor_of(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


_MOMENT, _ID = "2024-05-01T05:00:00+00:00", "550e8400-e29b-41d4-a716-446655440000"
_CURSORS: tuple[Any, ...] = (
    [float("nan"), _MOMENT, _ID], [float("inf"), _MOMENT, _ID], ["1e999", _MOMENT, _ID], ["nan", _MOMENT, _ID],
    [10**400, _MOMENT, _ID],
    [None, _MOMENT, _ID], [[], _MOMENT, _ID], [{}, _MOMENT, _ID], [True, None, _ID], ["", _MOMENT, _ID],
    ["1_0x", _MOMENT, _ID], [1, _MOMENT], [1],
    [], {}, None, 1, "x", True, [1, _MOMENT, _ID, 1], [1, "0001-01-01T00:00:00+23:59", _ID],
    [1, "9999-12-31T23:59:59-23:59", _ID], [1, 5, _ID],
    [1, _MOMENT, "x"], [1, _MOMENT, 5], [1, _MOMENT, None], [1, "yesterday", _ID], [_MOMENT, _ID, 1],
    [_ID, _MOMENT], [[[[]]], {}, []],
    [_MOMENT, "x"], ["0001-01-01T00:00:00+23:59", _ID], [None, _ID], [5, _ID],
)  # fmt: skip
_CURSORS += tuple([*each, "words"] for each in _CURSORS if isinstance(each, list) and len(each) == 3)
_ENDS: tuple[Any, ...] = (None, True, [], {}, "", "Merged")
_CURSORS += tuple([1, _MOMENT, _ID, end] for end in _ENDS)
_RAW = (
    "x",
    "====",
    "%",
    "🌊",
    "\0",
    "A" * 10_000,
    "null",
    "-" * 8,
    "_" * 8,
    "W10",
    "e30",
    "bnVsbA",
    cursor_of(1)[:-1],
    "[1]",
    "1e999",
    "' OR 1",
)


def test_a_cursor_that_is_not_from_here_is_refused(
    app: Flask, ana: Person, many: frozenset[str], say_how_many: Callable[[str, int], None]
) -> None:
    client = app.test_client()

    def asked(sort: str, cursor: str) -> int:
        given = {"q": "sea", "sort": sort, "cursor": cursor}
        return client.get("/api/v1/search", query_string=given, headers=ana.headers).status_code

    tried = 0
    for sort in ("relevance", "time"):
        for cursor in (*map(cursor_of, _CURSORS), *_RAW):
            assert asked(sort, cursor) == (400 if len(cursor) <= LONGEST_CURSOR else 422), (sort, cursor)
            tried += 1
    first: dict[str, Any] = {
        sort: client.get(f"/api/v1/search?q=sea&sort={sort}&limit=2", headers=ana.headers).json
        for sort in ("relevance", "time")
    }
    entries_cursor = client.get("/api/v1/entries?limit=2", headers=ana.headers).json
    assert first["relevance"]
    assert first["time"]
    assert entries_cursor
    assert asked("time", first["relevance"]["next_cursor"]) == 400
    assert asked("relevance", first["time"]["next_cursor"]) == 400
    assert asked("relevance", entries_cursor["next_cursor"]) == 400
    assert asked("relevance", quote(first["relevance"]["next_cursor"])) == 200
    say_how_many("hostile cursors", tried)


@pytest.mark.parametrize("score", [1e308, -1e308, 5e-324, -0.0, 0, 10**280])
@pytest.mark.parametrize("ranked", ["words", "merged"])
def test_a_cursor_that_somebody_has_made_up_shows_nothing_but_what_is_ones_own(
    app: Flask, ana: Person, many: frozenset[str], score: float, ranked: str
) -> None:
    cursor = cursor_of([score, _MOMENT, _ID, ranked])
    answer = app.test_client().get("/api/v1/search", query_string={"q": "sea", "cursor": cursor}, headers=ana.headers)
    assert answer.status_code == 200
    assert answer.json
    assert {each["entry"]["id"] for each in answer.json["items"]} <= many
