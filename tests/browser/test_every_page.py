"""Promises that every page of ours keeps: for everybody to read, in every theme, on every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from flask import Flask
from playwright.sync_api import Page

from dreamweb import accounts, db, motifs
from dreamweb.db import now
from tests.attachables import PDF, PNG
from tests.browser.conftest import PHONE, OpenBrowser, let_in
from tests.conftest import SAMPLES, Person
from tests.worked import NO_SERVER, put_job, put_motifs

# What is drawn does not depend on where it is kept.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

FOREIGN = {"static", "api", "health", "docs"}
"""What programs read, and what the makers of the API's documentation have drawn."""

PIECES = {"entries.tag_names", "recordings.waveform", "offline.who", "offline.worker", "offline.manifest"}
"""Parts of pages, which are seen on those only, and what only scripts and browsers read."""

OUTSIDE = {"welcome.first", "accounts.sign_in"}
"""Whoever is signed in is sent on from these."""

LAW: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
COLOURS: dict[str, Any] = {
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
    "resultTypes": ["violations"],
}

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"

Walk = Callable[..., Iterator[tuple[str, Page]]]


def fill(api: httpx.Client) -> str:
    """Put something of every kind into a journal; answers the entry that has all that one can have."""
    sent = api.post("/upload", params={"title": "Hiša", "tags": "hiša,voda"}, content=sample("sl-hisa.mp3"))
    entry = f"/entries/{sent.json()['id']}"
    about = {"text": "Bila sem **v hiši**. [Več](https://example.org/)\n\n- ena\n\n> dve", "mood": "mirno"}
    more = {"lucidity": 3, "recall": "full", "language": "sl", "metadata": {"weather": "rain"}}
    assert api.patch(entry, json=about | more).status_code == 200
    for name, content in ((f"{LONG}.png", PNG), ("a letter.pdf", PDF)):
        assert api.post(f"{entry}/attachments", files={"file": (name, content)}).status_code == 201
    a_year_ago = datetime.now(UTC) - timedelta(days=365, hours=6)
    for details in (
        {"title": "Late for the train", "text": "The station had no clocks.", "tags": ["train", "a"], "private": True},
        {"title": LONG, "text": f"{LONG} https://example.org/{LONG}", "tags": ["x" * 50], "kind": "journal"},
        {"title": "A year ago", "text": "word " * 200, "dreamed_at": a_year_ago.isoformat()},
        {"recall": "none"},
        {"title": "Deleted", "text": "Away with it."},
    ):
        made = api.post("/entries", json=details)
        assert made.status_code == 201, made.text
    assert api.delete(f"/entries/{made.json()['id']}").status_code == 204
    return str(sent.json()["id"])


def work(app: Flask, person: Person, entry: str) -> str:
    """Put something of every kind into the queue, and motifs of every size into the journal; answers one of them."""
    account = person.account
    put_job(app, account, entry, "transcribe", "running", progress=0.4)
    put_job(app, account, entry, "tidy", "waiting")
    put_job(app, account, entry, "index", "waiting", run_at=now() + timedelta(hours=1), reason=NO_SERVER, attempts=2)
    put_job(app, account, entry, "analyse", "failed", reason=NO_SERVER)
    asked = {"what": "language", "language": "sl"}
    understood = {
        "title": "Nad morjem",
        "motifs": [{"type": "place", "name": LONG}],
        "text": "Letela sem.",
        "seconds": 2,
    }
    put_job(app, account, None, "trial", "done", request=asked, result=understood, engine="local")
    put_job(app, account, None, "trial", "failed", request=asked | {"what": "speech"}, reason=NO_SERVER)
    found = {("place", "House"): 5, ("place", LONG): 3, ("symbol", "Key"): 2, ("feeling", "Fear"): 1, ("theme", "x"): 0}
    ids = put_motifs(app, account, found)
    with app.app_context(), db.transaction():
        motifs.add_sign(account, "person", "My grandmother", "")
        motifs.hide(account, UUID(ids["Fear"]), True)
    return ids["House"]


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def addresses(app: Flask, values: dict[str, str]) -> dict[str, str]:
    """Every page of ours by its name: whoever adds a page has it looked at by these tests."""
    found = {}
    for rule in app.url_map.iter_rules():
        name = rule.endpoint
        if "GET" in (rule.methods or ()) and name.split(".")[0] not in FOREIGN and name not in PIECES | OUTSIDE:
            built = rule.build({argument: values[argument] for argument in rule.arguments})
            assert built
            found[name] = built[1]
    more = {"filtered": "/?tag=train&kind=dream", "nothing found": "/?tag=nowhere", "no such page": "/nowhere"}
    return found | more


@pytest.fixture
def walk(
    app: Flask, live: str, make_person: Callable[..., Person], open_browser: OpenBrowser, foreseen: list[str]
) -> Walk:
    """Goes through all pages, and through what they become when they are used."""
    foreseen += ["404", "422"]

    def walk(**options: Any) -> Iterator[tuple[str, Page]]:
        page = open_browser(**options).new_page()
        for name, address in (("welcome.first", "/welcome"), ("the same, refused", "/welcome")):
            page.goto(address)
            if name != "welcome.first":
                refuse(page)
            yield name, page
        ana, bor = make_person("ana"), make_person("bor", "member")
        with httpx.Client(base_url=f"{live}/api/v1", headers=ana.headers) as api:
            entry = fill(api)
        with app.app_context(), db.transaction():
            token = accounts.add_token(ana.account, f"phone {LONG[:60]}", ["upload"])[0]
        motif = work(app, ana, entry)
        page.goto("/sign-in")
        yield "accounts.sign_in", page
        let_in(page.context, app, ana, live)
        values = {"entry_id": entry, "account_id": str(bor.account.id), "token_id": str(token.id), "motif_id": motif}
        for name, address in addresses(app, values).items():
            page.goto(address)
            yield name, page
        for used, how in USED.items():
            how(page, entry)
            yield used, page

    return walk


