"""Measures how long a start takes until the first answer, and how much memory an idle server has."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from bench import recordings, serving
from bench.client import Client
from bench.databases import Databases
from bench.report import Figure, at_most, megabytes, middle, plain
from bench.serving import Server

_MB = 2**20


def measure(folder: Path, databases: Databases, *, quick: bool) -> list[Figure]:
    """First starts, which make the tables, and later ones; memory of a later one."""
    figures = []
    rounds = 2 if quick else 5
    for kind in databases.kinds:
        first, later, memory = [], [], []
        for number in range(rounds):
            home = folder / f"start-{kind}-{number}"
            with Server(home, databases.make(kind, f"start_{number}")) as server:
                first.append(server.start())
                server.stop()
                later.append(server.start())
                if number == rounds - 1:
                    memory = _memory(server, folder)
        figures += [
            at_most(f"{kind}, first start (s)", median(first), 1.5),
            plain("  all of them", middle(first)),
            at_most(f"{kind}, later start (s)", median(later), 1.5),
            plain("  all of them", middle(later)),
            *memory,
        ]
    return figures


def _memory(server: Server, folder: Path) -> list[Figure]:
    time.sleep(1)
    idle, idle_pss = serving.memory(server.pid)
    wav = recordings.wav(folder / "short.wav", _MB)
    client = Client(server.port, serving.TOKEN)
    for _ in range(20):
        client.upload(wav, form=True)
        client.get("/entries")
    client.close()
    time.sleep(1)
    used, used_pss = serving.memory(server.pid)
    return [
        at_most("  idle memory (RSS, MB)", idle / _MB, 90, "{:.1f}"),
        plain("    PSS", megabytes(idle_pss)),
        at_most("  after 20 uploads and lists (RSS, MB)", used / _MB, 90, "{:.1f}"),
        plain("    PSS", megabytes(used_pss)),
    ]
