"""Promises about being asked to end."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys
from dreamweb import signals

event = signals.stopping()
with event._cond:  # as the main thread does at every wait, for a moment
    os.kill(os.getpid(), int(sys.argv[1]))
    for _ in range(1000):
        pass
sys.exit(0 if event.wait(5) else 1)
"""


@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_that_meets_the_main_thread_inside_its_wait_still_ends_the_process(number: int) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(number)], check=False, timeout=30)
    assert done.returncode == 0
