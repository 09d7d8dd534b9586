"""Lists the tags in use."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from dreamweb import errors, signin, tags
from dreamweb.api import parsing, schemas
from dreamweb.api.openapi import documented

blueprint = Blueprint("tags", __name__, url_prefix="/tags")


@blueprint.get("")
@documented(
    "entries",
    answers={200: schemas.TagList},
    raises=(errors.Unauthenticated, errors.Forbidden, errors.Invalid),
    query=schemas.TagQuery,
)
def list_tags() -> dict[str, Any]:
    """List the tags of entries outside the trash, the most used first."""
    account = signin.caller("read")
    query = parsing.query(schemas.TagQuery)
    found = tags.find(account, prefix=query.prefix, limit=query.limit)
    return schemas.tag_list(found)
