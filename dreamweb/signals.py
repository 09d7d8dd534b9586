"""Turns the signals that ask a process to end into an event."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType


def stopping(then: Callable[[], None] | None = None) -> threading.Event:
    """An event that SIGTERM and SIGINT set, after which `then` is called; to be asked for in the main thread."""
    event = threading.Event()

    def end() -> None:
        event.set()
        if then is not None:
            then()

    def told(_number: int, _frame: FrameType | None) -> None:
        # The signal may interrupt the main thread while that holds the event's own lock, which it would wait for
        # here for ever. A thread can wait; `threading.Thread` would need locks of its own to start.
        with suppress(RuntimeError):  # the interpreter is ending already
            _thread.start_new_thread(end, ())

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    return event
