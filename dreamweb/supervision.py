"""Keeps workers running beside the server, each a process of its own, and starts again what has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

from dreamweb import log

_GRACE = 10.0
"""Seconds that a worker has for giving back what it does."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_LOOK_EVERY = 0.5

logger = log.Logger(__name__)


def start(count: int, stopping: threading.Event) -> threading.Thread:
    """Start so many workers, and see to them until `stopping` is set; the thread ends when they have ended."""
    thread = threading.Thread(target=_keep, args=(count, stopping), name="supervision")
    thread.start()
    return thread


def _keep(count: int, stopping: threading.Event) -> None:
    running: dict[int, subprocess.Popen[bytes]] = {}
    pauses = dict.fromkeys(range(count), _SHORTEST_PAUSE)
    due = dict.fromkeys(range(count), 0.0)
    while not stopping.is_set():
        for slot in range(count):
            process = running.get(slot)
            if process is not None and process.poll() is not None:
                logger.warning("A worker has ended, and is started again", slot=slot, status=process.returncode)
                pauses[slot] = _next(pauses[slot], time.monotonic() - due[slot])
                due[slot] = time.monotonic() + pauses[slot]
                del running[slot]
            if slot not in running and time.monotonic() >= due[slot]:
                due[slot] = time.monotonic()
                try:
                    running[slot] = _start(slot)
                except OSError as error:  # no memory for it just now, or too many processes
                    logger.error("A worker could not be started", slot=slot, error=error)
                    pauses[slot] = _next(pauses[slot], 0)
                    due[slot] += pauses[slot]
        stopping.wait(_LOOK_EVERY)
    _end(list(running.values()))


def _next(pause: float, lasted: float) -> float:
    """How long to wait, in seconds, before what has lasted so long is started again."""
    return _SHORTEST_PAUSE if lasted > _LONGEST_PAUSE else min(2 * pause, _LONGEST_PAUSE)


def _start(slot: int) -> subprocess.Popen[bytes]:
    """Start a worker; it is told who its server is, for that may be killed before the worker can ask.

    Raises `OSError`.
    """
    return subprocess.Popen(  # noqa: S603 -- ourselves
        [sys.executable, "-m", "dreamweb", "worker", "--slot", str(slot), "--parent", str(os.getpid())],
        stdin=subprocess.DEVNULL,
    )


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _GRACE
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
