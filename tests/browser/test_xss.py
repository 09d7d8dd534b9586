"""Promises that nothing that somebody has written, sent or named ever becomes a program in a browser."""

from __future__ import annotations

import contextlib
import json
import struct
import unicodedata
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Dialog, Error, Page, expect

from dreamweb import accounts, db, sessions
from tests.attachables import GIF, JPG, PDF, PNG
from tests.browser.conftest import PATIENCE, OpenBrowser, let_in
from tests.conftest import SAMPLES, Person

# What is drawn does not depend on where it is kept.
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

HOSTILE = [
    *("<script>alert(1)</script>", "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>"),
    *(
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        '"><img src=x onerror=alert(1)>',
        "'><svg/onload=alert(1)>",
    ),
    *('" onfocus=alert(1) autofocus x="', "' onmouseover=alert(1) x='", "` onload=alert(1) x=`", "x onload=alert(1)"),
    *(
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "&lt;script&gt;alert(1)",
    ),
    *("&#60;script&#62;alert(1)&#60;/script&#62;", "\\u003cscript\\u003ealert(1)", "%3Cscript%3Ealert(1)%3C/script%3E"),
    *("{{ 7*7 }}", "{% print(7) %}", "${alert(1)}", "<%= 7*7 %>", "{{config}}", "%(name)s", "%s%n%x", "{0}{name}"),
    *("<!--><img src=x onerror=alert(1)>-->", "]]><script>alert(1)</script>", "<![CDATA[<script>alert(1)</script>]]>"),
    *(
        "<iframe srcdoc='<script>parent.alert(1)</script>'>",
        "<object data=javascript:alert(1)>",
        "<base href=//evil.example/>",
    ),
    *(
        "<form action=//evil.example><button>x",
        "<meta http-equiv=refresh content='0;url=//evil.example'>",
        "<style>*{x:y}",
    ),
    *(
        "<a href=javascript:alert(1)>x</a>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
        "<x hx-on:load=alert(1)>",
    ),
    *(
        "<div hx-get=/settings hx-trigger=load>",
        "<div hx-vals='js:{x:alert(1)}'>",
        "<b data-draft=x data-kept=new>",
        "\u2028alert(1)//",
    ),
    *(
        "</script><script>alert(1)//",
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "＜script＞alert(1)＜/script＞",
        "\u202e<tpircs>",
    ),
    *(
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<svg><style><img src=x onerror=alert(1)></style>",
    ),
    *(
        "<table><td background=javascript:alert(1)>",
        "<details open ontoggle=alert(1)>",
        "<video><source onerror=alert(1)>",
    ),
]

MARKDOWN = [
    *(
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](java&Tab;script:alert(1))",
    ),
    *(
        "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
        "[x](vbscript:alert(1))",
        "[x](file:///etc/passwd)",
    ),
    *(
        "[x](<javascript:alert(1)>)",
        "[x]( javascript:alert(1))",
        "[x](\\javascript:alert(1))",
        "[x](javascript&colon;alert(1))",
    ),
    *("[x]: javascript:alert(1)\n\n[x]", "<javascript:alert(1)>", "<data:text/html,x>", "![x](javascript:alert(1))"),
    *(
        "![x](//evil.example/x.png)",
        "![x](https://evil.example/pixel.gif)",
        '![x" onerror="alert(1)](y)',
        "[![x](z)](javascript:alert(1))",
    ),
    *(
        '[x](https://example.org/"onmouseover="alert(1))',
        "[x](https://example.org 'a\" onclick=\"alert(1)')",
        '[x](y "><script>alert(1)</script>")',
    ),
    *(
        "[[[[x](y)](z)](w)](javascript:alert(1))",
        "[x](y)<script>alert(1)</script>",
        "`<script>alert(1)</script>`",
        "```<script>\nalert(1)\n```",
    ),
    *(
        "|a|\n|-|\n|<script>alert(1)</script>|",
        "|a|\n|:-:|\n|[x](javascript:alert(1))|",
        "<div>\n\n<script>alert(1)</script>\n\n</div>",
    ),
    *(
        "# <img src=x onerror=alert(1)>",
        "> <svg onload=alert(1)>",
        "- <iframe src=javascript:alert(1)>",
        "1. <object data=x>",
        "~~<b onclick=alert(1)>~~",
    ),
    *(
        "<https://example.org/<script>alert(1)</script>>",
        '<a@b.c"onclick=alert(1)>',
        "&lt;img src=x onerror=alert(1)&gt;",
        "&#x3c;script&#x3e;",
    ),
    *(
        "[x](//evil.example)",
        "[x](/sign-out)",
        '[x](#" onclick=alert(1))',
        "\\<script>alert(1)\\</script>",
        "*<script>*alert(1)*</script>*",
    ),
]


