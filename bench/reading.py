"""Measures how long lists, entries and pages take in a small and in a large journal, and how many SQL statements."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask
from sqlalchemy import event

from bench import journal, serving
from bench.client import Client
from bench.databases import Databases
from bench.report import Figure, at_most, plain, seconds
from bench.serving import Server
from dreamweb import db

SMALL, LARGE = 1_000, 100_000

_Request = tuple[str, dict[str, str | int]]


def measure(folder: Path, databases: Databases, *, quick: bool) -> list[Figure]:
    """Each request to both journals in turn, so that a noisy machine disturbs both alike."""
    large = LARGE // 10 if quick else LARGE
    figures = []
    for kind in databases.kinds:
        figures += _measure(folder, databases, kind, large, rounds=40 if quick else 120)
    return figures


def _measure(folder: Path, databases: Databases, kind: str, large: int, rounds: int) -> list[Figure]:
    figures = []
    with ExitStack() as stack:
        clients, browsers, requests, pages, statements = [], [], [], [], {}
        for size in (SMALL, large):
            home = folder / f"reading-{kind}-{size}"
            home.mkdir()
            url = databases.make(kind, f"reading_{size}")
            app = journal.application(home, url, serving.TOKEN)
            journal.fill(app, size)
            server = stack.enter_context(Server(home, url))
            server.start()
            clients.append(Client(server.port, serving.TOKEN))
            browsers.append(Client(server.port, cookie=journal.cookie(app)))
            requests.append(_requests(clients[-1], size))
            pages.append(_pages(requests[-1]))
            statements = _statements(app, requests[-1])
            with app.app_context():
                db.db.engine.dispose()
        for name in requests[0]:
            few, much = _times(clients, [each[name] for each in requests], rounds)
            figures += [
                plain(f"{kind}, {name}", f"{seconds(few)} -> {seconds(much)}"),
                at_most(f"  {large:,} against {SMALL:,} entries", much / few, 1.3),
                at_most("  SQL statements", statements[name], 5, "{:.0f}"),
            ]
        for name in pages[0]:
            few, much = _times(browsers, [each[name] for each in pages], rounds)
            figures += [
                plain(f"{kind}, {name}", f"{seconds(few)} -> {seconds(much)}"),
                at_most(f"  {large:,} against {SMALL:,} entries", much / few, 1.3),
            ]
        for client in clients + browsers:
            client.close()
    return figures


def _times(clients: list[Client], requests: list[_Request], rounds: int) -> list[float]:
    """The median time of each client's request."""
    times: list[list[float]] = [[] for _ in clients]
    for number in range(rounds):
        for taken, client, (path, query) in zip(times, clients, requests, strict=True):
            one = client.time_get(path, **query)
            if number >= rounds // 10:  # the first ones warm up
                taken.append(one)
    return [median(taken) for taken in times]


def _requests(client: Client, size: int) -> dict[str, _Request]:
    """What is asked, by name: path and query."""
    deep = (journal.NEWEST - 0.9 * size * journal.APART).isoformat()
    page = client.get("/entries", end=deep)
    tagged = client.get("/entries", end=deep, tag=journal.COMMON)
    return {
        "list": ("/entries", {}),
        "list at 90% by cursor": ("/entries", {"cursor": page["next_cursor"]}),
        "list by a common tag": ("/entries", {"tag": journal.COMMON}),
        "list by a common tag at 90%": ("/entries", {"tag": journal.COMMON, "cursor": tagged["next_cursor"]}),
        "list by a rare tag": ("/entries", {"tag": journal.RARE}),
        "list with recordings only": ("/entries", {"has": "audio"}),
        "get": (f"/entries/{page['items'][0]['id']}", {}),
    }


def _pages(requests: dict[str, _Request]) -> dict[str, _Request]:
    """The pages that show the same; how many statements they take stands in a test."""
    return {
        "timeline": ("/", {}),
        "timeline at 90%": ("/", requests["list at 90% by cursor"][1]),
        "calendar": ("/calendar", {"month": f"{journal.NEWEST:%Y-%m}"}),
        "entry page": requests["get"],
    }


def _statements(app: Flask, requests: dict[str, _Request]) -> dict[str, int]:
    """SQL statements of one request, who is asking included; not counted are BEGIN, COMMIT and the pool's ping."""
    counted: list[str] = []
    with app.app_context():
        engine = db.db.engine

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            counted.append(statement)

    client = app.test_client()
    headers = {"Authorization": f"Bearer {serving.TOKEN}"}
    client.get("/api/v1/entries?limit=1", headers=headers)  # the first use of a token is noted
    found = {}
    for name, (path, query) in requests.items():
        counted.clear()
        answer = client.get(f"/api/v1{path}", query_string=query, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{name} answered {answer.status_code}")
        found[name] = len(counted)
    return found
