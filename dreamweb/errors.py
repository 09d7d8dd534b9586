"""Names what can go wrong, in our own words; the interfaces turn these into status codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Used:
    """What one call of a language model has used: tokens, and its cost in US dollars where the price is known."""

    engine: str
    tokens_in: int
    tokens_out: int
    cost: float | None


class DreamWebError(Exception):
    """Anything we foresee going wrong.

    `detail` is one or two plain sentences for the person: what happened, and what can be done.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadSetting(DreamWebError):
    """A setting has a value we cannot start with."""


class Malformed(DreamWebError):
    """The request itself cannot be understood: broken JSON, a cursor that is not ours."""


class Invalid(DreamWebError):
    """The request is understood, but some of its values are not possible.

    `fields` maps the name of each such field to the reason.
    """

    def __init__(self, detail: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.fields = dict(fields or {})


class NoFile(DreamWebError):
    """A recording was expected, and none was sent."""


class EmptyFile(DreamWebError):
    """The file that was sent has no bytes."""


class NotAudio(DreamWebError):
    """The bytes are not a recording that can be played, or not of an allowed format."""


class NotAttachable(DreamWebError):
    """The bytes are of no kind that may be attached to an entry."""


class TooLarge(DreamWebError):
    """More bytes than the settings allow."""


class Unauthenticated(DreamWebError):
    """Nobody can tell who is asking: no token, a wrong one, or one that has ended."""


class Forbidden(DreamWebError):
    """It is known who is asking, and they may not do this."""


class NotFound(DreamWebError):
    """There is no such thing, or it belongs to someone else."""


class Conflict(DreamWebError):
    """It contradicts something that is already kept."""


class ChunksMissing(Conflict):
    """Of a capture that shall be finished, not all pieces are here. `missing` names them: segment and number."""

    def __init__(self, detail: str, *, missing: Sequence[tuple[int, int]]) -> None:
        super().__init__(detail)
        self.missing = list(missing)


class TooMany(DreamWebError):
    """As many as one account may have at a time; there will be fewer."""


class Outdated(DreamWebError):
    """The thing was changed since the client last read it."""


class Unavailable(DreamWebError):
    """The server cannot do it just now, for want of memory or processes; trying again may help."""


class StorageFailed(DreamWebError):
    """The bytes could not be written to, or read from, the storage."""


class StorageFull(StorageFailed):
    """There is no room left for the bytes."""


class Transient(DreamWebError):
    """A step failed for a reason that may pass: a server that is busy, an engine that ended. It is tried again.

    `retry_after` is how many seconds the other side asked us to wait; `used` says what the attempt has cost.
    """

    def __init__(self, detail: str, *, retry_after: float | None = None, used: Sequence[Used] = ()) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.used = list(used)


class Permanent(DreamWebError):
    """A step failed, and would fail again in the same way. `used` says what the attempt has cost."""

    def __init__(self, detail: str, *, used: Sequence[Used] = ()) -> None:
        super().__init__(detail)
        self.used = list(used)


class Skipped(DreamWebError):
    """A step has nothing to do here, or may not do it: there is no engine, or the entry is private."""
