"""Promises about the search page: what is found and said, narrowed, kept and opened, and that it never fails."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from flask import Flask
from sqlalchemy import insert

from dreamweb import db, vocabulary
from dreamweb.models import Entry
from dreamweb.search import saved
from dreamweb.search.query import parse
from tests.conftest import Person, wav
from tests.processed import hear
from tests.web.conftest import Browser, words
from tests.web.test_timeline import counted
from tests.worked import put_motifs

ROOT = Path(__file__).parents[2]

WHILE_TYPING = {"HX-Request": "true"}


def titles(page: httpx.Response | str) -> list[str]:
    text = page if isinstance(page, str) else page.text
    found = re.findall(r'<h3 class="card-title">.*?<span class="veiled">(.*?)</span></a>', text, re.DOTALL)
    return [words(each) for each in found]


def links(page: httpx.Response, label: str) -> list[str]:
    """Where the links lead that say this."""
    found = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', page.text, re.DOTALL)
    return [html.unescape(address) for address, inner in found if words(inner).startswith(label)]


def write(api: httpx.Client, **details: object) -> str:
    made = api.post("/entries", json=details)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


@pytest.fixture
def journal(app: Flask, ana: Person, api: httpx.Client) -> None:
    """Six entries, one of them private; and the words that a worker would remember of them."""
    for details in (
        {"title": "The lighthouse", "text": "A **lighthouse** by the sea.", "tags": ["sea"], "mood": "calm"},
        {"title": "Whales", "text": "I flew over the sea.", "tags": ["sea", "old friends"], "mood": "joyful"},
        {"title": "A letter", "text": "Nothing but paper.", "kind": "journal", "private": True},
        {"title": "Hiša", "text": "Stala sem v hiši ob morju."},
        {"text": "The sea had no water in it."},
        {"title": "Old", "text": "The sea again.", "dreamed_at": "2019-05-03T04:00:00Z"},
    ):
        write(api, **details)
    with app.app_context(), db.transaction():
        vocabulary.add(ana.account.id, ["lighthouse", "whales", "water"])


@pytest.mark.usefixtures("journal")
def test_words_find_dreams_and_are_marked(at_home: Browser) -> None:
    page = at_home.get("/search", params={"q": "lighthouse sea"})
    assert titles(page) == ["The lighthouse"]
    assert re.findall(r"<mark>(.*?)</mark>", page.text) == ["lighthouse", "lighthouse", "sea"]
    assert "A lighthouse by the sea." in words(page.text.replace("<mark>", "").replace("</mark>", ""))
    assert re.search(r'id="found-said"[^>]*>1 dream<', page.text)
    assert 'value="lighthouse sea"' in page.text


@pytest.mark.usefixtures("journal")
def test_it_is_said_how_many_there_are_and_what_was_not_understood(at_home: Browser) -> None:
    page = at_home.get("/search", params={"q": "sea on:someday"})
    assert "“on:someday” was not understood, and is looked for as words." in words(page)
    assert re.search(r'id="found-said"[^>]*>4 dreams<', at_home.get("/search?q=sea").text)
    nothing = at_home.get("/search", params={"q": "volcano erupting tag:sea"})
    assert "No dream has all of this" in words(nothing)
    assert "Take a condition away" in words(nothing)


@pytest.mark.usefixtures("journal")
def test_what_was_probably_meant_is_shown_at_once(at_home: Browser) -> None:
    page = at_home.get("/search", params={"q": "lighthuose"})
    assert "No dream has all of what you typed. These have: lighthouse" in words(page)
    assert titles(page) == ["The lighthouse"]
    assert links(page, "lighthouse") == ["/search?q=lighthouse"]


@pytest.mark.usefixtures("journal")
def test_the_beginning_of_a_word_finds_it_too(at_home: Browser) -> None:
    assert titles(at_home.get("/search?q=lightho&typing=1", headers=WHILE_TYPING)) == ["The lighthouse"]
    sent = at_home.get("/search?q=lightho")
    assert titles(sent) == ["The lighthouse"]
    assert "No dream has “lightho” as a whole word." in words(sent)
    assert "<mark>lighthouse</mark>" in sent.text


@pytest.mark.usefixtures("journal")
def test_while_somebody_types_only_what_is_found_is_sent(at_home: Browser) -> None:
    part = at_home.get("/search?q=whal&typing=1", headers=WHILE_TYPING)
    assert "<html" not in part.text
    assert part.headers["HX-Replace-Url"] == "/search?q=whal&typing=1"
    assert '<div hx-swap-oob="innerHTML:#found-said">1 dream</div>' in part.text
    assert "HX-Request" in part.headers["Vary"]
    emptied = at_home.get("/search?q=&typing=1", headers=WHILE_TYPING)
    assert emptied.headers["HX-Replace-Url"] == "/search"
    assert "How to ask" in words(emptied)


@pytest.mark.usefixtures("journal")
def test_dreams_are_ordered_by_fit_or_by_time(at_home: Browser) -> None:
    page = at_home.get("/search?q=sea&sort=time")
    assert titles(page) == ["The sea had no water in it.", "Whales", "The lighthouse", "Old"]
    assert 'name="sort" value="time"' in page.text
    assert links(page, "Best first") == ["/search?q=sea"]
    assert links(at_home.get("/search?q=sea"), "Newest first") == ["/search?q=sea&sort=time"]
    # Without a word, there is nothing to fit.
    assert links(at_home.get("/search?q=tag:sea"), "Best first") == []


def test_more_is_a_link_away_and_each_dream_comes_once(app: Flask, ana: Person, at_home: Browser) -> None:
    now = datetime.now(UTC)
    rows = [
        {"account_id": ana.account.id, "title": f"Sea {n}", "dreamed_at": now - timedelta(hours=n)} for n in range(47)
    ]
    with app.app_context(), db.transaction() as session:
        session.execute(insert(Entry), rows)
    for start in ("/search?q=sea", "/search?q=sea&sort=time", "/search?q=se&typing=1"):
        seen: list[str] = []
        address: str | None = start
        while address:
            page = at_home.get(address)
            seen += titles(page)
            address = next(iter(links(page, "More")), None)
        assert len(seen) == len(set(seen)) == 47, start
    [older] = links(at_home.get("/search?q=sea"), "More")
    part = at_home.get(older, headers=WHILE_TYPING)
    assert len(titles(part)) == 20
    assert "<html" not in part.text
    assert "HX-Replace-Url" not in part.headers


@pytest.mark.usefixtures("journal")
def test_a_search_is_narrowed_and_widened_again(app: Flask, ana: Person, at_home: Browser) -> None:
    put_motifs(app, ana.account, {("place", "Old house"): 6})
    page = at_home.get("/search?q=sea&narrow=1")
    assert "Tags sea 2 in 2 entries" in words(page)
    assert links(page, "sea 2") == ["/search?q=tag:sea+sea&narrow=1"]
    assert links(page, "old friends 1") == ["/search?q=tag:%22old+friends%22+sea&narrow=1"]
    assert links(page, "Old house") == ["/search?q=motif:%22Old+house%22+sea&narrow=1"]
    assert links(page, "calm") == ["/search?q=mood:calm+sea&narrow=1"]
    assert links(page, "2019") == ["/search?q=on:2019+sea&narrow=1"]
    narrowed = at_home.get(links(page, "sea 2")[0])
    assert set(titles(narrowed)) == {"The lighthouse", "Whales"}
    assert links(narrowed, "sea 2") == ["/search?q=sea&narrow=1"]
    assert links(narrowed, "tag:sea") == ["/search?q=sea"]
    part = at_home.get("/search?q=sea&narrow=1", headers=WHILE_TYPING)
    assert "<html" not in part.text
    assert "card-title" not in part.text
    assert "Show what is in these dreams" in words(at_home.get("/search?q=sea"))


@pytest.mark.usefixtures("journal")
def test_fields_have_slovenian_names_in_slovenian(api: httpx.Client, at_home: Browser) -> None:
    at_home.headers["Accept-Language"] = "sl"
    page = at_home.get("/search", params={"q": "sea", "narrow": "1"})
    assert "oznaka:sea" in str(links(page, "sea 2"))
    assert "dne:2019" in str(links(page, "2019"))
    assert "razpolo%C5%BEenje:calm" in str(links(page, "calm"))
    assert links(at_home.get("/search", params={"q": "oznaka:sea sea"}), "oznaka:sea") == ["/search?q=sea"]


@pytest.mark.usefixtures("journal")
def test_a_search_is_kept_and_no_longer(at_home: Browser) -> None:
    kept = at_home.submit("/search/saved", {"q": " tag:sea   whales "}, page="/search?q=sea")
    assert "Kept. You find it on the empty search page." in words(kept)
    assert titles(kept) == ["Whales"]
    page = at_home.get("/search")
    assert links(page, "tag:sea whales") == ["/search?q=tag:sea+whales"]
    assert "Keep no longer" in words(at_home.get("/search?q=tag:sea+whales"))
    [remove] = re.findall(r'action="(/search/saved/[^"]*/remove)"', page.text)
    assert "It is not kept any more." in words(at_home.submit(remove, page="/search"))
    assert links(at_home.get("/search"), "tag:sea whales") == []
    refused = at_home.submit("/search/saved", {"q": " ... "}, page="/search?q=sea")
    assert "There is nothing to search for in this." in words(refused)


@pytest.mark.usefixtures("journal")
def test_what_cannot_be_kept_is_said_and_what_is_kept_can_be_kept_again(at_home: Browser) -> None:
    refused = at_home.submit("/search/saved", {"q": "sea " * 130}, page="/search?q=sea")
    assert "A search of more than 500 characters cannot be kept. Shorten it." in words(refused)
    for number in range(saved.MOST):
        at_home.submit("/search/saved", {"q": f"whale{number}"}, page="/search?q=sea")
    assert "Kept." in words(at_home.submit("/search/saved", {"q": "whale7"}, page="/search?q=sea"))
    refused = at_home.submit("/search/saved", {"q": "sea"}, page="/search?q=sea")
    assert "You have kept 50 searches. Remove one first." in words(refused)


@pytest.mark.usefixtures("journal")
def test_a_form_that_is_in_the_trash_only_is_not_suggested(
    app: Flask, ana: Person, at_home: Browser, api: httpx.Client
) -> None:
    trashed = write(api, text="Among the lighthouses.")
    with app.app_context(), db.transaction():
        vocabulary.add(ana.account.id, ["lighthouses"])
    assert "lighthouses" in words(at_home.get("/search?q=lighthuoses"))
    api.delete(f"/entries/{trashed}")
    assert "lighthouses" not in words(at_home.get("/search?q=lighthuoses"))


@pytest.mark.usefixtures("journal")
def test_what_somebody_keeps_belongs_to_them(at_home: Browser, elsewhere: Browser) -> None:
    at_home.submit("/search/saved", {"q": "whales"}, page="/search?q=sea")
    [remove] = re.findall(r'action="(/search/saved/[^"]*/remove)"', at_home.get("/search").text)
    assert links(elsewhere.get("/search"), "whales") == []
    refused = elsewhere.post(remove, data={"csrf_token": elsewhere.token("/entries/new")})
    assert refused.status_code == 404
    assert at_home.post(remove, data={}).status_code == 400
    assert links(at_home.get("/search"), "whales") == ["/search?q=whales"]


@pytest.mark.usefixtures("journal")
def test_the_dreams_of_others_are_nowhere(elsewhere: Browser) -> None:
    for typed in ("sea", "lighthuose", "lightho", "tag:sea", "is:private", "-nothing"):
        page = elsewhere.get("/search", params={"q": typed, "narrow": "1"})
        assert titles(page) == [], typed
        assert "old friends" not in page.text
        assert "lighthouse" not in words(page)


def test_motifs_of_others_and_of_the_trash_are_not_offered(
    app: Flask, ana: Person, api: httpx.Client, stranger: httpx.Client, at_home: Browser, elsewhere: Browser
) -> None:
    mine = write(api, text="The sea came in.")
    put_motifs(app, ana.account, {("place", "Cellar"): 1})
    for client in (api, stranger):
        write(client, text="The sea again.")
    narrowed = "/search?q=sea&narrow=1"
    assert "Cellar 1" in words(at_home.get(narrowed))
    assert "Cellar" not in elsewhere.get(narrowed).text
    api.delete(f"/entries/{mine}")
    assert titles(at_home.get(narrowed)) == ["The sea again."]
    assert "Cellar" not in at_home.get(narrowed).text


def test_an_empty_search_offers_what_one_dreams_of(app: Flask, ana: Person, at_home: Browser) -> None:
    assert "What your dreams have much of" not in words(at_home.get("/search"))
    at_home.submit("/entries", {"text": "The sea", "tags": "sea, old friends", "kind": "dream"}, page="/entries/new")
    put_motifs(app, ana.account, {("place", "Old house"): 1})
    page = at_home.get("/search")
    assert links(page, "tag:sea") == ["/search?q=tag:sea"]
    assert titles(at_home.get(links(page, 'tag:"old friends"')[0])) == ["The sea"]
    assert titles(at_home.get(links(page, 'motif:"Old house"')[0])) == ["The sea"]
    assert "How to ask" in words(page)


@pytest.mark.parametrize("language", ["en", "sl"])
def test_the_examples_are_understood(at_home: Browser, language: str) -> None:
    page = at_home.get("/search", headers={"Accept-Language": language}).text
    table = re.findall(r"<td><code>(.*?)</code></td>", page)
    assert len(table) == 8
    guide = (ROOT / "docs" / "searching.md").read_text(encoding="utf-8").partition("## The language")[2]
    rows = [line for line in guide.partition("\nBoth")[0].splitlines() if line.startswith("| `")]
    examples = [html.unescape(each) for each in table] + [each for row in rows for each in re.findall("`(.*?)`", row)]
    assert len(examples) > 40
    for typed in examples:
        understood = parse(typed)
        assert understood.clauses, typed
        assert not understood.notes, typed


@pytest.mark.usefixtures("journal")
def test_private_dreams_are_veiled(at_home: Browser) -> None:
    page = at_home.get("/search?q=paper")
    assert '<article class="card private"' in page.text
    assert '<span class="veiled">A letter</span>' in page.text
    assert '<p class="snippet">Nothing but <mark>paper</mark>.</p>' in page.text  # .private blurs both


def test_what_was_said_leads_to_its_second_in_the_recording(app: Flask, at_home: Browser, api: httpx.Client) -> None:
    entry = str(api.post("/upload?title=Night", content=wav(40 * 48_000)).json()["id"])
    hear(app, entry)
    page = at_home.get("/search?q=sea")
    [address] = links(page, "Play from 0:05")
    assert address == f"/entries/{entry}?version=transcription&at=5.0&q=sea"
    opened = at_home.get(address)
    assert 'data-from="5.0"' in opened.text
    assert "#t=5.0" in opened.text
    assert 'data-looked-for="[&#34;sea&#34;]"' in opened.text
    assert links(page, "Night") == [f"/entries/{entry}?q=sea"]
    for wrong in ("nan", "-1", "inf", "1e99", "x", "99999"):
        assert "data-from" not in at_home.get(f"/entries/{entry}?at={wrong}").text


def test_a_word_of_every_sentence_is_no_place_to_play_from(app: Flask, at_home: Browser, api: httpx.Client) -> None:
    entry = str(api.post("/upload?title=Night", content=wav(40 * 48_000)).json()["id"])
    hear(app, entry, "The house stood.", "Then the sea came.", "It was the end.")
    [at] = re.findall(r"at=([\d.]+)", links(at_home.get("/search?q=the+sea"), "Play from")[0])
    [alone] = re.findall(r"at=([\d.]+)", links(at_home.get("/search?q=sea"), "Play from")[0])
    assert at == alone
    assert "at=0.5" in links(at_home.get("/search?q=the"), "Play from")[0]  # who types nothing else means that


def test_that_text_of_a_dream_is_shown_which_says_what_was_looked_for(
    app: Flask, at_home: Browser, api: httpx.Client
) -> None:
    entry = str(api.post("/upload?title=Night", content=wav(40 * 48_000)).json()["id"])
    hear(app, entry, "The house stood.", "Then the sea came.")
    api.patch(f"/entries/{entry}", json={"text": "The house stood, and I was in the attic."})
    assert "<mark>sea</mark> came" in at_home.get("/search?q=the+sea").text
    assert "attic" in at_home.get("/search?q=the").text


def test_a_phrase_is_played_that_reaches_into_the_next_sentence(
    app: Flask, at_home: Browser, api: httpx.Client
) -> None:
    entry = str(api.post("/upload?title=Night", content=wav(40 * 48_000)).json()["id"])
    hear(app, entry, "I saw the sea.", "Then a house.")
    [second] = links(at_home.get("/search", params={"q": '"sea then"'}), "Play from")
    [sea] = links(at_home.get("/search?q=sea"), "Play from")
    assert second.partition("&q=")[0] == sea.partition("&q=")[0]


@pytest.mark.usefixtures("journal")
def test_a_phrase_does_not_reach_from_the_title_into_the_text(at_home: Browser, api: httpx.Client) -> None:
    write(api, title="The old mill", text="Beside it a river.", tags=["wet"])
    for across in ('"mill beside"', '"mill wet"', '"wet beside"'):
        assert titles(at_home.get("/search", params={"q": across})) == [], across
    assert titles(at_home.get("/search", params={"q": '"old mill"'})) == ["The old mill"]


def test_what_was_written_anew_is_not_marked_by_the_words_it_had(
    app: Flask, at_home: Browser, api: httpx.Client
) -> None:
    entry = write(api, text="I was flying over a hill.")
    with app.app_context(), db.transaction() as session:
        session.get_one(Entry, UUID(entry)).lemmas = " i be fly over a hill "
    assert "<mark>flying</mark>" in at_home.get("/search?q=fly").text
    api.patch(f"/entries/{entry}", json={"text": "Red hill by water."})
    assert "<mark>" not in at_home.get("/search?q=fly").text


@pytest.mark.usefixtures("journal")
def test_an_entry_that_was_found_is_opened_with_its_words(at_home: Browser) -> None:
    page = at_home.get("/search", params={"q": '"no water" -whale se', "typing": "1"})
    [address] = links(page, "The sea had")
    opened = at_home.get(address).text
    assert 'data-looked-for="[&#34;sea&#34;, &#34;no water&#34;]"' in opened
    assert "data-looked-for" not in at_home.get(address.partition("?")[0]).text


HOSTILE = [
    *("\0", "a\0b", "🐳", "🐳" * 2000, '"', "'", '"""', "%", "%%s%(x)s", "_", "*", "-", "()", ":", "tag:", "-tag:"),
    *("' OR 1=1 --", '"; DROP TABLE dream_entries; --', "NEAR(a b)", "a AND b OR", "{title} : x", "a:b:c", "\\", "^x"),
    *(
        "<script>alert(1)</script>",
        "</title><img src=x onerror=alert(1)>",
        "\u202e\ufeff\u2028",
        "\ud800",
        "x" * 10_000,
    ),
    *("a " * 5000, "tag:" * 2500, '"a" OR ' * 1000, "č" * 10_000, "on:0000", "before:99999-99", "e\u0301" * 500, "١٢٣"),
]


