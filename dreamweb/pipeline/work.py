"""Gives what a step works with, and what it hands over when it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dreamweb.adapters.embedding import Embedder
from dreamweb.adapters.language import Language
from dreamweb.adapters.speech import Speech
from dreamweb.db import end_reading, now
from dreamweb.engines import WAITED_FOR, LanguageModel
from dreamweb.errors import Used
from dreamweb.models.entry import Entry
from dreamweb.tools import Tools
from dreamweb.versions import used_this_month
from dreamweb.words import Said, say

_SPENT = say(
    "The limit of this month is reached. Models on other machines are not asked until it ends; what is on this machine "
    "takes over."
)


@dataclass(frozen=True)
class Hands:
    """What a worker has: the storage and the settings, and the engines, each in a child process of its own."""

    tools: Tools
    speech: Speech
    language: Language
    embedder: Embedder

    def models(self, entry: Entry | None) -> tuple[tuple[LanguageModel, ...], Said | None]:
        """The language models that its text may be given to; those of others only within the month's limit.

        If it is because of that limit that some are not asked, the reason in words. None stands for a text of our own.
        """
        engines = self.tools.engines
        spent = engines.monthly_tokens and used_this_month() >= engines.monthly_tokens
        end_reading()  # nothing is held while an engine works
        stays = entry is not None and (entry.private or may_come_back(entry))
        allowed, here = engines.may_read(private=stays), engines.may_read(private=True)
        return (here, _SPENT) if spent and allowed != here else (allowed, None)


def may_come_back(entry: Entry) -> bool:
    """Whether the recording was cut off lately: whoever was speaking has not said yet whether it is private."""
    return entry.cut_off and now() - entry.uploaded_at < WAITED_FOR


@dataclass(frozen=True)
class Done:
    """What a step has made. `write` puts it into the entry, which is locked, in the transaction that ends the job.

    `amount` is how much there was to do: seconds of sound, or characters. `reason` is shown beside the result.
    `outside`: it was made on another machine, and does not count when the entry has become private meanwhile.
    """

    write: Callable[[Entry], None]
    engine: str | None = None
    amount: float | None = None
    used: Sequence[Used] = ()
    reason: str | None = None
    result: dict[str, Any] | None = None
    outside: bool = False


def storable(value: Any) -> Any:
    """What an engine has said, without the characters that no database keeps: NUL, and halves of others."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(each) for each in value]
    return value


def nothing(_entry: Entry) -> None:
    """For what has written everything already."""
