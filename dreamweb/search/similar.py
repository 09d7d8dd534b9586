"""Finds the dreams that are like one: those that share with it what few others have, motifs and words in any form.

Where an embedding engine has read them, also those that mean nearly the same.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import and_, func, literal, select
from sqlalchemy.orm import aliased

from dreamweb import vectors, versions
from dreamweb.adapters import forms
from dreamweb.db import session
from dreamweb.errors import NotFound
from dreamweb.models.account import Account
from dreamweb.models.embedding import Embedding
from dreamweb.models.entry import Entry
from dreamweb.models.motif import EntryMotif, Motif
from dreamweb.search import near
from dreamweb.search.folding import tokens
from dreamweb.search.fusing import reciprocal
from dreamweb.search.sharing import documents, sharing
from dreamweb.words import say

_COMMON = 200
"""Entries: what is in more than these is common in the largest journal."""

_SHARE = 0.15
"""Of the entries of a journal: what is in more than these is common in this one."""

_FEW = 3
"""Entries: what is in no more than these is rare in the smallest journal."""

_COUNTED = 20_000
"""Entries of a journal that are counted at most."""

_LOOKED_UP = 80
"""Words of a text of which it is found out how rare they are."""

_RAREST = 15
"""Words of a text by which others are looked for."""

_WORD = 0.5
"""What a word counts beside a motif that is as rare: it may be there by chance."""

_LENGTH = 0.4
"""How much it counts against a text that it is long: such a one has a little of everything."""

_COMPARED = 50
"""Entries that share most, of which the likest are found."""

_MEANING = 0.5
"""What a rank by meaning counts: few models tell two tellings of one dream from two dreams as well as rare words do."""

_SHORTEST = 3

_STEM = 4
"""Letters of a lemma that stay in all of its forms, at least."""

# What is in every third dream, and says nothing of it; in a young journal no count can tell that yet.
_EVERYDAY_WORDS = """
again all also always another around away back because become begin behind call can come dream end even every
everything feel few find first get give go good happen hold keep know last let little long look lot make many
maybe more much never new nothing now old once only other people perhaps put really remember same say see seem
show side sit some somebody someone something somehow sort stand start stay stop still suddenly take tell thing
think time too try turn two three very wake walk want way well without
ampak biti cel čas čisto dati dobiti dober drug drugi dva en enkrat gledati govoriti hoteti imeti iskati iti kar
ko lahko majhen mali mogoče morati moči moj naš najti naenkrat nekaj nihče nič nov okrog okoli oni ostati pogledati
poln postati praviti prav preveč priti prvi reči res sam samo sanja sanjati še spet spomniti stati star stvar šele
tak tako tri tudi večji velik vedeti ves videti vedno vsak vprašati zbuditi začeti zadnji zdaj zdeti že
"""
_EVERYDAY = frozenset(_EVERYDAY_WORDS.split())


@dataclass(frozen=True)
class Shared:
    """What two entries share: a motif by its name, or a word by its lemma, which is no motif."""

    name: str
    motif: UUID | None


@dataclass(frozen=True)
class Like:
    """An entry that is like another, and what they share: motifs, then words, the rarest first.

    One that is like it `by_meaning` may share no word. The score says something only beside those of the same list.
    """

    entry_id: UUID
    score: float
    shared: Sequence[Shared]
    by_meaning: bool = False


@dataclass(frozen=True)
class _Trait:
    """A motif or a word of the entry, how much it counts, and the other entries that have it.

    `tokens` are the folded words that are this motif, or the one lemma.
    """

    shown: Shared
    weight: float
    entries: frozenset[UUID]
    tokens: frozenset[str]


def to(account: Account, entry_id: UUID, limit: int) -> list[Like]:
    """The entries outside the trash that are like this one, the likest first; none where nothing rare is shared.

    Raises `NotFound`. Nine statements at most, whatever is in the journal.
    """
    likes = _sharing(account, entry_id)
    near = _near(account, entry_id)
    return (_merged(likes, near) if near else likes)[:limit]


def _sharing(account: Account, entry_id: UUID) -> list[Like]:
    """Those that share something rare with it: it counts by how rare, as BM25 has it, and less for a long text."""
    lemmas, size = _read(account, entry_id)
    most = min(_COMMON, max(_FEW, int(size * _SHARE)))
    motifs, hidden = _motifs(entry_id, most, size)
    content = _content(lemmas, hidden)
    words = _words(account.id, entry_id, content, most, size) if content else []
    scores: dict[UUID, float] = {}
    shared: dict[UUID, list[_Trait]] = {}
    for trait in sorted(motifs, key=_rarest_first) + sorted(words, key=_rarest_first):
        for other in trait.entries:
            known = shared.setdefault(other, [])
            if not any(_are_one(trait, each) for each in known):
                known.append(trait)
                scores[other] = scores.get(other, 0.0) + trait.weight
    nearest = sorted(scores, key=lambda each: (-scores[each], each.int))[:_COMPARED]
    return [
        Like(other, score, tuple(trait.shown for trait in shared[other]))
        for other, score in _by_length({each: scores[each] for each in nearest}, len(lemmas), account)
    ]


def _near(account: Account, entry_id: UUID) -> list[UUID]:
    """Those that mean nearly the same, the nearest first."""
    row = session().get(Embedding, entry_id)
    if row is None or not row.dimensions:
        return []
    size = row.dimensions
    middle = vectors.middle(row.vectors[start : start + size] for start in range(0, len(row.vectors), size))
    found = near.nearest(account.id, row.engine, middle)
    return [each.entry_id for each in found if each.unusual >= near.UNUSUAL and each.entry_id != entry_id][:_COMPARED]


def _merged(likes: Sequence[Like], near: Sequence[UUID]) -> list[Like]:
    """Both lists in one, by reciprocal rank."""
    by_id = {like.entry_id: like for like in likes} | {
        each: Like(each, 0.0, ()) for each in near if each not in {like.entry_id for like in likes}
    }
    scores = reciprocal([[like.entry_id for like in likes], near], (1.0, _MEANING))
    merged = [replace(like, score=scores[entry_id], by_meaning=entry_id in near) for entry_id, like in by_id.items()]
    return sorted(merged, key=lambda like: (-like.score, like.entry_id.int))


def _read(account: Account, entry_id: UUID) -> tuple[str, int]:
    """The lemmas of an entry, and how many entries its journal has, counted to a bound."""
    every = select(literal(1)).where(Entry.account_id == account.id).limit(_COUNTED).subquery()
    size = select(func.count()).select_from(every).scalar_subquery()
    query = select(Entry.lemmas, size).where(
        Entry.id == entry_id, Entry.account_id == account.id, Entry.deleted_at.is_(None)
    )
    row = session().execute(query).first()
    if row is None:
        raise NotFound(say("There is no such entry."))
    return versions.lemmas_of_texts(row[0]), row[1]


def _motifs(entry_id: UUID, most: int, size: int) -> tuple[list[_Trait], frozenset[str]]:
    """The rare motifs of an entry that are shown, and the folded words of those that are hidden."""
    of_any, other = aliased(EntryMotif), aliased(EntryMotif)
    common = select(literal(1)).where(of_any.motif_id == Motif.id).offset(most).limit(1).exists()
    mine = (
        select(Motif.id, Motif.name, Motif.lemma, Motif.hidden, EntryMotif.words, common.label("common"))
        .join(EntryMotif, EntryMotif.motif_id == Motif.id)
        .where(EntryMotif.entry_id == entry_id)
        .cte("mine")
        .prefix_with("MATERIALIZED")  # else it is counted anew for every row that is joined
    )
    # By the index, which has none that are in the trash: the rows of entries are long.
    in_index = select(literal(1)).where(documents.c.entry_id == other.entry_id).exists()
    rare = and_(other.motif_id == mine.c.id, ~mine.c.hidden, ~mine.c.common, in_index)
    found: dict[UUID, set[UUID]] = {}
    rows = {}
    for row in session().execute(select(mine, other.entry_id.label("entry_id")).outerjoin(other, rare)):
        rows[row.id] = row
        found.setdefault(row.id, set()).add(row.entry_id)
    traits, hidden = [], set[str]()
    for motif, row in rows.items():
        if row.hidden:
            hidden.update(tokens(f"{row.lemma} {row.name}"))
        elif entries := found[motif] - {None, entry_id}:
            of_it = frozenset(tokens(" ".join((row.lemma, row.name, *row.words))))
            weight = _rarity(len(entries) + 1, size)
            traits.append(_Trait(Shared(row.name, motif), weight, frozenset(entries), of_it))
    return traits, frozenset(hidden)


def _content(lemmas: str, hidden: Iterable[str]) -> dict[str, str]:
    """The words that may say what a dream is about, as they are in the index, and the lemma that each is.

    Of a long text, those on which it spends most letters.
    """
    left_out = forms.function_words() | _EVERYDAY
    often: Counter[str] = Counter()
    shown: dict[str, str] = {}
    for lemma in lemmas.split():
        if len(lemma) >= _SHORTEST and lemma.isalpha() and lemma not in left_out:
            for token in tokens(lemma):
                often[token] += 1
                shown.setdefault(token, lemma)
    for token in hidden:
        often.pop(token, None)
    chosen = sorted(often, key=lambda token: (-often[token] * len(token), token))[:_LOOKED_UP]
    return {token: shown[token] for token in chosen}


def _words(account_id: UUID, entry_id: UUID, content: Mapping[str, str], most: int, size: int) -> list[_Trait]:
    found: dict[str, set[UUID]] = {}
    counts: dict[str, int] = {}
    for lemma, count, other in sharing(account_id, list(content), most, _RAREST):
        counts[lemma] = count
        if other != entry_id:
            found.setdefault(lemma, set()).add(other)
    return [
        _Trait(
            Shared(content[lemma], None), _WORD * _rarity(counts[lemma], size), frozenset(entries), frozenset((lemma,))
        )
        for lemma, entries in found.items()
    ]


def _are_one(trait: _Trait, known: _Trait) -> bool:
    """Whether a trait is what is known already: *lifts* are no second thing beside the motif *lift*."""
    if known.shown.motif is None:
        return False
    if trait.shown.motif:
        return not trait.tokens.isdisjoint(known.tokens)
    [lemma] = trait.tokens
    stem = lemma[: max(_STEM, len(lemma) - 2)]
    return any(token.startswith(stem) for token in known.tokens)


def _rarity(having: int, size: int) -> float:
    """The inverse document frequency, as BM25 has it; never below 0."""
    return math.log(1 + (max(size, having) - having + 0.5) / (having + 0.5))


def _rarest_first(trait: _Trait) -> tuple[float, str]:
    return -trait.weight, trait.shown.name


def _by_length(scores: Mapping[UUID, float], own: int, account: Account) -> list[tuple[UUID, float]]:
    """The entries again, the likest first, when it counts how long they are beside the others."""
    length = func.length(func.coalesce(Entry.lemmas, ""))
    query = select(Entry.id, Entry.dreamed_at, length).where(
        Entry.id.in_(scores), Entry.account_id == account.id, Entry.deleted_at.is_(None)
    )
    rows = session().execute(query).all()
    usual = (own + sum(chars for _, _, chars in rows)) / (len(rows) + 1)
    ranked = [
        (scores[other] / (1 - _LENGTH + _LENGTH * chars / max(usual, 1)), moment, other)
        for other, moment, chars in rows
    ]
    return [(other, score) for score, _, other in sorted(ranked, reverse=True)]
