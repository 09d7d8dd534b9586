"""Works out who is asking: by bearer token, by session cookie, or by name and password where those are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address, ip_address
from uuid import UUID

from flask import Flask, Response, current_app, g, request
from flask import session as cookie
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect, validate_csrf
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import Authorization
from wtforms import ValidationError

from dreamweb import accounts, log, sessions
from dreamweb.db import end_reading, is_away, now, session, transaction
from dreamweb.errors import Forbidden, NotFound, Unauthenticated
from dreamweb.models.account import Account, Token
from dreamweb.words import say

logger = log.Logger(__name__)

# Only failures count, so that nobody is slowed down by using their journal much. Wrong tokens are not counted:
# 256 random bits cannot be guessed, and a forgotten device must not block the others behind the same address.
_ATTEMPTS = "10 per 5 minutes"

_READING = ("GET", "HEAD", "OPTIONS")

_LARGEST_COOKIE = 3800
"""Bytes of its value: browsers throw a cookie away that is larger than 4096 with its name and all."""


def _address() -> str:
    """Where a request comes from; of IPv6 the network, because every home has 2^64 addresses in its own."""
    sent = get_remote_address()
    try:
        address = ip_address(sent)
    except ValueError:
        return sent
    if isinstance(address, IPv4Address) or address.ipv4_mapped:
        return sent
    return address.packed[:8].hex(":", 2)


csrf = CSRFProtect()
limiter = Limiter(_address, storage_uri="memory://", headers_enabled=True)


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


class Visitor(UserMixin):  # type: ignore[misc]
    """Who looks at a page: the account, and the session by which the browser is signed in."""

    def __init__(self, account: Account, key: str, session_id: UUID | None = None) -> None:
        self.account = account
        self.session_id = session_id
        self._key = key

    def get_id(self) -> str:
        """What the library puts into the cookie."""
        return self._key


class _CookieSession(SecureCookieSessionInterface):
    def get_cookie_secure(self, app: Flask) -> bool:
        """Over HTTPS the cookie must never travel without; a home network has nothing else."""
        return request.is_secure

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Of very many notices the first are left out: with a cookie that is too large all would be lost."""
        if request.method not in _READING and self.get_cookie_name(app) not in request.cookies:
            # To what a page of others sends us, browsers add no cookie of ours; but they would take a new one from the
            # answer, in the place of that by which somebody is signed in.
            session.modified = False
        if session.modified and "_flashes" in session:
            serializer = self.get_signing_serializer(app)
            while serializer and session["_flashes"][1:] and len(serializer.dumps(dict(session))) > _LARGEST_COOKIE:
                session["_flashes"] = session["_flashes"][1:]
        super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    limiter.init_app(app)
    app.extensions["dreamweb_token_memory"] = _Memory()
    app.config.update(
        SESSION_COOKIE_NAME="dreamweb",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=sessions.LASTS,
        WTF_CSRF_CHECK_DEFAULT=False,  # by the pages themselves, once it is known who asks
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a page may stay open all night
    )
    app.session_interface = _CookieSession()
    csrf.init_app(app)
    # No `current_user` in templates: the page that says that the database is away must not ask the database.
    manager = LoginManager(app, add_context_processor=False)
    manager.session_protection = None  # a phone changes its address on the way from the bed to the kitchen
    manager.user_loader(_visitor_by_key)
    app.after_request(_note_use)


def begin(account: Account) -> None:
    """Sign the browser in, with a new cookie: what an earlier visitor left in the old one does not count any more."""
    earlier = visitor()
    with transaction():
        _end_session(earlier)
        key = sessions.begin(account, request.user_agent.string)
    cookie.clear()
    cookie.permanent = True
    login_user(Visitor(account, key))


def end() -> None:
    """Sign the browser out, on the server too."""
    if current := visitor():
        with transaction():
            _end_session(current)
    logout_user()
    cookie.clear()


def _end_session(current: Visitor | None) -> None:
    if current and current.session_id:
        with suppress(NotFound):
            sessions.end(current.account, current.session_id)


