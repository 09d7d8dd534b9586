"""Gives tests of pages a client that does what a browser without scripts does: keep cookies, fill in forms, follow."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from uuid import UUID

import httpx
import pytest
from flask import Flask
from sqlalchemy import update

from dreamweb import db
from dreamweb.models import Entry
from tests.conftest import Person

PASSWORD = "correct horse"


class Browser(httpx.Client):
    """A browser without scripts on the real server."""

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        return self.submit("/sign-in", {"name": name, "password": password})

    def submit(
        self, path: str, data: dict[str, str] | None = None, *, page: str = "/sign-in", **more: object
    ) -> httpx.Response:
        """Send a form as the page it stands on would, with the token that this browser was given."""
        return self.post(path, data={"csrf_token": self.token(page)} | (data or {}), **more)  # type: ignore[arg-type]

    def fill(self, path: str, **fields: str) -> httpx.Response:
        """The answer to a form itself, without following where it leads."""
        return self.submit(path, fields, follow_redirects=False)

    def open(self, path: str) -> str:
        """A page that is there, as text without the signs that HTML needs."""
        answer = self.get(path)
        assert (answer.status_code, answer.url.path) == (200, path.partition("?")[0]), answer.text
        return html.unescape(answer.text)

    def is_signed_in(self) -> bool:
        return self.get("/settings/about", follow_redirects=False).status_code == 200

    def token(self, page: str = "/sign-in") -> str:
        """A CSRF token of this browser's session."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(page).text)
        assert found, f"{page} has no form"
        return html.unescape(found[1])


SignIn = Callable[..., Browser]


def words(page: httpx.Response | str) -> str:
    """What a page says, without its tags."""
    text = page if isinstance(page, str) else page.text
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


@pytest.fixture
def new_browser(live: str) -> Iterator[Callable[[], Browser]]:
    """Makes browsers nobody is signed in with."""
    made: list[Browser] = []

    def make() -> Browser:
        made.append(Browser(base_url=live, timeout=30, follow_redirects=True))
        return made[-1]

    yield make
    for browser in made:
        browser.close()


@pytest.fixture
def nobody(new_browser: Callable[[], Browser]) -> Browser:
    return new_browser()


@pytest.fixture
def at_home(new_browser: Callable[[], Browser], ana: Person) -> Browser:
    """Ana's browser, signed in."""
    browser = new_browser()
    assert browser.sign_in(ana.account.name).status_code == 200
    return browser


@pytest.fixture
def elsewhere(new_browser: Callable[[], Browser], bor: Person) -> Browser:
    """The browser of a stranger to Ana, signed in."""
    browser = new_browser()
    assert browser.sign_in(bor.account.name).status_code == 200
    return browser


@pytest.fixture
def sign_in(new_browser: Callable[[], Browser], ana: Person) -> SignIn:
    """Signs somebody in with one more browser."""

    def sign_in(name: str = "ana", password: str = PASSWORD, device: str = "test") -> Browser:
        browser = new_browser()
        browser.headers["User-Agent"] = device
        assert browser.sign_in(name, password).url.path == "/"
        return browser

    return sign_in


@pytest.fixture
def app_database(app: Flask) -> Callable[..., None]:
    """Writes columns of an entry that only later steps write."""

    def change(entry_id: str, **columns: object) -> None:
        with app.app_context(), db.transaction() as session:
            session.execute(update(Entry).where(Entry.id == UUID(entry_id)).values(**columns))

    return change
