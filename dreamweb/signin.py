"""Works out who is asking: by bearer token, or by name and password where those are asked for."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import Authorization

from dreamweb import accounts, log
from dreamweb.db import end_reading, is_away, now, session, transaction
from dreamweb.errors import Forbidden, Unauthenticated
from dreamweb.models.account import Account, Token

logger = log.Logger(__name__)

# Only failures count, so that nobody is slowed down by using their journal much. Wrong tokens are not counted:
# 256 random bits cannot be guessed, and a forgotten device must not block the others behind the same address.
_ATTEMPTS = "10 per 5 minutes"

limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=True)


@dataclass(frozen=True)
class _Remembered:
    account: Account
    scopes: frozenset[str]
    until: datetime


class _Memory:
    """Who used which token lately, for the time when the database is away and a recording is sent.

    A recording is kept then for an account whose token was good less than an hour ago.
    """

    _SIZE = 256
    _AGE = timedelta(hours=1)

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Remembered] = OrderedDict()

    def keep(self, token: Token) -> None:
        self._known.pop(token.token_hash, None)
        # A copy: the request's own is emptied by a rollback, and cannot be read again without the database.
        account = Account(id=token.account.id, name=token.account.name, role=token.account.role)
        until = min(now() + self._AGE, token.expires_at or datetime.max.replace(tzinfo=UTC))
        self._known[token.token_hash] = _Remembered(account, _scopes(token), until)
        while len(self._known) > self._SIZE:
            self._known.popitem(last=False)

    def forget(self, token_hash: str) -> None:
        self._known.pop(token_hash, None)

    def find(self, secret: str) -> _Remembered | None:
        found = self._known.get(accounts.hash_token(secret))
        return found if found and now() < found.until else None


def init_app(app: Flask) -> None:
    limiter.init_app(app)
    app.extensions["dreamweb_token_memory"] = _Memory()
    app.after_request(_note_use)


def caller(scope: str) -> Account:
    """The account that the request's bearer token stands for.

    Raises `Unauthenticated`, or `Forbidden` when the token may not do what `scope` names.
    """
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if kind.lower() != "bearer" or not secret:
        raise Unauthenticated("Send a token: Authorization: Bearer dw_...")
    account, scopes = _of_token(secret, even_if_away=scope == "upload")
    if scope not in scopes and "write" not in scopes:
        raise Forbidden(f"This token may not do that: it lacks the scope {scope!r}.")
    g.account_id = account.id
    return account


def forget(token: Token) -> None:
    """A token was revoked: it does not count any more, even while the database is away."""
    memory: _Memory = current_app.extensions["dreamweb_token_memory"]
    memory.forget(token.token_hash)


def caller_by_password() -> Account:
    """The account whose name and password the request carries as HTTP Basic. Raises `Unauthenticated`."""
    sent = _basic()
    if sent is None:
        raise Unauthenticated("Send the name and password of an account.")
    account = accounts.by_password(sent.username or "", sent.password or "")
    if account is None:
        logger.warning("Sign-in failed", ip=request.remote_addr)
        raise Unauthenticated("The name or the password is wrong.")
    g.account_id = account.id
    return account


def by_password_only() -> bool:
    return _basic() is not None


def _basic() -> Authorization | None:
    try:
        sent = request.authorization
    except ValueError:  # not even base64, which werkzeug 3.1 does not foresee
        return None
    return sent if sent is not None and sent.type == "basic" else None


def _failed(response: Response) -> bool:
    return response.status_code == 401


def _name_tried() -> str:
    sent = _basic()
    name = (sent.username if sent else None) or ""
    return f"account:{accounts.name_key(name)[:128]}"


slowed_by_address = limiter.limit(_ATTEMPTS, deduct_when=_failed, exempt_when=lambda: not by_password_only())
slowed_by_account = limiter.limit(
    _ATTEMPTS, key_func=_name_tried, deduct_when=_failed, exempt_when=lambda: not by_password_only()
)


def _of_token(secret: str, *, even_if_away: bool) -> tuple[Account, frozenset[str]]:
    memory: _Memory = current_app.extensions["dreamweb_token_memory"]
    try:
        token = accounts.by_token(secret)
    except SQLAlchemyError as error:
        known = memory.find(secret) if even_if_away and is_away(error) else None
        if known is None:
            raise
        session().rollback()  # whatever state the connection is in
        return known.account, known.scopes
    if token is None:
        memory.forget(accounts.hash_token(secret))
        raise Unauthenticated("This token is unknown, has ended, or its account is closed. Make a new one.")
    memory.keep(token)
    end_reading()  # a recording takes its time to be examined
    if accounts.use_is_worth_noting(token):
        g.token_used = token.id
    return token.account, _scopes(token)


def _scopes(token: Token) -> frozenset[str]:
    return frozenset(token.scopes.split(","))


def _note_use(response: Response) -> Response:
    """Write the time of last use once the answer is sent: it is not worth waiting for, nor failing for."""
    token_id: UUID | None = g.pop("token_used", None)
    if token_id is not None:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

        def write() -> None:
            with app.app_context():
                try:
                    with transaction():
                        accounts.note_use(token_id)
                except SQLAlchemyError as error:
                    logger.debug("Could not note the use of a token", error=type(error).__name__)

        response.call_on_close(write)
    return response