def refuse(page: Page) -> None:
    """Send the first form with nothing in it, past the browser's own checks."""
    page.evaluate("for (const field of document.forms[0].elements) { field.required = false; field.value ||= ''; }")
    page.locator("main form .primary").first.click()
    page.locator("[aria-invalid]").first.wait_for()


def open_everything(page: Page, entry: str) -> None:
    page.goto("/")
    page.locator("#filters summary").click()
    page.locator("#calendar summary").click()
    page.locator(".calendar").wait_for()


def refuse_an_entry(page: Page, entry: str) -> None:
    page.goto("/entries/new")
    page.locator("main details summary").click()
    refuse(page)


def open_details(page: Page, entry: str) -> None:
    page.goto(f"/entries/{entry}")
    page.locator("svg.waveform").wait_for()
    page.locator(".more-details summary").click()


def make_token(page: Page, entry: str) -> None:
    page.goto("/settings/tokens")
    form = page.locator("form:has(input[name=name])")
    form.locator("input[name=name]").fill("my new phone")
    form.locator("button").click()
    page.locator(".qr svg").wait_for()


def delete(page: Page, entry: str) -> None:
    page.goto(f"/entries/{entry}")
    page.locator("form[action$='/delete'] button").click()
    page.locator("form[action$='/restore'] button").wait_for()


USED: dict[str, Callable[[Page, str], None]] = {
    "home, all open": open_everything,
    "entry, all open": open_details,
    "entry refused": refuse_an_entry,
    "a token made": make_token,
    "entry deleted": delete,
}


AXE = "options => axe.run(document, options).then(({ violations }) => ({ violations }))"


def breaches(page: Page) -> list[str]:
    """What axe has to say against a page in each theme; it is given to the page once, and answers nothing else."""
    page.evaluate(AXE_SCRIPT)
    found = []
    for theme in ("light", "dark", "night"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        seen = AxeResults(page.evaluate(AXE, LAW if theme == "light" else COLOURS))
        found += [f"{theme}: {seen.generate_report()}"] if seen.violations_count else []
    return found


def test_every_page_is_for_everybody_in_every_theme(walk: Walk) -> None:
    """As far as a machine can tell: the criteria of WCAG 2.2, level AA, and its contrasts in each theme."""
    found = {name: seen for name, page in walk() if (seen := breaches(page))}
    assert not found, report(found)


TOO_WIDE = """() => {
  const hidden = (element) => element.closest(".visually-hidden, .skip, svg");
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && !hidden(element);
  const meant = (style) => style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none";
  const name = ({ tagName, className, textContent }) => `${tagName}.${className}: ${textContent.trim().slice(0, 40)}`;
  const found = [];
  const width = document.documentElement.clientWidth;
  const needed = document.scrollingElement.scrollWidth;
  if (needed > width) found.push(`the page is ${needed} wide`);
  for (const element of document.querySelectorAll("body *")) {
    if (!seen(element)) continue;
    const style = getComputedStyle(element);
    const hides = style.overflowX !== "visible" && style.overflowX !== "auto" && !meant(style);
    if (hides && element.scrollWidth > element.clientWidth + 1) found.push(`cut off: ${name(element)}`);
    const box = element.getBoundingClientRect();
    if (box.width && (box.left < -1 || box.right > width + 1)) found.push(`outside: ${name(element)}`);
  }
  return found;
}"""

TOO_SMALL = """() => {
  const found = [];
  const parts = "a[href], button, summary, select, textarea, input:not([type=hidden])";
  for (const element of document.querySelectorAll(`main :is(${parts}), .bar :is(${parts})`)) {
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.matches(".visually-hidden, :is(p, .prose, .meta, .notice > span, dd) > a:not([class])")) continue;
    const place = element.closest(".card-title") ? element.closest(".card") : element.closest("label") ?? element;
    const { width, height } = place.getBoundingClientRect();
    const size = `${Math.round(width * 10) / 10} x ${Math.round(height * 10) / 10}`;
    if (width < 43.9 || height < 43.9) found.push(`${size}: ${element.outerHTML.slice(0, 90)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("locale", ["en-GB", "sl-SI"])
def test_every_page_fits_a_small_phone_and_a_thumb_and_can_be_read_at_twice_the_size(walk: Walk, locale: str) -> None:
    found = {}
    small, usual = {"width": 360, "height": 740}, PHONE["viewport"]
    for name, page in walk(**PHONE | {"viewport": small, "locale": locale}):
        assert page.locator("html").get_attribute("lang") in (locale, locale[:2])
        if seen := page.evaluate(TOO_WIDE) + page.evaluate(TOO_SMALL):
            found[name] = seen
        page.set_viewport_size(usual)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        if seen := page.evaluate(TOO_WIDE):
            found[f"{name}, at twice the size"] = seen
        page.set_viewport_size(small)  # type: ignore[arg-type]
        page.evaluate("document.documentElement.style.fontSize = ''")
    assert not found, report(found)


def report(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{name}:\n  " + "\n  ".join(seen) for name, seen in found.items())