@pytest.fixture(params=[4, pytest.param(1, marks=pytest.mark.fault)], ids=["some", "all"])
def each(request: pytest.FixtureRequest) -> int:
    """How many go by for one that is tried: a page that shows one of them as text would hardly run another."""
    return int(request.param)


@pytest.fixture
def hostile(each: int) -> list[str]:
    assert len(HOSTILE) >= 40
    return HOSTILE[::each]


LOOK = """document => {
  const bad = [];
  for (const element of document.querySelectorAll("*")) {
    const name = element.tagName.toLowerCase();
    const say = what => bad.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
    if (/^(iframe|object|embed|base|style|frame|applet|math|foreignobject)$/.test(name)) say(name);
    if (name === "meta" && element.httpEquiv) say("meta");
    for (const { name: attribute, value } of element.attributes) {
      if (/^on|^style$|^srcdoc$|^hx-on|^background$/.test(attribute)) say(attribute);
      if (/^(href|src|action|formaction|data|poster|xlink:href|hx-get|hx-post)$/.test(attribute)) {
        const { protocol, origin } = new URL(value, location.href);
        if (!["http:", "https:", "mailto:"].includes(protocol)) say("address");
        if (origin !== location.origin && !(name === "a" && element.closest(".prose"))) say("host");
        const manifest = element.rel === "manifest" && value === "/manifest.webmanifest";
        if (["script", "link"].includes(name) && !manifest && !value.startsWith("/static/")) say("file");
        if (name === "img" && !value.startsWith("/api/v1/attachments/")) say("picture");
      }
    }
    if (name === "script" && !element.src) say("script");
    if (name === "a" && element.closest(".prose") && !/noopener/.test(element.rel)) say("rel");
  }
  return bad;
}"""
"""Whatever stands in a page that could run, load something, or send something elsewhere."""

READ = f"""async addresses => {{
  const look = {LOOK};
  const found = [];
  for (const address of addresses) {{
    const answer = await fetch(address, {{ headers: {{ Accept: "text/html" }} }});
    found.push(...look(new DOMParser().parseFromString(await answer.text(), "text/html")));
  }}
  return found;
}}"""


@dataclass
class Watched:
    """A browser in which any program that is not ours would be noticed."""

    context: BrowserContext
    page: Page
    ran: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.on("dialog", self._dismiss)

    def _dismiss(self, dialog: Dialog) -> None:
        if dialog.message != OF_THE_VIEWER:
            self.ran.append(dialog.message)
        with contextlib.suppress(Error):  # its page may be gone
            dialog.dismiss()

    def visit(self, path: str) -> None:
        """Look at a page: nothing may run, and there is nothing in it that could."""
        self.page.goto(path)
        self.check(path)

    def check(self, what: str) -> None:
        assert self.page.evaluate(f"() => ({LOOK})(document)") == [], what
        assert self.ran == [], what

    def read(self, paths: Iterable[str]) -> None:
        """The same without opening them: quick enough for hundreds."""
        assert self.page.evaluate(READ, list(paths)) == []


@pytest.fixture
def watched(open_at_home: OpenBrowser) -> Watched:
    context = open_at_home()
    return Watched(context, context.new_page())


def short(said: str, most: int) -> str:
    """As it is kept: where there is less room, and in the one way to write a letter."""
    return unicodedata.normalize("NFC", said)[:most].strip()


