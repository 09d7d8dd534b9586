"""Says what was probably meant, where a word was typed that is in no entry, by the words that are in some."""

from __future__ import annotations

from dataclasses import replace

from dreamweb import vocabulary
from dreamweb.db import session
from dreamweb.models.account import Account
from dreamweb.search import dialects
from dreamweb.search.folding import fold, tokens
from dreamweb.search.needles import needle, says_little
from dreamweb.search.query import Phrase, Query, Term, Word, unparse

_SHORTEST = 3
_LONG = 6
"""Letters from which on two mistakes are forgiven, not one."""

_MOST_WORDS = 4
"""Words of one search that are looked up."""

_MOST_CANDIDATES = 8
_COUNTED = 50


def suggest(account: Account, query: Query) -> str | None:
    """The same search with words that occur in place of those that do not; None when there is nothing to mend."""
    unknown = [term.what for clause in query.clauses for term in clause if _is_unknown(account, term)]
    meant = {word: _meant(account, word) for word in unknown[:_MOST_WORDS] if isinstance(word, Word)}
    if not any(meant.values()):
        return None
    clauses = tuple(tuple(_mended(term, meant) for term in clause) for clause in query.clauses)
    return unparse(replace(query, clauses=clauses))


def _is_unknown(account: Account, term: Term) -> bool:
    if not isinstance(term.what, Word) or term.without or term.what.prefix or len(term.what.token) < _SHORTEST:
        return False
    return not _entries(account, term.what)


def _mended(term: Term, meant: dict[Word, Word | None]) -> Term:
    better = meant.get(term.what) if isinstance(term.what, Word) else None
    return replace(term, what=better) if better else term


def _meant(account: Account, word: Word) -> Word | None:
    """The nearest word that occurs in an entry; of several, the one that occurs in most."""
    from rapidfuzz import process  # noqa: PLC0415 -- memory that only mistyped words need
    from rapidfuzz.distance import OSA  # noqa: PLC0415

    length, most = len(word.token), 2 if len(word.token) >= _LONG else 1
    known = vocabulary.of_length(account.id, length - most, length + most)
    folded = [fold(each) for each in known]
    near = process.extract(word.token, folded, scorer=OSA.distance, score_cutoff=most, limit=None)
    ranked = sorted((_unlike(word.token, each, distance), known[at]) for each, distance, at in near)
    candidates = [(unlike, Word(tokens(each)[0], each)) for unlike, each in ranked[:_MOST_CANDIDATES]]
    # Words stay in the vocabulary when their last entry is deleted: only what stands in one, as it is, is suggested.
    counted = [(unlike, -_entries(account, Phrase((each.token,))), each.typed, each) for unlike, each in candidates]
    found = min((each for each in counted if each[1]), default=None)
    return found[-1] if found else None


def _unlike(typed: str, known: str, distance: int) -> tuple[int, bool, bool]:
    """By how many mistakes; whether letters are others, not only in another order; whether it says little."""
    return distance, sorted(typed) != sorted(known), says_little(Word(known, known))


def _entries(account: Account, what: Word | Phrase) -> int:
    return session().scalar(dialects.current().occurs_in(account.id, needle(what), _COUNTED)) or 0
