"""Says what a query means as far as that can be compared, and finds the entries that mean nearly the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from dreamweb.db import end_reading, session
from dreamweb.models.embedding import Embedding
from dreamweb.search import dialects, near
from dreamweb.search.conditions import Sought
from dreamweb.search.near import Near
from dreamweb.search.needles import says_little
from dreamweb.search.query import Phrase, Query, Word
from dreamweb.tools import Tools
from dreamweb.words import say

_MOST = 20
"""Entries that are added to those with the words: further ones are seldom what was meant."""


SILENT = say("Only words were looked for: the embedding engine did not say in time what they mean. Try it again.")


@dataclass(frozen=True)
class Meaning:
    """What is looked for as a packed vector, by an engine of this name."""

    engine: str
    vector: bytes


def words(query: Query) -> str:
    """What of a query has a meaning: its words, as they were typed; "" where it has none that says anything.

    A phrase belongs to it, but whoever types nothing else wants just that; and a prefix is no word.
    """
    wanted = [term.what for clause in query.clauses for term in clause if not term.without]
    if not any(isinstance(what, Word) and not what.prefix and not says_little(what) for what in wanted):
        return ""
    said = [_said(what) for what in wanted if isinstance(what, (Word, Phrase))]
    return " ".join(each for each in said if each)


def meant(query: Query, tools: Tools, seconds: float) -> Meaning | None:
    """What a query means, if it means something, and the engine says so within these seconds.

    Where the engine is on another machine, the words of the query go there.
    """
    if not may_be_asked(query, tools):
        return None
    end_reading()  # nothing is held meanwhile
    vector = tools.queries.vector(words(query), seconds)
    return Meaning(tools.engines.embedding.name, vector) if vector else None


def may_be_asked(query: Query, tools: Tools) -> bool:
    """Whether there is an engine that may be asked what a query means, and something to ask."""
    return tools.engines.may_embed(private=False) and bool(words(query))


def nearest(sought: Sought, meaning: Meaning) -> Sequence[Near]:
    """The entries that are nearest to what is meant; what stands beside the words must be fulfilled all the same."""
    exact = [group for group in sought.wanted if not all(needle.forms for needle in group)]
    fitting = dialects.current().fitting(sought.account.id, exact, sought.unwanted) if exact or sought.unwanted else ()
    conditions = (*fitting, *sought.conditions)
    found = near.nearest(sought.account.id, meaning.engine, meaning.vector, conditions)
    return [each for each in found if each.unusual >= near.UNUSUAL][:_MOST]


def passages(hits: Sequence[UUID], meaning: Meaning) -> Mapping[UUID, tuple[int, int]]:
    """Where in the text of each of these entries that is said which is nearest to what is meant."""
    query = select(Embedding).where(Embedding.entry_id.in_(hits), Embedding.engine == meaning.engine)
    rows = session().scalars(query.where(Embedding.dimensions == len(meaning.vector)))
    return {row.entry_id: near.passage(row, meaning.vector) for row in rows}


def _said(what: Word | Phrase) -> str:
    if isinstance(what, Phrase):
        return " ".join(what.tokens)
    return "" if what.prefix else what.typed