def visitor() -> Visitor | None:
    """Who is signed in with this browser."""
    return current_user._get_current_object() if current_user.is_authenticated else None


def _visitor_by_key(key: str) -> Visitor | None:
    found = sessions.by_key(key)
    if found is None:
        return None
    if sessions.use_is_worth_noting(found):
        g.session_used = found.id
        cookie.modified = True  # so that the browser keeps it for as long again
    g.account_id = found.account.id
    return Visitor(found.account, key, found.id)


def caller(scope: str) -> Account:
    """The account that the request's bearer token stands for; without one, that of the session cookie.

    A cookie may do everything that its account may, but to change something the request must carry the CSRF token of
    a page of ours, too: the browser adds cookies to requests of anybody's pages. Raises `Unauthenticated`, or
    `Forbidden` when the token may not do what `scope` names, or the CSRF token is missing.
    """
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if "Authorization" not in request.headers and (current := visitor()):
        g.visitor = current
        _need_csrf_token()
        end_reading()
        return current.account
    if kind.lower() != "bearer" or not secret:
        raise Unauthenticated(say("Send a token: Authorization: Bearer dw_..."))
    account, scopes = _of_token(secret, even_if_away=scope == "upload")
    if scope not in scopes and "write" not in scopes:
        raise Forbidden(say("This token may not do that: it lacks the scope '%(scope)s'.", scope=scope))
    g.account_id = account.id
    return account


def _need_csrf_token() -> None:
    # In the header only: looking for it in a form would read the body, which may be a recording.
    if request.method not in _READING:
        try:
            validate_csrf(request.headers.get("X-CSRFToken"))
        except ValidationError:
            raise Forbidden(say("This page has been open for too long. Load it again, then repeat.")) from None


def forget(token_hash: str) -> None:
    """A token was revoked or changed: it does not count any more, even while the database is away."""
    memory: _Memory = current_app.extensions["dreamweb_token_memory"]
    memory.forget(token_hash)


def caller_by_password() -> Account:
    """The account whose name and password the request carries as HTTP Basic. Raises `Unauthenticated`."""
    sent = _basic()
    if sent is None:
        raise Unauthenticated(say("Send the name and password of an account."))
    account = accounts.by_password(sent.username or "", sent.password or "")
    if account is None:
        logger.warning("Sign-in failed", ip=request.remote_addr)
        raise Unauthenticated(say("The name or the password is wrong."))
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


def _name_in_form() -> str:
    return f"account:{accounts.name_key(request.form.get('name', ''))[:128]}"


# One count for both ways to try a password.
_limit = partial(limiter.shared_limit, _ATTEMPTS, scope="password", deduct_when=_failed)
slowed_by_address = _limit(exempt_when=lambda: not by_password_only())
slowed_by_account = _limit(key_func=_name_tried, exempt_when=lambda: not by_password_only())
page_slowed_by_address = _limit(methods=["POST"])
page_slowed_by_account = _limit(methods=["POST"], key_func=_name_in_form)


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
        raise Unauthenticated(say("This token is unknown, has ended, or its account is closed. Make a new one."))
    memory.keep(token)
    end_reading()  # a recording takes its time to be examined
    if accounts.use_is_worth_noting(token):
        g.token_used = token.id
    return token.account, _scopes(token)


def _scopes(token: Token) -> frozenset[str]:
    return frozenset(token.scopes.split(","))


def _note_use(response: Response) -> Response:
    """Write the time of last use once the answer is sent: it is not worth waiting for, nor failing for."""
    used = [(accounts.note_use, g.pop("token_used", None)), (sessions.note_use, g.pop("session_used", None))]
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    for note, row_id in used:
        if row_id is not None:
            response.call_on_close(partial(_write_use, app, note, row_id))
    return response


def _write_use(app: Flask, note: Callable[[UUID], None], row_id: UUID) -> None:
    with app.app_context():
        try:
            with transaction():
                note(row_id)
        except SQLAlchemyError as error:
            logger.debug("Could not note the use of a token or a session", error=type(error).__name__)
