"""Makes the search index say again what the entries say, while the server runs, and goes on where it was stopped.

The database keeps the index by itself; this mends what an older backup, a damaged disk or another program has left.
Several processes that do it at once share the work.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Row, Uuid, column, delete, exists, func, insert, select, table, update
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import load_only

from dreamweb import db, log, versions, vocabulary
from dreamweb.adapters import forms
from dreamweb.db import end_reading, session, transaction
from dreamweb.models.account import Account
from dreamweb.models.entry import Entry, Tag, entry_tags
from dreamweb.search import dialects, index
from dreamweb.search.folding import tokens
from dreamweb.search.needles import Needle

_AT_ONCE = 200
"""Entries of one transaction."""

_LONGEST = 0.5
"""Seconds after which it ends with fewer: on SQLite, nobody else writes meanwhile."""

_PAUSE = 0.11
"""Seconds between two of them on SQLite: who waits there looks every tenth of a second whether it is their turn.

Not in its documentation, but in its source: https://www.sqlite.org/src/file/src/main.c, `sqliteDefaultBusyCallback`.
"""

_IN_MEMORY = 10
"""Entries whose texts are in memory at the same time."""

_WORDS_AT_ONCE = 500

_TRIES = 10
"""How often something is begun that others do not let us do; each waits for some seconds."""

_documents = table("search_documents", column("id"), column("entry_id", Uuid()), column("account_id", Uuid()))
_progress = table("search_progress", column("reached"))

_Words = dict[UUID, set[str]]
"""By account."""

_Done = TypeVar("_Done")


logger = log.Logger(__name__)


class DamagedError(Exception):
    """The index is damaged, or a part of it is not there: it can only be made anew."""


def begin(*, anew: bool = False) -> int:
    """Begin, or prepare to go on with what was stopped; answers how many entries `reindex` has to read.

    With `anew`, the index is thrown away and made again: until an entry is read, its words are not found.
    Raises `DamagedError` where only that helps.
    """
    with _noticing_damage():
        if anew:
            _patiently(_make_anew)
        elif not index.is_whole(session().connection()):
            raise DamagedError
        _patiently(_start)
        _add_missing()
        reached = session().scalar(select(_progress.c.reached)) or 0
        left = select(func.count()).select_from(_documents).where(_documents.c.id > reached)
        return session().scalar(left) or 0


def reindex() -> Iterator[int]:
    """Read one entry after the other, after `begin`; says after each transaction how many that were.

    What is saved meanwhile comes into the index as always. Raises `DamagedError`.
    """
    seen: _Words = defaultdict(set)
    with _noticing_damage():
        # What is saved from now on is in the index, and could come quicker than we read.
        last = session().scalar(select(func.max(_documents.c.id))) or 0
        while done := _patiently(partial(_read_some, seen, last)):
            yield done
            _pause()
        _settle_words(seen)
        with transaction():
            session().execute(delete(_progress))


def mend(*, suspected: bool) -> bool:
    """Make the index anew, with nothing read yet, if it is damaged: then nothing can be saved. Answers whether it was.

    That parts of it are missing is seen at once. When damage is `suspected`, all of it is looked into, which keeps
    others from writing on SQLite. What is to be read is left to `go_on`.
    """
    whole = index.is_whole(session().connection())
    if whole and suspected:
        with transaction():
            whole = index.is_sound(session().connection())
    end_reading()
    if not whole:
        logger.error("The search index is damaged, and is made anew")
        begin(anew=True)
    return not whole


def is_unfinished() -> bool:
    """Whether a run was stopped, or goes on just now."""
    unfinished = session().scalar(select(_progress.c.reached).limit(1)) is not None
    end_reading()
    return unfinished


def go_on(enough: threading.Event) -> None:
    """Read what is left of a run that was stopped, until it is `enough`."""
    begin()
    for _ in reindex():
        if enough.is_set():
            return


def _make_anew() -> None:
    with transaction():
        connection = session().connection()
        index.seize(connection)
        index.create(connection)
        index.enlist(connection)
        session().execute(insert(_progress).values(reached=0))


def _start() -> None:
    """What belongs to entries in the trash, or to none at all, goes first."""
    kept = exists().where(Entry.id == _documents.c.entry_id, Entry.deleted_at.is_(None))
    with transaction():
        if session().scalar(select(_progress.c.reached)) is None:
            session().execute(insert(_progress).values(reached=0))
        session().execute(delete(_documents).where(~kept))
        index.drop_foreign(session().connection())


def _add_missing() -> None:
    has = exists().where(_documents.c.entry_id == Entry.id)
    missing = session().scalars(
        select(Entry.id).where(~has, Entry.deleted_at.is_(None)).order_by(Entry.dreamed_at, Entry.id)
    )
    for entry_id in missing.all():
        with transaction():
            # As everybody who saves it: the entry first, then the index.
            session().execute(select(Entry.id).where(Entry.id == entry_id).with_for_update())
            index.rewrite(session().connection(), entry_id)


def _read_some(seen: _Words, last: int) -> int:
    """Adds to `seen` the words that were read."""
    ends = time.monotonic() + _LONGEST
    words: _Words = defaultdict(set)
    done = 0
    with transaction():
        reached = session().scalar(select(_progress.c.reached).with_for_update())
        if reached is None:
            return 0  # another process has done the rest
        query = (
            select(_documents)
            .where(_documents.c.id > reached, _documents.c.id <= last)
            .order_by(_documents.c.id)
            .limit(_AT_ONCE)
        )
        rows = session().execute(query).all()
        _hold({row.account_id for row in rows})
        while done < len(rows) and (not done or time.monotonic() < ends):
            some = rows[done : done + _IN_MEMORY]
            for row in some:
                index.rewrite(session().connection(), row.entry_id)
            _read_words(some, words)
            done += len(some)
        for account_id in sorted(words):
            vocabulary.add(account_id, words[account_id])
            seen[account_id] |= words[account_id]
        if done:
            session().execute(update(_progress).values(reached=rows[done - 1].id))
    return done


def _hold(account_ids: Collection[UUID]) -> None:
    """Nobody renames or merges motifs of these accounts meanwhile: that writes many entries in an order of its own."""
    query = select(Account.id).where(Account.id.in_(account_ids)).order_by(Account.id)
    session().execute(query.with_for_update(key_share=True))


def _read_words(rows: Sequence[Row[Any]], words: _Words) -> None:
    columns = (Entry.account_id, Entry.title, Entry.text, Entry.cleaned_text, Entry.transcription, Entry.analysis)
    query = select(Entry).where(Entry.id.in_([row.entry_id for row in rows])).options(load_only(*columns))
    for entry in session().scalars(query):
        text = f"{versions.all_text(entry)}\n{versions.shown_title(entry) or ''}"
        words[entry.account_id] |= vocabulary.kept(word for _, _, word in forms.words(text))
    session().expunge_all()


def _settle_words(seen: _Words) -> None:
    """The tags are words as well; what occurs in no entry any more is forgotten."""
    for account_id in session().scalars(select(Account.id)).all():
        used = select(entry_tags.c.tag_id)
        tags = session().scalars(select(Tag.name).where(Tag.account_id == account_id, Tag.id.in_(used))).all()
        with transaction():
            vocabulary.add(account_id, tags)
        known = seen[account_id] | vocabulary.kept(tags)
        unseen = [word for word in vocabulary.every(account_id) if word not in known]
        for start in range(0, len(unseen), _WORDS_AT_ONCE):
            with transaction():
                some = unseen[start : start + _WORDS_AT_ONCE]
                vocabulary.forget(account_id, [word for word in some if not _occurs(account_id, word)])
            _pause()


def _occurs(account_id: UUID, word: str) -> bool:
    """Also in what was saved since its place was read, or read before this run was stopped."""
    folded = tuple(tokens(word))
    return bool(folded and session().scalar(dialects.current().occurs_in(account_id, Needle(folded), 1)))


def _patiently(act: Callable[[], _Done]) -> _Done:
    """Who saves goes first, and of two who wait for each other PostgreSQL ends one."""
    for left in reversed(range(_TRIES)):
        try:
            return act()
        except DatabaseError as error:
            session().rollback()
            if not left or not db.is_away(error):
                raise
    raise AssertionError


def _pause() -> None:
    end_reading()
    if session().get_bind().dialect.name == "sqlite":
        time.sleep(_PAUSE)


@contextmanager
def _noticing_damage() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        session().rollback()
        if db.is_damage(error):
            raise DamagedError from error
        raise
