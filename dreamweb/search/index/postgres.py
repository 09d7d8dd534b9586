"""Keeps the search index on PostgreSQL: tsvectors with GIN, and triggers that write them."""

from __future__ import annotations

from sqlalchemy import Connection

_MOST = 2_000_000
_LESS = 60_000
"""Characters of each text that are indexed where all of them would be too much: a tsvector has at most 1 MB."""

_FUNCTIONS = {
    # The letters a to z without their marks, as FTS5 does it; then only words, for the parser knows addresses,
    # versions and more. Not [[:alnum:]]: in the locale C that is ASCII only.
    "search_words(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE": r"""
        SELECT regexp_replace(
            normalize(regexp_replace(lower(normalize(value, NFD)), '([a-z])[\u0300-\u036f]+', '\1', 'g'), NFC),
            '[\x01-\x2f\x3a-\x40\x5b-\x60\x7b-\xa9\xab-\xb1\xb4\xb6-\xb8\xbb\xbf\xd7\xf7\u2000-\u206f\u20a0-\u20bf'
            '\u2190-\u2bff\u3000-\u3004\ufe00-\ufe0f\U0001f000-\U0001faff]+', ' ', 'g')""",
    "search_vector(value text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE": """
        SELECT to_tsvector('simple', search_words(coalesce(value, '')))""",
    "search_write(wanted uuid, most integer, moment timestamptz) RETURNS void LANGUAGE plpgsql": """BEGIN
        INSERT INTO search_documents (entry_id, account_id, words, lemmas, forms, length, written)
        SELECT entry_id, account_id, words, lemmas, strip(words) || strip(lemmas), length, moment FROM (
        SELECT entry.id AS entry_id, entry.account_id AS account_id,
            setweight(search_vector(coalesce(entry.title, entry.analysis ->> 'title')), 'A') || apart
                || setweight(search_vector(left(concat_ws(E'\\n', tags.names, motifs.names, entry.original_filename, (
                    SELECT string_agg(attachment.original_filename, E'\\n' ORDER BY attachment.original_filename)
                    FROM attachments AS attachment WHERE attachment.entry_id = entry.id)), most)), 'B')
                || apart || setweight(search_vector(left(shown, most)), 'C')
                || apart || setweight(search_vector(left(heard, most)), 'D') AS words,
            setweight(search_vector(entry.title_lemmas), 'A')
                || setweight(search_vector(concat_ws(E'\\n',
                    left(entry.lemmas, most), left(concat_ws(E'\\n', tags.names, motifs.lemmas), most))), 'D')
                AS lemmas,
            1 + length(concat_ws(' ', entry.title, shown, heard, tags.names, motifs.names, entry.lemmas)) / 6 AS length
        FROM dream_entries AS entry,
        -- What nobody can type stands between the parts: else a phrase would be found across them.
        CAST('''-'':1' AS tsvector) AS apart,
        LATERAL (SELECT coalesce(entry.text, entry.cleaned_text, entry.transcription, '') AS shown,
            CASE WHEN entry.text IS NOT NULL THEN concat_ws(E'\\n',
                    left(entry.cleaned_text, most / 2), left(entry.transcription, most / 2))
                WHEN entry.cleaned_text IS NOT NULL THEN entry.transcription END AS heard) AS texts,
        LATERAL (SELECT string_agg(tag.name, E'\\n' ORDER BY tag.name) AS names
            FROM entry_tags JOIN tags AS tag ON tag.id = entry_tags.tag_id
            WHERE entry_tags.entry_id = entry.id) AS tags,
        LATERAL (SELECT string_agg(motif.name, E'\\n' ORDER BY motif.id) AS names,
                string_agg(motif.lemma, E'\\n' ORDER BY motif.id) AS lemmas
            FROM entry_motifs JOIN motifs AS motif ON motif.id = entry_motifs.motif_id
            WHERE entry_motifs.entry_id = entry.id AND NOT motif.hidden) AS motifs
        WHERE entry.id = wanted AND entry.deleted_at IS NULL) AS document
        ON CONFLICT (entry_id) DO UPDATE SET words = excluded.words, lemmas = excluded.lemmas, forms = excluded.forms,
            length = excluded.length, written = excluded.written; END""",
}

# Saving an entry never fails because of the index: of a text that is too much for it, the beginning is found.
# The row is locked first: what is written is then read by a statement that begins later, and so sees what another
# transaction, which has just written that row, has committed. https://www.postgresql.org/docs/17/transaction-iso.html
_REFRESH = f"""search_refresh(wanted uuid, moment timestamptz DEFAULT '-infinity') RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM search_documents WHERE entry_id = wanted FOR UPDATE;
        BEGIN
            PERFORM search_write(wanted, {_MOST}, moment);
        EXCEPTION WHEN program_limit_exceeded THEN
            PERFORM search_write(wanted, {_LESS}, moment);
        END;
    END $$"""

# A trigger for each tag and motif of an entry, and all of them at the end of the transaction: the first one has
# everything there is. `now()` is when the transaction has begun, and the same in all of it.
_SETTLE = """search_settle(changed uuid) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (SELECT FROM search_documents WHERE entry_id = changed AND written = now()) THEN
            PERFORM search_refresh(changed, now());
        END IF;
    END $$"""

