"""Speaks HTTP to the server and costs next to nothing itself: files go from the disk to the socket in the kernel."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

BOUNDARY = "dreamweb-bench"


class Client:
    """One connection, kept open: a program's, which has a token, or a browser's, which has a cookie."""

    def __init__(self, port: int, token: str = "", cookie: str = "") -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self._token = token
        self._headers = {"Cookie": cookie} if cookie else {"Authorization": f"Bearer {token}"}
        self._root = "" if cookie else "/api/v1"

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON answer to a GET below `/api/v1`."""
        self._connection.request("GET", self._target(path, query), headers=self._headers)
        return self._answer(200)

    def time_get(self, path: str, **query: str | int) -> float:
        """Seconds a GET takes, its answer read but not parsed."""
        started = time.perf_counter()
        self._connection.request("GET", self._target(path, query), headers=self._headers)
        response = self._connection.getresponse()
        response.read()
        taken = time.perf_counter() - started
        if response.status != 200:
            raise RuntimeError(f"GET {path} answered {response.status}")
        return taken

    def upload(self, path: Path, *, form: bool) -> Any:
        """Send a recording as form or as raw bytes; the answer came when it was on disk."""
        head = tail = b""
        kind = "application/octet-stream"
        if form:
            kind = f"multipart/form-data; boundary={BOUNDARY}"
            head = (
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
            tail = f"\r\n--{BOUNDARY}--\r\n".encode()
        connection = self._connection
        connection.putrequest("POST", "/api/v1/upload")
        connection.putheader("Authorization", f"Bearer {self._token}")
        connection.putheader("Content-Type", kind)
        connection.putheader("Content-Length", str(len(head) + path.stat().st_size + len(tail)))
        connection.endheaders(head)
        with path.open("rb") as file:
            connection.sock.sendfile(file)
        if tail:
            connection.send(tail)
        return self._answer(201)

    def put(self, path: str, data: bytes) -> Any:
        """Put bytes below `/api/v1`."""
        self._connection.request("PUT", self._target(path, {}), body=data, headers=self._headers)
        return self._answer(201)

    def post(self, path: str, values: dict[str, Any]) -> Any:
        """Post JSON below `/api/v1`."""
        headers = self._headers | {"Content-Type": "application/json"}
        self._connection.request("POST", self._target(path, {}), body=json.dumps(values).encode(), headers=headers)
        return self._answer(201)

    def close(self) -> None:
        self._connection.close()

    def _target(self, path: str, query: dict[str, str | int]) -> str:
        return f"{self._root}{quote(path)}" + (f"?{urlencode(query)}" if query else "")

    def _answer(self, status: int) -> Any:
        response = self._connection.getresponse()
        body = response.read()
        if response.status != status:
            raise RuntimeError(f"the server answered {response.status}: {body[:300]!r}")
        return json.loads(body)
