"""Starts commands of DreamWeb as processes of their own, each a copy of one that has loaded the program already.

Loading takes three quarters of what a command takes, and says nothing new the second time. Everything after it is what
a person's command does: from the arguments on, by the settings of its own environment.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["dreamweb.app", "dreamweb.__main__", "flask.cli"])

_APPENDED = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class Warm:
    """One such process, with as much of `subprocess.Popen` as tests want; it reads and writes files."""

    def __init__(
        self, arguments: Sequence[str], environment: dict[str, str], files: tuple[Path, Path, Path], first: str = ""
    ) -> None:
        """Files are what it reads, and to what it adds its output and its error output; `first` is code to begin with.

        That finds the program loaded: it can change what is looked up later, not what a module has imported by name.
        """
        self._process: ForkServerProcess = _CONTEXT.Process(
            target=_run, args=(arguments, environment, Path.cwd(), files, first), daemon=True
        )
        self._process.start()
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The status it has ended with; raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired("dreamweb", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run(
    arguments: Sequence[str], environment: dict[str, str], folder: Path, files: tuple[Path, Path, Path], first: str
) -> None:
    for number, path in enumerate(files):
        opened = os.open(path, _APPENDED if number else os.O_RDONLY, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["dreamweb", *arguments]
    exec(first, {})

    from dreamweb.__main__ import main  # noqa: PLC0415

    try:
        main()
    finally:
        atexit._run_exitfuncs()
