"""Adds accounts and tokens, and tells whose password or token it is."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import joinedload

from dreamweb import paging
from dreamweb.db import now, session
from dreamweb.errors import Conflict, Invalid, NotFound
from dreamweb.models.account import ROLES, SCOPES, Account, Token
from dreamweb.profile import Profile
from dreamweb.words import say

PASSWORD_LENGTH = (8, 1024)

SETTING_TOKEN = "API_TOKEN"  # noqa: S105 -- a name, not a secret
"""Name of the token that follows the setting of the same name."""

_USE_NOTED_EVERY = timedelta(minutes=10)

# 19 MB of memory and about 35 ms: the second choice of https://cheatsheetseries.owasp.org (Password Storage), which a
# Raspberry Pi can afford; the library's default takes 64 MB.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def add(name: str, password: str | None, role: str = "member") -> Account:
    """Make an account; without a password it can only be used by its tokens.

    Raises `Invalid` for an impossible name, password or role, `Conflict` when the name is taken.
    """
    name = _normal(name)
    problems = _problems_with_name(name)
    if password is not None:
        problems |= _problems_with_password(password)
    if role not in ROLES:
        problems["role"] = say("one of %(choices)s", choices=", ".join(ROLES))
    if problems:
        raise Invalid(say("The account cannot be made like this."), problems)
    _need_free(name)
    account = Account(
        name=name, name_key=name_key(name), role=role, password_hash=_hasher.hash(password) if password else None
    )
    session().add(account)
    session().flush()
    return account


def prefer(account: Account, profile: Profile) -> None:
    """Keep what somebody prefers, their name too. Raises `Invalid` or `Conflict` for a name that cannot be taken."""
    name = _normal(profile.name)
    if problems := _problems_with_name(name):
        raise Invalid(say("The account cannot be called like this."), problems)
    if name_key(name) != account.name_key:
        _need_free(name)
    account = _locked(account)
    account.name, account.name_key = name, name_key(name)
    for field, value in profile.model_dump(exclude={"name"}).items():
        setattr(account, field, value)


def set_time_zone(account: Account, zone: str) -> None:
    _locked(account).time_zone = zone


def change_password(account: Account, current: str, new: str) -> None:
    """Change one's own password. Raises `Invalid` when `current` is wrong or `new` impossible."""
    if by_password(account.name, current) is None:
        raise Invalid(say("The password was not changed."), {"current": say("this is not your password")})
    set_password(account, new)


def set_password(account: Account, password: str) -> None:
    """Raises `Invalid` for an impossible password."""
    if problems := _problems_with_password(password):
        raise Invalid(say("The password was not changed."), problems)
    _locked(account).password_hash = _hasher.hash(password)


def disable(account: Account) -> None:
    """Shut an account's browsers and tokens out; its journal stays. Raises `Conflict` for the last owner."""
    if account.role == "owner" and _active_owners() <= 1:
        raise Conflict(say("This is the only owner. Add another owner first."))
    _locked(account).disabled_at = now()


def enable(account: Account) -> None:
    _locked(account).disabled_at = None


def named(name: str) -> Account | None:
    if "\0" in name:  # PostgreSQL would refuse the question
        return None
    return session().scalar(select(Account).where(Account.name_key == name_key(name)))


def get(account_id: UUID) -> Account | None:
    return session().get(Account, account_id)


def existing(account_id: UUID) -> Account:
    """Raises `NotFound` when there is no such account."""
    account = get(account_id)
    if account is None:
        raise NotFound(say("There is no such account."))
    return account


def count() -> int:
    return session().scalar(select(func.count()).select_from(Account)) or 0


def every() -> Sequence[Account]:
    return session().scalars(select(Account).order_by(Account.created_at, Account.name_key)).all()


def by_password(name: str, password: str) -> Account | None:
    """The account with this name and password, or None; takes as long for a name that does not exist."""
    account = named(name)
    usable = account is not None and account.password_hash is not None and account.disabled_at is None
    known = account.password_hash if usable and account and account.password_hash else _nobodys_hash()
    try:
        _hasher.verify(known, password)
    except (VerificationError, InvalidHashError):
        return None
    return account if usable else None


def add_token(
    account: Account,
    name: str,
    scopes: Iterable[str] = ("write",),
    expires_at: datetime | None = None,
    token_id: UUID | None = None,
) -> tuple[Token, str]:
    """Make a token; answers its row and the secret itself, which is shown this once and not kept.

    Whoever chooses the `token_id` beforehand can tell that the same wish came twice. Raises `Invalid` for an empty
    name, an unknown scope or an end that has passed, `Conflict` when there is a token with this id already.
    """
    name = name.strip()
    wanted = set(scopes)
    problems = {}
    if not 1 <= len(name) <= 100 or "\0" in name or name == SETTING_TOKEN:
        problems["name"] = say("1 to 100 characters, and not %(name)s", name=SETTING_TOKEN)
    if not wanted or not wanted <= set(SCOPES):
        problems["scopes"] = say("at least one of %(choices)s", choices=", ".join(SCOPES))
    if expires_at and expires_at <= now():
        problems["expires_at"] = say("a time that is still to come")
    if problems:
        raise Invalid(say("The token cannot be made like this."), problems)
    if token_id and session().get(Token, token_id):
        raise Conflict(say("This token was made already. What it is was shown once and is not kept."))
    secret = _new_secret()
    token = Token(
        id=token_id or uuid4(),
        account_id=account.id,
        name=name,
        token_hash=hash_token(secret),
        scopes=",".join(scope for scope in SCOPES if scope in wanted),
        expires_at=expires_at,
    )
    session().add(token)
    session().flush()
    return token, secret


