"""Keeps what recurs in dreams: motifs by lemma and type, to be renamed, merged and hidden, and own dream signs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

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
    _hold(entry.account_id)
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


def _hold(account_id: UUID) -> None:
    """Nobody else writes the motifs of this account, nor where they are found, until the transaction ends.

    Who links an entry and who merges would else wait for each other's rows, or not see what the other has just done.
    """
    # Not a full lock: with that, nobody could write an entry of this account meanwhile.
    # https://www.postgresql.org/docs/17/explicit-locking.html#LOCKING-ROWS
    session().execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))


def _rows(account_id: UUID, wanted: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str], Motif]:
    """The rows of these types and lemmas; new ones are made. The account's motifs are held."""
    if not wanted:
        return {}
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    values = [
        {"id": uuid4(), "account_id": account_id, "type": kind, "lemma": lemma, "name": name or lemma}
        for kind, lemma, name in wanted
    ]
    session().execute(dialect.insert(Motif).values(values).on_conflict_do_nothing())
    lemmas = {lemma for _, lemma, _ in wanted}
    query = select(Motif).where(Motif.account_id == account_id, Motif.lemma.in_(lemmas))
    found = session().scalars(query.execution_options(populate_existing=True))
    rows = {(row.type, row.lemma): row for row in found}
    return {(kind, lemma): rows[kind, lemma] for kind, lemma, _ in wanted}


def _link(entry: Entry, words: Mapping[UUID, Sequence[str]], engine: str | None) -> None:
    """What both have found is the engine's: it stays when the person's own sign is taken away."""
    if not words:
        return
    dialect = sqlite if session().get_bind().dialect.name == "sqlite" else postgresql
    values = [
        {"entry_id": entry.id, "motif_id": motif, "words": list(dict.fromkeys(found)), "engine": engine}
        for motif, found in words.items()
    ]
    insert = dialect.insert(EntryMotif).values(values)
    if engine is None:
        insert = insert.on_conflict_do_nothing()
    else:
        better = {"words": insert.excluded.words, "engine": insert.excluded.engine}
        insert = insert.on_conflict_do_update(index_elements=["entry_id", "motif_id"], set_=better)
    session().execute(insert)
    session().expire(entry, ["motifs"])


def signs(account_id: UUID) -> Mapping[UUID, frozenset[str]]:
    """The dream signs that somebody has named, and by what each is looked for.

    That is its lemma, which a new name does not change, its name, and those of all that were merged with it.
    """
    sign = aliased(Motif)
    query = (
        select(sign.id, Motif.lemma, Motif.name)
        .join(sign, sign.id == func.coalesce(Motif.merged_into_id, Motif.id))
        .where(sign.account_id == account_id, sign.sign)
    )
    found: dict[UUID, set[str]] = {}
    for motif, lemma, name in session().execute(query):
        found.setdefault(motif, set()).update((lemma, name))
    return {motif: frozenset(names) for motif, names in found.items()}


def find_signs(
    entry: Entry,
    wanted: Mapping[UUID, Collection[tuple[str, ...]]],
    lemmas: Sequence[str],
    words: Sequence[str],
) -> None:
    """Link an entry with the dream signs in it; each is wanted by one or more phrases of lemmas. The entry is locked.

    `lemmas` and `words` of the entry's texts go in step.
    """
    _hold(entry.account_id)
    still = signs(entry.account_id)  # while the lemmas were made, signs may have been named, merged and taken away
    own = (EntryMotif.entry_id == entry.id, EntryMotif.engine.is_(None))
    new = still.keys() - wanted.keys()
    session().execute(delete(EntryMotif).where(*own, EntryMotif.motif_id.not_in(list(new))))
    query = select(Motif.id, Motif.merged_into_id).where(Motif.id.in_(list(wanted)))
    counts_for = {motif: into or motif for motif, into in session().execute(query)}
    places: dict[str, list[int]] = {}
    for at, lemma in enumerate(lemmas):
        places.setdefault(lemma, []).append(at)
    seen: dict[UUID, list[str]] = {}
    for motif, phrases in wanted.items():
        found = _occurrences(phrases, places, lemmas, words)
        if found and counts_for.get(motif) in still:
            seen.setdefault(counts_for[motif], []).extend(found)
    _link(entry, seen, None)


