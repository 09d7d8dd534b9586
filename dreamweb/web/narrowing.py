"""Writes a search anew with one condition more or less, as it was typed wherever that is possible."""

from __future__ import annotations

from dataclasses import dataclass

from dreamweb.search.folding import fold
from dreamweb.search.query import Dreamed, Field, Query, Term, parse, unparse

_IN_SLOVENIAN = {
    "tag": "oznaka",
    "motif": "motiv",
    "mood": "razpoloženje",
    "kind": "vrsta",
    "has": "ima",
    "is": "je",
    "before": "pred",
    "after": "po",
    "on": "dne",
}
"""Names of fields as they are shown to people who read Slovenian."""

_NAMES: dict[str, dict[str, str]] = {"en": {}, "sl": _IN_SLOVENIAN}


@dataclass(frozen=True)
class Condition:
    """A condition of a search: what it is called, and the same search without it."""

    label: str
    without: str


def condition(name: str, value: str, language: str) -> str:
    """How `name:value` is typed, with quotation marks where the value needs them; `name` is an English one."""
    spelled = _spelled(name, language)
    wanted = parse(f"{name}:{value}" if name == "on" else unparse(_only(name, value))).clauses
    ways = (f"{spelled}:{value}", f'{spelled}:"{value}"', f"{spelled}:»{value}«")
    return next((way for way in ways if parse(way).clauses == wanted), ways[1])


def has(query: Query, name: str, value: str) -> bool:
    """Whether the search is narrowed by this already."""
    return _clause(query, name, value) is not None


def toggled(typed: str, query: Query, name: str, value: str, language: str) -> str:
    """The search with this condition when it has none such, else without it. `query` is what `typed` says.

    The condition stands in front: the last word stays the one that somebody was typing.
    """
    clause = _clause(query, name, value)
    if clause is not None:
        return _without(typed, query, clause)
    return f"{condition(name, value, language)} {typed.strip()}".strip()


def conditions(typed: str, query: Query, language: str) -> list[Condition]:
    """What narrows the search besides its words."""
    single = [clause for clause in query.clauses if len(clause) == 1 and isinstance(clause[0].what, (Field, Dreamed))]
    return [Condition(_label(clause[0], language), _without(typed, query, clause)) for clause in single]


def _only(name: str, value: str) -> Query:
    return Query(((Term(Field(name, " ".join(value.lower().split()))),),))  # type: ignore[arg-type]


def _clause(query: Query, name: str, value: str) -> tuple[Term, ...] | None:
    year = parse(f"on:{value}").clauses if name == "on" else ()
    for clause in query.clauses:
        what = clause[0].what
        if len(clause) > 1 or clause[0].without:
            continue
        if clause in year or (isinstance(what, Field) and what.name == name and fold(what.value) == fold(value)):
            return clause
    return None


def _without(typed: str, query: Query, clause: tuple[Term, ...]) -> str:
    rest = tuple(each for each in query.clauses if each != clause)
    english = unparse(Query((clause,)))
    name, _, value = english.removeprefix("-").partition(":")
    minus = "-" if clause[0].without else ""
    for language in _NAMES:
        for written in (value, value[1:-1]):
            shorter = " ".join(typed.replace(f"{minus}{_spelled(name, language)}:{written}", " ", 1).split())
            if parse(shorter).clauses == rest:
                return shorter
    return unparse(Query(rest))


def _label(term: Term, language: str) -> str:
    minus = "-" if term.without else ""
    name, _, value = unparse(Query(((Term(term.what),),))).partition(":")
    return f"{minus}{_spelled(name, language)}:{value.strip('»«') if value[0] == '»' else value.strip(chr(34))}"


def _spelled(name: str, language: str) -> str:
    return _NAMES.get(language, {}).get(name, name)
