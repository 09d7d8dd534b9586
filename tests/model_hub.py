"""A server that gives out models as huggingface.co does, and can be told to misbehave.

https://huggingface.co/docs/hub/api; large files have a SHA-256, and are given out by another server.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LARGE_BYTES = 2**20

COMMIT = "c0ffee" * 6 + "c0ff"


@dataclass
class Hub:
    """The server's state. Of a file in `cut_once`, the first answer ends in the middle.

    `repositories` has the files of each; `claimed_bytes` is what it says about the size of each, if not the truth.
    """

    url: str = ""
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    cut_once: set[str] = field(default_factory=set)
    status: int | None = None
    described: bytes | None = None
    damages: bool = False
    token: str | None = None
    claimed_bytes: int | None = None
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)


@contextmanager
def model_hub(**state: Any) -> Iterator[Hub]:
    """Runs on a free port of this machine until the end."""
    hub = Hub(**state)

    class Handler(_Handler):
        state = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Hub
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked was killed
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        hub, path = self.state, self.path.partition("?")[0]
        hub.asked.append(path)
        asked = re.fullmatch(r"(/api/models)?/([^/]+/[^/]+)(?:/(resolve|cdn)/[^/]+(?:/(.+))?)?", path)
        files = hub.repositories.get(asked[2]) if asked else None
        if hub.token and self.headers["Authorization"] != f"Bearer {hub.token}":
            self._send(403, b'{"error": "Access to this model is restricted."}', {"X-Error-Code": "GatedRepo"})
        elif hub.status:
            self._send(hub.status, b"{}")
        elif not asked or files is None:
            self._send(401, b'{"error": "Invalid username or password."}', {"X-Error-Code": "RepoNotFound"})
        elif asked[1]:
            described = json.dumps(_described(asked[2], files, hub.claimed_bytes)).encode()
            self._send(200, described if hub.described is None else hub.described)
        elif asked[3] == "resolve" and len(files.get(asked[4], b"")) > _LARGE_BYTES:
            self._send(302, b"Found", {"Location": path.replace("/resolve/", "/cdn/")})
        elif asked[4] in files:
            self._give(asked[4], files[asked[4]])
        else:
            self._send(404, b"Entry not found", {"X-Error-Code": "EntryNotFound"})

    def _give(self, name: str, data: bytes) -> None:
        headers = {"ETag": f'"{_digest(data)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        start = 0
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or ""):
            self.state.ranges.append(name)
            start = int(asked[1])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        cut = name in self.state.cut_once
        if cut:
            self.state.cut_once.discard(name)
        if self.state.damages:
            data = bytes(len(data))
        self._send(206 if start else 200, data[start:], headers, cut=cut)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut or self.close_connection


def _described(repository: str, files: dict[str, bytes], claimed: int | None) -> dict[str, Any]:
    siblings: list[dict[str, Any]] = []
    for name, data in files.items():
        sibling = {"rfilename": name, "size": claimed or len(data), "blobId": _digest(data)}
        if len(data) > _LARGE_BYTES:
            sibling["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": claimed or len(data)}
        siblings.append(sibling)
    return {"id": repository, "modelId": repository, "sha": COMMIT, "tags": [], "siblings": siblings}


def _digest(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # as Git does
