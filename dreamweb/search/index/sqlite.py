"""Keeps the search index on SQLite: a table of FTS5, and triggers that write it."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DatabaseError

from dreamweb.db import is_away

COLUMNS = ("title", "shown", "heard", "tags", "motifs", "files", "title_lemmas", "lemmas")

_OBJECTS = ("TABLE search_index", "VIEW search_source", "TABLE search_documents", "TABLE search_progress")

# Of the one entry that is read: joined instead, all links of the journal would be read for each. The order inside is
# that of the subquery. https://www.sqlite.org/lang_aggfunc.html#group_concat
_TAGS = """(SELECT group_concat(name, char(10)) FROM (
    SELECT tag.name AS name FROM entry_tags JOIN tags AS tag ON tag.id = entry_tags.tag_id
    WHERE entry_tags.entry_id = entry.id ORDER BY tag.name))"""
_MOTIFS = """(SELECT group_concat(word, char(10)) FROM (
    SELECT motif.{column} AS word FROM entry_motifs JOIN motifs AS motif ON motif.id = entry_motifs.motif_id
    WHERE entry_motifs.entry_id = entry.id AND NOT motif.hidden ORDER BY motif.id))"""
_FILES = """(SELECT group_concat(name, char(10)) FROM (
    SELECT attachment.original_filename AS name FROM attachments AS attachment
    WHERE attachment.entry_id = entry.id ORDER BY attachment.original_filename))"""

_PARTS = ("data", "idx", "content", "docsize", "config")
"""What FTS5 keeps a table in. https://www.sqlite.org/fts5.html#fts5_data_structures"""

_EMOJI = "".join(map(chr, range(0x1F300, 0x1FB00)))
"""FTS5 knows the characters of 2012, and takes what was added since for letters of the word before it."""

