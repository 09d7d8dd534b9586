"""Says which engines hear, understand and compare, and which of them are on another machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

SpeechKind = Literal["none", "faster-whisper", "server"]
Provider = Literal["local", "server", "openai", "anthropic", "google"]
EmbeddingKind = Literal["none", "onnx", "server"]

LOCAL: Provider = "local"

WAITED_FOR = timedelta(days=1)
"""For how long a device that has gone silent may come back, before its recording is given to another machine."""


@dataclass(frozen=True)
class SpeechEngine:
    """What turns speech into text. `model` is a name, or the path of a folder; `key` is sent to a server only.

    `words` are names and places that the engine is told to expect; `idle_seconds` is how long a loaded model is kept.
    """

    kind: SpeechKind
    model: str
    url: str
    key: str
    threads: int
    words: str
    idle_seconds: float
    folder: str
    """Where downloaded models lie."""

    @property
    def outside(self) -> bool:
        return self.kind == "server" and not is_this_machine(self.url)


@dataclass(frozen=True)
class LanguageModel:
    """What tidies and analyses a text: a provider and its model; `local` is no model, but rules of our own."""

    provider: Provider
    model: str
    url: str
    key: str

    @property
    def name(self) -> str:
        return self.provider if self.provider == LOCAL else f"{self.provider}:{self.model}"

    @property
    def outside(self) -> bool:
        return self.provider != LOCAL and not (self.provider == "server" and is_this_machine(self.url))


@dataclass(frozen=True)
class EmbeddingEngine:
    """What turns a text into a vector that says what it means.

    `model` is the path of a folder for `onnx`, and a name for a server. The prefixes are what the model wants to read
    before what somebody looks for, and before what it is looked for in; most models want none.
    """

    kind: EmbeddingKind
    model: str
    url: str
    key: str
    query_prefix: str
    text_prefix: str

    @property
    def name(self) -> str:
        """Vectors can be compared when they are of engines with the same name."""
        name = f"{self.kind}:{self.model}:{self.text_prefix}"
        return name if len(name) <= _LONGEST_NAME else f"{self.kind}:{sha256(name.encode()).hexdigest()}"

    @property
    def outside(self) -> bool:
        return self.kind == "server" and not is_this_machine(self.url)


_LONGEST_NAME = 200


@dataclass(frozen=True)
class Engines:
    """All engines, in the order in which they are tried.

    Without `outside_calls`, nothing leaves this machine. `monthly_tokens` is how many all language models together may
    use in a calendar month; 0 for no limit.
    """

    speech: SpeechEngine
    language: tuple[LanguageModel, ...]
    embedding: EmbeddingEngine
    outside_calls: bool
    monthly_tokens: int

    def may_hear(self, *, private: bool) -> bool:
        """Whether a recording may be given to the speech engine."""
        return not self.speech.outside or (self.outside_calls and not private)

    def may_read(self, *, private: bool) -> tuple[LanguageModel, ...]:
        """The language models that a text may be given to, never none: our own rules stay at home."""
        outside = self.outside_calls and not private
        allowed = tuple(model for model in self.language if outside or not model.outside)
        return allowed or (LanguageModel(LOCAL, "", "", ""),)

    def may_embed(self, *, private: bool) -> bool:
        """Whether there is an embedding engine, and a text may be given to it."""
        outside = self.outside_calls and not private
        return self.embedding.kind != "none" and (outside or not self.embedding.outside)


def is_this_machine(url: str) -> bool:
    """Whether an address can only be this machine itself; one that is none can not."""
    host = ""
    try:
        host = urlsplit(url).hostname or ""
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
