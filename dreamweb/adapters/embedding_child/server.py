"""Makes vectors by a server that speaks OpenAI's `/v1/embeddings`, and believes what it answers with care.

The request and its answer: https://platform.openai.com/docs/api-reference/embeddings/create
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dreamweb.adapters import posting
from dreamweb.adapters.posting import Answer, Troubles
from dreamweb.errors import Permanent, Transient
from dreamweb.words import Said, say

_LETTERS = 1200
"""Of a passage: about 400 tokens of Slovenian, which is what the usual models read at once."""

_MOST_BYTES = 16 * 2**20
_DIMENSIONS = range(2, 16_385)


class Server:
    """The engine as a question wants it. `patience` of the question is how many seconds an answer may take."""

    most = _LETTERS

    def __init__(self, question: dict[str, Any]) -> None:
        self._url = f"{question['url'].rstrip('/')}/embeddings"
        self._key: str = question["key"]
        self._model: str = question["model"]
        self._patience: float = question["patience"]
        self._before_query: str = question["query_prefix"]
        self._before_text: str = question["text_prefix"]

    def size(self, text: str) -> int:
        """In letters."""
        return len(text)

    def query(self, text: str) -> Sequence[float]:
        return self._vectors([self._before_query + text[:_LETTERS]])[0]

    def texts(self, texts: Sequence[str]) -> list[Sequence[float]]:
        return self._vectors([self._before_text + text for text in texts])

    def _vectors(self, texts: list[str]) -> list[Sequence[float]]:
        asked = {"model": self._model, "input": texts, "encoding_format": "float"}
        answer = posting.post(self._url, self._key, self._patience, _troubles, most_bytes=_MOST_BYTES, json=asked)
        if answer.status != 200:
            raise self._refusal(answer)
        return _vectors(answer.body, len(texts))

    def _refusal(self, answer: Answer) -> Transient | Permanent:
        status = answer.status
        if status == 429:
            return Transient(
                say("The embedding server has too much to do, or its limit is reached."),
                retry_after=posting.retry_after(answer),
            )
        if status in posting.LATER or status >= 500:
            return Transient(
                say("The embedding server failed (status %(status)s).", status=status),
                retry_after=posting.retry_after(answer),
            )
        if status in (401, 403):
            return Permanent(say("The embedding server does not accept the key. Check EMBEDDING_KEY."))
        if 300 <= status < 400:
            return Permanent(say("The embedding server points to another address. Set EMBEDDING_URL to that one."))
        if status == 404:
            return Permanent(
                say(
                    "The embedding server does not know this address or this model. Check EMBEDDING_URL, which mostly "
                    "ends with /v1, and EMBEDDING_MODEL. It says: %(reason)s",
                    reason=posting.reason(answer, self._key),
                )
            )
        # What it says may quote a dream, and everybody here can read how the engine fares.
        return Permanent(
            say("The embedding server refuses (status %(status)s). Its own log may say why.", status=status)
        )


def _vectors(body: bytes, wanted: int) -> list[Sequence[float]]:
    """One for each text, in the order in which they were asked for; raises `Transient` for what cannot be."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Transient(_NONSENSE) from None
    rows = said.get("data") if isinstance(said, dict) else None
    if not isinstance(rows, list) or len(rows) != wanted or not all(isinstance(row, dict) for row in rows):
        raise Transient(_NONSENSE)
    found = {row.get("index", place): _vector(row.get("embedding")) for place, row in enumerate(rows)}
    if set(found) != set(range(wanted)) or len({len(vector) for vector in found.values()}) != 1:
        raise Transient(_NONSENSE)
    return [found[place] for place in range(wanted)]


def _vector(said: object) -> list[float]:
    found = [posting.number(each) for each in said] if isinstance(said, list) else []
    vector = [each for each in found if each is not None]
    if len(vector) != len(found) or len(vector) not in _DIMENSIONS or not any(vector):
        raise Transient(_NONSENSE)
    return vector


_NONSENSE: Said = say("The embedding server has answered something that makes no sense.")


def _troubles(server: str) -> Troubles:
    return Troubles(
        slow=say("The embedding server took too long to answer."),
        unreachable=say("The embedding server %(server)s cannot be reached. Is it running?", server=server),
        broken=say("The connection to the embedding server %(server)s broke.", server=server),
        impossible=say("The embedding server cannot be asked in this way. Check EMBEDDING_URL and EMBEDDING_KEY."),
        nonsense=_NONSENSE,
    )
