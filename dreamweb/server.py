"""Serves the application with waitress: bodies go straight into the storage, and a stop loses no upload."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

from flask import Flask
from waitress import wasyncore
from waitress.buffers import FileBasedBuffer, OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ErrorTask
from waitress.utilities import BadRequest, ServerNotImplemented

from dreamweb import log
from dreamweb.errors import DreamWebError, TooLarge, Unauthenticated
from dreamweb.storage import Storage
from dreamweb.words import say

GRACE = 30
"""Seconds a stop waits for requests that have begun."""

_LIMIT_OF_PATIENCE = 1024 * 1024 * 1024
"""Bytes above our own limit that are read and thrown away, so that the client can be told it was too much; a server
that just hangs up is taken for a broken connection and tried again and again."""

_CODES = {413: "FILE_TOO_LARGE", 500: "INTERNAL_ERROR"}

NO_CONTENT = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of what is no page."""

logger = log.Logger(__name__)


class _Refused:
    """Stands in for a body that was not kept: whoever wants to read it learns why."""

    def __init__(self, error: DreamWebError) -> None:
        self._error = error

    def read(self, size: int = -1, /) -> bytes:
        raise self._error

    readline = read

    def close(self) -> None:
        pass


class _StorageFile(FileBasedBuffer):  # type: ignore[misc]
    """The file of a large body, made where the recording will lie, so that it can simply be given a name there."""

    def __init__(self, storage: Storage, from_buffer: Any) -> None:
        scratch = storage.scratch()
        try:
            super().__init__(scratch, from_buffer)
        except DreamWebError:
            scratch.close()
            raise


class _Body(OverflowableBuffer):  # type: ignore[misc]
    """A body that is arriving: small ones in memory, others in the storage, and what cannot be kept nowhere.

    An anonymous one, which carries neither token nor session, is kept in memory only: a stranger shall not fill the
    disk. Whether they are worth anything is asked later, before the body is read.
    """

    buf: Any

    def __init__(self, storage: Storage, limit: int, overflow: int, *, anonymous: bool) -> None:
        super().__init__(overflow)
        self._anonymous = anonymous
        self._storage = storage
        self._limit = limit
        self._received = 0
        self._error: DreamWebError | None = None

    def expect(self, size: int) -> None:
        """Refuse in advance what is announced to be too much, before any of it is written."""
        try:
            if size > self._limit:
                raise _too_large(self._limit)
            self._storage.check_space(size)
        except DreamWebError as error:
            self._refuse(error)

    def append(self, data: bytes) -> None:
        self._received += len(data)
        if self._error:
            return
        try:
            if self._received > self._limit:
                raise _too_large(self._limit)
            if self.overflowed:
                # Also what was not announced, or arrives beside others, leaves the reserve alone.
                self._storage.check_space(len(data))
            super().append(data)
        except DreamWebError as error:
            self._refuse(error)

    def _set_large_buffer(self) -> None:
        if self._anonymous:
            raise Unauthenticated(say("Send a token: Authorization: Bearer dw_..."))
        old = self.buf
        self.buf = _StorageFile(self._storage, old)
        if old is not None:
            old.close()
        self.overflowed = True

    def __len__(self) -> int:
        return self._received if self._error else int(super().__len__())

    def getfile(self) -> Any:
        return _Refused(self._error) if self._error else super().getfile()

    def _refuse(self, error: DreamWebError) -> None:
        self._error = error
        self.close()


class _ErrorTask(ErrorTask):  # type: ignore[misc]
    """Answers in JSON what waitress itself refuses, like a broken request line."""

    def execute(self) -> None:
        error = self.request.error
        if error.code == ServerNotImplemented.code:
            # A strange Transfer-Encoding: the client's mistake, and nothing to be tried again.
            error = BadRequest(error.body.removesuffix("."))
        request_id = str(uuid4())
        body = {
            "detail": f"{error.reason}: {error.body}.",
            "error_code": _CODES.get(error.code, "INVALID_REQUEST"),
            "request_id": request_id,
        }
        data = json.dumps(body).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(data))),
            ("X-Request-ID", request_id),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", NO_CONTENT),
            ("Connection", "close"),
        ]
        self.close_on_finish = True
        self.content_length = len(data)
        self.write(data)


