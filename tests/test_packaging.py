"""What people install: the wheel, the container, the service, and the commands of a checkout."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.conftest import free_port

ROOT = Path(__file__).parent.parent
VENDORED = (
    "vendor/htmx.org/htmx.min.js",
    "vendor/icons.svg",
    "vendor/redoc/redoc.standalone.js",
    "vendor/swagger-ui-dist/swagger-ui-bundle.js",
    "vendor/swagger-ui-dist/swagger-ui.css",
)
TRANSLATED = "translations/sl/LC_MESSAGES/messages.mo"

# ---- the wheel -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the source archive and the wheel that was built from it, as `make build` does it."""
    folder = tmp_path_factory.mktemp("dist")
    ran([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)])
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an empty virtual environment into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    ran([sys.executable, "-m", "venv", str(folder)])
    ran([str(folder / "bin" / "pip"), "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), str(wheel)])
    return folder / "bin"


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[tuple[str, dict[str, str], subprocess.Popen[bytes]]]:
    """The installed journal, started from a folder that has nothing to do with it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    port = free_port()
    environment = {
        "PATH": f"{installed}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(["dreamweb", "serve"], cwd=elsewhere, env=environment, stdout=output, stderr=output)
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_healthy(address, process, log)
            yield address, environment, process
        finally:
            process.kill()
            process.wait()


@pytest.mark.fault
@pytest.mark.slow
def test_the_source_archive_carries_what_npm_brought_and_what_was_compiled(dist: Path) -> None:
    name = f"dreamweb-{project()['version']}"
    with tarfile.open(dist / f"{name}.tar.gz") as archive:
        names = set(archive.getnames())
    assert {f"{name}/static/{path}" for path in (*VENDORED, "vendor/.built-from")} <= names
    assert {f"{name}/dreamweb/{TRANSLATED}", f"{name}/dreamweb/{Path(TRANSLATED).with_suffix('.po')}"} <= names


@pytest.mark.fault
@pytest.mark.slow
def test_the_wheel_carries_templates_styles_scripts_translations_and_migrations(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        redoc = archive.read("dreamweb/static/vendor/redoc/redoc.standalone.js")
    beside = {
        f"dreamweb/{path.relative_to(ROOT)}"
        for folder in ("migrations", "static", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert beside <= names
    assert {f"dreamweb/static/{name}" for name in VENDORED} <= names
    assert f"dreamweb/{TRANSLATED}" in names
    assert {name.split("/")[0] for name in names} == {"dreamweb", f"dreamweb-{project()['version']}.dist-info"}
    assert b"cdn.redoc.ly" not in redoc


@pytest.mark.fault
@pytest.mark.slow
def test_an_installed_wheel_serves_from_any_folder_and_stops_cleanly(
    served: tuple[str, dict[str, str], subprocess.Popen[bytes]], installed: Path, tmp_path: Path
) -> None:
    address, environment, process = served
    assert json.loads(get(f"{address}/health"))["version"] == project()["version"]
    static = re.search(r'"(/static/.*?)vendor/swagger-ui-dist/swagger-ui-bundle\.js"', get(f"{address}/docs").decode())
    assert static, "where the files lie changes with them"
    assert b"redoc.standalone.js" in get(f"{address}/redoc")
    for name in VENDORED:
        assert len(get(f"{address}{static[1]}{name}")) > 10_000
    asked = "import sys; from dreamweb.config import resource; print(*map(resource, sys.argv[1:]), sep='\\n')"
    folders = ran([str(installed / "python"), "-I", "-c", asked, "templates", "translations"]).splitlines()
    for folder, inside in zip(folders, ("layout.html", TRANSLATED.removeprefix("translations/")), strict=True):
        assert (Path(folder) / inside).is_file()
        assert Path(folder).is_relative_to(installed.parent)

    data = tmp_path / "home" / ".local" / "share" / "dreamweb"
    assert (data / "dreamweb.sqlite3").is_file(), "without DATA_DIR, data lies in the person's home"
    assert list((tmp_path / "elsewhere").iterdir()) == [], "nothing is left where it was started"

    check = json.loads(the_only(dockerfile()[-1], "HEALTHCHECK").partition("CMD")[2])
    ran(check, env=environment)

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=40) == 0
    assert subprocess.run(check, env=environment, capture_output=True).returncode == 1


# ---- what is pinned --------------------------------------------------------------------------------------------------


def test_nothing_of_others_is_committed() -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is not a git checkout")
    kept = ran(["git", "-C", str(ROOT), "ls-files", "static/vendor", "node_modules", "dist", "*.mo"])
    assert kept == ""
    ignored = ["static/vendor/icons.svg", f"dreamweb/{TRANSLATED}", "instance/dreamweb.sqlite3", ".env"]
    ignored += [".venv/bin/python"]
    assert ran(["git", "-C", str(ROOT), "check-ignore", *ignored]).split() == ignored


def test_npm_packages_are_pinned_and_the_lock_file_names_no_registry() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    for place, package in locked.items():
        assert "resolved" not in package
        assert not place or package["integrity"].startswith("sha512-"), place
    assert wanted["htmx.org"].startswith("2.0."), "htmx-flask reads headers that htmx 4 no longer sends"


def test_every_python_package_we_ask_for_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()[1:]
    pinned = {normal(line.partition("==")[0]) for line in lines if re.fullmatch(r"[\w.-]+==[\w.]+", line)}
    assert len(pinned) == len(lines)
    asked = [*project()["dependencies"], *project()["optional-dependencies"]["dev"]]
    assert {normal(re.match(r"[\w-]+", each)[0]) for each in asked} <= pinned  # type: ignore[index]
    built_with = pyproject()["build-system"]["requires"]
    assert all("==" in each for each in built_with)
    assert {each for each in built_with if normal(each.partition("==")[0]) in pinned} <= set(lines)
    assert any(each.startswith("babel==") for each in built_with), "it must compile as the installed one does"


def test_the_pictures_are_one_small_file_that_style_sheets_can_colour() -> None:
    file = ROOT / "static" / "vendor" / "icons.svg"
    symbols = list(ElementTree.parse(file).getroot())
    names = {each.attrib["id"] for each in symbols}
    assert file.stat().st_size <= 25_000
    assert len(names) == len(symbols)
    for each in symbols:
        assert each.tag == "{http://www.w3.org/2000/svg}symbol"
        assert set(each.attrib) == {"id", "viewBox"}, "what stands here no style sheet could change"
        assert len(each) > 0
    drawn = re.compile(r"""\b(?:icon|icon_button)\(\s*["']([\w-]+)["']|\bicon=["']([\w-]+)["']""")
    for page in (ROOT / "templates").rglob("*.html"):
        for found in drawn.finditer(page.read_text(encoding="utf-8")):
            assert (found[1] or found[2]) in names, f"{page.name}: {found[0]}; add it to ICONS in hatch_build.py"


# ---- the container ---------------------------------------------------------------------------------------------------


def test_the_dockerfile_copies_only_what_is_there_and_let_in() -> None:
    let_in = [line[1:].rstrip("/") for line in lines_of(".dockerignore") if line.startswith("!")]
    assert lines_of(".dockerignore")[0] == "*"
    build, _ = dockerfile()
    sources = [source for each in build["COPY"] for source in each.split()[:-1]]
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.rstrip("/") in let_in
    assert {"instance", ".env", ".git"}.isdisjoint(let_in)
    # What the build reads must be among them.
    needed = {"pyproject.toml", project()["readme"], "hatch_build.py", "package.json", "package-lock.json", ".npmrc"}
    assert needed | {"dreamweb/", "migrations/", "static/", "templates/"} <= set(sources)


def test_the_image_runs_dreamweb_as_a_stranger_to_the_system() -> None:
    build, final = dockerfile()
    assert the_only(final, "FROM") == the_only(build, "FROM").removesuffix(" AS build")
    assert re.fullmatch(r"python:3\.1[1-9]-slim", the_only(final, "FROM"))
    assert the_only(final, "USER") == "10001:10001"
    assert the_only(final, "VOLUME") == "/data"
    assert the_only(final, "EXPOSE") == "8000"
    assert the_only(final, "STOPSIGNAL") == "SIGTERM"
    assert json.loads(the_only(final, "CMD")) == ["dreamweb", "serve"]
    assert "ENTRYPOINT" not in final, "dreamweb must be the process that gets the signal"
    variables = dict(pair.split("=", 1) for pair in shlex.split(the_only(final, "ENV")))
    assert (variables["DATA_DIR"], variables["AUDIO_STORAGE_PATH"]) == ("/data", "/data/audio")
    for stage in (build, final):
        for command in stage.get("RUN", []):
            ran(["sh", "-n", "-c", command])


def test_the_image_is_built_with_the_tool_we_test_with() -> None:
    installed = re.findall(r"pip install .*?(\S+==\S+)", " ".join(dockerfile()[0]["RUN"]))
    assert installed
    assert set(installed) <= set(lines_of("constraints.txt"))


def test_compose_starts_dreamweb_after_a_healthy_postgresql() -> None:
    app, database = services()["app"], services()["database"]
    assert app["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert database["image"] == "postgres:17"
    assert "pg_isready" in database["healthcheck"]["test"]
    place = database["environment"]["PGDATA"]
    assert any(place.startswith(volume.partition(":")[2]) for volume in database["volumes"])
    assert app["environment"]["DATABASE_HOST"] == "database"
    for ours, theirs in {"NAME": "DB", "USER": "USER", "PASSWORD": "PASSWORD"}.items():
        assert app["environment"][f"DATABASE_{ours}"] == database["environment"][f"POSTGRES_{theirs}"]
    assert "data:/data" in app["volumes"]
    assert app["stop_grace_period"] == "40s", "longer than the 30 seconds a stop waits for uploads"


def test_compose_keeps_pgadmin_away_from_the_network_and_off_by_default() -> None:
    assert services()["pgadmin"]["profiles"] == ["admin"]
    assert all(port.startswith("127.0.0.1:") for port in services()["pgadmin"]["ports"])
    assert "ports" not in services()["database"]


def test_compose_holds_no_secret() -> None:
    for service in services().values():
        for name, value in service["environment"].items():
            assert "PASSWORD" not in name or re.fullmatch(r"\$\{\w+:[?-].*\}", value)
    password = services()["app"]["environment"]["DATABASE_PASSWORD"]
    assert password.startswith("${DATABASE_PASSWORD:?"), "without it, compose says what is missing"
    written = (ROOT / "docs" / "deployment.md").read_text()
    for name in set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text())):
        assert f"`{name}`" in written


# ---- the service and the commands ------------------------------------------------------------------------------------


def test_the_service_may_write_its_own_folder_only() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "docs" / "systemd" / "dreamweb.service")
    service = unit["Service"]
    assert service["ExecStart"].endswith("/bin/dreamweb serve")
    assert service["Environment"] == f"DATA_DIR=/var/lib/{service['StateDirectory']}"
    assert service["User"] != "root"
    assert service["ProtectSystem"] == "strict"
    assert int(service["TimeoutStopSec"]) > 30


def test_make_without_a_goal_lists_every_goal() -> None:
    make = shutil.which("make")
    if not make:
        pytest.skip("make is not installed")
    shown = re.findall(r"^  make (\w+) +\S", ran([make, "-C", str(ROOT), "--no-print-directory"]), re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert shown == phony[1].split()


def test_the_scripts_are_sound() -> None:
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    ran(["bash", "-n", str(run)])


# ---- how ------------------------------------------------------------------------------------------------------------


def ran(command: list[str], env: dict[str, str] | None = None) -> str:
    """Run to a good end, or fail with what the command said; answer its standard output."""
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        content: bytes = answer.read()
    return content


def wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            get(f"{address}/health")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"dreamweb did not become healthy:\n{log.read_text()}")


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def project() -> dict[str, Any]:
    found: dict[str, Any] = pyproject()["project"]
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lines_of(name: str) -> list[str]:
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return found


def dockerfile() -> list[dict[str, list[str]]]:
    """Every stage as what it says by instruction; an option such as `--from` is no part of what is said."""
    text = re.sub(r"\\\n\s*", "", "\n".join(lines_of("Dockerfile")))
    stages: list[dict[str, list[str]]] = []
    for line in text.splitlines():
        instruction, rest = line.split(maxsplit=1)
        if instruction == "FROM":
            stages.append({})
        if instruction == "COPY" and rest.startswith("--from"):
            continue
        stages[-1].setdefault(instruction, []).append(rest)
    return stages


def the_only(stage: dict[str, list[str]], instruction: str) -> str:
    (said,) = stage[instruction]
    return said