def line(said: str) -> str:
    return " ".join(said.split())


def shown(page: Page, selector: str) -> list[str]:
    return [line(said) for said in page.locator(selector).all_text_contents()]


def test_what_is_written_is_shown_as_text_on_every_page_of_entries(
    watched: Watched, api: httpx.Client, hostile: list[str]
) -> None:
    ids = []
    for said in hostile:
        tags = [short(said.replace(",", ";"), 50)]
        details: dict[str, Any] = {"title": short(said, 200), "text": said, "mood": short(said, 50), "tags": tags}
        made = api.post("/entries", json=details | {"metadata": {said: [said]}})
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    titles, older = set(), "/"
    while older:
        watched.visit(older)
        titles |= set(shown(watched.page, ".card-title"))
        assert set(shown(watched.page, ".card .mood"))
        link = watched.page.locator("a.more")
        older = link.get_attribute("href") or "" if link.count() else ""
    assert titles == {line(short(said, 200)) for said in hostile}
    watched.read(f"/entries/{entry}{page}" for entry in ids for page in ("", "/edit"))
    for entry, said in list(zip(ids, hostile, strict=True))[::8]:
        watched.visit(f"/entries/{entry}")
        assert shown(watched.page, "h1") == [line(short(said, 200))]
        assert line(json.dumps(said, ensure_ascii=False)) in " ".join(shown(watched.page, ".details-list code"))
        assert shown(watched.page, "a.chip") == [line(short(said.replace(",", ";").lower(), 50))]
        watched.page.get_by_role("link", name="Edit").click()  # by htmx
        expect(watched.page.locator("#title")).to_have_value(short(said, 200))
        watched.check("edit by htmx")
    for entry in ids[: len(ids) // 2]:
        assert api.delete(f"/entries/{entry}").status_code == 204
    for path in ("/trash", "/calendar"):
        watched.visit(path)
    watched.read(["/tags"])


def test_markdown_makes_links_and_stress_and_nothing_else(watched: Watched, api: httpx.Client, each: int) -> None:
    together = "\n\n".join(MARKDOWN + HOSTILE)
    for text in (together, together[::-1], " ".join(MARKDOWN), "\n\n".join(f"> - **{said}**" for said in MARKDOWN)):
        made = api.post("/entries", json={"text": text}).json()
        watched.visit(f"/entries/{made['id']}")
        for link in watched.page.locator(".prose a").all():
            assert not (link.get_attribute("href") or "").lower().startswith(("javascript", "data", "vbscript", "file"))
        assert watched.page.locator(".prose img, .prose input, .prose [id], .prose [class], .prose [name]").count() == 0
    alone = [api.post("/entries", json={"text": said}).json()["id"] for said in MARKDOWN[::each]]
    watched.read(f"/entries/{entry}" for entry in alone)


def test_names_of_files_people_tokens_and_browsers_are_shown_as_text(
    watched: Watched, api: httpx.Client, app: Flask, ana: Person, hostile: list[str]
) -> None:
    recording = (SAMPLES / "sl-hisa.mp3").read_bytes()
    entry = api.post("/upload", params={"filename": hostile[0]}, content=recording).json()["id"]
    names = []
    for start in range(0, len(hostile), 20):
        for number, said in enumerate(hostile[start : start + 20]):
            answer = api.post(f"/entries/{entry}/attachments", params={"filename": said + ".png"}, content=PNG)
            assert answer.status_code == 201, (number, answer.text)
            names.append(answer.json()["original_filename"])
        watched.visit(f"/entries/{entry}")
        assert shown(watched.page, ".attachment .name") == [line(name) for name in names[start:]]
        entry = api.post("/upload", params={"filename": hostile[start + 5]}, content=recording + b"\0" * start).json()[
            "id"
        ]
    printable = list({accounts.name_key(said): said for said in hostile if said.isprintable()}.values())
    with app.app_context(), db.transaction():
        for said in hostile:
            accounts.add_token(ana.account, short(said, 100))
            sessions.begin(ana.account, said)
        for said in printable:
            accounts.add(short(said, 64), None)
        ids = [account.id for account in accounts.every()]
        tokens = [token.id for token in accounts.tokens(ana.account, limit=100)[0]]
    watched.visit("/settings/sessions")
    assert {line(short(said, 40)) for said in hostile} <= set(shown(watched.page, ".list strong"))
    watched.visit("/settings/tokens")
    watched.visit("/accounts")
    assert {line(short(said, 64)) for said in printable} <= set(shown(watched.page, ".list strong"))
    watched.read([*(f"/accounts/{each}" for each in ids), *(f"/settings/tokens/{each}" for each in tokens)])
    watched.visit(f"/accounts/{ids[-1]}")
    watched.visit(f"/settings/tokens/{tokens[1]}")


def test_what_an_address_brings_along_is_shown_as_text(
    watched: Watched, foreseen: list[str], hostile: list[str], each: int
) -> None:
    foreseen += ["status of 404"]
    watched.visit("/")
    names = ("kind", "tag", "match", "start", "end", "mood", "has", "next", "title", "name", "month", "address", "lang")
    fields = ["&".join(f"{name}={quote(said)}" for name in names) for said in hostile]
    watched.read(f"/?{sent}" for sent in fields)
    watched.read(f"/nowhere/{quote(said, safe='')}" for said in hostile)
    pages = ["/calendar", "/entries/new", "/shortcut", "/settings", "/settings/tokens", "/nowhere"]
    for page in [*pages, "/record", "/record/shell", "/offline"]:
        watched.read(f"{page}?{sent}" for sent in fields[::8])
    for said in hostile[: 8 // each]:
        value = quote(said)
        watched.visit(f"/?tag={value}&mood={value}&kind={value}#{value}")
        expect(watched.page.locator("#mood")).to_have_value(said.strip())
    for said in hostile[:3]:
        watched.visit(f"/shortcut#address={quote(said)}&token=dw_{quote(said)}")


def test_a_notice_repeats_what_was_typed_as_text(
    watched: Watched, foreseen: list[str], hostile: list[str], each: int
) -> None:
    foreseen += ["status of 4"]
    watched.visit("/settings/tokens")
    token = watched.page.locator("input[name=csrf_token]").first.get_attribute("value") or ""
    for start in range(0, len(hostile), 9):
        for said in hostile[start : start + 9]:
            file = {"name": line(said).replace('"', "''"), "mimeType": "text/html", "buffer": b"no sound"}
            form: dict[str, Any] = {"csrf_token": token, "file": file}
            watched.context.request.post("/recordings", multipart=form, max_redirects=0)
        watched.visit("/")
        assert watched.page.locator(".notice.bad").count() == 9 or start + 9 > len(hostile)
    for said in hostile[: 4 // each]:
        watched.visit("/")
        watched.page.locator("#quick-text").fill(said)
        watched.page.locator("#quick-tags").fill(short(said.replace(",", ";"), 50))
        watched.page.locator("form.quick button").click()
        expect(watched.page.locator(".notice.good")).to_be_visible()
        watched.check("quick")
        watched.visit("/settings")
        watched.page.locator("#name").fill("")
        watched.page.locator("#time_zone").fill(said)
        watched.page.locator("form.form").first.evaluate("form => { form.noValidate = true; form.requestSubmit(); }")
        expect(watched.page.locator("#time_zone-error")).to_be_visible()
        watched.check("settings")
        expect(watched.page.locator("#time_zone")).to_have_value(said)


def test_the_rows_of_files_that_are_being_sent_show_their_names_as_text(watched: Watched, foreseen: list[str]) -> None:
    foreseen += ["status of 400"]
    watched.visit("/")
    files: list[Any] = [{"name": said, "mimeType": "audio/mpeg", "buffer": b"no sound"} for said in HOSTILE]
    watched.page.locator("#recordings").set_input_files(files)
    expect(watched.page.locator(".upload .state.bad")).to_have_count(len(HOSTILE))
    watched.check("rows")
    assert len(shown(watched.page, ".upload .name")) == len(HOSTILE)
    assert "<img src=x onerror=alert(1)>" in shown(watched.page, ".upload .name")


def test_a_draft_comes_back_as_text(watched: Watched, ana: Person, hostile: list[str]) -> None:
    watched.visit("/entries/new")
    for said in hostile[::8]:
        fields = {"title": said, "text": said, "tags": said, "mood": said, "kind": said, "metadata": said}
        for time in (0, said):
            draft = json.dumps({"fields": fields, "base": said, "client_id": said, "time": time})
            key = f"draft:{ana.account.id}:new"
            watched.page.evaluate("([key, draft]) => localStorage.setItem(key, draft)", [key, draft])
            watched.visit("/entries/new")
            expect(watched.page.locator("#text")).to_have_value(said)
            watched.check("draft")


# --- Files ---


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HTML = b"<!doctype html><html><body><script>alert(1)</script><img src=x onerror=alert(1)></body></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
XSL = b"<?xml-stylesheet type='text/xsl' href='data:text/xml,<xsl:stylesheet/>'?>"
# What a PDF says of itself, the browser's own viewer may do, sooner or later: it runs apart from all pages.
OF_THE_VIEWER = "of the viewer"
SCRIPTED_PDF = PDF.replace(
    b"/Type/Catalog", f"/Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert\\('{OF_THE_VIEWER}'\\))>>".encode()
)

FILES: dict[str, bytes] = {
    "page.html": HTML,
    "page.png": HTML,
    "page.txt": HTML,
    "page.xhtml": b'<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>',
    "picture.svg": SVG,
    "with a head.svg": b'<?xml version="1.0"?>\n<!DOCTYPE svg [<!ENTITY x "y">]>' + SVG,
    "styled.xml": b'<?xml version="1.0"?>'
    + XSL
    + b"<x><script xmlns='http://www.w3.org/1999/xhtml'>alert(1)</script></x>",
    "feed.rss": b'<?xml version="1.0"?><rss><script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script></rss>',
    "letter.mht": b"MIME-Version: 1.0\nContent-Type: text/html\n\n<script>alert(1)</script>",
    "seven.txt": b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "run.js": b"alert(1)",
    "module.mjs": b"export default alert(1)",
    "also a script.gif": b"GIF89a/*\x00\x00*/=1;alert(1)//",
    "a gif and a script.gif": GIF[:-1] + b"!\xfe\x12*/=alert(1);//aaaaa\0;",
    "a png and a page.png": PNG[:33] + _chunk(b"tEXt", b"Comment\0" + HTML) + PNG[33:],
    "a png, then a page.html": PNG + HTML,
    "a jpeg and a page.html": JPG[:2] + b"\xff\xfe" + struct.pack(">H", len(HTML) + 2) + HTML + JPG[2:],
    "form.pdf": SCRIPTED_PDF,
    "a pdf and a page.html": PDF + HTML,
    "mp3.html": b"ID3\x04\0\0\0\0\0\x7f" + HTML.ljust(127, b" ") + (SAMPLES / "sl-hisa.mp3").read_bytes(),
    "wav.html": (SAMPLES / "sl-vlak.wav").read_bytes() + HTML,
    "video.html": (SAMPLES / "en-key-video.mp4").read_bytes() + struct.pack(">I4s", len(HTML) + 8, b"free") + HTML,
}


def open_directly(watched: Watched, address: str) -> None:
    """As somebody does who follows a link to it; in a page of its own, which a viewer may leave busy."""
    page = watched.context.new_page()
    try:
        page.goto(address, timeout=3 * PATIENCE)  # a viewer is a program that has to start first
    except Error as error:  # it is saved, not shown
        if "Download is starting" not in str(error) and "ERR_ABORTED" not in str(error):
            raise
    finally:
        page.close()


def test_a_file_that_somebody_has_attached_never_runs(
    watched: Watched, api: httpx.Client, foreseen: list[str], each: int
) -> None:
    # What the browser says of keeping it from running; and its own program that shows a PDF.
    foreseen += ["MIME type", "Failed to load resource", "sandbox", "Content Security Policy", "chrome"]
    stored = []
    for start in range(0, len(FILES), 20):
        entry = api.post("/entries", json={"text": "with files"}).json()["id"]
        for name, data in list(FILES.items())[start : start + 20]:
            files = {"file": (name, data, "text/html")}
            answer = api.post(f"/entries/{entry}/attachments", files=files)
            assert answer.status_code in (201, 400), (name, answer.text)
            if answer.status_code == 201:
                stored.append((name, f"/api/v1/attachments/{answer.json()['id']}"))
        watched.page.goto(f"/entries/{entry}")
        assert watched.ran == []
    assert len(stored) >= 15
    sound = api.post("/upload", files={"file": ("x.html", FILES["mp3.html"], "text/html")})
    if sound.status_code == 201:
        stored += [(name, f"/api/v1/entries/{sound.json()['id']}/{name}") for name in ("audio", "playback")]
    for name, address in stored:
        for query in ("", "?download=true"):
            assert_is_inert(watched.context.request.get(address + query).headers, name, saved=query != "")
    for name, address in stored[::each]:
        open_directly(watched, address)
        assert watched.ran == [], name
    # Even for a page of ours they are no programs.
    watched.page.goto("/settings/about")
    add = """addresses => Promise.all(addresses.map(address => new Promise(done => {
      const script = document.createElement("script");
      Object.assign(script, { src: address, onload: () => done(address), onerror: () => done(null) });
      document.body.append(script);
    })))"""
    assert watched.page.evaluate(add, [address for _, address in stored]) == [None] * len(stored)
    assert watched.ran == []


def assert_is_inert(headers: dict[str, str], name: str, *, saved: bool) -> None:
    kind = headers["content-type"].partition(";")[0]
    assert kind.split("/")[0] in ("image", "audio", "video") or kind in ("application/pdf", "text/plain"), name
    assert kind not in ("image/svg+xml", "text/html"), name
    assert headers["x-content-type-options"] == "nosniff", name
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy, name
    assert "script-src" not in policy, name
    assert "frame-ancestors 'self'" in policy, name
    assert "sandbox" in policy or kind.startswith(("audio/", "video/")), name
    disposition = headers["content-disposition"]
    assert disposition.startswith("attachment" if saved or kind == "text/plain" else "inline"), name
    assert "no-cache" in headers["cache-control"], name


# --- Where a sign-in leads ---


def test_a_browser_is_never_led_to_another_host(
    open_browser: OpenBrowser, app: Flask, ana: Person, live: str, foreseen: list[str]
) -> None:
    # The page tells the server the browser's time zone, and may do so when the cookies are gone already.
    foreseen += ["status of 404", "status of 400", "status of 401", "status of 403"]
    hostile = ["//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "https:evil.example"]
    hostile += [
        "javascript:alert(1)",
        "/%09/evil.example",
        "/%2f%2fevil.example",
        "/.//evil.example",
        "///evil.example",
    ]
    hostile += [
        "//evil.example@127.0.0.1",
        "/\n/evil.example",
        "／／evil.example",
        "data:text/html,x",
        "/%5cevil.example",
    ]
    context = open_browser()
    page = context.new_page()
    go: Callable[[str], object] = lambda wanted: page.goto(f"/sign-in?next={quote(wanted, safe='')}")  # noqa: E731
    for wanted in hostile[:3]:
        context.clear_cookies()
        go(wanted)
        page.locator("#name").fill("ana")
        page.locator("#password").fill("correct horse")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("nav.bar")).to_be_visible()
        assert page.url == f"{live}/", wanted
    let_in(context, app, ana, live)
    for wanted in hostile:
        go(wanted)
        assert page.url.startswith(f"{live}/"), wanted
    for path in ("//evil.example/", "//evil.example/%2e%2e", "/%2f%2fevil.example/.."):
        page.goto(live + path)
        assert page.url.startswith(f"{live}/"), path