@pytest.mark.usefixtures("journal")
def test_nothing_that_is_typed_makes_it_fail(at_home: Browser) -> None:
    for typed in HOSTILE:
        sent = quote(typed.encode("utf-8", "surrogatepass"))
        for more in ("", "&typing=1", "&narrow=1", "&sort=time"):
            page = at_home.get(f"/search?q={sent}{more}")
            assert page.status_code == 200, (typed[:40], more)
            assert "<script>alert" not in page.text
        for address in links(page, "sea")[:2]:
            assert at_home.get(address).status_code == 200, (typed[:40], address)
    token = at_home.token("/search?q=sea")
    for typed in HOSTILE:
        kept = at_home.post("/search/saved", data={"csrf_token": token, "q": typed.encode("utf-8", "replace")})
        assert kept.status_code == 200, typed[:40]
    for query in ("sort=nonsense", "q=sea&q=x", "typing=&narrow=", "q=%ff%fe"):
        assert at_home.get(f"/search?{query}").status_code == 200, query
    assert at_home.get("/search?q=sea&cursor=nonsense").status_code == 400


def test_what_somebody_has_written_stays_text(at_home: Browser, api: httpx.Client) -> None:
    evil = "<img src=x onerror=alert(1)> sea <mark>x</mark> </p><script>alert(2)</script>"
    write(api, title=evil, text=f"{evil} \x02sea\x03 & **<b>sea</b>**", tags=["<b>sea"], mood="<i>sea")
    for address in ("/search?q=sea", "/search?q=sea&narrow=1", "/search?q=mark", "/search?q=tag:%22%3Cb%3Esea%22"):
        page = at_home.get(address)
        assert len(titles(page)) == 1, address
        for tag in ("<img", "<script>alert", "<b>", "<i>", "<mark>x"):
            assert tag not in page.text, (address, tag)
    assert "<img src=x onerror=alert(1)> sea" in titles(at_home.get("/search?q=sea"))[0]


