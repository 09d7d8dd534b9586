"""Keeps who is signed in with which browser, so that a session can be seen and ended from another."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from dreamweb.db import now, session
from dreamweb.errors import NotFound
from dreamweb.models.account import Account, BrowserSession
from dreamweb.words import say

LASTS = timedelta(days=180)
"""Since it was used last: whoever records at night should not have to sign in then."""

_USE_NOTED_EVERY = timedelta(minutes=10)


def begin(account: Account, device: str) -> str:
    """Sign a browser in; answers the key for its cookie, which is not kept. `device` is how people recognise it."""
    key = secrets.token_urlsafe(32)
    session().add(BrowserSession(account_id=account.id, key_hash=_hash(key), device=device[:200]))
    session().flush()
    return key


def by_key(key: str) -> BrowserSession | None:
    """The session of this key with its account, or None when it was ended, is too old, or the account is closed."""
    query = select(BrowserSession).where(BrowserSession.key_hash == _hash(key))
    found = session().scalar(query.options(joinedload(BrowserSession.account, innerjoin=True)))
    if found is None or found.last_used_at < now() - LASTS or found.account.disabled_at:
        return None
    return found


def use_is_worth_noting(current: BrowserSession) -> bool:
    """Whether the time of last use is old enough to be written again: not for every page, a card wears out."""
    return now() - current.last_used_at > _USE_NOTED_EVERY


def note_use(session_id: UUID) -> None:
    session().execute(update(BrowserSession).where(BrowserSession.id == session_id).values(last_used_at=now()))


def every(account: Account) -> Sequence[BrowserSession]:
    """The account's sessions, the one used last first."""
    query = select(BrowserSession).where(
        BrowserSession.account_id == account.id, BrowserSession.last_used_at >= now() - LASTS
    )
    return session().scalars(query.order_by(BrowserSession.last_used_at.desc(), BrowserSession.id)).all()


def end(account: Account, session_id: UUID) -> None:
    """Sign a browser out. Raises `NotFound` when it is none of this account's."""
    query = delete(BrowserSession).where(BrowserSession.id == session_id, BrowserSession.account_id == account.id)
    if not session().execute(query).rowcount:  # type: ignore[attr-defined]
        raise NotFound(say("There is no such session."))


def end_all(account: Account, *, but: UUID | None = None) -> None:
    """Sign every browser out, except perhaps one."""
    query = delete(BrowserSession).where(BrowserSession.account_id == account.id)
    session().execute(query.where(BrowserSession.id != but) if but else query)


def end_old() -> int:
    """Forget the sessions that are too old to count; answers how many."""
    done = session().execute(delete(BrowserSession).where(BrowserSession.last_used_at < now() - LASTS))
    return int(done.rowcount)  # type: ignore[attr-defined]


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
