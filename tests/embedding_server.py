"""A server that speaks OpenAI's `/v1/embeddings` as it is documented, and can be told to misbehave.

https://platform.openai.com/docs/api-reference/embeddings/create
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.meanings import of_text
from tests.speech_server import Reply

PATH = "/v1/embeddings"


@dataclass
class Asked:
    """A request: what was sent, and its header Authorization."""

    body: dict[str, Any]
    authorization: str | None

    @property
    def texts(self) -> list[str]:
        given: list[str] = self.body["input"]
        return given


@dataclass
class Comparing:
    """The server's state. `replies` are given first, one by one; a text with one of the words `refuses` is refused."""

    url: str = ""
    key: str | None = None
    refuses: tuple[str, ...] = ()
    backwards: bool = False
    vector: Callable[[str], Sequence[float]] = of_text
    replies: list[Reply] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        """All that was sent, in order."""
        return [text for asked in self.asked for text in asked.texts]


@contextmanager
def embedding_server(**state: Any) -> Iterator[Comparing]:
    """Runs on a free port of this machine until the end."""
    comparing = Comparing(**state)

    class Handler(_Handler):
        state = comparing

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    comparing.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield comparing
    finally:
        comparing.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Comparing
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked was killed
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.state.asked.append(Asked(body, self.headers["Authorization"]))
        self.state.meanwhile()
        reply = self.state.replies.pop(0) if self.state.replies else self._answer(body)
        self.state.over.wait(reply.wait_seconds)
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        self.close_connection = True

    def _answer(self, body: dict[str, Any]) -> Reply:
        if self.path != PATH:
            return refusal(404, f"Invalid URL (POST {self.path})")
        if self.state.key and self.headers["Authorization"] != f"Bearer {self.state.key}":
            return refusal(401, f"Incorrect API key provided: {self.headers['Authorization']}")
        texts = body.get("input")
        if not body.get("model") or not isinstance(texts, list) or not all(texts):
            return refusal(400, "'$.input' is invalid.")
        if any(word in text for text in texts for word in self.state.refuses):
            return refusal(400, f"This is not allowed: {texts}")
        return says([self.state.vector(text) for text in texts], backwards=self.state.backwards)


def says(vectors: Sequence[object], *, backwards: bool = False) -> Reply:
    """These, as they are."""
    data = [{"object": "embedding", "index": place, "embedding": each} for place, each in enumerate(vectors)]
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    answer = {"object": "list", "data": data[::-1] if backwards else data, "model": "m", "usage": usage}
    return Reply(body=json.dumps(answer).encode())


def refusal(status: int, message: str, **headers: str) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Reply(status=status, body=json.dumps({"error": error}).encode(), headers=headers)