_TABLES = (
    """CREATE TABLE search_documents (
        id INTEGER PRIMARY KEY,
        entry_id CHAR(32) NOT NULL UNIQUE REFERENCES dream_entries (id) ON DELETE CASCADE,
        account_id CHAR(32) NOT NULL,
        revision INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE TABLE search_progress (reached INTEGER NOT NULL)",
    f"""CREATE VIRTUAL TABLE search_index USING fts5 (
        {", ".join(COLUMNS)}, tokenize = "unicode61 remove_diacritics 2 separators '{_EMOJI}'", prefix = '2'
    )""",
    f"""CREATE VIEW search_source AS SELECT
        search_documents.id AS id,
        coalesce(entry.title, json_extract(entry.analysis, '$.title')) AS title,
        coalesce(entry.text, entry.cleaned_text, entry.transcription) AS shown,
        CASE WHEN entry.text IS NOT NULL
            THEN coalesce(entry.cleaned_text, '') || char(10) || coalesce(entry.transcription, '')
            WHEN entry.cleaned_text IS NOT NULL THEN entry.transcription END AS heard,
        {_TAGS} AS tags,
        {_MOTIFS.format(column="name")} AS motifs,
        coalesce(entry.original_filename, '') || char(10) || coalesce({_FILES}, '') AS files,
        entry.title_lemmas AS title_lemmas,
        coalesce(entry.lemmas, '') || char(10) || coalesce({_TAGS}, '')
            || char(10) || coalesce({_MOTIFS.format(column="lemma")}, '') AS lemmas
    FROM search_documents JOIN dream_entries AS entry ON entry.id = search_documents.entry_id""",
)

_ADD = """INSERT INTO search_documents (entry_id, account_id) SELECT id, account_id FROM dream_entries
    WHERE id = {entry} AND deleted_at IS NULL
    ON CONFLICT (entry_id) DO UPDATE SET revision = revision + 1"""
_READ = f"INSERT INTO search_index (rowid, {', '.join(COLUMNS)}) SELECT id, {', '.join(COLUMNS)} FROM search_source"
_REVISE = "UPDATE search_documents SET revision = revision + 1 WHERE"

_TRIGGERS = {
    "search_documents_insert": f"""AFTER INSERT ON search_documents WHEN new.revision >= 0 BEGIN
        {_READ} WHERE id = new.id; END""",
    "search_documents_update": f"""AFTER UPDATE OF revision ON search_documents BEGIN
        DELETE FROM search_index WHERE rowid = new.id; {_READ} WHERE id = new.id; END""",
    "search_documents_delete": """AFTER DELETE ON search_documents BEGIN
        DELETE FROM search_index WHERE rowid = old.id; END""",
    "search_entries_insert": f"AFTER INSERT ON dream_entries BEGIN {_ADD.format(entry='new.id')}; END",
    "search_entries_update": f"""AFTER UPDATE OF title, text, cleaned_text, transcription, analysis,
        title_lemmas, lemmas, original_filename, deleted_at ON dream_entries BEGIN
        DELETE FROM search_documents WHERE entry_id = new.id AND new.deleted_at IS NOT NULL;
        {_ADD.format(entry="new.id")}; END""",
    "search_tags_update": f"""AFTER UPDATE OF name ON tags BEGIN
        {_REVISE} entry_id IN (SELECT entry_id FROM entry_tags WHERE tag_id = new.id); END""",
    "search_motifs_update": f"""AFTER UPDATE OF name, lemma, hidden ON motifs BEGIN
        {_REVISE} entry_id IN (SELECT entry_id FROM entry_motifs WHERE motif_id = new.id); END""",
} | {
    f"search_{name}_{event.lower()}": f"AFTER {event} ON {name} BEGIN {_REVISE} entry_id = {row}.entry_id; END"
    for name in ("entry_tags", "entry_motifs", "attachments")
    for event, row in (("INSERT", "new"), ("DELETE", "old"))
}
# A link is moved to another motif when two are merged.
_TRIGGERS["search_entry_motifs_update"] = f"""AFTER UPDATE OF motif_id ON entry_motifs BEGIN
    {_REVISE} entry_id = new.entry_id; END"""
_TRIGGERS["search_attachments_update"] = f"""AFTER UPDATE OF original_filename ON attachments BEGIN
    {_REVISE} entry_id = new.entry_id; END"""


ENLIST = """INSERT INTO search_documents (entry_id, account_id, revision)
    SELECT id, account_id, -1 FROM dream_entries WHERE deleted_at IS NULL ORDER BY dreamed_at, id"""
"""Gives every entry its number in an empty index, and reads none yet."""

REWRITE = _ADD.format(entry=":entry")
"""Reads one entry into the index again; one in the trash not."""

FOREIGN = """DELETE FROM search_index WHERE rowid IN (
    SELECT id FROM search_index_content EXCEPT SELECT id FROM search_documents)"""
"""Takes out what no document tells of."""


def create(connection: Connection) -> None:
    """Make the index anew, empty; the triggers keep it from then on."""
    drop(connection)
    for statement in _TABLES:
        connection.execute(text(statement))
    for name, trigger in _TRIGGERS.items():
        connection.execute(text(f"CREATE TRIGGER {name} {trigger}"))


def seize(_connection: Connection) -> None:
    """Whoever writes here is alone."""


def drop(connection: Connection) -> None:
    """Take the index away, with all that keeps it; also one that SQLite itself cannot open any more."""
    for name in _TRIGGERS:
        connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
    if _names(connection) >= {"search_index"} and not _answers(connection):
        _tear_out(connection)
    for name in _OBJECTS:
        connection.execute(text(f"DROP {name.replace(' ', ' IF EXISTS ', 1)}"))


def is_whole(connection: Connection) -> bool:
    """Whether all of it is there; what stands in the tables may be damaged nevertheless."""
    wanted = {name.split()[1] for name in _OBJECTS} | set(_TRIGGERS) | {f"search_index_{part}" for part in _PARTS}
    return _names(connection) >= wanted and _answers(connection)


def is_sound(connection: Connection) -> bool:
    """https://www.sqlite.org/fts5.html#the_integrity_check_command"""
    return _does(connection, "INSERT INTO search_index (search_index) VALUES ('integrity-check')")


def _names(connection: Connection) -> set[str]:
    return set(connection.execute(text("SELECT name FROM sqlite_master")).scalars())


def _answers(connection: Connection) -> bool:
    """Whether FTS5 can open its table."""
    return _does(connection, "SELECT rowid FROM search_index WHERE search_index MATCH 'a' LIMIT 1")


def _does(connection: Connection, statement: str) -> bool:
    try:
        connection.execute(text(statement)).close()
    except DatabaseError as error:
        if is_away(error):
            raise
        return False
    return True


def _tear_out(connection: Connection) -> None:
    """DROP TABLE opens the table first: what FTS5 keeps it in, and then its name, are taken from beneath it.

    https://www.sqlite.org/pragma.html#pragma_writable_schema
    """
    connection.execute(text("PRAGMA writable_schema = ON"))
    for part in _PARTS:
        connection.execute(text(f"DROP TABLE IF EXISTS search_index_{part}"))
    connection.execute(text("DELETE FROM sqlite_master WHERE name = 'search_index'"))
    connection.execute(text("PRAGMA writable_schema = RESET"))


def fill(connection: Connection) -> None:
    """Read every entry into an empty index, the oldest first: the newest have the highest numbers."""
    connection.execute(
        text(
            """INSERT INTO search_documents (entry_id, account_id)
            SELECT id, account_id FROM dream_entries WHERE deleted_at IS NULL ORDER BY dreamed_at, id"""
        )
    )
