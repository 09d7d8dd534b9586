"""Promises about sentences for people: each can be said in another language, and none is somebody else's."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from dreamweb import checking, details, errors, profile
from dreamweb.api import capture_schemas, schemas
from dreamweb.details import Details
from dreamweb.errors import DreamWebError, Invalid, Malformed
from dreamweb.profile import Profile
from dreamweb.words import Said, say

PACKAGE = Path(errors.__file__).parent

MODULES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
}

# A wrong setting and a command speak to whoever runs the server, in the language of the documents.
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, DreamWebError)}
ERRORS -= {"BadSetting"}
COMMANDS = {"cli.py", "__main__.py"}

SAYING = {"say", "gettext", "ngettext"}

# What somebody may send says what becomes of unknown fields; what we answer does not.
MODELS: set[type[BaseModel]] = {
    model
    for module in (details, profile, schemas, capture_schemas)
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, BaseModel) and model.model_config.get("extra")
}

DEEP: Any = []
for _ in range(300):
    DEEP = [DEEP]

WRONG: list[Any] = [
    *("", " ", "x", "{", "[]", "NaN", "-1", "6", "1.5", "9" * 5000, "x" * 1_000_001, "\0", "\ud800", "a\x07b", "auto"),
    *(
        "1899-12-31",
        "2100-01-01",
        "9999-12-31T23:59:59-10:00",
        "2025-02-30",
        "2025-01-31T25:00",
        "25:61",
        "12:30+99:99",
    ),
    *("[" * 5000, "ﷺ" * 50, "İ" * 50, "CET", "Nowhere/Land", "a,b," * 200),
    *(None, True, -1, 6, 101, 10**400, 0.5, float("nan"), float("inf")),
    *([], {}, [None], ["x" * 51] * 2, ["\0"], ["x"] * 51, [float("nan")], {"a": float("nan")}, {"a": "\0"}),
    *({"a": "x" * 70_000}, {"a": DEEP}, {1: 2}, DEEP, b"\xff"),
]

_FIGURES = ("missing", "retry_after", "used")
"""What errors carry besides sentences: numbers of chunks, seconds, tokens."""


def calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) in names:
            yield node


def name_of(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def values_of(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    """Whatever a module keeps under this name, or in a place of the thing that has it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if name_of(target.value if isinstance(target, ast.Subscript) else target) == name:
                    yield node.value


def functions(tree: ast.Module, name: str) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name)


def is_said(node: ast.expr, tree: ast.Module) -> bool:
    """Whether this can be translated: a sentence that is said, or something that holds nothing else."""
    if isinstance(node, ast.IfExp):
        return is_said(node.body, tree) and is_said(node.orelse, tree)
    if isinstance(node, ast.Dict):
        return all(is_said(value, tree) for value in node.values)
    if isinstance(node, ast.Name):
        return all(is_said(value, tree) for value in values_of(tree, node.id))
    if isinstance(node, ast.Call) and (found := list(functions(tree, name_of(node.func)))):
        returned = [each.value for each in ast.walk(found[0]) if isinstance(each, ast.Return) and each.value]
        return all(is_said(value, tree) for value in returned)
    if isinstance(node, ast.Subscript):
        return is_said(node.value, tree)
    return isinstance(node, ast.Attribute) or (isinstance(node, ast.Call) and name_of(node.func) in SAYING)


def refusal_of(model: type[BaseModel], values: dict[str, Any]) -> DreamWebError | None:
    try:
        checking.check(model, values)
    except (Invalid, Malformed) as error:
        return error
    return None


def test_a_sentence_remembers_what_it_was_made_of() -> None:
    sentence = say("This is larger than %(limit)s MB.", limit=5)
    assert sentence == "This is larger than 5 MB."
    assert (sentence.msgid, sentence.values) == ("This is larger than %(limit)s MB.", {"limit": 5})
    assert say("100 %").msgid == say("100 %") == "100 %"


def test_every_sentence_is_written_out_and_has_a_place_for_each_value() -> None:
    for module, tree in MODULES.items():
        imports = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        for call in calls(tree, {"say"}) if "dreamweb.words" in imports else ():
            where = f"{module}:{call.lineno}"
            assert len(call.args) == 1, where
            assert isinstance(call.args[0], ast.Constant), f"{where}: translators never see what is put together here"
            places = re.findall(r"%\((\w+)\)s", str(call.args[0].value))
            assert sorted(places) == sorted(keyword.arg or "**" for keyword in call.keywords), where


