"""Lists, makes and revokes one's own tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint

from dreamweb import accounts, errors, signin
from dreamweb.api import parsing, schemas
from dreamweb.api.openapi import ERROR, documented
from dreamweb.db import transaction

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")

_WHO = (errors.Unauthenticated, errors.Forbidden)


@blueprint.get("")
@documented(
    "tokens",
    answers={200: schemas.TokenList},
    raises=(*_WHO, errors.Malformed, errors.Invalid),
    query=schemas.PageQuery,
)
def list_tokens() -> dict[str, Any]:
    """List one's own tokens, oldest first; the secrets themselves are not kept."""
    account = signin.caller("write")
    query = parsing.query(schemas.PageQuery)
    tokens, cursor = accounts.tokens(account, limit=query.limit, cursor=query.cursor)
    return {"items": [schemas.token_out(token) for token in tokens], "next_cursor": cursor}


@blueprint.post("")
@signin.slowed_by_address
@signin.slowed_by_account
@documented(
    "tokens",
    answers={201: schemas.TokenMade},
    raises=(*_WHO, errors.Malformed, errors.TooLarge, errors.Invalid),
    json=schemas.NewToken,
    security=[{"token": []}, {"password": []}],
    extra={
        "responses": {
            "429": {
                "description": "`RATE_LIMITED`: too many wrong passwords",
                "content": {"application/json": {**ERROR}},
            }
        }
    },
)
def create_token() -> tuple[dict[str, Any], int]:
    """Make a token; it is shown this once.

    A device without any token yet may send the account's name and password as HTTP Basic, here only.
    """
    account = signin.caller_by_password() if signin.by_password_only() else signin.caller("write")
    wanted = parsing.body(schemas.NewToken)
    with transaction():
        token, secret = accounts.add_token(account, wanted.name, wanted.scopes, wanted.expires_at)
    return schemas.token_made(token, secret), 201


@blueprint.delete("/<uuid:token_id>")
@documented("tokens", answers={204: None}, raises=(*_WHO, errors.NotFound))
def revoke_token(token_id: UUID) -> tuple[str, int]:
    """Revoke a token: whatever carries it is shut out at once."""
    account = signin.caller("write")
    with transaction():
        token = accounts.revoke_token(account, token_id)
    signin.forget(token.token_hash)
    return "", 204
