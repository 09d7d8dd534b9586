"""Makes vectors of texts, which say what those mean, by an engine that works in a child process, embedding_child."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from dreamweb import log
from dreamweb.adapters.children import Child, Watch
from dreamweb.engines import EmbeddingEngine
from dreamweb.errors import Permanent, Transient

_TEXTS_SECONDS, _QUERY_SECONDS = 300.0, 20.0
"""What a server is given for an answer."""

_LOADING_SECONDS = 120.0
"""Until a model of half a gigabyte is in memory, on a slow card."""

_IDLE_SECONDS = 600.0

_REMEMBERED = 200
"""Queries whose vectors are kept: who reads on, or corrects what was typed, asks the same again."""

_WAITING = 4
"""Queries that wait for the engine at most; beyond that, it is slower than people type."""

_REST_SECONDS = 30.0
"""For how long it is not asked after it has failed."""

_ANYTHING = "dream"

logger = log.Logger(__name__)


@dataclass(frozen=True)
class Passage:
    """A part of a text from one letter to another, and its packed vector."""

    start: int
    end: int
    vector: bytes


class Embedder:
    """One child process, started by the first question and gone when it was idle for long; for one thread."""

    def __init__(self) -> None:
        self._child = Child("dreamweb.adapters.embedding_child", _IDLE_SECONDS)

    @property
    def pid(self) -> int | None:
        """The child's; None while it does not run."""
        return self._child.pid

    def passages(self, engine: EmbeddingEngine, texts: Sequence[tuple[str, str]], watch: Watch) -> list[list[Passage]]:
        """Of each title and text its passages, one at least. Raises `Transient`, `Permanent`, what `watch` raises."""
        given = [{"title": title, "text": text} for title, text in texts]
        said = self._ask(engine, {"task": "passages", "texts": given}, _TEXTS_SECONDS, len(texts), watch)
        return [[Passage(start, end, base64.b64decode(made)) for start, end, made in each] for each in said["passages"]]

    def query(self, engine: EmbeddingEngine, text: str, watch: Watch) -> bytes:
        """The packed vector of what somebody looks for; raises as `passages` does."""
        vector: str = self._ask(engine, {"task": "query", "text": text}, _QUERY_SECONDS, 1, watch)["vector"]
        return base64.b64decode(vector)

    def end(self) -> None:
        """Kill the child, if there is one."""
        self._child.end()

    def _ask(
        self, engine: EmbeddingEngine, question: dict[str, Any], patience: float, answers: int, watch: Watch
    ) -> dict[str, Any]:
        most = _LOADING_SECONDS + answers * patience
        asked = {**asdict(engine), **question, "patience": patience}
        return self._child.ask(asked, watch, timeout=most, outside=engine.outside)


class Queries:
    """Vectors of what people look for: for many threads, none of which waits for long."""

    def __init__(self, engine: EmbeddingEngine) -> None:
        self._engine = engine
        self._embedder = Embedder()
        self._asking = threading.Lock()  # held by who talks to the child
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Future[bytes]] = OrderedDict()
        self._rests_until = 0.0

    def vector(self, text: str, seconds: float) -> bytes | None:
        """The packed vector of a text, if it is there in so many seconds; None also when the engine has failed.

        It is made all the same: who asks again a little later is answered at once.
        """
        future = self._future(text)
        if future is None:
            return None
        try:
            return future.result(timeout=seconds)
        except (TimeoutError, CancelledError):
            return None

    def warm(self) -> None:
        """Let a model of this machine be loaded, for somebody will ask soon; does not wait."""
        if self._engine.kind == "onnx" and self._embedder.pid is None:
            with self._lock:
                self._known.pop(_ANYTHING, None)
            self._future(_ANYTHING)

    def end(self) -> None:
        """Kill the child, if there is one."""
        with self._asking:
            self._embedder.end()

    def _future(self, text: str) -> Future[bytes] | None:
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                return self._known[text]
            if monotonic() < self._rests_until or sum(not each.done() for each in self._known.values()) >= _WAITING:
                return None
            future = self._known[text] = Future()
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        try:
            threading.Thread(target=self._ask, args=(text, future), name="query", daemon=True).start()
        except RuntimeError:  # no more threads can be started
            self._forget(text, future)
        return future

    def _ask(self, text: str, future: Future[bytes]) -> None:
        try:
            with self._asking:
                future.set_result(self._embedder.query(self._engine, text, _NOBODY))
        except (Transient, Permanent) as error:
            # Not the reason, which may quote what was sent.
            logger.warning("The embedding engine has failed", error=type(error).__name__)
            if isinstance(error, Transient):
                self._rests_until = monotonic() + _REST_SECONDS
        finally:
            if not future.done():
                self._forget(text, future)

    def _forget(self, text: str, future: Future[bytes]) -> None:
        """Nobody waits for it any more, and who asks again is heard."""
        with self._lock:
            self._known.pop(text, None)
        future.cancel()


_NOBODY = Watch(lambda _share: None, lambda: None)
"""Nobody looks at how far it is, or stops it."""