def tokens(account: Account, *, limit: int, cursor: str | None = None) -> tuple[Sequence[Token], str | None]:
    """Some of an account's tokens, oldest first, and the cursor of the next, if there are more.

    Raises `Malformed` for a cursor that is not from here.
    """
    query = select(Token).where(Token.account_id == account.id)
    if cursor:
        query = query.where(tuple_(Token.created_at, Token.id) > paging.position(cursor))
    found = session().scalars(query.order_by(Token.created_at, Token.id).limit(limit + 1)).all()
    items = found[:limit]
    return items, paging.cursor(items[-1].created_at, items[-1].id) if len(found) > limit else None


def existing_token(account: Account, token_id: UUID) -> Token:
    """Raises `NotFound` when the account has no such token."""
    found = session().scalar(select(Token).where(Token.id == token_id, Token.account_id == account.id))
    if found is None:
        raise NotFound(say("There is no such token."))
    return found


def revoke_token(account: Account, token_id: UUID) -> Token:
    """Shut out whatever carries this token. Raises `NotFound` when the account has no such token."""
    found = existing_token(account, token_id)
    session().delete(found)
    return found


def rotate_token(account: Account, token_id: UUID, known_hash: str) -> tuple[Token, str]:
    """Give a token a new secret, which is shown this once; what carries the old one is shut out.

    `known_hash` is that of the secret to be replaced, so that the same wish coming twice does no harm. Raises
    `NotFound`, or `Conflict` when the token is another by now, has ended, or is not ours to change.
    """
    found = session().get(Token, token_id, with_for_update=True, populate_existing=True)
    if found is None or found.account_id != account.id:
        raise NotFound(say("There is no such token."))
    if found.token_hash != known_hash:
        raise Conflict(say("This token was changed already. What it is now was shown once and is not kept."))
    if found.name == SETTING_TOKEN:
        raise Conflict(say("This token comes from the setting %(name)s. Change it there.", name=SETTING_TOKEN))
    if found.expires_at and found.expires_at <= now():
        raise Conflict(say("This token has ended. Make a new one."))
    secret = _new_secret()
    found.token_hash, found.last_used_at = hash_token(secret), None
    return found, secret


def by_token(secret: str) -> Token | None:
    """The row of this token with its account, or None when it is unknown, has ended, or its account is closed."""
    query = select(Token).where(Token.token_hash == hash_token(secret))
    query = query.options(joinedload(Token.account, innerjoin=True))
    token = session().scalar(query)
    if token is None or (token.expires_at and token.expires_at <= now()) or token.account.disabled_at:
        return None
    return token


def use_is_worth_noting(token: Token) -> bool:
    """Whether the time of last use is old enough to be written again: not for every request, a card wears out."""
    return token.last_used_at is None or now() - token.last_used_at > _USE_NOTED_EVERY


def note_use(token_id: UUID) -> None:
    session().execute(update(Token).where(Token.id == token_id).values(last_used_at=now()))


def ensure_first(username: str | None, password: str | None, api_token: str | None) -> None:
    """Make the account and the token that the settings ask for, where they are not there yet.

    A changed password setting changes nothing; a changed or removed token setting ends the token it made before.
    """
    _end_setting_tokens(except_for=api_token)
    if username is None and api_token is None:
        return
    account = named(username) if username else _first_owner()
    if account is None:
        account = add(username or "owner", password, role="owner")
    if api_token and not session().scalar(select(Token.id).where(Token.token_hash == hash_token(api_token))):
        session().add(
            Token(account_id=account.id, name=SETTING_TOKEN, token_hash=hash_token(api_token), scopes="write")
        )


def hash_token(secret: str) -> str:
    """SHA-256 is enough for a secret of 256 random bits; argon2 would cost 35 ms a request."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _new_secret() -> str:
    return f"dw_{secrets.token_urlsafe(32)}"


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()


def _problems_with_name(name: str) -> dict[str, str]:
    if not 1 <= len(name) <= 64 or any(unicodedata.category(char).startswith("C") for char in name):
        return {"name": say("1 to 64 characters, none of them a control character")}
    if len(name_key(name)) > 128:
        return {"name": say("shorter: it holds characters that stand for many")}
    return {}


def _problems_with_password(password: str) -> dict[str, str]:
    least, most = PASSWORD_LENGTH
    if len(password) < least:
        return {"password": say("at least %(least)s characters", least=least)}
    if len(password) > most:
        return {"password": say("at most %(most)s characters", most=most)}
    return {}


def _need_free(name: str) -> None:
    if named(name):
        raise Conflict(say("There is an account named '%(name)s' already.", name=name))


def _locked(account: Account) -> Account:
    """The account's row, in this transaction; the one given may be a copy from before it began."""
    return session().get_one(Account, account.id, with_for_update=True, populate_existing=True)


def _active_owners() -> int:
    """Locked until the transaction ends, so that two owners cannot disable each other at once."""
    query = select(Account.id).where(Account.role == "owner", Account.disabled_at.is_(None))
    return len(session().scalars(query.order_by(Account.id).with_for_update()).all())


def _end_setting_tokens(except_for: str | None) -> None:
    for token in session().scalars(select(Token).where(Token.name == SETTING_TOKEN)):
        if except_for is None or token.token_hash != hash_token(except_for):
            session().delete(token)


def _first_owner() -> Account | None:
    return session().scalar(select(Account).where(Account.role == "owner").order_by(Account.created_at).limit(1))


def name_key(name: str) -> str:
    """What tells names apart: case and the ways to write a letter do not."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


@cache
def _nobodys_hash() -> str:
    return _hasher.hash(secrets.token_hex())
