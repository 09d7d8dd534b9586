"""Keeps a process in which foreign code works: asked by lines of JSON, killed when it must stop, gone when idle."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dreamweb import log
from dreamweb.errors import DreamWebError, Permanent, Skipped, Transient, Used
from dreamweb.words import dump, load, say

_EVERY = 0.5
"""Seconds between two looks at whether the work shall stop."""

_MOST_BYTES = 64 * 1024 * 1024
"""A longer answer is none: three hours of speech with the time of every word are 2 MB."""

_CHUNK = 1024 * 1024

logger = log.Logger(__name__)


def _gladly() -> None:
    """Nobody has anything against it."""


@dataclass(frozen=True)
class Watch:
    """Whoever waits for some work. `progress` is told a share between 0 and 1; `check` raises when it shall stop.

    `leave` is called before each request to another machine, and raises when it may not be sent any more.
    """

    progress: Callable[[float], None]
    check: Callable[[], None]
    leave: Callable[[], None] = _gladly


class Child:
    """One such process; it is started when it is first asked, and ends when it was idle for long enough.

    `module` is run with the number of its socket and the seconds after which it is idle; see `answer`.
    """

    def __init__(self, module: str, idle_seconds: float) -> None:
        self._module = module
        self._idle_seconds = idle_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        process = self._process  # another thread may end it meanwhile
        return process.pid if process is not None and process.poll() is None else None

    def ask(
        self,
        question: Mapping[str, Any],
        watch: Watch,
        *,
        fds: Sequence[int] = (),
        timeout: float,
        outside: bool = False,
    ) -> dict[str, Any]:
        """The answer to a question; `fds` are open files that come with it. `outside`: it asks another machine.

        Raises what the child has raised (`Transient`, `Permanent`, `Skipped`), `Transient` when it has ended or took
        longer than `timeout` seconds, and what `watch.check` and `watch.leave` raise; it is killed then.
        """
        deadline = time.monotonic() + timeout
        try:
            self._send(question, fds, watch, deadline)
            return self._wait(watch, deadline, outside)
        except OSError as error:
            self.end()
            raise Transient(say("The engine could not be started or has ended. Is there enough memory?")) from error
        except (Transient, Permanent, Skipped):
            raise
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Kill and reap it."""
        process, self._process = self._process, None
        channel, self._socket = self._socket, None
        if channel:
            channel.close()
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _send(self, question: Mapping[str, Any], fds: Sequence[int], watch: Watch, deadline: float) -> None:
        message = json.dumps(question).encode() + b"\n"
        if self.pid is None:
            self._start()
        try:
            self._write(message, fds, watch, deadline)
        except (BrokenPipeError, ConnectionResetError):  # it was idle, and has ended just now
            self._start()
            self._write(message, fds, watch, deadline)

    def _write(self, message: bytes, fds: Sequence[int], watch: Watch, deadline: float) -> None:
        """Write all of it; the child may still be starting, and reads nothing until it has started."""
        sent = 0
        while sent < len(message):
            try:
                # The files come with the first byte: what was not sent at all has not taken them along.
                sent += socket.send_fds(self._channel, [memoryview(message)[sent:]], () if sent else fds)
            except TimeoutError:
                self._check(watch, deadline)

    @property
    def _channel(self) -> socket.socket:
        if self._socket is None:
            raise OSError("the child was not started")
        return self._socket

    def _start(self) -> None:
        self.end()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- our own module
                [sys.executable, "-m", self._module, str(theirs.fileno()), str(self._idle_seconds)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        ours.settimeout(_EVERY)
        self._socket = ours

    def _wait(self, watch: Watch, deadline: float, outside: bool) -> dict[str, Any]:
        heard = b""
        while True:
            line, found, rest = heard.partition(b"\n")
            if found:
                heard = rest
                said = json.loads(line)
                if "progress" in said:
                    watch.progress(said["progress"])
                    continue
                if "leaving" in said:
                    if outside:
                        watch.leave()
                    self._write(b"\n", (), watch, deadline)
                    continue
                if "error" in said:
                    raise _error(said["error"])
                answer: dict[str, Any] = said["answer"]
                return answer
            self._check(watch, deadline)
            heard += self._read()
            if len(heard) > _MOST_BYTES:
                raise OSError("the child says too much")

    def _check(self, watch: Watch, deadline: float) -> None:
        watch.check()
        if time.monotonic() > deadline:
            self.end()
            raise Transient(say("The engine took too long."))

    def _read(self) -> bytes:
        try:
            data = self._channel.recv(_CHUNK)
        except TimeoutError:
            return b""
        if not data:
            raise OSError("the child has ended")
        return data


_ERRORS: dict[str, Callable[..., DreamWebError]] = {
    "transient": Transient,
    "permanent": Permanent,
    "skipped": Skipped,
}


def _error(said: Mapping[str, Any]) -> DreamWebError:
    more: dict[str, Any] = {}
    if said["kind"] != "skipped":
        more["used"] = [Used(**each) for each in said.get("used", ())]
    if said["kind"] == "transient":
        more["retry_after"] = said.get("retry_after")
    return _ERRORS[said["kind"]](load(said["said"]), **more)


# --- On the child's side ---

Say = Callable[[float], None]
"""Tells the parent how much is done, as a share between 0 and 1."""

_parent: socket.socket | None = None

Task = Callable[[dict[str, Any], list[int], Say], dict[str, Any]]
"""Answers a question that came with some open files. Raises `Transient`, `Permanent` or `Skipped`."""


def answer(task: Task) -> None:
    """Answer questions, one by one, until nobody has asked for long; for `__main__` of a child's module."""
    global _parent  # noqa: PLW0603 -- a process has only one
    channel = _parent = socket.socket(fileno=int(sys.argv[1]))
    idle_seconds = float(sys.argv[2])
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()

    def tell(said: dict[str, Any]) -> None:
        channel.sendall(json.dumps(said).encode() + b"\n")

    def progress(share: float) -> None:
        tell({"progress": min(1.0, max(0.0, share))})

    while True:
        channel.settimeout(idle_seconds)
        try:
            question, fds = _question(channel)
        except (TimeoutError, EOFError):
            channel.close()  # who asks just now learns that nobody hears
            return
        channel.settimeout(None)
        try:
            tell({"answer": task(question, fds, progress)})
        except (Transient, Permanent, Skipped) as error:
            tell({"error": _described(error)})
        finally:
            for fd in fds:
                os.close(fd)


def leave() -> None:
    """Before a request is sent to a server: wait until the parent says that it may be; it kills us when it may not."""
    if _parent is not None:
        _parent.sendall(json.dumps({"leaving": True}).encode() + b"\n")
        if not _parent.recv(1):
            raise EOFError


def _end_with_parent(parent: int) -> None:
    """A worker that was killed does not want the answer any more, and the next one starts a child of its own."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _question(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    data, fds, _, _ = socket.recv_fds(channel, _CHUNK, 4)
    while not data.endswith(b"\n"):
        more = channel.recv(_CHUNK)
        if not more:
            raise EOFError
        data += more
    question: dict[str, Any] = json.loads(data)
    return question, list(fds)


def _described(error: Transient | Permanent | Skipped) -> dict[str, Any]:
    kind = next(name for name, made in _ERRORS.items() if isinstance(error, made))  # type: ignore[arg-type]
    described: dict[str, Any] = {"kind": kind, "said": dump(error.detail)}
    if not isinstance(error, Skipped):
        described["used"] = [vars(used) for used in error.used]
    if isinstance(error, Transient):
        described["retry_after"] = error.retry_after
    return described
