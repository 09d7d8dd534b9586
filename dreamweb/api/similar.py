"""Finds the dreams that are like another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from dreamweb import entries, errors, signin
from dreamweb.api import parsing, schemas, tools
from dreamweb.api.openapi import documented
from dreamweb.search import similar

blueprint = Blueprint("similar", __name__, url_prefix="/entries")


class SimilarQuery(BaseModel):
    """How many."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=10, ge=1, le=50)


class SimilarEntry(BaseModel):
    entry: schemas.EntryOut
    score: float = Field(description="How much it is like the entry, beside the others of the same list.")
    shared: list[str] = Field(
        description="What they share, the rarest first: names of motifs, then words in their dictionary form."
    )
    by_meaning: bool = Field(description="Whether they mean nearly the same, as an embedding engine has it.")


class SimilarList(BaseModel):
    items: list[SimilarEntry]


@blueprint.get("/<uuid:entry_id>/similar")
@documented(
    "search",
    answers={200: SimilarList},
    raises=(errors.Unauthenticated, errors.Forbidden, errors.NotFound, errors.Invalid),
    query=SimilarQuery,
)
def find_similar(entry_id: UUID) -> dict[str, Any]:
    """Find the entries that share rare motifs and rare words with one, the likest first.

    Where an embedding engine has read them, also those that mean nearly the same. Without any that does, the list is
    empty; also while the entry was not processed yet.
    """
    account = signin.caller("read")
    found = {like.entry_id: like for like in similar.to(account, entry_id, parsing.query(SimilarQuery).limit)}
    return {
        "items": [
            {
                "entry": schemas.entry_out(entry, tools().storage),
                "score": found[entry.id].score,
                "shared": [each.name for each in found[entry.id].shared],
                "by_meaning": found[entry.id].by_meaning,
            }
            for entry in entries.several(account, list(found))
        ]
    }