def _occurrences(
    phrases: Collection[tuple[str, ...]],
    places: Mapping[str, Sequence[int]],
    lemmas: Sequence[str],
    words: Sequence[str],
) -> list[str]:
    ends = {
        (at, at + len(phrase))
        for phrase in phrases
        for at in (places.get(phrase[0], ()) if phrase else ())
        if tuple(lemmas[at : at + len(phrase)]) == phrase
    }
    return [" ".join(words[at:end]) for at, end in sorted(ends)]


def drop_unjustified(entry: Entry, text: str) -> None:
    """Take away what an engine has found where its words do not occur in the texts any more. The entry is locked."""
    _hold(entry.account_id)
    of_engines = (EntryMotif.entry_id == entry.id, EntryMotif.engine.is_not(None))
    query = select(EntryMotif).where(*of_engines).execution_options(populate_existing=True)
    for link in session().scalars(query).all():
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
    """Raises `NotFound` when there is none, or it belongs to someone else. With `lock` its motifs are held."""
    query = select(Motif).where(Motif.id == motif_id, Motif.account_id == account.id)
    if lock:
        _hold(account.id)
        query = query.execution_options(populate_existing=True)
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
    merged, into = get(account, motif_id, lock=True), get(account, into_id, lock=True)
    if into.merged_into_id:
        raise Invalid(say("That motif was merged itself. Choose the one that it counts for."))
    _merge(merged, into)
    return into


def _merge(merged: Motif, into: Motif) -> None:
    """The account's motifs are held."""
    # Where both are found, what an engine has found counts more.
    by_engine = select(EntryMotif.entry_id).where(EntryMotif.motif_id == merged.id, EntryMotif.engine.is_not(None))
    lesser = (EntryMotif.motif_id == into.id, EntryMotif.engine.is_(None), EntryMotif.entry_id.in_(by_engine))
    session().execute(delete(EntryMotif).where(*lesser), execution_options={"synchronize_session": False})
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
    _hold(account.id)
    row = _rows(account.id, [(kind, lemma, name)])[kind, lemma]
    if row.sign:
        raise Conflict(say("This dream sign is there already."))
    if row.merged_into_id:
        raise Conflict(say("A motif of this name was merged with another. Name that one a dream sign."))
    row.sign, row.hidden, row.name = True, False, name
    session().flush()
    return row


def remove_sign(account: Account, motif_id: UUID) -> None:
    """Look for a sign no longer; what an engine has found of it stays. Raises `NotFound`."""
    motif = get(account, motif_id, lock=True)
    motif.sign = False
    session().execute(delete(EntryMotif).where(EntryMotif.motif_id == motif.id, EntryMotif.engine.is_(None)))


def set_lemma(motif_id: UUID, lemma: str) -> None:
    """Say by which lemma a sign is found. When an engine has found that motif before, the two become one."""
    lemma = lemma[:_MOST].strip()
    account_id = session().scalar(select(Motif.account_id).where(Motif.id == motif_id))
    if account_id is None or not lemma:
        return
    _hold(account_id)
    sign = session().get(Motif, motif_id, populate_existing=True)
    if sign is None or not sign.sign or sign.lemma == lemma:
        return
    same = (Motif.account_id == account_id, Motif.type == sign.type, Motif.lemma == lemma)
    other = session().scalar(select(Motif).where(*same).execution_options(populate_existing=True))
    if other is None:
        sign.lemma = lemma
    elif other.merged_into_id != sign.id:  # else the two are one already
        _merge(sign, session().get_one(Motif, other.merged_into_id or other.id, populate_existing=True))
    session().flush()


def _name(name: str) -> str:
    name = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", name).split())
    if not name or len(name) > _MOST:
        raise Invalid(say("Give it a name of at most 100 characters."), {"name": say("1 to 100 characters")})
    return name
