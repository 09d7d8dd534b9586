"""A server that speaks OpenAI's `/v1/audio/transcriptions` as it is documented, and can be told to misbehave.

https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

from __future__ import annotations

import io
import json
import re
import threading
import wave
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

PATH = "/v1/audio/transcriptions"
SENTENCE = "Sanjala sem, da letim nad staro hišo. Na strehi je sedela bela sova."

_MOST_BYTES = 25 * 2**20
_NAMES = {"sl": "slovenian", "en": "english", "hr": "croatian"}
_FORMATS = {"json", "text", "srt", "verbose_json", "vtt"}


@dataclass
class Reply:
    """What is answered instead of what was asked for; `cut` closes the connection behind half of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait_seconds: float = 0
    cut: bool = False


@dataclass
class Asked:
    """A request: its fields (all values of each), the recording in it, and its header Authorization."""

    fields: dict[str, list[str]]
    seconds: float
    size_bytes: int
    authorization: str | None


@dataclass
class Speaking:
    """The server's state. `replies` are given first, one by one; `says` is what it hears in every recording.

    `meanwhile` is what happens between a request and its answer.
    """

    url: str = ""
    key: str | None = None
    says: str = SENTENCE
    language: str = "sl"
    no_speech: float = 0.01
    only_text: bool = False
    replies: list[Reply] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def speech_server(**state: Any) -> Iterator[Speaking]:
    """Runs on a free port of this machine until the end."""
    speaking = Speaking(**state)

    class Handler(_Handler):
        state = speaking

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    speaking.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield speaking
    finally:
        speaking.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Speaking
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked was killed
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_POST(self) -> None:
        data = (
            self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else _chunks(self)
        )
        reply = self._refused(data)
        if reply is None:
            fields, sound = _form(self.headers["Content-Type"], data)
            reply = self._answer(fields, sound)
        self.state.meanwhile()
        if self.state.replies:
            reply = self.state.replies.pop(0)
        self._send(reply)

    def _refused(self, data: bytes) -> Reply | None:
        if self.path != PATH:
            return _error(404, f"Invalid URL (POST {self.path})")
        if self.state.key and self.headers["Authorization"] != f"Bearer {self.state.key}":
            return _error(401, f"Incorrect API key provided: {self.headers['Authorization']}")
        return _error(413, "Maximum content size limit exceeded") if len(data) > _MOST_BYTES else None

    def _answer(self, fields: MultiDict[str, str], sound: bytes) -> Reply:
        with wave.open(io.BytesIO(sound)) as file:
            seconds = file.getnframes() / file.getframerate()
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        heading = self.headers["Authorization"]
        self.state.asked.append(Asked(fields.to_dict(flat=False), seconds, len(sound), heading))
        format_ = fields.get("response_format", "json")
        if not fields.get("model") or format_ not in _FORMATS:
            return _error(400, "you must provide a model parameter, and a known response_format")
        if not re.fullmatch("[a-z]{2}", fields.get("language", "en")):
            return _error(400, "Language parameter must be specified in ISO-639-1 format.")
        if format_ == "json":
            return _json({"text": self.state.says})
        if self.state.only_text:
            return _error(400, "response_format 'verbose_json' is not compatible with this model.")
        return _json(self._verbose(fields, seconds))

    def _verbose(self, fields: MultiDict[str, str], seconds: float) -> dict[str, Any]:
        said = self.state.says.split()
        each = seconds / max(1, len(said))
        language = fields.get("language") or self.state.language
        answer: dict[str, Any] = {
            "task": "transcribe",
            "language": _NAMES[language],
            "duration": seconds,
            "text": self.state.says,
        }
        granularities = fields.getlist("timestamp_granularities[]") or ["segment"]
        if "word" in granularities:
            words = [re.sub(r"\W", "", word) for word in said]
            answer["words"] = [
                {"word": word, "start": each * place, "end": each * (place + 1)} for place, word in enumerate(words)
            ]
        if "segment" in granularities:
            answer["segments"] = [
                {
                    "id": 0,
                    "seek": 0,
                    "start": 0.0,
                    "end": seconds,
                    "text": f" {self.state.says}",
                    "tokens": [50364, 50365],
                    "temperature": 0.0,
                    "avg_logprob": -0.25,
                    "compression_ratio": 1.2,
                    "no_speech_prob": self.state.no_speech,
                }
            ]
        return answer

    def _send(self, reply: Reply) -> None:
        self.state.over.wait(reply.wait_seconds)
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        self.close_connection = True


def _chunks(handler: _Handler) -> bytes:
    """A body whose length the client does not know (RFC 9112, 7.1)."""
    data = b""
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        data += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return data


def _form(content_type: str, data: bytes) -> tuple[MultiDict[str, str], bytes]:
    kind, options = parse_options_header(content_type)
    _, fields, files = FormDataParser().parse(io.BytesIO(data), kind, len(data), options)
    with closing(files["file"]) as file:
        return fields, file.stream.read()


def _json(answer: dict[str, Any]) -> Reply:
    return Reply(body=json.dumps(answer).encode())


def _error(status: int, message: str) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return Reply(status=status, body=json.dumps({"error": error}).encode())
