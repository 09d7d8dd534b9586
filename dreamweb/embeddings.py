"""Knows of which entries an embedding engine has made vectors, and of which it still has to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select

from dreamweb import versions
from dreamweb.db import now, session
from dreamweb.engines import WAITED_FOR, EmbeddingEngine
from dreamweb.models.embedding import Embedding
from dreamweb.models.entry import Entry


@dataclass(frozen=True)
class Unread:
    """An entry of which there are no vectors, as it was when we looked."""

    entry_id: UUID
    title: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"{self.title}\0{self.text}".encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class Read:
    """How many entries have vectors, of those that have something to read and may be given to the engine."""

    done: int
    of: int


def forget_outdated(entry: Entry) -> None:
    """Forget what an entry meant, if it says something else now. The entry is locked."""
    outdated = (Embedding.entry_id == entry.id, Embedding.digest != _as_it_is(entry).digest)
    session().execute(delete(Embedding).where(*outdated))


def forget_others(engine: EmbeddingEngine, dimensions: int) -> None:
    """Forget vectors of other dimensions: under the name of the engine, there was another model."""
    others = (Embedding.engine == engine.name, Embedding.dimensions.not_in((0, dimensions)))
    session().execute(delete(Embedding).where(*others))


def unread(engine: EmbeddingEngine, most: int, letters: int) -> Sequence[Unread]:
    """The newest entries that the engine has still to read, so many and with so many letters, but one at least.

    What stays at home is not given to another machine.
    """
    query = select(Entry).where(*_readable(engine), ~_is_read(engine)).order_by(Entry.dreamed_at.desc(), Entry.id)
    found: list[Unread] = []
    for entry in session().scalars(query.limit(most)):
        letters -= len(versions.best_text(entry) or "")
        if found and letters < 0:
            break
        found.append(_as_it_is(entry))
    return found


def may_be_read(engine: EmbeddingEngine, some: Sequence[Unread]) -> bool:
    """Whether all of them may be given to the engine, as they are now."""
    query = select(func.count()).where(Entry.id.in_([each.entry_id for each in some]), *_readable(engine))
    return session().scalar(query) == len(some)


def keep(
    read: Unread, engine: EmbeddingEngine, places: Sequence[tuple[int, int]], vectors: Sequence[bytes]
) -> Embedding | None:
    """Keep what was made of an entry; None where it is gone, says something else by now, or may not be read any more.

    Without vectors, it is remembered that the engine cannot read it.
    """
    entry = session().get(Entry, read.entry_id, with_for_update=True, populate_existing=True)
    if entry is None or _as_it_is(entry).digest != read.digest or (engine.outside and entry.private):
        return None
    made = session().get(Embedding, read.entry_id) or Embedding(entry_id=read.entry_id)
    made.account_id, made.engine, made.language = entry.account_id, engine.name, entry.language or ""
    made.digest, made.places = read.digest, list(places)
    made.dimensions, made.vectors = len(vectors[0]) if vectors else 0, b"".join(vectors)
    session().add(made)
    session().flush()
    return made


def progress(engine: EmbeddingEngine) -> Read:
    """How far the engine has come, in all journals together."""
    of = select(func.count()).select_from(Entry).where(*_readable(engine))
    row = session().execute(select(of.scalar_subquery(), of.where(_is_read(engine)).scalar_subquery())).one()
    return Read(done=row[1], of=row[0])


def _as_it_is(entry: Entry) -> Unread:
    # Not the title that an engine has made: it says nothing that is not in the text, and draws away from it.
    return Unread(entry.id, entry.title or "", versions.best_text(entry) or "")


def _readable(engine: EmbeddingEngine) -> tuple[ColumnElement[bool], ...]:
    """Those that the step *index* has been through: it forgets what is outdated, when a text has changed."""
    stays = or_(Entry.private, and_(Entry.cut_off, Entry.uploaded_at > now() - WAITED_FOR))
    return (Entry.deleted_at.is_(None), Entry.lemmas.is_not(None), *((~stays,) if engine.outside else ()))


def _is_read(engine: EmbeddingEngine) -> ColumnElement[bool]:
    return exists().where(Embedding.entry_id == Entry.id, Embedding.engine == engine.name)