def test_every_error_speaks_in_sentences_that_can_be_translated() -> None:
    for module in MODULES.keys() - COMMANDS:
        tree = MODULES[module]
        for call in calls(tree, ERRORS):
            where = f"{module}:{call.lineno}"
            assert call.args, where
            assert is_said(call.args[0], tree), where
            keywords = [keyword.value for keyword in call.keywords if keyword.arg not in _FIGURES]
            for fields in [*call.args[1:], *keywords]:
                # What is wrong with a model's fields is tried below.
                assert module == "checking.py" or is_said(fields, tree), where


def test_every_rule_about_a_field_gives_a_reason_that_can_be_translated() -> None:
    for module in ("details.py", "profile.py", "api/schemas.py", "api/capture_schemas.py"):
        for call in calls(MODULES[module], {"ValueError"}):
            assert is_said(call.args[0], MODULES[module]), f"{module}:{call.lineno}"


@pytest.mark.parametrize("model", sorted(MODELS, key=str))
def test_whatever_is_wrong_with_a_field_is_said_in_our_words(model: type[BaseModel]) -> None:
    refused = set()
    for name in (*model.model_fields, "unknown"):
        for value in WRONG:
            error = refusal_of(model, {name: value})
            assert error is None or isinstance(error.detail, Said), (name, value)
            for field, why in error.fields.items() if isinstance(error, Invalid) else ():
                assert isinstance(why, Said), (field, why)
                assert len(why) <= 100, (field, why)
                refused.add(field.partition(".")[0])
    assert "unknown" in refused or model.model_config["extra"] == "ignore"
    assert refused & model.model_fields.keys()


@pytest.mark.parametrize(
    ("model", "name", "value", "reason"),
    [
        (Details, "kind", "x", say("one of %(choices)s", choices="dream, journal, guided")),
        (Details, "recall", 1, say("one of %(choices)s", choices="none, fragment, full")),
        (Details, "lucidity", "6", say("at most %(most)s", most=5)),
        (Details, "lucidity", -1, say("at least %(least)s", least=0)),
        (Details, "lucidity", "much", say("a whole number")),
        (Details, "lucidity", 0.5, say("a whole number")),
        (Details, "lucidity", "9" * 5000, say("a whole number")),
        (Details, "title", 5, say("a text")),
        (Details, "title", "x" * 201, say("at most %(most)s characters", most=200)),
        (Details, "tags", 5, say("a list")),
        (Details, "tags", ["x"] * 51, say("at most %(most)s of them", most=50)),
        (Details, "metadata", [], say("an object like {...}")),
        (Details, "private", "perhaps", say("true or false")),
        (Details, "dreamed_at", 5, say("write it like %(example)s", example="2025-01-31T04:10:00+01:00")),
        (Details, "dreamed_at", "2025-02-30", say("write it like %(example)s", example="2025-01-31T04:10:00+01:00")),
        (Details, "dreamed_at", "2100-01-01", say("it lies in the future")),
        (Details, "client_id", "me", say("an id like %(example)s", example="550e8400-e29b-41d4-a716-446655440000")),
        (Details, "colour", "red", say("there is no such field")),
        (Profile, "night_from", "25:61", say("a time like %(example)s", example="22:30")),
        (Profile, "name", None, say("a text")),
        (schemas.UploadFields, "metadata", "{", say("it is not JSON")),
        (schemas.NewToken, "scopes", [], say("it must not be empty")),
    ],
)
def test_a_reason_names_what_is_possible(model: type[BaseModel], name: str, value: Any, reason: Said) -> None:
    with pytest.raises(Invalid) as refused:
        checking.check(model, {name: value})
    found = refused.value.fields[name]
    assert isinstance(found, Said)
    assert (found.msgid, found.values) == (reason.msgid, reason.values)
    assert f"{name}: {reason}" in refused.value.detail


def test_what_belongs_to_no_field_is_a_reason_too() -> None:
    with pytest.raises(Invalid) as refused:
        checking.check(schemas.NewEntry, {})
    assert list(refused.value.fields) == ["body"]
    assert isinstance(refused.value.fields["body"], Said)
    with pytest.raises(Invalid) as refused:
        checking.check(schemas.NewToken, {})
    assert refused.value.fields == {"name": "it is needed"}
