"""Runs the parts of the bench that are named, or all of them, and prints what came out."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import capturing, comparing, databases, processing, reading, report, searching, starting, uploading
from bench.serving import Server

PARTS = ("large", "many", "capturing", "processing", "reading", "searching", "comparing", "starting")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without it")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a tenth of the entries")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on the disk to measure; /var/tmp else")
    parser.add_argument("--python", default=sys.executable, help="runs the server, from another environment maybe")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    Server.python = given.python
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, in {given.folder}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dreamweb-bench-", dir=given.folder) as name:
        sections = _run(Path(name), given.parts or PARTS, quick=given.quick)
    report.print_table(sections)
    print(f"\nMeasured in {time.monotonic() - started:.0f} s.")


def _run(folder: Path, parts: list[str] | tuple[str, ...], *, quick: bool) -> list[tuple[str, list[report.Figure]]]:
    sections = []
    with databases.opened(folder) as found:
        every: dict[str, tuple[str, Callable[[], list[report.Figure]]]] = {
            "large": ("Uploads of 100 MB", lambda: uploading.large(folder, quick=quick)),
            "many": ("Uploads of 1 MB", lambda: uploading.many(folder, found, quick=quick)),
            "capturing": ("An hour, sent while it is spoken", lambda: capturing.measure(folder, found, quick=quick)),
            "processing": ("From speech to text", lambda: processing.measure(folder, found, quick=quick)),
            "reading": ("Lists and entries", lambda: reading.measure(folder, found, quick=quick)),
            "searching": ("Searches", lambda: searching.measure(folder, found, quick=quick)),
            "comparing": ("Meanings", lambda: comparing.measure(folder, found, quick=quick)),
            "starting": ("Start and idle memory", lambda: starting.measure(folder, found, quick=quick)),
        }
        for part in parts:
            title, measure = every[part]
            print(f"{title} ...", flush=True)
            sections.append((title, measure()))
    return sections


if __name__ == "__main__":
    main()