_TRIGGERS = {
    "search_entries": (
        """INSERT OR UPDATE OF title, text, cleaned_text, transcription, analysis, title_lemmas, lemmas,
            original_filename, deleted_at ON dream_entries""",
        """IF new.deleted_at IS NULL THEN PERFORM search_settle(new.id);
            ELSE DELETE FROM search_documents WHERE entry_id = new.id; END IF;""",
    ),
    "search_tags": (
        "UPDATE OF name ON tags",
        "PERFORM search_settle(entry_id) FROM entry_tags WHERE tag_id = new.id;",
    ),
    "search_motifs": (
        "UPDATE OF name, lemma, hidden ON motifs",
        "PERFORM search_settle(entry_id) FROM entry_motifs WHERE motif_id = new.id;",
    ),
    "search_entry_motifs_update": ("UPDATE OF motif_id ON entry_motifs", "PERFORM search_settle(new.entry_id);"),
    "search_attachments_update": (
        "UPDATE OF original_filename ON attachments",
        "PERFORM search_settle(new.entry_id);",
    ),
} | {
    f"search_{name}_{event.lower()}": (f"{event} ON {name}", f"PERFORM search_settle({row}.entry_id);")
    for name in ("entry_tags", "entry_motifs", "attachments")
    for event, row in (("INSERT", "new"), ("DELETE", "old"))
}
_HELPERS = ("search_settle", "search_refresh", "search_write", "search_vector", "search_words")


ENLIST = """INSERT INTO search_documents (entry_id, account_id, words, lemmas, forms, length)
    SELECT id, account_id, '', '', '', 1 FROM dream_entries WHERE deleted_at IS NULL ORDER BY dreamed_at, id"""
"""Gives every entry its number in an empty index, and reads none yet."""

REWRITE = "SELECT search_refresh(:entry)"
"""Reads one entry into the index again; one in the trash not."""

FOREIGN = None


def create(connection: Connection) -> None:
    """Make the index anew, empty; the triggers keep it from then on."""
    drop(connection)
    connection.exec_driver_sql(
        """CREATE TABLE search_documents (
            id bigserial PRIMARY KEY,
            entry_id uuid NOT NULL UNIQUE REFERENCES dream_entries (id) ON DELETE CASCADE,
            account_id uuid NOT NULL,
            words tsvector NOT NULL,
            lemmas tsvector NOT NULL,
            forms tsvector NOT NULL,
            length integer NOT NULL,
            written timestamptz NOT NULL DEFAULT '-infinity'
        )"""
    )
    connection.exec_driver_sql("CREATE TABLE search_progress (reached bigint NOT NULL)")
    _list_words(connection)
    for head, body in _FUNCTIONS.items():
        connection.exec_driver_sql(f"CREATE FUNCTION {head} AS $$ {body} $$")
    connection.exec_driver_sql(f"CREATE FUNCTION {_REFRESH}")
    connection.exec_driver_sql(f"CREATE FUNCTION {_SETTLE}")
    for name, (event, body) in _TRIGGERS.items():
        connection.exec_driver_sql(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
        )
        connection.exec_driver_sql(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {event} DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


def seize(connection: Connection) -> None:
    """Wait until nobody writes what is in the index; who does goes first. Raises `OperationalError` after a moment.

    Sooner than PostgreSQL looks for two who wait for each other, of which it would end any.
    https://www.postgresql.org/docs/17/runtime-config-locks.html
    """
    connection.exec_driver_sql("SET LOCAL lock_timeout = '300ms'")
    connection.exec_driver_sql("LOCK TABLE dream_entries, tags, entry_tags, motifs, entry_motifs, attachments")


def drop(connection: Connection) -> None:
    """Take the index away, with all that keeps it."""
    # What waits for the end of the transaction would miss it.
    for mode in ("IMMEDIATE", "DEFERRED"):
        connection.exec_driver_sql(f"SET CONSTRAINTS ALL {mode}")
    connection.exec_driver_sql("DROP TABLE IF EXISTS search_documents, search_progress")
    for name in (*_TRIGGERS, *_HELPERS):
        connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {name} CASCADE")  # with the trigger that calls it


def is_whole(connection: Connection) -> bool:
    """Whether all of it is there; what stands in the tables may be damaged nevertheless."""
    tables = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    functions = connection.exec_driver_sql(
        "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
    )
    triggers = connection.exec_driver_sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")
    return (
        set(tables.scalars()) >= {"search_documents", "search_progress"}
        and set(functions.scalars()) >= {*_TRIGGERS, *_HELPERS}
        and set(triggers.scalars()) >= set(_TRIGGERS)
    )


def is_sound(_connection: Connection) -> bool:
    """An index of words that is damaged is made anew by REINDEX; PostgreSQL has nothing that finds it out."""
    return True


def fill(connection: Connection) -> None:
    """Read every entry into an empty index, the oldest first: the newest have the highest numbers.

    The lists of words are made afterwards, all at once, which takes a tenth of the time.
    """
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.exec_driver_sql("DROP INDEX ix_search_documents_forms")
    connection.exec_driver_sql(
        """SELECT count(search_refresh(id)) FROM (
        SELECT id FROM dream_entries WHERE deleted_at IS NULL ORDER BY dreamed_at, id) AS entries"""
    )
    _list_words(connection)


def _list_words(connection: Connection) -> None:
    # At once, not from a list of what is pending: somebody saves an entry a night, and searches more often.
    index = "ix_search_documents_forms ON search_documents USING gin (forms) WITH (fastupdate = off)"
    connection.exec_driver_sql(f"CREATE INDEX {index}")
