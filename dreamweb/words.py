"""Keeps a sentence together with its parts, so that an interface can say it in another language."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any


class Said(str):
    """An English sentence for people; `msgid` and `values` are what it was made of."""

    __slots__ = ("msgid", "values")

    msgid: str
    values: Mapping[str, object]


def say(msgid: str, **values: object) -> Said:
    """The sentence `msgid` with `values` in the places of its `%(name)s`; interfaces translate the `msgid`."""
    return _said(msgid, values)


def _said(msgid: str, values: Mapping[str, object]) -> Said:
    said = Said(msgid % values if values else msgid)
    said.msgid = msgid
    said.values = values
    return said


def translate(text: str, gettext: Callable[[str], str]) -> str:
    """The sentence in the language of `gettext`; as it is when it is none of ours."""
    if not isinstance(text, Said):
        return text
    found = gettext(text.msgid)
    return found % text.values if text.values else found


def dump(text: str) -> dict[str, object]:
    """The sentence as it is kept in a column or sent to another process."""
    if isinstance(text, Said):
        return {"msgid": text.msgid, "values": {name: _plain(value) for name, value in text.values.items()}}
    return {"msgid": text, "values": {}}


def load(dumped: Mapping[str, Any]) -> Said:
    """The sentence that `dump` has made plain."""
    return _said(dumped["msgid"], dumped["values"])


def _plain(value: object) -> object:
    return value if isinstance(value, (int, float, str, type(None))) and not isinstance(value, Said) else str(value)


def clean(text: str) -> str:
    """What somebody else says, on one line, without what no letter is: control characters, and halves of characters."""
    kept = (" " if unicodedata.category(letter) == "Cc" else letter for letter in text)
    return " ".join("".join(letter for letter in kept if unicodedata.category(letter) != "Cs").split())
