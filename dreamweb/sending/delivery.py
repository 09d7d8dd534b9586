"""Brings a recording to the journal, and believes it has arrived only when the journal answers with its SHA-256."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import httpx

from dreamweb.sending.destination import Destination
from dreamweb.sending.found import Changed, Found, Unsendable, look, read, still_for

FIRST_WAIT, LONGEST_WAIT, LONGEST_ASKED = 1.0, 60.0, 3600.0

# The server looks at a recording before it answers; an hour of sound on a small machine takes its time.
_TIMEOUT = httpx.Timeout(60, connect=15, read=300)

# What some proxies answer for a server that is busy or away, beside 5xx.
_PASSING = {408, 425, 429}
_AWAY = {429, 502, 503, 504}

# Of these, every other recording would be told the same.
_FOR_ALL = {401, 403, 404, 405, 422}


class Refused(Exception):
    """The journal does not want this recording, and would not want it later either; the text is its reason."""


class Hopeless(Exception):
    """No recording can be sent as things are: the address, the token or what is sent along is wrong.

    `for_sure` when the journal itself says so; else it may be the fault of the network that this machine is in.
    """

    def __init__(self, why: str, *, for_sure: bool = False) -> None:
        super().__init__(why)
        self.for_sure = for_sure


class NotNow(Exception):
    """It may go better later. `away`: for the other recordings, too; `retry_after`: the server asked for that."""

    def __init__(self, why: str, *, away: bool = False, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.away = away
        self.retry_after = retry_after


@dataclass(frozen=True)
class Delivered:
    """The journal has confirmed these very bytes; `new` unless it had them before."""

    entry_id: str
    url: str
    new: bool


@dataclass
class Pace:
    """How long to wait before trying again: longer each time, and never shorter than the server asks for."""

    tries: int = 0

    def next(self, error: Exception) -> float:
        self.tries += 1
        own = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self.tries - 1, 10))
        asked = error.retry_after if isinstance(error, NotNow) else None
        return max(own, min(asked or 0, LONGEST_ASKED))


def connect(destination: Destination) -> httpx.Client:
    """A client that sends as the destination's account."""
    if destination.url.startswith("https:"):
        trust = httpx.create_ssl_context()
        # The certificates of this machine, too: there lies the one of an authority of one's own.
        trust.load_default_certs()
    else:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # is not used; making the other would take a while
    return httpx.Client(
        base_url=destination.url,
        headers={
            "Authorization": f"Bearer {destination.token.get_secret_value()}",
            "User-Agent": f"dreamweb-send/{version('dreamweb')}",
        },
        timeout=_TIMEOUT,
        verify=trust,
    )


def deliver(
    client: httpx.Client, found: Found, fields: dict[str, str], passed: Callable[[int], object] = lambda _size: None
) -> Delivered:
    """Send it once.

    Raises `Refused`, `Hopeless`, `NotNow`; `Changed` or `Unsendable` when the file is not what it was.
    """
    if "dreamed_at" not in fields and found.modified_at:
        fields = fields | {"dreamed_at": found.modified_at.isoformat()}
    with _opened(found) as file, _our_errors():
        answer = client.post(
            "/api/v1/upload",
            params={**fields, "client_id": str(found.client_id), "filename": found.name},
            content=found.blocks(file, passed),
            # The length, so that the server can say at once what is too large, and sees when something is missing.
            headers={"Content-Length": str(found.size), "Content-Type": "application/octet-stream"},
        )
    return _understand(answer, found)


def deliver_in_time(
    client: httpx.Client,
    path: Path,
    fields: dict[str, str],
    *,
    give_up_after: float,
    settle: float,
    waiting: Callable[[Exception, float], object],
    started: Callable[[Found], Callable[[int], object]],
) -> tuple[Found, Delivered]:
    """Send it, and try again for as long as there is hope and time; what keeps still is sent.

    Raises `Refused`, `Hopeless`, `Unsendable`; `NotNow` or `Changed` when time has run out.
    """
    pace, deadline = Pace(), time.monotonic() + settle + give_up_after
    while True:
        try:
            while (restless := still_for(look(path), settle)) > 0:
                if time.monotonic() > deadline:
                    raise Changed
                time.sleep(restless)
            if not pace.tries:  # what it took to keep still is not the journal's fault
                deadline = time.monotonic() + give_up_after
            found = read(path)
            return found, deliver(client, found, fields, started(found))
        except (NotNow, Changed) as error:
            wait = pace.next(error)
            if time.monotonic() + wait > deadline:
                raise
            waiting(error, wait)
            time.sleep(wait)


@contextmanager
def _opened(found: Found) -> Iterator[IO[bytes]]:
    try:
        with found.path.open("rb") as file:
            yield file
    except OSError as error:  # it is gone, or the stick was pulled out while we were reading
        raise Unsendable(f"it cannot be read any more: {error.strerror or error}") from None


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise Hopeless(f"The address is wrong: {error}") from None
    except httpx.TimeoutException:
        raise NotNow("the journal did not answer in time", away=True) from None
    except httpx.HTTPError as error:
        if reason := _distrust(error):
            raise Hopeless(
                f"This machine does not trust the certificate of the journal ({reason}). "
                "docs/https-at-home.md says how to make it do so."
            ) from None
        raise NotNow(f"the journal cannot be reached: {_plain(str(error))}", away=True) from None


def _distrust(error: BaseException | None) -> str:
    while error:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return ""


def _understand(answer: httpx.Response, found: Found) -> Delivered:
    status, said = answer.status_code, _json(answer)
    if status in (200, 201):
        return _confirmed(status, said, found)
    why = _plain(str(said.get("detail") or f"it answered {status} {answer.reason_phrase}".strip()))
    if status in _PASSING or status >= 500:
        raise NotNow(why, away=status in _AWAY, retry_after=_retry_after(answer))
    if 300 <= status < 400:
        leads = answer.headers.get("Location", "elsewhere")
        raise Hopeless(f"The address leads on to {_plain(leads)}. Write that one into the settings.")
    if status in (404, 405) and "error_code" not in said:
        raise Hopeless("There is no journal at this address.")
    if status in _FOR_ALL:
        raise Hopeless(why, for_sure="error_code" in said)
    raise Refused(why)


def _confirmed(status: int, said: dict[str, Any], found: Found) -> Delivered:
    if not all(isinstance(said.get(name), str) for name in ("id", "sha256", "url")):
        raise NotNow("something answered that is not the journal; is there a sign-in to this network?", away=True)
    if said["sha256"] != found.sha256:
        raise Refused(f"the journal has other bytes than this file, in {_plain(said['url'])}; keep the file")
    return Delivered(said["id"], _plain(said["url"]), new=status == 201)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _retry_after(answer: httpx.Response) -> float | None:
    """Seconds or a date (RFC 9110, 10.2.3)."""
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdecimal() and asked.isascii() and len(asked) < 9:
        return float(asked)
    try:
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _plain(text: str) -> str:
    """On one line, and without anything that could steer a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)[:500]
