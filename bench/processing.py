"""Measures what a step costs besides its engine, how soon it begins, and the memory of those who wait for work."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from bench import recordings, serving
from bench.client import Client
from bench.databases import Databases
from bench.report import Figure, at_most, middle, plain
from bench.serving import Server
from tests import whisper_model

_SAMPLE = Path(__file__).parents[1] / "tests" / "samples" / "sl-hisa.mp3"
_MB = 2**20

# The engine alone, as its own users call it, with our options; its model is loaded and warm.
_DIRECT = """
import sys, time
from faster_whisper import WhisperModel
from dreamweb.adapters.speech_child.whisper import OPTIONS
model = WhisperModel(sys.argv[1], device="cpu", compute_type="int8", cpu_threads=2)
for path in sys.argv[2:]:
    started = time.perf_counter()
    for segment in model.transcribe(path, language="sl", **OPTIONS)[0]:
        pass
print(time.perf_counter() - started)
"""


def measure(folder: Path, databases: Databases, *, quick: bool) -> list[Figure]:
    """Twenty minutes of speech through faster-whisper with random weights, and many short recordings, on SQLite."""
    model = whisper_model.build(folder / "model")
    short = recordings.speech(folder / "short.wav", _SAMPLE, 12)
    long = recordings.speech(folder / "long.wav", _SAMPLE, 120 if quick else 1200)
    rounds = 2 if quick else 3
    direct = [_directly(model, short, long) for _ in range(rounds)]
    engine = {"SPEECH_ENGINE": "faster-whisper", "SPEECH_MODEL": str(model), "SPEECH_THREADS": "2", "WORKERS": "1"}
    with Server(folder / "processing", databases.make("sqlite", "processing"), **engine) as server:
        server.start()
        client = Client(server.port, serving.TOKEN)
        time.sleep(3)
        idle = _worker(server).memory_full_info().uss
        _transcribed(client, short)  # loads the model
        ours = [_transcribed(client, long) for _ in range(rounds)]
        waits = [_until_begun(client, short) for _ in range(5 if quick else 20)]
        client.close()
    return [
        plain("20 minutes, the engine alone" if not quick else "2 minutes, the engine alone", middle(direct)),
        plain("  the same as our step", middle(ours)),
        at_most("  ours against the engine alone", min(ours) / min(direct), 1.03),
        plain("from 201 to the first step", middle(waits)),
        at_most("memory that an idle worker takes more (USS, MB)", idle / _MB, 60, "{:.1f}"),
    ]


def _directly(model: Path, *paths: Path) -> float:
    command = [sys.executable, "-c", _DIRECT, str(model), *map(str, paths)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _worker(server: Server) -> psutil.Process:
    return next(child for child in psutil.Process(server.pid).children() if "worker" in child.cmdline())


def _transcribed(client: Client, path: Path) -> float:
    """Seconds that the step took, from its start to its commit."""
    kept = client.upload(path, form=False)
    job = _wait(client, kept["id"], "transcribe", lambda job: job["status"] == "done")
    return (_moment(job["finished_at"]) - _moment(job["started_at"])).total_seconds()


def _until_begun(client: Client, path: Path) -> float:
    """Seconds from the answer to an upload to the beginning of its first step."""
    kept = client.upload(path, form=False)
    answered = time.time()
    job = _wait(client, kept["id"], "audio", lambda job: job["started_at"] is not None)
    _wait(client, kept["id"], "index", lambda job: job["status"] == "done")
    return max(0.0, _moment(job["started_at"]).timestamp() - answered)


def _wait(client: Client, entry: str, step: str, over: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        jobs = {job["step"]: job for job in client.get(f"/entries/{entry}/jobs")["items"]}
        if step in jobs and over(jobs[step]):
            found: dict[str, Any] = jobs[step]
            return found
        time.sleep(0.05)
    raise RuntimeError(f"the step {step} never came so far")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
