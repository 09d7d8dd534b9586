"""Makes recordings as browsers make them: real speech, encoded as they encode it, cut into slices."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import httpx

from tests.conftest import SAMPLES

SLICES = [(SAMPLES / f"chromium-{number}.webm.part").read_bytes() for number in range(4)]
"""One recording of Chromium, as its MediaRecorder cut it."""

WEBM = {"Content-Type": "audio/webm;codecs=opus"}


class Capture:
    """A client that sends a recording slice by slice."""

    def __init__(self, api: httpx.Client, client_id: str | None = None) -> None:
        self.api = api
        self.client_id = client_id or str(uuid4())
        self.url = f"/captures/{self.client_id}"

    def put(self, n: int, data: bytes, segment: int = 0, content_type: str = WEBM["Content-Type"]) -> httpx.Response:
        params = {"segment": segment} if segment else None
        headers = {"Content-Type": content_type}
        return self.api.put(f"{self.url}/chunks/{n}", content=data, headers=headers, params=params)

    def send(self, slices: list[bytes], segment: int = 0) -> Capture:
        for n, data in enumerate(slices):
            answer = self.put(n, data, segment)
            assert answer.status_code == 201, answer.text
        return self

    def finish(self, *counts: int, **more: object) -> httpx.Response:
        segments = [{"segment": segment, "chunks": count} for segment, count in enumerate(counts)]
        return self.api.post(f"{self.url}/finish", json={"segments": segments, **more})

    def state(self) -> dict[str, object]:
        found: dict[str, object] = self.api.get(self.url).raise_for_status().json()
        return found


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()
