"""Searches a journal, and finds the dreams that are like another."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint
from pydantic import BaseModel, Field

from dreamweb import errors, profile, signin
from dreamweb.api import parsing, schemas, tools
from dreamweb.api.openapi import documented
from dreamweb.search import conditions, finding, meaning, query, results, suggestions

blueprint = Blueprint("search", __name__, url_prefix="/search")

_PATIENCE = 5.0
"""Seconds that an embedding engine has to say what a query means: it may have to load its model first."""


class SearchQuery(schemas.ListQuery):
    """What to search for, which entries, and how many at a time."""

    q: str = Field(
        default="",
        max_length=10_000,
        description='Words in any form, "exact phrases", -without, prefix*, a OR b, tag:, mood:, motif:, kind:, '
        "before:, after:, on:, has:audio, is:private. What is not understood is taken as words, and said in `notes`.",
    )
    sort: Literal["relevance", "time"] = "relevance"
    meaning: bool = Field(
        default=True,
        description="Also find entries that mean nearly the same, by relevance, where there is an embedding engine.",
    )
    trash: Literal[False] = Field(default=False, description="The trash is not searched.")


class Piece(BaseModel):
    text: str
    match: bool = Field(description="Whether it is what was looked for.")


class SearchResult(BaseModel):
    entry: schemas.EntryOut
    score: float = Field(description="How well it fits, beside the others of the same search.")
    title: list[Piece]
    snippet: list[Piece]
    at_seconds: float | None = Field(description="When something that was looked for is heard first in the recording.")
    by_meaning: bool = Field(description="It has not the words; the snippet is what is nearest to what they mean.")


class SearchPage(BaseModel):
    items: list[SearchResult]
    total: int = Field(description="How many entries fit; on later pages sorted by time, 0.")
    more: bool = Field(description="Whether there are more than `total`: of very many, only the newest are ranked.")
    suggestion: str | None = Field(description="The search that was probably meant, when words of this one are rare.")
    notes: list[str] = Field(description="What was not understood, for people.")
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last.")


@blueprint.get("")
@documented(
    "search",
    answers={200: SearchPage},
    raises=(errors.Unauthenticated, errors.Forbidden, errors.Malformed, errors.Invalid),
    query=SearchQuery,
)
def search() -> dict[str, Any]:
    """Search the entries outside the trash.

    Words are found in every form, in Slovenian and English, with or without diacritics. An embedding engine that does
    not answer within seconds is not waited for: then only words are found, and `notes` says so.
    """
    account = signin.caller("read")
    asked = parsing.query(SearchQuery)
    typed = query.parse(asked.q)
    asks = asked.meaning and asked.sort == "relevance" and meaning.may_be_asked(typed, tools())
    if asked.cursor and asks:  # a list goes on as it has begun
        asks = finding.is_merged(asked.cursor)
    meant = meaning.meant(typed, tools(), _PATIENCE) if asks else None
    sought = conditions.seek(account, typed, asked, profile.zone(account.time_zone))
    near = meaning.nearest(sought, meant) if meant else None
    found = finding.find(sought, sort=asked.sort, limit=asked.limit, cursor=asked.cursor, near=near)
    return {
        "items": [_result(each) for each in results.results(sought, found.hits, meant)],
        "total": found.total,
        "more": found.more,
        "suggestion": None if asked.cursor else suggestions.suggest(account, typed),
        "notes": [*typed.notes, *([] if meant or not asks else [meaning.SILENT])],
        "next_cursor": found.next_cursor,
    }


def _result(found: results.Result) -> dict[str, Any]:
    return {
        "entry": schemas.entry_out(found.entry, tools().storage),
        "score": found.score,
        "title": [{"text": piece.text, "match": piece.match} for piece in found.title],
        "snippet": [{"text": piece.text, "match": piece.match} for piece in found.snippet],
        "at_seconds": found.at_seconds,
        "by_meaning": found.by_meaning,
    }
