"""Keeps what recurs in dreams: motifs by lemma and type, to be renamed, merged and hidden, and own dream signs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dreamweb.analysis import FoundMotif
from dreamweb.db import session
from dreamweb.errors import Conflict, Invalid, NotFound
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry
from dreamweb.models.motif import EntryMotif, Motif
from dreamweb.words import say

_MOST = 100
"""Characters of a name and of a lemma."""


@dataclass(frozen=True)
class Counted:
    """A motif and in how many entries it is found; those in the trash do not count."""

    motif: Motif
    entries: int


def found(entry: Entry, motifs: Iterable[FoundMotif], engine: str) -> None:
    """Let an entry have these motifs instead of those that an engine has found before. The entry is locked."""
    session().execute(delete(EntryMotif).where(EntryMotif.entry_id == entry.id, EntryMotif.engine.is_not(None)))
    wanted: dict[tuple[str, str], FoundMotif] = {}
    for motif in motifs:
        lemma = motif.lemma[:_MOST].strip()
        if lemma and motif.words:
            wanted.setdefault((motif.type, lemma), motif)
    rows = _rows(entry.account_id, [(kind, lemma, motif.name[:_MOST]) for (kind, lemma), motif in wanted.items()])
    words: dict[UUID, list[str]] = {}
    for key, motif in wanted.items():
        row = rows[key]
        words.setdefault(row.merged_into_id or row.id, []).extend(motif.words)
    _link(entry, words, engine)


def _rows(account_id: UUID, wanted: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str], Motif]:
    """The rows of these types and lemmas; new ones are made, also when another worker makes them meanwhile."""
    if not wanted:
        return {}
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    # In one order everywhere: two who insert the same ones in turns would wait for each other.
    values = [
        {"id": uuid4(), "account_id": account_id, "type": kind, "lemma": lemma, "name": name or lemma}
        for kind, lemma, name in sorted(wanted)
    ]
    session().execute(dialect.insert(Motif).values(values).on_conflict_do_nothing())
    lemmas = {lemma for _, lemma, _ in wanted}
    query = select(Motif).where(Motif.account_id == account_id, Motif.lemma.in_(lemmas))
    rows = {(row.type, row.lemma): row for row in session().scalars(query)}
    return {(kind, lemma): rows[kind, lemma] for kind, lemma, _ in wanted}


def _link(entry: Entry, words: dict[UUID, list[str]], engine: str | None) -> None:
    if not words:
        return
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    values = [
        {"entry_id": entry.id, "motif_id": motif, "words": list(dict.fromkeys(found)), "engine": engine}
        for motif, found in sorted(words.items())
    ]
    session().execute(dialect.insert(EntryMotif).values(values).on_conflict_do_nothing())
    session().expire(entry, ["motifs"])


def signs(account_id: UUID) -> Sequence[Motif]:
    """The dream signs that somebody has named."""
    mine = (Motif.account_id == account_id, Motif.sign, Motif.merged_into_id.is_(None))
    return session().scalars(select(Motif).where(*mine)).all()


def find_signs(entry: Entry, wanted: Mapping[UUID, Sequence[str]], lemmas: Sequence[str], words: Sequence[str]) -> None:
    """Link an entry with the dream signs in it, of each of which the lemmas are given. The entry is locked.

    `lemmas` and `words` of the entry's texts go in step.
    """
    own = (EntryMotif.entry_id == entry.id, EntryMotif.engine.is_(None), EntryMotif.motif_id.in_(list(wanted)))
    session().execute(delete(EntryMotif).where(*own))
    seen = {motif: _occurrences(sign, lemmas, words) for motif, sign in wanted.items() if sign}
    _link(entry, {motif: found for motif, found in seen.items() if found}, None)


def _occurrences(sign: Sequence[str], lemmas: Sequence[str], words: Sequence[str]) -> list[str]:
    length = len(sign)
    places = (at for at in range(len(lemmas) - length + 1) if list(lemmas[at : at + length]) == list(sign))
    return [" ".join(words[at : at + length]) for at in places]


def drop_unjustified(entry: Entry, text: str) -> None:
    """Take away what an engine has found where its words do not occur in the texts any more. The entry is locked."""
    of_engines = (EntryMotif.entry_id == entry.id, EntryMotif.engine.is_not(None))
    for link in session().scalars(select(EntryMotif).where(*of_engines)):
        left = [words for words in link.words if words in text]
        if not left:
            session().delete(link)
        elif left != link.words:
            link.words = left
    session().flush()
    session().expire(entry, ["motifs"])


# --- What people do ---


def every(account: Account, *, hidden: bool = False) -> Sequence[Counted]:
    """All motifs, the most frequent first; with `hidden` those that are not shown otherwise."""
    count = func.count(Entry.id)
    query = (
        select(Motif, count)
        .outerjoin(EntryMotif, EntryMotif.motif_id == Motif.id)
        .outerjoin(Entry, (Entry.id == EntryMotif.entry_id) & Entry.deleted_at.is_(None))
        .where(Motif.account_id == account.id, Motif.merged_into_id.is_(None), Motif.hidden.is_(hidden))
        .group_by(Motif.id)
        .order_by(count.desc(), Motif.name)
    )
    return [Counted(motif, entries) for motif, entries in session().execute(query) if entries or motif.sign]


def get(account: Account, motif_id: UUID, *, lock: bool = False) -> Motif:
    """Raises `NotFound` when there is none, or it belongs to someone else."""
    query = select(Motif).where(Motif.id == motif_id, Motif.account_id == account.id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    motif = session().scalar(query)
    if motif is None:
        raise NotFound(say("There is no such motif."))
    return motif


def rename(account: Account, motif_id: UUID, name: str) -> Motif:
    """Show a motif under another name; it is found by its lemma as before. Raises `NotFound`, `Invalid`."""
    motif = get(account, motif_id, lock=True)
    motif.name = _name(name)
    return motif


def hide(account: Account, motif_id: UUID, hidden: bool) -> Motif:
    """Show a motif nowhere, or again. Raises `NotFound`."""
    motif = get(account, motif_id, lock=True)
    motif.hidden = hidden
    return motif


def merge(account: Account, motif_id: UUID, into_id: UUID) -> Motif:
    """Let one motif count for another from now on, in old and new entries. Raises `NotFound`, `Invalid`."""
    if motif_id == into_id:
        raise Invalid(say("A motif cannot be merged with itself."))
    first, second = sorted([motif_id, into_id])
    both = {row.id: row for row in (get(account, first, lock=True), get(account, second, lock=True))}
    merged, into = both[motif_id], both[into_id]
    if into.merged_into_id:
        raise Invalid(say("That motif was merged itself. Choose the one that it counts for."))
    _merge(merged, into)
    return into


def _merge(merged: Motif, into: Motif) -> None:
    has = select(EntryMotif.entry_id).where(EntryMotif.motif_id == into.id)
    moved = update(EntryMotif).where(EntryMotif.motif_id == merged.id, EntryMotif.entry_id.not_in(has))
    session().execute(moved.values(motif_id=into.id), execution_options={"synchronize_session": False})
    session().execute(delete(EntryMotif).where(EntryMotif.motif_id == merged.id))
    session().execute(update(Motif).where(Motif.merged_into_id == merged.id).values(merged_into_id=into.id))
    merged.merged_into_id = into.id
    if merged.sign:
        into.sign, into.hidden, merged.sign = True, False, False
    session().flush()


def add_sign(account: Account, kind: str, name: str, lemma: str) -> Motif:
    """Name an own dream sign. `lemma` is its name, every word as its lemma. Raises `Invalid`, `Conflict`.

    It is found in an entry by the step *index*, which is to be done again for the old ones.
    """
    name = _name(name)
    lemma = lemma[:_MOST].strip() or name.casefold()
    row = _rows(account.id, [(kind, lemma, name)])[kind, lemma]
    if row.sign:
        raise Conflict(say("This dream sign is there already."))
    if row.merged_into_id:
        raise Conflict(say("A motif of this name was merged with another. Name that one a dream sign."))
    row.sign, row.hidden, row.name = True, False, name
    session().flush()
    return row


def remove_sign(account: Account, motif_id: UUID) -> None:
    """Take away a sign where nobody but the person has found it. Raises `NotFound`."""
    motif = get(account, motif_id, lock=True)
    motif.sign = False
    session().execute(delete(EntryMotif).where(EntryMotif.motif_id == motif.id, EntryMotif.engine.is_(None)))


def set_lemma(motif_id: UUID, lemma: str) -> None:
    """Say by which lemma a sign is found. When an engine has found that motif before, the two become one."""
    sign = session().get(Motif, motif_id, with_for_update=True, populate_existing=True)
    lemma = lemma[:_MOST].strip()
    if sign is None or not lemma or sign.lemma == lemma:
        return
    same = (Motif.account_id == sign.account_id, Motif.type == sign.type, Motif.lemma == lemma)
    if other := session().scalar(select(Motif).where(*same).with_for_update()):
        into = session().get(Motif, other.merged_into_id) if other.merged_into_id else other
        _merge(sign, into or other)
    else:
        sign.lemma = lemma
    session().flush()


def _name(name: str) -> str:
    name = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", name).split())
    if not name or len(name) > _MOST:
        raise Invalid(say("Give it a name of at most 100 characters."), {"name": say("1 to 100 characters")})
    return name
