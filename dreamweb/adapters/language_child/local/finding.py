"""Finds the motifs of a text: what is named in our lists, proper names, and themes that several words make together."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from dreamweb.adapters.language_child.local.lemmas import lemma, plain, words
from dreamweb.adapters.language_child.local.lexicon import Lexicon, Phrase, Theme
from dreamweb.analysis import FoundMotif, MotifType

_SENTENCE_END = re.compile(r"(?:(?<![.!?…])[.!?…]++[\"'”»’)]*+(?=\s|$)|\n)\s*+")
_CLAUSE_END = re.compile(r"[,;:.!?…()\n–—]")

_HOUR, _CLOCK = frozenset(("ur", "ure", "urah")), frozenset(("ura", "uro", "uri"))
_HOURS = "eno dve tri štiri pet pol nekaj vsako vsak ob čez po zadnjo treh štirih petih dveh"
_HOUR_AFTER = frozenset(_HOURS.split())
"""After these, *ura* is an hour and no clock."""


@dataclass(frozen=True)
class Token:
    """A word where it stands. `plain` is how it is compared; words of one clause have no mark between them."""

    start: int
    end: int
    word: str
    plain: str
    lemma: str
    sentence: int
    clause: int


@dataclass(frozen=True)
class Hit:
    """A motif at one place: the numbers of the tokens that make it."""

    type: MotifType
    name: str
    tokens: tuple[int, ...]


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of every sentence that has a word."""
    found, start = [], 0
    for end in [match.end() for match in _SENTENCE_END.finditer(text)] + [len(text)]:
        if re.search(r"\w", text[start:end]):
            left = start + len(text[start:end]) - len(text[start:end].lstrip())
            found.append((left, left + len(text[left:end].rstrip())))
        start = end
    return found


def tokens(text: str, language: str) -> list[Token]:
    """All words of a text, in order."""
    ends = [end for _, end in sentences(text)]
    marks = [match.start() for match in _CLAUSE_END.finditer(text)]
    return [
        Token(
            start,
            end,
            word,
            plain(word),
            lemma(word, language),
            min(bisect_left(ends, end), max(len(ends) - 1, 0)),
            bisect_left(marks, start),
        )
        for start, end, word in words(text)
    ]


def _is_hour(found: Sequence[Token], at: int) -> bool:
    after = at > 0 and found[at - 1].plain in _HOUR_AFTER
    return found[at].plain in _HOUR or (after and found[at].plain in _CLOCK)


def named(found: Sequence[Token], known: Lexicon) -> list[Hit]:
    """What is named in our lists; of two phrases at one place the longer."""
    hits, at = [], 0
    while at < len(found):
        phrase = _phrase_at(found, at, known)
        if phrase:
            length = len(phrase.lemmas)
            hits.append(Hit(phrase.type, phrase.name, tuple(range(at, at + length))))
        at += len(phrase.lemmas) if phrase else 1
    return hits


def _phrase_at(found: Sequence[Token], at: int, known: Lexicon) -> Phrase | None:
    if _is_hour(found, at) or _is_name(found, at, known):
        return None
    for phrase in known.phrases.get(found[at].lemma, ()):
        if phrase.type == "feeling" and is_manner(found, at):
            continue
        there = found[at : at + len(phrase.lemmas)]
        if tuple(each.lemma for each in there) == phrase.lemmas and not _is_verb(there[0], phrase):
            return phrase
    return None


_MANNER = frozenset(("mirno", "spokojno", "veselo", "srečno", "žalostno", "obupno", "jezno", "besno", "zmedeno"))
_BEING = frozenset(("biti", "postati", "postajati", "čutiti", "počutiti"))


def is_manner(found: Sequence[Token], at: int) -> bool:
    """Whether a Slovenian word says how somebody did something, *mirno jedel*, and not how it was, *bilo je mirno*."""
    beside = [each for each in found[max(0, at - 1) : at + 2] if each.clause == found[at].clause]
    return found[at].plain in _MANNER and any(each.lemma.endswith("ti") and each.lemma not in _BEING for each in beside)


_PAST_OF_VERBS = frozenset(("rang", "rung", "bore", "born", "shone", "strung"))
_WEATHER = frozenset(("rain", "snow", "thunder"))
"""Things that are told with a verb."""