@pytest.mark.parametrize("entries", [3, 40])
def test_the_search_asks_the_database_little(app: Flask, ana: Person, at_home: Browser, entries: int) -> None:
    """However many entries there are."""
    rows = [{"account_id": ana.account.id, "title": f"Sea {n}", "dreamed_at": db.now()} for n in range(entries)]
    with app.app_context(), db.transaction() as session:
        session.execute(insert(Entry), rows)
    put_motifs(app, ana.account, {("place", "House"): entries})
    most = {
        "/search": 4,
        "/search?q=sea": 9,
        "/search?q=se&typing=1": 9,
        "/search?q=sea&sort=time": 10,
        "/search?q=motif:house+sea": 10,
        "/search?q=sea&narrow=1": 13,
        "/search?q=nowhere": 10,
    }
    with counted(app) as statements:
        for address, limit in most.items():
            statements.clear()
            assert at_home.get(address).status_code == 200
            assert len(statements) <= limit, (address, statements)


@pytest.mark.usefixtures("journal")
def test_what_is_looked_for_is_never_logged(
    at_home: Browser, nobody: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "unspeakable"
    for browser in (at_home, nobody):
        for more in ("", "&typing=1", "&narrow=1", "&cursor=nonsense"):
            browser.get(f"/search?q={secret}+tag:{secret}{more}", headers={"Referer": f"/search?q={secret}"})
    at_home.submit("/search/saved", {"q": secret}, page="/search?q=sea")
    logged = [str(vars(record)) for record in caplog.records]
    assert len([line for line in logged if "'path': '/search'" in line]) > 8
    assert [line for line in logged if secret in line] == []
