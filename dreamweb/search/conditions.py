"""Turns what was typed, and the filters beside it, into what the database is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, not_, or_, select

from dreamweb import entries, nights
from dreamweb.db import session
from dreamweb.details import Filters
from dreamweb.models.account import Account
from dreamweb.models.attachment import Attachment
from dreamweb.models.entry import Entry, Tag, entry_tags
from dreamweb.models.motif import EntryMotif, Motif
from dreamweb.search import dialects
from dreamweb.search.folding import fold
from dreamweb.search.needles import Needle, needle, says_little
from dreamweb.search.query import Dreamed, Field, Phrase, Query, Term, Word


@dataclass(frozen=True)
class Sought:
    """What is looked for: of every group in `wanted` one needle, none of the `unwanted`, and what fulfils `conditions`.

    `needles` are all words that are wanted anywhere: they are what is marked in the texts found.
    """

    account: Account
    wanted: tuple[tuple[Needle, ...], ...]
    unwanted: tuple[Needle, ...]
    conditions: tuple[ColumnElement[bool], ...]
    needles: tuple[Needle, ...]


def seek(account: Account, query: Query, filters: Filters, zone: ZoneInfo, *, typing: bool = False) -> Sought:
    """Prepare a search. Dates are nights in `zone`. While somebody is `typing`, the last word may go on."""
    wanted: list[tuple[Needle, ...]] = []
    unwanted: list[Needle] = []
    conditions = entries.narrowed(account, filters)  # nothing of the trash is in the index
    little = _saying_little(query)
    last = query.clauses[-1][-1] if query.clauses else None
    for clause in query.clauses:
        needles = [_needle(term, typing and term is last) for term in clause]
        if len(clause) == 1 and not clause[0].without and clause[0] in little:
            continue
        if all(each is not None and not term.without for each, term in zip(needles, clause, strict=True)):
            wanted.append(tuple(each for each in needles if each is not None))
        elif len(clause) == 1 and needles[0] is not None:
            unwanted.append(needles[0])
        else:
            # Words and fields in one: it narrows what is found, and does not count for how well that fits.
            conditions.append(or_(*(_condition(account, zone, *each) for each in zip(clause, needles, strict=True))))
    named = [term for clause in query.clauses for term in clause if not term.without]
    words = [each for term in named if (each := _needle(term, typing and term is last))]
    return Sought(account, tuple(wanted), tuple(unwanted), tuple(conditions), tuple(words))


def _saying_little(query: Query) -> set[Term]:
    """Words that need not be there, for others say more: who remembers a dream may remember *with* for *without*."""
    words = {term for clause in query.clauses for term in clause if isinstance(term.what, (Word, Phrase))}
    little = {term for term in words if isinstance(term.what, Word) and not term.without and says_little(term.what)}
    return little if any(not term.without for term in words - little) else set()


def _needle(term: Term, typing: bool) -> Needle | None:
    return needle(term.what, open_end=typing) if isinstance(term.what, (Word, Phrase)) else None


def _condition(account: Account, zone: ZoneInfo, term: Term, sought: Needle | None) -> ColumnElement[bool]:
    if sought is not None:
        condition = dialects.current().has(account.id, sought)
    elif isinstance(term.what, Dreamed):
        condition = _dreamed(term.what, zone)
    elif isinstance(term.what, Field):
        condition = _field(account, term.what)
    else:
        condition = false()
    return not_(condition) if term.without else condition


def _dreamed(span: Dreamed, zone: ZoneInfo) -> ColumnElement[bool]:
    return and_(
        *([Entry.dreamed_at >= nights.begins(span.start, zone)] if span.start else []),
        *([Entry.dreamed_at < nights.begins(span.end, zone)] if span.end else []),
    )


def _field(account: Account, field: Field) -> ColumnElement[bool]:
    match field.name, field.value:
        case "tag", value:
            return _tagged(account, value)
        case "motif", value:
            return _with_motif(account, value)
        case "mood", value:
            return found_mood().in_(_same(session().scalars(_moods(account)), value))
        case "kind", value:
            return Entry.kind == value
        case "has", "audio":
            return Entry.file_path.is_not(None)
        case "has", "text":
            return or_(Entry.text.is_not(None), Entry.transcription.is_not(None))
        case "has", "attachment":
            return exists().where(Attachment.entry_id == Entry.id)
        case "is", "private":
            return Entry.private.is_(True)
    return false()


def found_mood() -> ColumnElement[str | None]:
    """What the person says of their mood, else what was understood of it."""
    return func.coalesce(Entry.mood, Entry.analysis["mood"].as_string())


def _moods(account: Account) -> Select[Any]:
    mood = found_mood()
    return select(mood).where(Entry.account_id == account.id, Entry.deleted_at.is_(None), mood.is_not(None)).distinct()


def _tagged(account: Account, value: str) -> ColumnElement[bool]:
    names = session().scalars(select(Tag.name).where(Tag.account_id == account.id))
    tags = select(Tag.id).where(Tag.account_id == account.id, Tag.name.in_(_same(names, value)))
    return Entry.id.in_(select(entry_tags.c.entry_id).where(entry_tags.c.tag_id.in_(tags)))


def _with_motif(account: Account, value: str) -> ColumnElement[bool]:
    """By its name or its lemma, also those of motifs that were merged into it."""
    rows = session().execute(
        select(Motif.name, Motif.lemma, func.coalesce(Motif.merged_into_id, Motif.id)).where(
            Motif.account_id == account.id, Motif.hidden.is_(False)
        )
    )
    ids = [motif for name, lemma, motif in rows if fold(value) in (fold(name), fold(lemma))]
    return Entry.id.in_(select(EntryMotif.entry_id).where(EntryMotif.motif_id.in_(ids)))


def _same(names: Iterable[str], value: str) -> list[str]:
    """Those names that are the value but for diacritics and case."""
    return [name for name in names if fold(name) == fold(value)]