def _is_verb(token: Token, phrase: Phrase) -> bool:
    """Whether an English word only looks like a thing: *training*, *parked*, *rang*."""
    if phrase.type not in ("symbol", "person", "place") or phrase.name in _WEATHER:
        return False
    return token.plain in _PAST_OF_VERBS or (token.plain != phrase.lemmas[0] and token.plain.endswith(("ing", "ed")))


_IDIOMS = {("to", "death"), ("na", "smrt")}
"""*Scared to death*: nobody dies."""


def themes(found: Sequence[Token], known: Lexicon) -> list[Hit]:
    """What several words near each other, in one sentence, make together."""
    hits = []
    for _, group in groupby(range(len(found)), key=lambda number: found[number].sentence):
        places: dict[str, list[int]] = {}
        for number in group:
            if number and (found[number - 1].plain, found[number].plain) in _IDIOMS:
                continue
            for each in {found[number].lemma, found[number].plain}:
                places.setdefault(each, []).append(number)
        hits += [hit for theme in known.themes for hit in _theme_at(theme, places)]
    there = {hit.name for hit in hits}
    return [hit for hit in hits if known.not_beside.get(hit.name) not in there]


def _theme_at(theme: Theme, places: dict[str, list[int]]) -> Iterator[Hit]:
    groups = [sorted({number for each in group for number in places.get(each, ())}) for group in theme.groups]
    if not all(groups):
        return
    for first in groups[0]:
        others = [_nearest(group, first, near) for group, near in zip(groups[1:], theme.near, strict=True)]
        if None not in others:
            yield Hit("theme", theme.name, (first, *(other for other in others if other is not None)))


def _nearest(numbers: Sequence[int], to: int, near: int) -> int | None:
    at = bisect_left(numbers, to)
    around = [number for number in numbers[max(0, at - 1) : at + 2] if number != to and abs(number - to) <= near]
    return min(around, key=lambda number: abs(number - to), default=None)


def names(found: Sequence[Token], language: str, known: Lexicon) -> list[Hit]:
    """Proper names: words with a capital in the middle of a sentence that are nothing else."""
    hits = []
    for number, token in enumerate(found):
        if _is_name(found, number, known):
            kind: MotifType = "place" if found[number - 1].plain in known.place_before else "person"
            hits.append(Hit(kind, _nominative(token.word, language), (number,)))
    return hits


def _is_name(found: Sequence[Token], number: int, known: Lexicon) -> bool:
    token, word = found[number], found[number].word
    if not number or found[number - 1].sentence != token.sentence:
        return False
    if len(word) < 3 or not word[0].isupper() or word.isupper() or token.plain in known.function_words:
        return False
    if {token.plain, token.lemma} & known.not_names:
        return False
    # A form of a common word may be a name, as *Mira*, but *Grandma* and *Dad's* are who they are.
    kinds = {phrase.type for phrase in known.phrases.get(token.lemma, ())}
    return not kinds or (token.lemma != token.plain and "person" not in kinds)


def _nominative(word: str, language: str) -> str:
    """A name as it is when it is called; for Slovenian a guess, right for the commonest endings."""
    if language != "sl":
        return re.sub(r"['’]s?$", "", word)
    for ending, instead in (("om", ""), ("em", ""), ("o", "a"), ("u", ""), ("i", "a")):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            return _with_vowel(stem) if not instead else stem + instead
    return word


def _with_vowel(stem: str) -> str:
    """*Petr* is *Peter*: a name does not end with such a pair of consonants."""
    return f"{stem[:-1]}er" if re.search(r"[bdgkptv]r$", stem) else stem


def merged(text: str, found: Sequence[Token], hits: Sequence[Hit], known: Lexicon) -> list[FoundMotif]:
    """One motif for all hits of a type and name, in the order of the text, with every form of its words once."""
    forms: dict[tuple[MotifType, str], dict[str, None]] = {}
    for hit in sorted(hits, key=lambda hit: hit.tokens[0]):
        forms.setdefault((hit.type, hit.name), {}).update(dict.fromkeys(_forms(text, found, hit, known)))
    return [FoundMotif(kind, name, name, tuple(words)) for (kind, name), words in forms.items()]


def _forms(text: str, found: Sequence[Token], hit: Hit, known: Lexicon) -> list[str]:
    if hit.type != "theme":
        return [text[found[hit.tokens[0]].start : found[hit.tokens[-1]].end]]
    telling = [number for number in hit.tokens if found[number].plain not in known.function_words]
    return [found[number].word for number in telling or hit.tokens[:1]]
