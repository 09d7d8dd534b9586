"""Promises about the API's description: it is exact, it is complete, and every route in it keeps strangers out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jsonschema_rs
import pytest
from flask import Flask
from schemathesis.specs.openapi.definitions import OPENAPI_31
from sqlalchemy import select
from werkzeug.routing import Rule

from dreamweb.api import errors
from dreamweb.db import session
from dreamweb.models import Attachment, Entry
from tests.conftest import DATABASES, SAMPLES, Person, files_below

DESCRIPTION = "/api/v1/openapi.json"

OPEN = {"/health"}
"""What is described, and needs no token."""

PROMISED = {
    ("POST", "/api/v1/upload"),
    ("POST", "/api/v1/entries"),
    ("GET", "/api/v1/entries"),
    ("GET", "/api/v1/entries/{entry_id}"),
    ("PATCH", "/api/v1/entries/{entry_id}"),
    ("DELETE", "/api/v1/entries/{entry_id}"),
    ("POST", "/api/v1/entries/{entry_id}/restore"),
    ("GET", "/api/v1/entries/{entry_id}/audio"),
    ("POST", "/api/v1/entries/{entry_id}/attachments"),
    ("GET", "/api/v1/attachments/{attachment_id}"),
    ("DELETE", "/api/v1/attachments/{attachment_id}"),
    ("GET", "/api/v1/entries/{entry_id}/playback"),
    ("GET", "/api/v1/entries/{entry_id}/similar"),
    ("GET", "/api/v1/search"),
    ("PUT", "/api/v1/captures/{client_id}/chunks/{n}"),
    ("GET", "/api/v1/captures/{client_id}"),
    ("DELETE", "/api/v1/captures/{client_id}"),
    ("GET", "/api/v1/captures/{client_id}/audio"),
    ("POST", "/api/v1/captures/{client_id}/finish"),
    ("GET", "/api/v1/captures"),
    ("GET", "/api/v1/tags"),
    ("GET", "/api/v1/tokens"),
    ("POST", "/api/v1/tokens"),
    ("DELETE", "/api/v1/tokens/{token_id}"),
    ("GET", "/health"),
}


@pytest.fixture
def document(live: str) -> dict[str, Any]:
    """As clients get it."""
    found: dict[str, Any] = httpx.get(f"{live}/api/v1/openapi.json").raise_for_status().json()
    return found


def rules(app: Flask) -> list[tuple[str, Rule]]:
    """Every method of every route that is for programs; the pages have tests of their own."""
    return [
        (method, rule)
        for rule in app.url_map.iter_rules()
        if (rule.rule.startswith("/api/") or rule.rule in OPEN) and rule.rule != DESCRIPTION
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def described(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def test_the_description_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    problems = [str(error) for error in jsonschema_rs.validator_for(OPENAPI_31).iter_errors(document)]
    assert problems == []
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})
        assert name in str(document["paths"]) + str(document["components"]["schemas"]) or name.endswith("Query")


def test_every_route_is_described_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    there = {(method, described(rule)) for method, rule in rules(app)}
    said = {(method, path) for method, path, _ in operations(document)}
    assert said == there
    assert said >= PROMISED


def test_every_route_says_what_it_does_who_may_use_it_and_how_it_fails(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["summary"].endswith("."), where
        assert operation["operationId"], where
        assert operation["tags"], where
        answers = operation["responses"]
        assert {"400", "500", "503"} <= set(answers), where
        if path in OPEN:
            assert operation["security"] == [], where
            continue
        assert operation["security"], where
        assert {name for one in operation["security"] for name in one} <= set(schemes), where
        assert {"401", "403"} <= set(answers), where
        assert ("404" in answers) == ("{" in path), where
        assert all("`" in answer["description"] for status, answer in answers.items() if status >= "400"), where


def test_every_error_code_of_the_contract_is_described_with_an_example(document: dict[str, Any]) -> None:
    codes = {code for _, code in errors.CODES.values()} | set(errors.HTTP_CODES.values()) | {"DATABASE_ERROR"}
    assert set(document["components"]["schemas"]["Error"]["properties"]["error_code"]["enum"]) == codes
    shown = set()
    for _, _, operation in operations(document):
        for answer in operation["responses"].values():
            examples = answer.get("content", {}).get("application/json", {}).get("examples", {})
            shown |= {example["value"]["error_code"] for example in examples.values()}
    assert shown == codes - {"METHOD_NOT_ALLOWED"}  # which no described route answers to its own method


def test_bodies_and_answers_have_examples_that_are_true(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("NewEntry", "EntryChanges", "NewToken"):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        assert jsonschema_rs.is_valid(schema, schemas[name]["example"])
    for name in ("Uploaded", "EntryOut", "AttachmentOut"):
        assert schemas[name]["properties"]["id"]["examples"], name


def address(live: str, rule: Rule, value: object) -> str:
    return live + re.sub(r"<[^>]*>", str(value), re.sub(r"<int:[^>]*>", "0", rule.rule))


def test_without_a_token_every_route_answers_401(app: Flask, live: str) -> None:
    asked = 0
    for method, rule in rules(app):
        if rule.rule in OPEN:
            continue
        for headers in ({}, {"Authorization": "Bearer dw_wrong"}, {"Authorization": "Bearer"}, {"Cookie": "session=x"}):
            answer = httpx.request(method, address(live, rule, uuid4()), headers=headers)
            assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED"), f"{method} {rule}"
            asked += 1
    assert asked >= 56


def test_a_token_that_may_only_upload_is_refused_by_every_other_route(
    app: Flask, live: str, make_person: Callable[..., Person]
) -> None:
    phone = make_person("ana", scopes=("upload",))
    for method, rule in rules(app):
        if rule.rule in OPEN or rule.endpoint in FOR_UPLOADING:
            continue
        answer = httpx.request(method, address(live, rule, uuid4()), headers=phone.headers)
        assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN"), f"{method} {rule}"


FOR_UPLOADING = {
    "api.upload.upload",
    "api.captures.put_chunk",
    "api.captures.get_capture",
    "api.captures.finish_capture",
}

OF_NOBODY_ELSE = {"api.captures.put_chunk", "api.captures.finish_capture"}
"""By these a client begins something under an id of its own choice; tests/api/test_captures.py has what they do."""

BODIES: dict[str, dict[str, Any]] = {"PATCH": {"json": {"title": "mine now"}}, "POST": {}}


def test_what_is_someone_elses_is_404_on_every_route_and_stays_as_it_is(
    app: Flask, api: httpx.Client, stranger: httpx.Client, live: str
) -> None:
    sent = api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).raise_for_status().json()
    trashed = api.post("/entries", json={"text": "in the trash"}).json()
    first, second = (
        api.post(f"/entries/{entry['id']}/attachments", content=b"a note").raise_for_status().json()
        for entry in (sent, trashed)
    )
    assert api.delete(f"/entries/{trashed['id']}").status_code == 204
    token = api.post("/tokens", json={"name": "phone"}).json()
    before = (
        api.get(f"/entries/{sent['id']}").json(),
        api.get("/entries?trash=true").json(),
        api.get("/tokens").json(),
    )
    walked = 0
    for method, rule in rules(app):
        if not rule.arguments or rule.endpoint in OF_NOBODY_ELSE:
            continue
        for value in (sent["id"], trashed["id"], first["id"], second["id"], token["id"], str(uuid4())):
            queries = ("", "?permanent=true") if method == "DELETE" and "entry" in rule.rule else ("",)
            for query in queries:
                answer = stranger.request(method, address(live, rule, value) + query, **BODIES.get(method, {}))
                assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND"), f"{method} {rule}"
                walked += 1
    assert walked >= 60
    assert stranger.get("/entries").json()["items"] == []
    assert stranger.get("/entries?trash=true").json()["items"] == []
    assert token["id"] not in stranger.get("/tokens").text
    after = (api.get(f"/entries/{sent['id']}").json(), api.get("/entries?trash=true").json(), api.get("/tokens").json())
    assert after == before
    assert api.get(f"/entries/{sent['id']}/audio").status_code == 200
    assert api.get(f"/attachments/{first['id']}").content == b"a note"


CONFIG = """
[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "412", "413", "416", "422", "431"]
"""


@pytest.mark.parametrize("query", ["", "?permanent=true"])
def test_what_was_deleted_is_404_on_every_route_until_it_is_restored(
    app: Flask, api: httpx.Client, live: str, query: str
) -> None:
    entry = api.post("/upload", content=(SAMPLES / "sl-hisa.mp3").read_bytes()).raise_for_status().json()["id"]
    attached = api.post(f"/entries/{entry}/attachments", content=b"a note").raise_for_status().json()["id"]
    assert api.delete(f"/entries/{entry}{query}").status_code == 204
    walked = 0
    for method, rule in rules(app):
        ids = {"entry_id": entry, "attachment_id": attached}
        value = next((ids[name] for name in rule.arguments if name in ids), None)
        if value and not rule.endpoint.endswith("entries.restore_entry"):
            answer = api.request(method, address(live, rule, value), **BODIES.get(method, {}))
            assert (answer.status_code, answer.json()["error_code"]) == (404, "NOT_FOUND"), f"{method} {rule}"
            walked += 1
    assert walked >= 7
    assert api.post(f"/entries/{entry}/restore").status_code == (404 if query else 200)


LEFT_OUT = "positive_data_acceptance,ensure_resource_availability,use_after_free"
"""No schema can say that a time must be past, a cursor ours, an ETag the newest, and a recording one that plays; an
entry that was just made is in no trash and has no recording; and one that was deleted comes back when it is restored.
What is right and accepted stands in tests/api, and what is deleted in the test above."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database_kind", "examples"),
    [("sqlite", 10), *(pytest.param(kind, 300, marks=pytest.mark.fault) for kind in DATABASES)],
    indirect=["database_kind"],
)
@pytest.mark.parametrize("revoking", [False, True])
def test_the_server_does_what_the_description_says(
    live: str,
    make_person: Callable[..., Person],
    tmp_path: Path,
    database_kind: str,
    app: Flask,
    examples: int,
    revoking: bool,
    say_how_many: Callable[[str, int], None],
) -> None:
    """Whatever is sent: right and wrong values, missing and doubled ones, wrong methods, no token, in sequence."""
    person = make_person("ana")
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    # Revoking goes last and by itself: sooner or later it revokes the token by which everything is tried.
    only = ["--include-operation-id", "revoke_token"] if revoking else ["--exclude-operation-id", "revoke_token"]
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{live}/api/v1/openapi.json", *only]
    command += ["--header", f"Authorization: Bearer {person.token}", "--continue-on-failure"]
    command += ["--checks", "all", "--exclude-checks", LEFT_OUT]
    command += ["--max-examples", str(examples), "--workers", "1", "--no-color"]
    if examples <= 10:  # the rest is tried in the long runs
        command += ["--phases", "examples,fuzzing"]
    # The same every time; DREAMWEB_SEED tries others. How hard it is to think up an example says nothing of the server.
    command += ["--seed", os.environ.get("DREAMWEB_SEED", "1"), "--suppress-health-check", "all"]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=1800, env={**os.environ, "PYTHONUTF8": "1"}
    )
    told = "\n".join(line[:400] for line in ran.stdout.splitlines())
    assert ran.returncode == 0, told[-12000:] + ran.stderr[-2000:]
    generated = re.search(r"(\d+) generated", told)
    assert generated, told
    say_how_many(
        f"requests of schemathesis, {'revoking' if revoking else 'everything else'} ({database_kind})",
        int(generated[1]),
    )
    storage = app.extensions["dreamweb"].storage
    with app.app_context():
        known = {key for table in (Entry, Attachment) for key in session().scalars(select(table.file_path)) if key}
    assert files_below(storage.root) == sorted(storage.path(key) for key in known)
