"""Answers questions about meanings: makes vectors of the passages of texts, and of what somebody looks for."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dreamweb import vectors
from dreamweb.adapters.children import Say, answer
from dreamweb.adapters.embedding_child.passages import passages
from dreamweb.errors import Transient
from dreamweb.words import say

_AT_ONCE = 16
"""Passages that a model is given together."""


class Engine(Protocol):
    """What makes vectors; a passage may have `most` of what `size` counts."""

    most: int

    def size(self, text: str) -> int: ...

    def query(self, text: str) -> Sequence[float]:
        """Of what somebody looks for."""

    def texts(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """Of what it is looked for in."""


def task(question: dict[str, Any], _fds: list[int], progress: Say) -> dict[str, Any]:
    """Answers `passages`: of each text, where its passages start and end, and their vectors; and `query`: a vector.

    A vector is packed, and in base 64. Raises what the engine raises.
    """
    engine = _ENGINES[question["kind"]](question)
    if question["task"] == "query":
        return {"vector": _packed(engine.query(question["text"]))}
    cut = [passages(each["text"], engine.size, _room(engine, each["title"])) for each in question["texts"]]
    wanted = [
        f"{each['title']}\n{each['text'][start:end]}".strip()
        for each, places in zip(question["texts"], cut, strict=True)
        for start, end in places
    ]
    made: list[str] = []
    for start in range(0, len(wanted), _AT_ONCE):
        made += map(_packed, engine.texts(wanted[start : start + _AT_ONCE]))
        progress(len(made) / len(wanted))
    if len({len(each) for each in made}) > 1:  # the server has changed its model meanwhile
        raise Transient(say("The embedding engine has answered with vectors that cannot be compared."))
    found = iter(made)
    return {"passages": [[(start, end, next(found)) for start, end in places] for places in cut]}


def _room(engine: Engine, title: str) -> int:
    """What a passage may have beside the title, which stands before each."""
    return max(engine.most // 2, engine.most - engine.size(title))


def _packed(numbers: Sequence[float]) -> str:
    return base64.b64encode(vectors.pack(numbers)).decode()


def _onnx(question: dict[str, Any]) -> Engine:
    from dreamweb.adapters.embedding_child.onnx import Onnx  # noqa: PLC0415 -- only whoever uses it has it

    return Onnx(question)


def _server(question: dict[str, Any]) -> Engine:
    from dreamweb.adapters.embedding_child.server import Server  # noqa: PLC0415

    return Server(question)


_ENGINES: dict[str, Callable[[dict[str, Any]], Engine]] = {"onnx": _onnx, "server": _server}


if __name__ == "__main__":
    logging.disable()  # where the environment asks for it, the libraries would log what is sent
    answer(task)
