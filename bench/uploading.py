"""Measures uploads: large ones against a plain copy of the same bytes, and how many small ones go in a second."""

from __future__ import annotations

import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import recordings, serving
from bench.client import Client
from bench.databases import Databases
from bench.report import Figure, at_most, megabytes, middle, plain, seconds
from bench.serving import Server

_MB = 2**20


@dataclass
class _Way:
    """What was measured of one way to send a recording, round by round."""

    name: str
    path: Path
    form: bool
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    client: list[float] = field(default_factory=list)
    growth: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    cancelled: list[float] = field(default_factory=list)
    child: int = 0


def large(folder: Path, *, quick: bool) -> list[Figure]:
    """100 MB, copied and uploaded in turn."""
    size = 100 * _MB
    wav = recordings.wav(folder / "noise.wav", size)
    webm = recordings.webm(folder / "opus.webm", size)
    ways = [_Way("raw WAV", wav, False), _Way("multipart WAV", wav, True), _Way("raw WebM/Opus", webm, False)]
    copies: list[float] = []
    copying: list[float] = []
    with Server(folder / "server") as server:
        server.start()
        client = Client(server.port, serving.TOKEN)
        client.upload(wav, form=False)  # warms up what is imported and opened once
        for _ in range(2 if quick else 5):
            busy = time.process_time()
            copies.append(_copy(wav, server.folder / "copy"))
            copying.append(time.process_time() - busy)
            for way in ways:
                _upload(way, server, client)
        for way in ways:
            way.child = _child_peak(way, server, client)
        client.close()
    copy = median(copies)
    figures = [
        plain("copy + fsync of 100 MB", middle(copies)),
        plain("  its CPU", seconds(median(copying))),
    ]
    for way in ways:
        figures += _figures(way, copy)
    for path in (wav, webm):
        path.unlink()
    return figures


def many(folder: Path, databases: Databases, *, quick: bool) -> list[Figure]:
    """Files of 1 MB, sent one after the other by one client, and by eight at once."""
    wav = recordings.wav(folder / "small.wav", _MB)
    figures = []
    for kind in databases.kinds:
        with Server(folder / f"many-{kind}", databases.make(kind, "many")) as server:
            server.start()
            _rate(server, wav, clients=2, each=2)
            for clients, each in ((1, 10 if quick else 50), (8, 3 if quick else 12)):
                before = serving.use(server.pid)
                per_second = _rate(server, wav, clients, each)
                used = serving.use(server.pid).since(before)
                who = "1 client" if clients == 1 else f"{clients} clients"
                cpu = seconds(used.cpu / clients / each)
                figures.append(plain(f"{kind}, {who}", f"{per_second:.1f} a second, {cpu} CPU each"))
    wav.unlink()
    return figures


def _copy(source: Path, target: Path) -> float:
    """Seconds for a plain copy that is on disk, in the server's own folder."""
    started = time.perf_counter()
    with source.open("rb") as reading, target.open("wb") as writing:
        shutil.copyfileobj(reading, writing, _MB)
        writing.flush()
        os.fsync(writing.fileno())
    taken = time.perf_counter() - started
    target.unlink()
    return taken


def _upload(way: _Way, server: Server, client: Client) -> None:
    resting = serving.forget_peak(server.pid)
    before = serving.use(server.pid)
    started, busy = time.perf_counter(), time.process_time()
    answer = client.upload(way.path, form=way.form)
    way.wall.append(time.perf_counter() - started)
    way.client.append(time.process_time() - busy)
    used = serving.use(server.pid).since(before)
    way.cpu.append(used.cpu)
    way.growth.append(serving.peak(server.pid) - resting)
    sent = way.path.stat().st_size
    way.written.append(used.written / sent)
    way.cancelled.append(used.cancelled / sent)
    Path(answer["file_path"]).unlink()  # or the disk fills, and the next ones wait for it


def _child_peak(way: _Way, server: Server, client: Client) -> int:
    """The most memory of the child that examines the recording; in a run of its own, because looking costs time."""
    most = 0
    done = threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(0.004):
            most = max(most, serving.peak_of_children(server.pid))

    thread = threading.Thread(target=look)
    thread.start()
    answer = client.upload(way.path, form=way.form)
    done.set()
    thread.join()
    Path(answer["file_path"]).unlink()
    return most


def _figures(way: _Way, copy: float) -> list[Figure]:
    ratio = median(way.wall) / copy
    aimed = way.name == "raw WAV"
    return [
        plain(f"{way.name}", middle(way.wall)),
        at_most("  times the copy", ratio, 1.5) if aimed else plain("  times the copy", f"{ratio:.2f}"),
        plain("  more than the copy", seconds(median(way.wall) - copy)),
        plain("  CPU: server and child, client", f"{seconds(median(way.cpu))}, {seconds(median(way.client))}"),
        at_most("  written per byte sent", median(way.written), 1.0)
        if aimed
        else plain("  written per byte sent", f"{median(way.written):.2f}"),
        plain("  of it given up before it reached the disk", f"{median(way.cancelled):.2f}"),
        at_most("  memory growth of the server (MB)", max(way.growth) / _MB, 16, "{:.1f}"),
        plain("  memory of the child", megabytes(way.child)),
    ]


def _rate(server: Server, path: Path, clients: int, each: int) -> float:
    """Uploads in a second."""

    def send(_: int) -> None:
        client = Client(server.port, serving.TOKEN)
        for _ in range(each):
            client.upload(path, form=False)
        client.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(send, range(clients)))
    return clients * each / (time.perf_counter() - started)
