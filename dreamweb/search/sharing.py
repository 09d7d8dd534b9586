"""Asks the search index which entries have one of the rarest words of another, in any form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Integer, String, Uuid, bindparam, column, table, text

from dreamweb.db import session

documents = table("search_documents", column("entry_id", Uuid()))
"""The entries that are in the index, on either database."""

# A scalar query for each word, as each is counted to a bound only. Of equally rare words, the longer ones say more.
_SQLITE = """WITH wanted AS MATERIALIZED (
        SELECT value AS lemma, '{title_lemmas lemmas} : "' || value || '"' AS query FROM json_each(:lemmas)
    ), counted AS MATERIALIZED (
        SELECT lemma, query, (SELECT count(*) FROM (
            SELECT 1 FROM search_index JOIN search_documents AS document ON document.id = search_index.rowid
            WHERE search_index MATCH query AND document.account_id = :account_id LIMIT :most + 1)) AS entries
        FROM wanted
    ), rare AS MATERIALIZED (
        SELECT lemma, query, entries FROM counted WHERE entries BETWEEN 2 AND :most
        ORDER BY entries, length(lemma) DESC, lemma LIMIT :rarest
    ) SELECT lemma, entries, document.entry_id AS entry_id FROM rare CROSS JOIN search_index
    JOIN search_documents AS document ON document.id = search_index.rowid
    WHERE search_index MATCH query AND document.account_id = :account_id"""

# A GIN index gives all entries with a word before the first can be read: what is in every fourth is not looked up.
_POSTGRES = """WITH wanted AS MATERIALIZED (
        SELECT lemma, quote_literal(lemma)::tsquery AS query FROM unnest(CAST(:lemmas AS text[])) AS lemma
    ), newest AS MATERIALIZED (
        SELECT lemmas FROM search_documents WHERE account_id = :account_id ORDER BY id DESC LIMIT 100
    ), counted AS MATERIALIZED (
        SELECT lemma, query, (SELECT count(*) FROM (
            SELECT FROM search_documents AS document
            WHERE document.forms @@ query AND document.lemmas @@ query AND document.account_id = :account_id
            LIMIT :most + 1) AS those) AS entries
        FROM wanted WHERE (SELECT count(*) FROM newest WHERE newest.lemmas @@ query) <= 25
    ), rare AS MATERIALIZED (
        SELECT lemma, query, entries FROM counted WHERE entries BETWEEN 2 AND :most
        ORDER BY entries, length(lemma) DESC, lemma COLLATE "C" LIMIT :rarest
    ) SELECT lemma, entries, document.entry_id AS entry_id FROM rare
    JOIN search_documents AS document ON document.forms @@ query AND document.lemmas @@ query
        AND document.account_id = :account_id"""


def sharing(account_id: UUID, lemmas: Sequence[str], most: int, rarest: int) -> list[tuple[str, int, UUID]]:
    """Which entries of an account have one of these folded lemmas: lemma, number of entries that have it, entry.

    Only the `rarest` of those lemmas that are in two entries or more and in `most` at most.
    """
    on_sqlite = session().get_bind().dialect.name == "sqlite"
    statement = text(_SQLITE if on_sqlite else _POSTGRES).bindparams(
        bindparam("account_id", account_id, Uuid()),
        bindparam("lemmas", json.dumps(lemmas) if on_sqlite else list(lemmas)),
        bindparam("most", most),
        bindparam("rarest", rarest),
    )
    typed = statement.columns(column("lemma", String()), column("entries", Integer()), column("entry_id", Uuid()))
    return [(lemma, entries, entry_id) for lemma, entries, entry_id in session().execute(typed)]
