"""Understands what somebody types to find a dream: a text that is never wrong becomes a `Query`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, TypeAlias, TypeVar

from dreamweb.nights import next_month
from dreamweb.search.folding import LETTER, fold, spans, tokens
from dreamweb.words import Said, say

FieldName = Literal["tag", "mood", "motif", "kind", "has", "is"]


@dataclass(frozen=True)
class Word:
    """`token` is folded; `typed` is the word itself in NFC, which has a lemma. A prefix may go on, and has none."""

    token: str
    typed: str
    prefix: bool = False


@dataclass(frozen=True)
class Phrase:
    """Folded words in a row, in just these forms; one word when it was in quotation marks."""

    tokens: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """`value` is in lower case; a kind, `has` and `is` have the values of `_VALUES`, whatever language was typed."""

    name: FieldName
    value: str


@dataclass(frozen=True)
class Dreamed:
    """The nights from `start` to before `end`; None is open."""

    start: date | None
    end: date | None


What: TypeAlias = Word | Phrase | Field | Dreamed


@dataclass(frozen=True)
class Term:
    """One thing that an entry has, or must be without."""

    what: What
    without: bool = False


@dataclass(frozen=True)
class Query:
    """Of every clause, one term must hold. The notes say what was not looked for as it was typed."""

    clauses: tuple[tuple[Term, ...], ...]
    notes: tuple[Said, ...] = ()


MAX_TYPED = 2000
"""Characters that are read."""

MAX_TERMS = 32
"""Terms of a query, and words of a phrase."""

MAX_TOKEN = 64
MAX_VALUE = 100
"""Characters; the longest that a name of a motif can be."""

_SHOWN = 30
"""Characters of what was typed that a note repeats."""

_Meant = TypeVar("_Meant")


def _spelled(spellings: dict[_Meant, str]) -> dict[str, _Meant]:
    """By each spelling, folded, what is meant."""
    return {each: meant for meant, every in spellings.items() for each in every.split()}


_FIELDS: dict[str, FieldName] = _spelled(
    {
        "tag": "tag tags oznaka oznake",
        "mood": "mood razpolozenje",
        "motif": "motif motiv",
        "kind": "kind vrsta",
        "has": "has ima",
        "is": "is je",
    }
)
_DATES = _spelled({"before": "before pred", "after": "after po", "on": "on dne"})

_VALUES = {
    "kind": _spelled({"dream": "dream dreams sanje", "journal": "journal dnevnik", "guided": "guided vodeno"}),
    "has": _spelled(
        {
            "audio": "audio recording zvok posnetek",
            "text": "text besedilo",
            "attachment": "attachment attachments priloga prilogo priloge priponka priponko priponke",
        }
    ),
    "is": _spelled({"private": "private zasebno zaseben zasebna"}),
}

# Phones type any of these; one of a family closes what another has opened.
_QUOTES, _ANGLES = '"“”„‟＂', "»«"
_ANY_QUOTE = _QUOTES + _ANGLES

_PIECE = re.compile(
    rf"""
    [(\[{{]*
    (?:
        (?P<either> \|+ | (?:OR|ALI)(?=[\s|]|\Z) )
    |
        # A minus between two words, or with a space behind it, says nothing.
        (?P<without> (?<![^\s|(\[{{]) [-−–] (?={LETTER}|[{_ANY_QUOTE}]) )?
        (?: (?P<name> [^\W\d_]++ ) : (?=[{_ANY_QUOTE}]) )?
        (?:
            [{_QUOTES}] (?P<quoted> [^{_QUOTES}]*+ ) (?: [{_QUOTES}] | \Z )
        |
            [{_ANGLES}] (?P<angled> [^{_ANGLES}]*+ ) (?: [{_ANGLES}] | \Z )
        |
            (?P<bare> [^\s|{_ANY_QUOTE}]+ )
        )
    )
    """,
    re.VERBOSE,
)

_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Controls, NUL among them, and halves of surrogate pairs."""

_BETWEEN_WORDS = re.compile(r"(?<!\d)[:;,/…]|[:;,/…](?!\d)")
"""What divides words also without a space; 12:30 and 3,5 stay together."""

_APOSTROPHES = frozenset("'’＇")
_CONTRACTED = frozenset(("re", "ll", "ve", "d", "m"))

_YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?:[-/](?P<month>\d\d?)(?:[-/](?P<day>\d\d?))?)?", re.ASCII)
_YEAR_LAST = re.compile(r"(?:(?P<day>\d\d?)\.)?(?P<month>\d\d?)\.(?P<year>\d{4})\.?", re.ASCII)
_YEARS = range(1000, 9999)
"""Far enough from the first and last day that Python knows to count on, or to move to another time zone."""


def parse(typed: str) -> Query:
    """What is looked for. Never raises: what cannot be understood is taken as words.

    All words must be there; so must a "phrase", as it stands; a term with - before it must not; prefix* stands for all
    words that begin so; OR, ALI or | between two terms asks for one of them, and binds tighter than the space. Fields
    are those of `_FIELDS` and `_DATES`; `before:` and `after:` leave out all of the day, month or year that they name.
    A typed word of several tokens (e-mail, 3.5) is a phrase; but *grandmother's* is the word grandmother, *I'm* is *I*,
    and *couldn't* is the word *couldn*, with a lemma of its own. A field that is not understood is words; behind a
    minus and beside OR, it is a phrase. No NUL, control character or half a surrogate pair is left anywhere.
    """
    notes: list[Said] = []
    if len(typed) > MAX_TYPED:
        notes.append(say("This is long: only its first %(most)s characters are looked for.", most=MAX_TYPED))
    # Cut first: composing takes the square of the length of a row of marks.
    text = unicodedata.normalize("NFC", _UNSTORABLE.sub(" ", typed[:MAX_TYPED])).strip()
    clauses = _limited(_clauses(text, notes), notes)
    if text and not clauses:
        notes.append(say("There is no word in this to look for."))
    return Query(clauses, tuple(dict.fromkeys(notes)))


def unparse(query: Query) -> str:
    """A text that is parsed to the same clauses, unless it has more than `MAX_TYPED` characters."""
    return " ".join(" OR ".join(map(_written, clause)) for clause in query.clauses)


# --- From pieces to clauses ---


@dataclass(frozen=True)
class _Operand:
    """What one piece asks for: usually one thing; several words when it was not understood."""

    whats: list[What]
    without: bool

    def term(self) -> Term:
        if len(self.whats) == 1:
            return Term(self.whats[0], self.without)
        return Term(Phrase(tuple(token for what in self.whats for token in _tokens(what))[:MAX_TERMS]), self.without)


def _clauses(text: str, notes: list[Said]) -> Iterator[tuple[Term, ...]]:
    for group in _groups(text, notes):
        if len(group) == 1 and not group[0].without:
            yield from ((Term(what),) for what in group[0].whats)
        else:
            yield tuple(operand.term() for operand in group)


def _groups(text: str, notes: list[Said]) -> list[list[_Operand]]:
    """The operands, those together that have an OR between them; an OR without one of its sides is nothing."""
    groups: list[list[_Operand]] = []
    before: list[_Operand] | None = None
    joined = False
    for piece in _PIECE.finditer(text):
        if piece["either"]:
            joined = True
            continue
        whats = _whats(piece, notes)
        if whats and joined and before is not None:
            before.append(_Operand(whats, bool(piece["without"])))
        elif whats:
            before = [_Operand(whats, bool(piece["without"]))]
            groups.append(before)
        elif not joined:
            before = None  # an OR after it has nothing to its left
        joined = False
    return groups


def _limited(clauses: Iterator[tuple[Term, ...]], notes: list[Said]) -> tuple[tuple[Term, ...], ...]:
    """Every term of a clause and every clause once, and not too many of them."""
    found: dict[frozenset[Term], tuple[Term, ...]] = {}
    room = MAX_TERMS
    for clause in clauses:
        once: dict[Term, Term] = {}
        for term in clause:
            once.setdefault(_compared(term), term)
        if frozenset(once) in found:
            continue
        terms = tuple(once.values())
        if len(terms) > room:
            notes.append(say("Only the first %(most)s words are looked for.", most=MAX_TERMS))
            terms = terms[:room]
        if terms:
            found.setdefault(frozenset(map(_compared, terms)), terms)
            room -= len(terms)
    return tuple(found.values())


def _compared(term: Term) -> Term:
    """Capital letters do not make another word."""
    if isinstance(term.what, Word):
        return replace(term, what=replace(term.what, typed=term.what.typed.lower()))
    return term


# --- What a piece asks for ---


def _whats(piece: re.Match[str], notes: list[Said]) -> list[What]:
    bare = piece["bare"]
    if bare is None:
        name, value = piece["name"] or "", piece["quoted"] or piece["angled"] or ""
    else:
        name, colon, value = bare.partition(":")
        name, value = name if colon else "", value.rstrip(")]},;")
    if fold(name) in _FIELDS or fold(name) in _DATES:
        return _known(name, value, notes)
    # An address is none, nor is what has no letter before its colon.
    if bare and name.isalpha() and tokens(value) and not value.startswith("/"):
        _say_not_understood(name, value, notes)
    return [*_words(bare, notes)] if bare else [*_words(name, notes), *_phrase(tokens(value), notes)]


def _known(name: str, value: str, notes: list[Said]) -> list[What]:
    """What a field asks for, or the words of it when its value is not understood."""
    what = _field(fold(name), unicodedata.normalize("NFC", " ".join(value.lower().split())), notes)
    if what:
        return [what]
    _say_not_understood(name, value, notes)
    return [word for part in (name, *value.split()) for word in _words(part, notes)]


def _field(name: str, value: str, notes: list[Said]) -> Field | Dreamed | None:
    if name in _DATES:
        return _dreamed(_DATES[name], value)
    field = _FIELDS[name]
    if field in _VALUES:
        value = _VALUES[field].get(fold(value), "")
    if len(value) > MAX_VALUE:
        _say_long(value, notes)
        value = value[:MAX_VALUE].rstrip()
    return Field(field, value) if value else None


def _dreamed(name: str, value: str) -> Dreamed | None:
    span = _span(value.replace(" ", ""))
    if span is None:
        return None
    return {"before": Dreamed(None, span[0]), "after": Dreamed(span[1], None)}.get(name, Dreamed(*span))


def _span(value: str) -> tuple[date, date] | None:
    """The first night of a day, month or year, and the first one after it."""
    found = _YEAR_FIRST.fullmatch(value) or _YEAR_LAST.fullmatch(value)
    if found is None or int(found["year"]) not in _YEARS:
        return None
    year, month, day = (int(found[part] or 0) for part in ("year", "month", "day"))
    try:
        start = date(year, month if found["month"] else 1, day if found["day"] else 1)
    except ValueError:
        return None
    if found["day"]:
        return start, start + timedelta(days=1)
    return start, next_month(start) if found["month"] else date(year + 1, 1, 1)


# --- Words ---


def _words(text: str, notes: list[Said]) -> list[Word | Phrase]:
    """The words of a text without spaces."""
    return [word for part in _BETWEEN_WORDS.split(text) for word in _joined(part, notes)]


def _joined(text: str, notes: list[Said]) -> list[Word | Phrase]:
    """Of what nothing divides: a word, a phrase, or several words when the last one is a prefix."""
    found = spans(text)
    if len(found) > 1 and found[-1][2] == "s" and text[found[-2][1] : found[-1][0]] in _APOSTROPHES:
        found.pop()  # grandmother's
    if not found:
        return []
    if text.startswith("*", found[-1][1]):
        *before, (start, end, token) = found
        last = _word(token, text[start:end], notes, prefix=True)
        return [*(_word(token, text[start:end], notes) for start, end, token in before), last]
    if len(found) == 1:
        start, end, token = found[0]
        return [_word(token, text[start:end], notes)]
    if len(found) == 2 and text[found[0][1] : found[1][0]] in _APOSTROPHES:
        (start, end, first), (from_, to, rest) = found
        if rest in _CONTRACTED:
            return [_word(first, text[start:end], notes)]
        if rest == "t" and first.endswith("n"):
            return [_word(first, f"{text[start:end]}'{text[from_:to]}", notes)]
    return _phrase([token for _, _, token in found], notes)


def _word(token: str, typed: str, notes: list[Said], *, prefix: bool = False) -> Word:
    if len(token) > MAX_TOKEN:
        _say_long(token, notes)
        return Word(token[:MAX_TOKEN], token[:MAX_TOKEN], prefix=True)
    if prefix and len(token) < 2:
        notes.append(say("A beginning such as “%(text)s*” needs two letters; it is looked for as a word.", text=typed))
        prefix = False
    # Capitals would make it an operator when it is typed again.
    return Word(token, typed.lower() if typed in ("OR", "ALI") else typed, prefix)


def _phrase(found: list[str], notes: list[Said]) -> list[Word | Phrase]:
    if len(found) > MAX_TERMS:
        notes.append(say("Of a phrase, only the first %(most)s words are looked for.", most=MAX_TERMS))
    for token in found[:MAX_TERMS]:
        if len(token) > MAX_TOKEN:
            _say_long(token, notes)
    return [Phrase(tuple(token[:MAX_TOKEN] for token in found[:MAX_TERMS]))] if found else []


def _say_long(text: str, notes: list[Said]) -> None:
    notes.append(say("“%(text)s…” is long: only its beginning is looked for.", text=text[:_SHOWN]))


def _say_not_understood(name: str, value: str, notes: list[Said]) -> None:
    shown = f"{name}:{value}"
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    notes.append(say("“%(text)s” was not understood, and is looked for as words.", text=shown))


def _tokens(what: What) -> tuple[str, ...]:
    """Those of a word or a phrase; nothing else is ever one of several."""
    return what.tokens if isinstance(what, Phrase) else (what.token,) if isinstance(what, Word) else ()


def _written(term: Term) -> str:
    minus = "-" if term.without else ""
    match term.what:
        case Word(_, typed, prefix):
            return f"{minus}{typed}*" if prefix else f"{minus}{typed}"
        case Phrase(words):
            return f'{minus}"{" ".join(words)}"'
        case Field(name, value):
            return f"{minus}{name}:»{value}«" if any(mark in value for mark in _QUOTES) else f'{minus}{name}:"{value}"'
        case Dreamed(start, end):
            return f"{minus}{_nights(start, end)}"


def _nights(start: date | None, end: date | None) -> str:
    if start is None:
        return f"before:{end}"
    if end is None:
        return f"after:{start - timedelta(days=1)}"
    return next(
        f"on:{value}" for value in (f"{start}", f"{start:%Y-%m}", f"{start:%Y}") if _span(value) == (start, end)
    )
