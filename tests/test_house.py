"""Promises about the house itself: what is there is documented, and what is documented is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest
from flask import Flask

from dreamweb.api.errors import CODES, HTTP_CODES
from dreamweb.api.openapi import document
from dreamweb.config import Settings

ROOT = Path(__file__).parent.parent

NO_PAGES = {"/docs", "/redoc", "/api/v1/openapi.json"}

OF_FLASK = {"db", "run", "shell", "routes"}


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name.upper() for name in Settings.model_fields])
def test_every_setting_is_explained(name: str) -> None:
    assert re.search(rf"^#? ?{name}=", text_of(".env.example"), re.MULTILINE)
    assert f"`{name}`" in text_of("docs/configuration.md")


def test_no_setting_is_explained_that_does_not_exist() -> None:
    named = set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", text_of(".env.example"), re.MULTILINE))
    assert named == {name.upper() for name in Settings.model_fields}


def test_every_route_stands_in_the_openapi_document_or_is_a_page(app: Flask) -> None:
    with app.app_context():
        described = {(path, method.upper()) for path, methods in document()["paths"].items() for method in methods}
    pages = text_of("docs/pages.md")
    for rule in app.url_map.iter_rules():
        if rule.rule in NO_PAGES or rule.endpoint == "static":
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (path, method) in described or f"`{method} {path}`" in pages, (method, path)


def test_every_route_and_error_code_stands_in_the_docs(app: Flask) -> None:
    endpoints = text_of("docs/endpoints.md")
    with app.app_context():
        for path, methods in document()["paths"].items():
            for method in methods:
                assert f"`{method.upper()} {path}`" in endpoints
    for code in [code for _, code in CODES.values()] + list(HTTP_CODES.values()):
        assert f"`{code}`" in endpoints, code


def commands_of(group: click.Group, above: str = "") -> list[str]:
    names = []
    for name, command in group.commands.items():
        if not above and name in OF_FLASK:
            continue
        if isinstance(command, click.Group):
            names += commands_of(command, f"{above}{name} ")
        else:
            names.append(f"{above}{name}")
    return names


def test_every_command_stands_in_the_docs_and_explains_itself(app: Flask) -> None:
    docs = text_of("docs/commands.md")
    names = commands_of(app.cli)
    assert {"serve", "upgrade", "verify", "account add", "token add"} <= set(names)
    for name in names:
        assert f"`dreamweb {name}" in docs, name


def test_the_documents_link_only_to_what_is_there() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://", "mailto:")):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} -> {target}"


def test_every_module_says_its_job_in_one_sentence() -> None:
    for path in (ROOT / "dreamweb").rglob("*.py"):
        first = path.read_text(encoding="utf-8").split('"""')[1].strip().split("\n\n")[0]
        assert first.endswith("."), path
        assert path.read_text(encoding="utf-8").startswith('"""'), path


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    for path in (ROOT / "dreamweb").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        path.name
        for path in (ROOT / "dreamweb").rglob("*.py")
        if re.search(r"\b(os\.environ|getenv)\b", path.read_text(encoding="utf-8"))
    }
    assert readers == {"config.py"}


def test_nothing_of_this_machine_or_of_others_is_committed() -> None:
    for path in committed():
        name = str(path.relative_to(ROOT))
        assert not name.startswith("static/vendor/"), name
        assert not re.search(r"\.min\.(js|css)$|(^|/)(LICENSE|COPYING|NOTICE)", name), name
        if path.suffix in {".py", ".md", ".toml", ".json", ".yml", ".txt", ".js", ".html", ".css", ".mako", ""}:
            words = path.read_text(encoding="utf-8")
            assert not re.search(r'"resolved": *"http', words), name
            assert not re.search("index" + "-url|--" + "registry", words), name
