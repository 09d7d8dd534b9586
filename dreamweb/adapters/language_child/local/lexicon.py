"""Reads our word lists of a language into what the rules look words up in.

A list of motifs is divided by semicolons; each is its name and, after "=", more words that mean the same; what belongs
together is joined by "_". Feelings and hints begin with a mood. Themes are explained by `Theme`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from dreamweb.adapters.language_child.local import lexicon_en, lexicon_sl, stopwords_en, stopwords_sl
from dreamweb.adapters.language_child.local.lemmas import lemma
from dreamweb.analysis import MotifType

_NEAR = 6
"""Words: as far apart may those of a theme be when its list says nothing else."""


@dataclass(frozen=True)
class Phrase:
    """One or more lemmas that follow each other, and the motif that they name."""

    lemmas: tuple[str, ...]
    type: MotifType
    name: str


@dataclass(frozen=True)
class Theme:
    """Groups of lemmas or forms: one of each must be near one of the first. `near` says how near, in words."""

    name: str
    groups: tuple[frozenset[str], ...]
    near: tuple[int, ...]


@dataclass(frozen=True)
class Lexicon:
    """All that our rules know of one language."""

    phrases: dict[str, list[Phrase]]
    """By their first lemma, the longest first."""
    themes: tuple[Theme, ...]
    not_beside: dict[str, str]
    mood_of_feeling: dict[str, str]
    mood_of_theme: dict[str, tuple[str, float]]
    hints: dict[str, tuple[str, ...]]
    """The moods that a lemma may be a sign of."""
    tones: dict[str, float]
    """1 for a bright lemma, -1 for a dark one."""
    valences: dict[str, float]
    """How bright a mood is, from -1 to 1."""
    calm: str
    afraid: str
    negators: frozenset[str]
    never: str
    still: frozenset[str]
    """What, denied, says that something was there: *could not stop laughing*."""
    strongly: frozenset[str]
    weakly: frozenset[str]
    at_first: frozenset[str]
    """What is told of the beginning only, and passes."""
    lucid: tuple[tuple[int, re.Pattern[str]], ...]
    not_lucid: re.Pattern[str]
    in_control: re.Pattern[str]
    not_names: frozenset[str]
    place_before: frozenset[str]
    function_words: frozenset[str]
    and_: str
    questions: dict[str, str]


@cache
def lexicon(language: str) -> Lexicon:
    """The lists of "sl"; those of "en" for any other language."""
    lists, stop = (lexicon_sl, stopwords_sl) if language == "sl" else (lexicon_en, stopwords_en)
    code = "sl" if language == "sl" else "en"
    return Lexicon(
        phrases=_phrases(lists, code),
        themes=tuple(_themes(lists.THEMES)),
        not_beside=lists.NOT_BESIDE,
        mood_of_feeling={name: mood for mood, name, _ in _feelings(lists.FEELINGS)},
        mood_of_theme={name: _weighted(said) for name, said in lists.MOODS_OF_THEMES.items()},
        hints=_hints(lists.MOOD_HINTS, code),
        tones={lemma(word, code): 1.0 for word in lists.BRIGHT.split()}
        | {lemma(word, code): -1.0 for word in lists.DARK.split()},
        valences=lists.VALENCES,
        calm=lists.CALM,
        afraid=lists.AFRAID,
        negators=frozenset(lists.NEGATORS.split()),
        never=lists.NEVER_SO,
        still=frozenset(lists.STILL.split()),
        strongly=frozenset(lists.STRONGLY.split()),
        weakly=frozenset(lists.WEAKLY.split()),
        at_first=frozenset(lists.AT_FIRST.split()),
        lucid=tuple((level, re.compile(pattern)) for level, pattern in lists.LUCID),
        not_lucid=re.compile(lists.NOT_LUCID),
        in_control=re.compile(lists.IN_CONTROL),
        not_names=frozenset(lists.NOT_NAMES.split()),
        place_before=frozenset(lists.PLACE_BEFORE.split()),
        function_words=stop.FUNCTION_WORDS,
        and_=lists.AND,
        questions=lists.QUESTIONS,
    )


def _phrases(lists: ModuleType, language: str) -> dict[str, list[Phrase]]:
    tables: tuple[tuple[MotifType, str], ...] = (
        ("symbol", lists.SYMBOLS),
        ("person", lists.PERSONS),
        ("place", lists.PLACES),
        ("action", lists.ACTIONS),
    )
    named = [(kind, name, words) for kind, table in tables for name, words in _entries(table)]
    named += [("feeling", name, words) for _, name, words in _feelings(lists.FEELINGS)]
    found: dict[str, list[Phrase]] = {}
    for kind, name, words in named:
        for word in words:
            lemmas = tuple(each if each in lists.AS_WRITTEN else lemma(each, language) for each in word.split("_"))
            found.setdefault(lemmas[0], []).append(Phrase(lemmas, kind, name))
    for same in found.values():
        same.sort(key=lambda phrase: -len(phrase.lemmas))
    return found


def _entries(table: str) -> Iterator[tuple[str, list[str]]]:
    for each in table.split(";"):
        name, _, others = each.partition("=")
        yield name.strip().replace("_", " "), [name.strip(), *others.split()]


def _feelings(table: str) -> Iterator[tuple[str, str, list[str]]]:
    for each in table.split(";"):
        mood, _, rest = each.partition("|")
        name, _, words = rest.partition("=")
        yield mood.strip(), name.strip(), words.split()


def _hints(table: str, language: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for mood, words in re.findall(r"(\w+):([^:]*)(?=\n\w+:|\Z)", table):
        for word in words.split():
            known = found.get(lemma(word, language), ())
            found[lemma(word, language)] = known if mood in known else (*known, mood)
    return found


def _themes(table: str) -> Iterator[Theme]:
    for line in table.strip().splitlines():
        name, _, rest = line.partition("=")
        first, *others = re.split(r"\+(\d*) ", rest)
        groups = [first, *others[1::2]]
        near = [int(each or _NEAR) for each in others[::2]]
        yield Theme(name.strip(), tuple(frozenset(group.split()) for group in groups), tuple(near))


def _weighted(said: str) -> tuple[str, float]:
    mood, weight = said.split()
    return mood, float(weight)
