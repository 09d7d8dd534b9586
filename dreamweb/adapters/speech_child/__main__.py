"""Answers one question after the other: hear a recording, or download a model."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from typing import Any

from dreamweb.adapters.children import Say, answer
from dreamweb.adapters.speech_child.hearing import hear

# Of all processes this one takes the most memory, and can be started again; the journal shall not be killed for it.
_FIRST_TO_BE_KILLED = "800"
_NICE = 10

# Else glibc keeps what large arrays have taken: 340 MB behind a long recording and 610 in it, instead of 180 and 490.
_M_MMAP_THRESHOLD, _LARGE_BYTES = -3, 2**23


def task(question: dict[str, Any], fds: list[int], progress: Say) -> dict[str, Any]:
    """What `dreamweb.adapters.speech` and `dreamweb.adapters.whisper_models` ask."""
    if question["task"] == "download":
        from dreamweb.adapters.speech_child.downloading import download  # noqa: PLC0415 -- it is heavy

        return download(question, progress)
    return hear(question, fds[0], progress)


def main() -> None:
    """Let all others go first, to the processor and for memory; then answer (see proc(5) and mallopt(3))."""
    os.nice(_NICE)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(_FIRST_TO_BE_KILLED)
    with suppress(AttributeError):  # of a C library other than glibc
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    answer(task)


if __name__ == "__main__":
    main()
