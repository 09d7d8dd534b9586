"""Says what a person may prefer, and in which shape it is kept."""

from __future__ import annotations

from datetime import time
from functools import cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator
from tzlocal import get_localzone

from dreamweb.words import say

Theme = Literal["auto", "light", "dark", "night"]


def _zone(value: str) -> str:
    if value not in zones():
        raise ValueError(say("there is no such time zone"))
    return value


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


class Profile(BaseModel):
    """How somebody wants to be called and to see their journal; what is None is found out instead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    language: Annotated[Literal["sl", "en"] | None, BeforeValidator(_empty_is_none)] = None
    time_zone: Annotated[Annotated[str, AfterValidator(_zone)] | None, BeforeValidator(_empty_is_none)] = None
    theme: Theme = "auto"
    night_from: Annotated[time | None, BeforeValidator(_empty_is_none)] = None
    night_until: Annotated[time | None, BeforeValidator(_empty_is_none)] = None

    @model_validator(mode="after")
    def _both_hours(self) -> Profile:
        if (self.night_from is None) != (self.night_until is None):
            raise ValueError(say("set both hours of the night theme, or neither"))
        return self


@cache
def zones() -> frozenset[str]:
    """The names of all time zones that this machine knows, like `Europe/Ljubljana`."""
    return frozenset(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix")))


def zone(name: str | None) -> ZoneInfo:
    """The time zone of this name; the server's own when there is none, or it is not known any more."""
    return ZoneInfo(name) if name and name in zones() else _of_server()


@cache
def _of_server() -> ZoneInfo:
    return ZoneInfo(str(get_localzone()))


def is_between(now: time, start: time | None, end: time | None) -> bool:
    """Whether the clock is between two hours, across midnight when the first is the later one."""
    if start is None or end is None:
        return False
    return start <= now < end if start <= end else now >= start or now < end
