"""Gives up the rights of this process, has the recording on its standard input looked at, and prints what was found."""

# ruff: noqa: E402  (the limits are set before anything that could meet hostile bytes is even loaded)

from __future__ import annotations

import codecs
import json
import os
import resource
import sys
from collections.abc import Callable
from typing import Any

# Measured on x86-64: 125 MB of address space to start, 180 MB for three hours of M4A. FFmpeg silently shortens an MP4's
# index that does not fit, so there is room to spare, also for the larger pages of a Raspberry Pi 5.
_MEMORY_BYTES = 384 * 2**20
_CPU_SECONDS = {"examine": 90, "peaks": 600, "join": 600, "decode": 900}


def limit(kind: int, most: int) -> None:
    """Lower one of this process's limits for good."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # At the lower of two limits of processor time comes SIGXCPU, which says more than the SIGKILL of the upper one.
    resource.setrlimit(kind, (most - 1 if kind == resource.RLIMIT_CPU else most, most))


if __name__ == "__main__":
    limit(resource.RLIMIT_AS, _MEMORY_BYTES)
    limit(resource.RLIMIT_CPU, _CPU_SECONDS[sys.argv[1]])
    # What is joined is hardly larger than its pieces, unless it has to be encoded; twelve hours are decoded to 1.4 GB.
    written = {"join": 2 * os.fstat(0).st_size + 2**24, "decode": 1500 * 2**20}
    limit(resource.RLIMIT_FSIZE, written.get(sys.argv[1], 0))
    limit(resource.RLIMIT_CORE, 0)
    sys.path[:] = json.loads(sys.argv[4]) + sys.path

from dreamweb.adapters.audio_child.decoding import decode
from dreamweb.adapters.audio_child.examining import examine
from dreamweb.adapters.audio_child.joining import join
from dreamweb.adapters.audio_child.opening import Refused, complain
from dreamweb.adapters.audio_child.peaks import peaks

TASKS: dict[str, Callable[..., dict[str, Any]]] = {"examine": examine, "peaks": peaks, "join": join, "decode": decode}


def tell(line: str) -> None:
    """To the parent's code."""
    os.write(1, f"{line}\n".encode())


def main() -> None:
    """Do as the four arguments say: the task, the extension, the start of the sound, the search path.

    To join, the second describes the segments, and the third is the file to write into; to decode, that file follows
    behind the start of the sound and a comma.
    """
    # Nothing needs to be opened from here on, so nothing can be: no file, no socket. Python loads encodings late, too.
    for encoding in ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be"):
        codecs.lookup(encoding)
    limit(resource.RLIMIT_NOFILE, 0)
    tell("ready")
    try:
        answer = TASKS[sys.argv[1]](0, sys.argv[2], *map(int, sys.argv[3].split(",")))
    except Refused as refused:
        answer = {"refused": str(refused)}
    except MemoryError:
        answer = {"refused": "machine"}
    except Exception as error:  # noqa: BLE001  (whatever hostile bytes lead to)
        complain(type(error).__name__)
        os._exit(2)
    tell(json.dumps(answer))
    os._exit(0)  # Tidying up takes a third as long as starting.


if __name__ == "__main__":
    main()