def create(app: Flask, storage: Storage, *, host: str, port: int, threads: int, limit: int, proxy: str | None) -> Any:
    """A waitress server that listens already; `limit` is the largest body in bytes.

    Raises `OSError` when the address is taken or not ours.
    """

    session = f"{app.config['SESSION_COOKIE_NAME']}="

    class Parser(HTTPRequestParser):  # type: ignore[misc]
        def parse_header(self, header_plus: bytes) -> None:
            try:
                super().parse_header(header_plus)
            except ValueError as error:
                # An address like `http://[`, or a length of 5000 digits: waitress would hang up without a word.
                raise ParsingError("The address or a number in the header is impossible") from error
            if self.body_rcv is None:
                self.expect_continue = False  # waitress would wait for a body that never comes
            else:
                anonymous = "AUTHORIZATION" not in self.headers and session not in self.headers.get("COOKIE", "")
                body = _Body(storage, limit, self.adj.inbuf_overflow, anonymous=anonymous)
                body.expect(self.content_length)
                self.body_rcv.buf = body

    class Channel(HTTPChannel):  # type: ignore[misc]
        parser_class = Parser
        error_task_class = _ErrorTask

        def handle_close(self) -> None:
            super().handle_close()
            if self.request is not None:
                self.request.close()  # what had arrived of a body that was cut off

    trusted = {
        "trusted_proxy": proxy,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"},
    }
    server = create_server(
        app,
        host=host,
        port=port,
        threads=threads,
        ident="DreamWeb",
        max_request_body_size=limit + _LIMIT_OF_PATIENCE,
        recv_bytes=65_536,  # halves the time spent on receiving
        connection_limit=500,
        channel_timeout=120,
        asyncore_use_poll=True,  # select() crashes above 1024 file descriptors
        clear_untrusted_proxy_headers=True,
        **(trusted if proxy else {}),
    )
    for listener in _listeners(server):
        listener.channel_class = Channel
    return server


def wake(server: Any) -> None:
    """Make a server that waits for connections look at its event now."""
    for listener in _listeners(server):
        with suppress(OSError):  # it has stopped already
            listener.pull_trigger()


def run(server: Any, stopping: threading.Event) -> None:
    """Serve until `stopping` is set, then finish what has begun, for `GRACE` seconds at most."""
    while not stopping.is_set():
        _turn(server)
    logger.info("Stopping")
    _finish(server)
    logger.info("Stopped")


def _finish(server: Any) -> None:
    listeners = _listeners(server)
    for listener in listeners:
        # Only the listening socket: closing the server would close its open connections' wake-up pipe, too.
        wasyncore.dispatcher.close(listener)
    deadline = time.monotonic() + GRACE
    while busy := _busy(listeners):
        if time.monotonic() > deadline:
            logger.warning("Stopped in the middle of requests", requests=busy)
            break
        _turn(server, timeout=0.2)
    server.task_dispatcher.shutdown()
    wasyncore.close_all(_map(server))


def _busy(listeners: list[Any]) -> int:
    """How many connections have a request that has begun; the others are closed on the way."""
    busy = 0
    for listener in listeners:
        for channel in list(listener.active_channels.values()):
            if channel.request is not None or channel.requests or channel.total_outbufs_len:
                busy += 1
            else:
                channel.will_close = True
    return busy


def _turn(server: Any, timeout: float = 1.0) -> None:
    wasyncore.loop(timeout=timeout, use_poll=True, map=_map(server), count=1)


def _map(server: Any) -> dict[int, Any]:
    found: dict[int, Any] = server.map if hasattr(server, "map") else server._map
    return found


def _listeners(server: Any) -> list[Any]:
    if isinstance(server, BaseWSGIServer):
        return [server]
    return [each for each in server.map.values() if isinstance(each, BaseWSGIServer)]


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        say(
            "The request is larger than %(limit)s MB. Split the recording, or raise the limit.",
            limit=limit // 1024 // 1024,
        )
    )


def addresses(server: Any) -> list[tuple[str, int]]:
    """Host and port of every listening socket."""
    return [(each.effective_host, int(each.effective_port)) for each in _listeners(server)]
