"""Measures an hour that is sent while it is spoken: what a chunk costs, how long finishing takes, and the memory."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from uuid import uuid4

from bench import recordings, serving
from bench.client import Client
from bench.databases import Databases
from bench.report import Figure, at_most, megabytes, middle, plain
from bench.serving import Server

_MB = 2**20
_HOUR = 1200
"""Chunks of three seconds."""


def measure(folder: Path, databases: Databases, *, quick: bool) -> list[Figure]:
    """An hour of Opus in 1,200 chunks, on each database."""
    chunks = _HOUR // 10 if quick else _HOUR
    # 64 kbit/s: more than a browser is asked for.
    hour = recordings.webm(folder / "hour.webm", chunks * 24_000)
    data = hour.read_bytes()
    size = -(-len(data) // chunks)
    figures = []
    for kind in databases.kinds:
        with Server(folder / f"capturing-{kind}", databases.make(kind, "capturing")) as server:
            server.start()
            client = Client(server.port, serving.TOKEN)
            _send(client, data, size, 20)  # warms up what is imported and opened once
            resting = serving.forget_peak(server.pid)
            taken, finishing = _send(client, data, size, chunks)
            figures += [
                plain(f"{kind}, one chunk of {size // 1000} kB", middle(taken)),
                plain("  the last tenth against the first", f"{_ratio(taken):.2f}"),
                at_most("  finishing, in seconds", finishing, 5),
                plain("  memory growth of the server", megabytes(serving.peak(server.pid) - resting)),
            ]
            client.close()
    hour.unlink()
    return figures


def _send(client: Client, data: bytes, size: int, chunks: int) -> tuple[list[float], float]:
    client_id, taken = str(uuid4()), []
    for n in range(chunks):
        started = time.perf_counter()
        client.put(f"/captures/{client_id}/chunks/{n}", data[n * size : (n + 1) * size])
        taken.append(time.perf_counter() - started)
    started = time.perf_counter()
    client.post(f"/captures/{client_id}/finish", {"segments": [{"segment": 0, "chunks": chunks}]})
    return taken, time.perf_counter() - started


def _ratio(taken: list[float]) -> float:
    tenth = max(1, len(taken) // 10)
    return median(taken[-tenth:]) / median(taken[:tenth])
