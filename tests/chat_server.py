"""Speaks the protocols of language models on a real socket, and can be told to misbehave.

OpenAI's `/v1/chat/completions`, Anthropic's `/v1/messages` and Google's `:generateContent`, as far as structured
answers need them: by tools, and by a JSON schema. What is not asked for as it should be gets the status it would get
there.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKENS_IN = 120
TOKENS_OUT = 30
"""What each answer says it has used."""


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    path: str
    headers: Mapping[str, str]
    """By their lower-case names."""
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.raw)
        return body

    @property
    def text(self) -> str:
        """All that the model is told, without the schema of the answer."""
        body = self.body
        told = [body.get("system"), body.get("systemInstruction"), body.get("messages"), body.get("contents")]
        return "\n".join(_strings(told))

    @property
    def dream(self) -> str:
        found = re.findall(r"<(dream\d*)>\n(.*?)\n</\1>", self.text, re.DOTALL)
        return str(found[-1][1]) if found else ""

    @property
    def wants(self) -> dict[str, Any]:
        """The JSON schema of the answer."""
        body = self.body
        if "response_format" in body:
            schema: dict[str, Any] = body["response_format"]["json_schema"]["schema"]
            return schema
        [tool] = _tools(body)
        return tool

    @property
    def is_tidying(self) -> bool:
        return set(self.wants["properties"]) == {"text"}


Reply = Callable[["_Handler", Asked], None]
"""Answers one request."""


# --- Replies ---


def honest(handler: _Handler, asked: Asked) -> None:
    """What a good model would say."""
    handler.answer(asked, tidied(asked.dream) if asked.is_tidying else analysed(asked.dream))


def says(content: Any) -> Reply:
    """This and nothing else: an object for an answer in the right form, a string for whatever it is."""
    return lambda handler, asked: handler.answer(asked, content)


def status(code: int, headers: Mapping[str, str] | None = None, error: Mapping[str, Any] | None = None) -> Reply:
    """An error as OpenAI words it."""
    told = {"error": {"message": "no", "type": "error", "code": None, **(error or {})}}
    return lambda handler, _: handler.send(code, json.dumps(told).encode(), headers=headers)


def redirects(where: str) -> Reply:
    return lambda handler, _: handler.send(307, b"", headers={"Location": where})


def hangs(seconds: float = 30) -> Reply:
    """Not a word, until the other side has had enough."""

    def reply(handler: _Handler, _: Asked) -> None:
        handler.server.over.wait(seconds)

    return reply


def trickles(handler: _Handler, asked: Asked) -> None:
    """A space now and then, and never an answer."""
    handler.head(200, 10_000, "application/json")
    for _ in range(300):
        if handler.server.over.wait(0.1):
            return
        handler.wfile.write(b" ")
        handler.wfile.flush()


def garbage(handler: _Handler, asked: Asked) -> None:
    handler.send(200, b"\x00\xff<html>Welcome to your new router</html>", kind="application/json")


def web_page(handler: _Handler, asked: Asked) -> None:
    handler.send(200, b"<html>Sign in</html>", kind="text/html")


def half(handler: _Handler, asked: Asked) -> None:
    """The first half of an honest answer, and then nothing: the connection is cut."""
    body = json.dumps(_answer(asked, honest_content(asked))).encode()
    handler.head(200, len(body), "application/json")
    handler.wfile.write(body[: len(body) // 2])
    handler.wfile.flush()
    handler.reset()


def honest_content(asked: Asked) -> dict[str, Any]:
    return tidied(asked.dream) if asked.is_tidying else analysed(asked.dream)


def tidied(dream: str) -> dict[str, Any]:
    """Without its fillers, and with a beginning and an end."""
    words = [word for word in dream.split() if word.strip(",.").lower() not in ("um", "uh", "eee", "hm")]
    text = " ".join(words)
    return {"text": text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")}


def analysed(dream: str) -> dict[str, Any]:
    """Its long words as symbols."""
    words = [word.strip(".,!?") for word in dream.split()]
    long = [word for word in dict.fromkeys(words) if len(word) > 4][:3]
    return {
        "title": " ".join(long[:2]) or None,
        "summary": " ".join(words[:8]) or None,
        "mood": "calm",
        "sentiment": 0.5,
        "lucidity": 1,
        "motifs": [{"type": "symbol", "name": word, "words": [word]} for word in long],
        "questions": ["What stays with you?"],
    }


# --- The server ---


class ChatServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, key: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = key
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._replies: list[Reply] = []
        self._lock = threading.Lock()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        """The base address for OpenAI's protocol."""
        return f"{self.root}/v1"

    def then(self, *replies: Reply) -> None:
        """Answer the next requests so, in this order, and all later ones like the last."""
        with self._lock:
            self._replies = list(replies)

    def reply_to(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            if not self._replies:
                return honest
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def handle_error(self, request: object, client_address: object) -> None:
        """Those who asked may go away whenever they like."""


@contextmanager
def chat_server(key: str | None = None) -> Iterator[ChatServer]:
    server = ChatServer(key)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
        reply = self.server.reply_to(asked)
        if (refused := self._refusal(asked)) is not None:
            status(refused)(self, asked)
        else:
            reply(self, asked)

    def _refusal(self, asked: Asked) -> int | None:
        key = self.server.key
        if key is not None and key not in (
            asked.headers.get("authorization", "").removeprefix("Bearer "),
            asked.headers.get("x-api-key"),
            asked.headers.get("x-goog-api-key"),
        ):
            return 401
        if not _is_known(asked.path):
            return 404
        try:
            well_asked = bool(asked.wants["properties"]) and not asked.body.get("stream")
        except (ValueError, KeyError):
            return 400
        return None if well_asked else 400

    def answer(self, asked: Asked, content: Any) -> None:
        self.send(200, json.dumps(_answer(asked, content)).encode())

    def send(
        self, code: int, body: bytes, *, headers: Mapping[str, str] | None = None, kind: str = "application/json"
    ) -> None:
        self.head(code, len(body), kind, headers)
        self.wfile.write(body)

    def head(self, code: int, size: int, kind: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(size), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def reset(self) -> None:
        """Cut the connection as a server does that dies."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


# --- The three protocols ---


def _is_known(path: str) -> bool:
    return path.partition("?")[0].endswith(("/v1/chat/completions", "/v1/messages", ":generateContent"))


def _tools(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The schemas of what the tools take."""
    found = []
    for tool in body.get("tools", []):
        if "function" in tool:
            found.append(tool["function"]["parameters"])
        elif "input_schema" in tool:
            found.append(tool["input_schema"])
        else:
            found += [each["parameters_json_schema"] for each in tool["functionDeclarations"]]
    return found


def _tool_name(body: Mapping[str, Any]) -> str | None:
    for tool in body.get("tools", []):
        named = tool.get("function") or (tool.get("functionDeclarations") or [tool])[0]
        return str(named["name"])
    return None


def _answer(asked: Asked, content: Any) -> dict[str, Any]:
    tool = _tool_name(asked.body)
    if asked.path.startswith("/v1/messages"):
        return _as_anthropic(asked, content, tool)
    if asked.path.startswith("/v1/chat"):
        return _as_openai(asked, content, tool)
    return _as_google(asked, content, tool)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def _as_openai(asked: Asked, content: Any, tool: str | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if tool and not isinstance(content, str):
        call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": json.dumps(content)}}
        message["tool_calls"] = [call]
    else:
        message["content"] = _text(content)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked.body["model"],
        "choices": [
            {"index": 0, "message": message, "finish_reason": "tool_calls" if "tool_calls" in message else "stop"}
        ],
        "usage": {
            "prompt_tokens": TOKENS_IN,
            "completion_tokens": TOKENS_OUT,
            "total_tokens": TOKENS_IN + TOKENS_OUT,
        },
    }


def _as_anthropic(asked: Asked, content: Any, tool: str | None) -> dict[str, Any]:
    if tool and not isinstance(content, str):
        block = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": content}
    else:
        block = {"type": "text", "text": _text(content)}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": asked.body["model"],
        "content": [block],
        "stop_reason": "tool_use" if block["type"] == "tool_use" else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": TOKENS_IN, "output_tokens": TOKENS_OUT},
    }


def _as_google(asked: Asked, content: Any, tool: str | None) -> dict[str, Any]:
    part = (
        {"functionCall": {"name": tool, "args": content}}
        if tool and not isinstance(content, str)
        else {"text": _text(content)}
    )
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": TOKENS_IN,
            "candidatesTokenCount": TOKENS_OUT,
            "totalTokenCount": TOKENS_IN + TOKENS_OUT,
        },
        "modelVersion": asked.path.rpartition("/")[2].partition(":")[0],
    }


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
