"""Gives names, values, headers, forms and addresses that nobody should send."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import strategies as st

from tests.conftest import SAMPLES

SOUND = (SAMPLES / "sl-morje.webm").read_bytes()
DREAM = "the-lighthouse-nobody-may-read-about"
"""Stands in every text, title, tag and mood that is sent: no line of the log may hold it."""

ANY_ID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"

NASTY = [
    *(
        "../../evil",
        "..\\..\\evil",
        "/tmp/evil-lighthouse",
        "C:\\evil.mp3",
        "....//....//evil",
        "..",
        ".",
        "...",
        "~/evil",
    ),
    *("a\0b.mp3", "\0", "%00.mp3", "%2e%2e%2fevil", "..%2f..%2fevil", "a\r\nX-Evil: 1", "a\n2025-01-31 | INFO | x | y"),
    *(
        "\u202egpj.3pm",
        "مرحبا.mp3",
        "שלום\u200f.wav",
        "👩‍👩‍👧‍👦🏳️‍🌈.m4a",
        "é" * 300,
        "a" * 300 + ".mp3",
        "𝅘𝅥𝅮" * 120,
        "\ufeff",
        "\u2028\u2029\x85\x1b[2J",
    ),
    *(
        ".htaccess",
        "-rf",
        "con.mp3",
        "a;b=c",
        'a"b',
        "a'b",
        "a\\",
        " ",
        "",
        "\t",
        ".notes/x.json",
        ".incoming/x",
        "a/",
        "/",
    ),
]
raw_names = st.one_of(
    st.sampled_from(NASTY).map(lambda name: name.encode("utf-8")),
    st.text(max_size=300).map(lambda name: name.encode("utf-8")),
    st.binary(max_size=300),
    st.lists(st.sampled_from(["..", "/", "\\", "a", "%2f", "\0", "é", ".", "\r\n", ";", '"']), max_size=60).map(
        lambda parts: "".join(parts).encode()
    ),
    st.sampled_from([b"\xed\xa0\x80.mp3", b"\xff\xfe\xfd", b"\xc0\xaf..\xc0\xaf", b"\xf8\x88\x80\x80\x80"]),
)
words = st.one_of(st.sampled_from(NASTY), st.text(max_size=80)).map(lambda text: DREAM + text)
odd_values: st.SearchStrategy[str] = st.one_of(
    words,
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(
        [
            *("NaN", "Infinity", "1e400", "-0", "9" * 4400, "0x10", "true", "null", "[]", "{}", "2025-13-45", "24:00"),
            *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2025-02-30T00:00:00Z", "1738281600"),
            *("2025-01-31T04:10:00+99:99", "0001-01-01", "sl", "dream", "," * 500, "a," * 60),
            *("İ" * 50, "\U0001d160" * 200, "ﬃ" * 50, ANY_ID, "{" + ANY_ID + "}", "urn:uuid:" + ANY_ID),
            *('{"a": NaN}', '{"a\\u0000": 1}', '{"a":"\\ud800"}', "[" * 100_000, '{"a":' * 5_000),
        ]
    ),
)
NAMES = ["title", "text", "tags", "dreamed_at", "language", "kind", "client_id", "filename", "mood", "lucidity"]
NAMES += ["recall", "metadata", "private", "file", "audio", "nobody", ""]


def part(name: bytes, body: bytes, *, filename: bytes | None = None, headers: bytes = b"") -> bytes:
    disposition = b'Content-Disposition: form-data; name="' + name + b'"'
    if filename is not None:
        disposition += b'; filename="' + filename.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"--edge\r\n" + disposition + b"\r\n" + headers + b"\r\n" + body + b"\r\n"


FORM = b"Content-Type: multipart/form-data; boundary=edge"
END = b"--edge--\r\n"

json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), odd_values),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=8,
)
JSON_NAMES = ["title", "text", "tags", "dreamed_at", "language", "kind", "client_id", "mood", "lucidity", "recall"]
JSON_NAMES += ["metadata", "private", "updated_at", "name", "scopes", "expires_at", "nobody"]
BROKEN_JSON = [
    *(
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"a"',
        b"{} {}",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b"{'text': 1}",
        b"\0",
    ),
    *(b"[" * 100_000, b'{"metadata":' * 100_000, b'{"metadata":{"a":' + b"[" * 900 + b"]" * 900 + b"}}"),
    *(b'{"text": NaN}', b'{"lucidity": Infinity}', b'{"lucidity": 1e400}', b'{"metadata": {"a": 1e400}, "text": "x"}'),
    *(b'{"lucidity": ' + b"9" * 5000 + b"}", b'{"metadata": {"a": ' + b"9" * 4200 + b'}, "text": "x"}'),
    *(
        b'{"text": "\\ud800"}',
        b'{"text": "a\\u0000b"}',
        b'{"metadata": {"a\\u0000": 1}, "text": "x"}',
        b'{"tags": ["\\udfff"]}',
    ),
    *(
        b'{"metadata": {"\\ud800": 1}, "text": "x"}',
        b'{"text": "a", "text": 2}',
        b'{"text": "\xff"}',
        b'{"\xed\xa0\x80": 1}',
    ),
    *(
        b'{"dreamed_at": "0001-01-01T00:00:00+23:59", "text": "x"}',
        b'{"dreamed_at": "9999-12-31T23:59:59-23:59", "text": "x"}',
    ),
    *(
        b'{"dreamed_at": 1738281600, "text": "x"}',
        b'{"dreamed_at": true, "text": "x"}',
        b'{"dreamed_at": 1e300, "text": "x"}',
    ),
    *('{"text": "x", "tags": ["%s"]}' % ("\U0001d160" * 50)).encode().splitlines(),
    *('{"text": "x", "title": "%s"}' % ("\U0001d160" * 200)).encode().splitlines(),
    *('{"text": "x", "mood": "%s"}' % ("İ" * 50)).encode().splitlines(),
    *('{"text": "x", "tags": ["%s"]}' % ("İ" * 50)).encode().splitlines(),
    *('{"name": "%s"}' % ("\U0001d160" * 100)).encode().splitlines(),
    b'{"name": "x", "expires_at": "9999-12-31T23:59:59+00:00"}',
    b'{"name": "a\\u0000b"}',
]

HEADERS: dict[bytes, list[bytes]] = {
    b"Authorization": [
        *(
            b"",
            b"Bearer",
            b"Bearer ",
            b"Bearer \xff\xfe",
            b"Bearer dw_" + b"x" * 100_000,
            b"Bearer dw_\xc3\xa9",
            b"Basic",
        ),
        *(
            b"Basic \xff\xfe",
            b"Basic ====",
            b"Basic " + base64.b64encode(b"\0:b"),
            b"Basic " + base64.b64encode(b"\xff:\xff"),
        ),
        *(b"Basic " + base64.b64encode(b"ana:correct horse"), b"Basic " + base64.b64encode(b":")),
        *(b'Digest username="a", x*=y', b"Digest x*=UTF-8''%ff", b"Negotiate abc", b"bearer bearer", b"Bearer a b c"),
    ],
    b"If-Match": [b"", b"*", b'"', b'W/"x"', b"\xff", b",", b"*, *", b'"a", "b"', b"a" * 5000, b'"\x80"'],
    b"If-None-Match": [b"", b"*", b'"', b'W/"x"', b"\xff", b",,,"],
    b"If-Range": [b"", b"\xff", b'"x"', b"Mon, 01 Jan 2024 00:00:00 +99999999999999999999"],
    b"If-Modified-Since": [
        b"",
        b"\xff",
        b"Mon, 01 Jan 99999 00:00:00 GMT",
        b"Mon, 01 Jan 2024 00:00:00 +9999999999999",
    ],
    b"If-Unmodified-Since": [b"Mon, 01 Jan 1990 00:00:00 GMT", b"0", b"Mon, 32 Jan 2024 25:61:61 GMT"],
    b"Range": [
        *(
            b"",
            b"bytes",
            b"bytes=",
            b"bytes=-",
            b"bytes=5-1",
            b"bytes=-0",
            b"bytes=99999999-",
            b"bytes=0-0,1-1",
            b"x=0-1",
        ),
        *(
            b"bytes=" + b"9" * 5000 + b"-",
            b"bytes=0-" + b"9" * 5000,
            b"bytes=\xff-",
            b"bytes=--1",
            b"bytes=0-1, " * 500,
        ),
    ],
    b"X-Request-ID": [b"", b"\xff", b"a b", b"a" * 65, b"a|b", b'"', b"2025-01-31 | INFO", b"\xc2\x85", b"a\tb"],
    b"Host": [b"", b"[", b"a b", b"\xff", b"a:99999999", b"@", b"a/b?c#d", b"::1", b"a" * 3000, b"x:y:z"],
    b"Cookie": [b"session=\xff", b'a="\\400"', b";" * 2000, b"session=" + b"x" * 9000],
    b"X-Forwarded-For": [b"\xff", b"a" * 3000, b"'; DROP TABLE"],
    b"Accept": [b"*/*;q=" + b"9" * 400, b"\xff", b",;=,"],
    b"Content-Type": [
        b"",
        b"\xff",
        b"application/json; charset=\xff",
        b"application/json; charset=utf-99",
        b";;;",
        b"a/b/c",
    ],
    b"Content-Encoding": [b"gzip", b"\xff"],
    b"Expect": [b"100-continue", b"\xff"],
    b"Upgrade": [b"websocket"],
    b"X-HTTP-Method-Override": [b"DELETE"],
    b"Origin": [b"null", b"\xff", b"https://evil.example"],
}

LENGTHS = [
    b"-1",
    b"+5",
    b"0x10",
    b"1e3",
    b"5, 5",
    b"5, 6",
    b"abc",
    b"",
    b" ",
    b"\xff",
    b"\xd9\xa1",
    b"1_0",
    b"9" * 5000,
    b"9" * 25,
]
CODINGS = [b"gzip", b"chunked, chunked", b"gzip, chunked", b"identity", b"\xff", b"chunked;q=1", b" chunked", b"x"]
CHUNKS = [
    b"zz\r\n",
    b"-1\r\n",
    b"5;" + b"x" * 5000 + b"\r\nabcde\r\n0\r\n\r\n",
    b"5\r\nabcdeXX",
    b"0x5\r\nabcde\r\n",
    b"5\nabcde\n0\n\n\r\n",
    b"\xff\r\n",
]


def forms() -> dict[str, tuple[bytes, bytes]]:
    """Content type and body of forms that are none."""
    good = part(b"file", SOUND, filename=b"a.webm")
    plain = b"multipart/form-data"
    edge = plain + b"; boundary=edge"
    return {
        "no boundary": (plain, good + END),
        "another boundary": (plain + b"; boundary=other", good + END),
        "empty boundary": (plain + b'; boundary=""', good + END),
        "boundary of 5000": (plain + b"; boundary=" + b"x" * 5000, good + END),
        "boundary of no ASCII": (plain + b"; boundary=\xff\xfe", good + END),
        "boundary in an unknown charset": (plain + b"; boundary*=utf-99''%ff", good + END),
        "no body": (edge, b""),
        "only an end": (edge, END),
        "cut in the headers": (edge, good[:40]),
        "cut in the file": (edge, good[: len(good) // 2]),
        "no end": (edge, good),
        "2000 fields": (edge, part(b"x", b"y") * 2000 + good + END),
        "2000 files": (edge, part(b"x", b"y", filename=b"z") * 2000 + good + END),
        "a field of 3 MB": (edge, part(b"title", b"x" * 3_000_000) + good + END),
        "a preamble": (edge, b"x" * 4_000_000 + b"\r\n" + good + END),
        "a preamble of 10 MB": (edge, b"x" * 10_000_000 + b"\r\n" + good + END),
        "an epilogue": (edge, good + END + b"x" * 100_000),
        "a form in a form": (
            edge,
            part(b"file", good + END, headers=b"Content-Type: multipart/mixed; boundary=edge\r\n"),
        ),
        "a header without a colon": (edge, b"--edge\r\nContent-Disposition\r\n\r\n" + SOUND + b"\r\n" + END),
        "a header of 1 MB": (
            edge,
            part(b"file", SOUND, filename=b"a", headers=b"X: " + b"x" * 1_000_000 + b"\r\n") + END,
        ),
        "a name of 1 MB": (edge, part(b"x" * 1_000_000, SOUND, filename=b"a") + END),
        "no headers": (edge, b"--edge\r\n\r\n" + SOUND + b"\r\n" + END),
        "no name": (edge, b'--edge\r\nContent-Disposition: form-data; filename="a"\r\n\r\n' + SOUND + b"\r\n" + END),
        "an empty name": (edge, part(b"", SOUND, filename=b"a") + END),
        "a wrong length of a part": (
            edge,
            part(b"file", SOUND, filename=b"a", headers=b"Content-Length: -5\r\n") + END,
        ),
        "a huge length of a part": (
            edge,
            part(b"file", SOUND, filename=b"a", headers=b"Content-Length: " + b"9" * 5000 + b"\r\n") + END,
        ),
        "base64": (edge, part(b"file", SOUND, filename=b"a", headers=b"Content-Transfer-Encoding: base64\r\n") + END),
        "the file twice": (edge, good + good + END),
        "the file as text": (edge, part(b"file", SOUND) + END),
        "a text in no charset": (
            edge,
            part(b"title", b"\xff\xfe", headers=b"Content-Type: text/plain; charset=utf-99\r\n") + good + END,
        ),
        "bare newlines": (edge, (good + END).replace(b"\r\n", b"\n")),
        "zeros": (edge, bytes(100_000)),
        "mixed": (b"multipart/mixed; boundary=edge", good + END),
        "json": (b"application/json", SOUND),
    }


PATHS = [
    *(
        b"/",
        b"//",
        b"///",
        b"*",
        b"/..",
        b"/../../etc/passwd",
        b"/static/../../pyproject.toml",
        b"/static/..%2f..%2fpyproject.toml",
    ),
    *(
        b"/static/%2e%2e/%2e%2e/.env",
        b"/static//etc/passwd",
        b"/static/%00",
        b"/static/..\\..\\x",
        b"/static/" + b"a" * 5000,
    ),
    *(
        b"/api/v1/entries/%00",
        b"/api/v1//entries",
        b"//evil.example/%2e%2e",
        b"/api/v1/entries/",
        b"/api/v1/entries/%ff/audio",
    ),
    *(
        b"http://[",
        b"http://evil.example/health",
        b"ftp://x",
        b"http://[::1",
        b"/%",
        b"/%zz",
        b"/\xff",
        b"/" + b"a/" * 20_000,
    ),
    *(
        b"/api/v1/entries/" + b"0" * 5000,
        b"/api/v1/entries/{}",
        b"/?" + b"&" * 5000,
        b"/#",
        b"?",
        b"/;a=b",
        b"/%0d%0aX-Evil:1",
    ),
    *(b"/api/v1/entries/00000000-0000-0000-0000-00000000000g", b"/API/V1/ENTRIES", b"/api/v1/entries/../tokens"),
]
METHODS = [
    b"GET",
    b"HEAD",
    b"POST",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"PROPFIND",
    b"X" * 500,
    b"get",
    b"!",
]
LINES = [
    *(
        b"\0",
        b"GET",
        b"GET /",
        b"GET / HTTP",
        b"GET / HTTP/9.9",
        b"GET / HTTP/1.1 x",
        b"GET  / HTTP/1.1",
        b"\x16\x03\x01\x02\x00",
    ),
    *(
        b"GET / HTTP/1.1\r\n folded",
        b"GET / HTTP/1.1\r\nno colon",
        b"GET / HTTP/1.1\r\n: x",
        b"GET / HTTP/1.1\r\na b: c",
    ),
    *(
        b"GET / HTTP/1.1\r\nA: b\rc",
        b"GET / HTTP/1.1\r\nA: b\nc: d",
        b"GET / HTTP/1.1\r\nA: \0",
        b"SSH-2.0-x",
        b"PRI * HTTP/2.0",
    ),
    b"GET / HTTP/1.1\r\nA: " + b"x" * 300_000,
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20_000,
    b"GET /" + b"x" * 300_000 + b" HTTP/1.1",
]
