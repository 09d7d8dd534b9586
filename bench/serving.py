"""Runs `dreamweb serve` as people do, in a process of its own, and reads from the kernel what it uses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

TOKEN = "dw_a-token-for-the-bench-only"


class Server:
    """A server process on a free port, with its data in `folder`; leaving its `with` stops it."""

    python = sys.executable
    """Whose packages it runs with."""

    def __init__(self, folder: Path, database_url: str | None = None, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.folder = folder
        self._environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | {
            "DATA_DIR": str(folder),
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "MAX_FILE_SIZE_MB": "200",
            "API_TOKEN": TOKEN,
            "WORKERS": "0",  # what is measured here is the server alone
            **settings,
        }
        if database_url:
            self._environment["DATABASE_URL"] = database_url
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> float:
        """Seconds from starting the process to the first 200 of /health."""
        started = time.perf_counter()
        with (self.folder / "serve.log").open("ab") as log:
            process = self._process = subprocess.Popen(
                [self.python, "-m", "dreamweb", "serve"],
                env=self._environment,
                cwd=self.folder,  # away from a developer's `.env`
                stdout=log,
                stderr=log,
            )
        while time.perf_counter() < started + 60 and process.poll() is None:
            if self._healthy():
                return time.perf_counter() - started
            time.sleep(0.005)
        raise RuntimeError(f"the server did not start, see {self.folder / 'serve.log'}")

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process.pid

    def stop(self) -> None:
        process, self._process = self._process, None
        if process:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def _healthy(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
                return b" 200 " in connection.recv(64)
        except OSError:
            return False


@dataclass(frozen=True)
class Use:
    """What a server process, and the children it has waited for, have used so far."""

    cpu: float
    written: int
    cancelled: int

    def since(self, before: Use) -> Use:
        return Use(self.cpu - before.cpu, self.written - before.written, self.cancelled - before.cancelled)


def use(pid: int) -> Use:
    """Bytes written are the kernel's count of what is to go to the disk; children write nothing, their limit is 0."""
    times = psutil.Process(pid).cpu_times()
    counts = _numbers(Path(f"/proc/{pid}/io"))
    cpu = times.user + times.system + times.children_user + times.children_system
    return Use(cpu, counts["write_bytes"], counts["cancelled_write_bytes"])


def forget_peak(pid: int) -> int:
    """Let the high-water mark of the memory start anew; answers the memory in use now, in bytes."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _numbers(Path(f"/proc/{pid}/status"))["VmRSS"] * 1024


def peak(pid: int) -> int:
    """The most memory in use since `forget_peak`, in bytes."""
    return _numbers(Path(f"/proc/{pid}/status"))["VmHWM"] * 1024


def memory(pid: int) -> tuple[int, int]:
    """RSS, and PSS: of what is shared with other processes only our part; in bytes."""
    found = _numbers(Path(f"/proc/{pid}/smaps_rollup"))
    return found["Rss"] * 1024, found["Pss"] * 1024


def peak_of_children(pid: int) -> int:
    """The high-water mark of the children running now, in bytes; 0 when there is none."""
    most = 0
    for child in psutil.Process(pid).children():
        try:
            # Between fork and exec the child still is a copy of the server.
            if "audio_child" in " ".join(child.cmdline()):
                most = max(most, peak(child.pid))
        except (psutil.Error, OSError, KeyError):
            continue
    return most


def _numbers(path: Path) -> dict[str, int]:
    """The `name: number` lines of a file in /proc."""
    found = {}
    for line in path.read_text().splitlines():
        name, _, rest = line.partition(":")
        if rest.split()[:1] and rest.split()[0].isdigit():
            found[name] = int(rest.split()[0])
    return found
