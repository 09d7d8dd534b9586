"""A child that starts slowly, is asked much, or has ended is waited for or started again, and never asked by halves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dreamweb.adapters.children import Child, Watch
from dreamweb.errors import Transient
from tests.conftest import until

NOBODY = Watch(lambda _: None, lambda: None)
LONG = "morje " * 33_334
"""200 kB: more than a socket takes from us before the child reads."""

CHILD = """
import os, time
with open("started", "a") as started:
    started.write(".")
time.sleep({pause})
from dreamweb.adapters.children import answer
answer(lambda asked, fds, _: {{"letters": len(asked["text"]), "files": [os.read(fd, 100).decode() for fd in fds]}})
open("idle", "x").close()
time.sleep(60)
"""


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Makes a child of a module that sleeps for so many seconds before it reads, and again when it was idle."""
    made: list[Child] = []

    def make(pause: float = 0, idle_seconds: float = 60) -> Child:
        (tmp_path / "a_child.py").write_text(CHILD.format(pause=pause))
        made.append(Child("a_child", idle_seconds))
        return made[-1]

    yield make
    for child in made:
        child.end()


def starts(folder: Path) -> int:
    return len((folder / "started").read_text())


def test_a_long_question_waits_for_a_child_that_starts_slowly(make_child: Callable[..., Child], tmp_path: Path) -> None:
    (tmp_path / "sent").write_text("a file that comes along")
    with (tmp_path / "sent").open("rb") as file:
        answer = make_child(2).ask({"text": LONG}, NOBODY, fds=[file.fileno()], timeout=60)
    assert answer == {"letters": len(LONG), "files": ["a file that comes along"]}
    assert starts(tmp_path) == 1


def test_a_child_that_never_reads_is_given_up_after_its_time(make_child: Callable[..., Child]) -> None:
    child = make_child(60)
    started = time.monotonic()
    with pytest.raises(Transient, match="took too long"):
        child.ask({"text": LONG}, NOBODY, timeout=1)
    assert time.monotonic() - started < 10
    assert child.pid is None


def test_a_question_that_is_still_being_sent_can_be_stopped(make_child: Callable[..., Child]) -> None:
    def stop() -> None:
        raise ZeroDivisionError

    child = make_child(60)
    with pytest.raises(ZeroDivisionError):
        child.ask({"text": LONG}, Watch(lambda _: None, stop), timeout=60)
    assert child.pid is None


def test_a_child_that_hears_no_more_is_started_again(make_child: Callable[..., Child], tmp_path: Path) -> None:
    child = make_child(idle_seconds=0.5)
    assert child.ask({"text": LONG}, NOBODY, timeout=60)["letters"] == len(LONG)
    until((tmp_path / "idle").exists)
    assert child.pid  # it is ending, and has not ended
    assert child.ask({"text": LONG}, NOBODY, timeout=60)["letters"] == len(LONG)
    assert starts(tmp_path) == 2
