"""The pipeline: jobs, the versions of texts, motifs, and what language models have used."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_OPEN = sa.text("state IN ('waiting', 'running')")


def _moment(name: str, *, nullable: bool = False, default: bool = True) -> sa.Column[object]:
    server_default = sa.func.now() if default and not nullable else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=server_default, nullable=nullable)


def _belongs(table: str, column: str, other: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def upgrade() -> None:
    _jobs()
    _versions()
    _motifs()
    # In place: to copy the table, as Alembic's batch mode does on SQLite, would take its entries' tags and attachments.
    op.add_column("dream_entries", sa.Column("analysis", _JSON))
    op.add_column("dream_entries", sa.Column("lemmas", sa.Text()))
    op.add_column("dream_entries", sa.Column("loudness_db", sa.Float()))
    op.add_column("dream_entries", _moment("processed_at", nullable=True))


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid()),
        sa.Column("entry_id", sa.Uuid()),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("lane", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        _moment("run_at"),
        sa.Column("every_seconds", sa.Float()),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(200)),
        _moment("lease_until", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("cancelling", sa.Boolean(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.Float()),
        sa.Column("amount", sa.Float()),
        sa.Column("engine", sa.String(200)),
        sa.Column("reason", _JSON),
        sa.Column("request", _JSON),
        sa.Column("result", _JSON),
        _moment("created_at"),
        _moment("started_at", nullable=True),
        _moment("finished_at", nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'skipped', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        _belongs("jobs", "account_id", "accounts"),
        _belongs("jobs", "entry_id", "dream_entries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_state_priority_run_at", "jobs", ["state", "priority", "run_at"])
    op.create_index("ix_jobs_entry_id_created_at", "jobs", ["entry_id", "created_at"])
    op.create_index(op.f("ix_jobs_finished_at"), "jobs", ["finished_at"])
    # Of each step, one job of an entry at a time waits or runs.
    op.create_index(
        "uq_jobs_entry_id_step_open",
        "jobs",
        ["entry_id", "step"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_table(
        "lanes",
        sa.Column("name", sa.String(16), nullable=False),
        _moment("paused_until", default=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lanes")),
    )


def _versions() -> None:
    op.create_table(
        "versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(16)),
        sa.Column("engine", sa.String(200)),
        sa.Column("rejected", _JSON),
        sa.Column("details", _JSON),
        _moment("created_at"),
        sa.CheckConstraint("kind IN ('transcription', 'cleaned_text', 'text')", name=op.f("ck_versions_kind")),
        _belongs("versions", "entry_id", "dream_entries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_versions")),
    )
    op.create_index("ix_versions_entry_id_kind_created_at", "versions", ["entry_id", "kind", "created_at"])
    op.create_table(
        "model_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid()),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("engine", sa.String(200), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float()),
        _moment("created_at"),
        _belongs("model_calls", "entry_id", "dream_entries", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_calls")),
    )
    op.create_index(op.f("ix_model_calls_created_at"), "model_calls", ["created_at"])
    op.create_index(op.f("ix_model_calls_entry_id"), "model_calls", ["entry_id"])


def _motifs() -> None:
    op.create_table(
        "motifs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(16), nullable=False),
        sa.Column("lemma", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("sign", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("merged_into_id", sa.Uuid()),
        _moment("created_at"),
        sa.CheckConstraint(
            "type IN ('symbol', 'person', 'place', 'feeling', 'theme', 'action')", name=op.f("ck_motifs_type")
        ),
        _belongs("motifs", "account_id", "accounts"),
        _belongs("motifs", "merged_into_id", "motifs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_motifs")),
        sa.UniqueConstraint("account_id", "type", "lemma", name=op.f("uq_motifs_account_id_type_lemma")),
    )
    op.create_index(op.f("ix_motifs_merged_into_id"), "motifs", ["merged_into_id"])
    op.create_table(
        "entry_motifs",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("motif_id", sa.Uuid(), nullable=False),
        sa.Column("words", _JSON, nullable=False),
        sa.Column("engine", sa.String(200)),
        _belongs("entry_motifs", "entry_id", "dream_entries"),
        _belongs("entry_motifs", "motif_id", "motifs"),
        sa.PrimaryKeyConstraint("entry_id", "motif_id", name=op.f("pk_entry_motifs")),
    )
    op.create_index(op.f("ix_entry_motifs_motif_id"), "entry_motifs", ["motif_id"])


def downgrade() -> None:
    op.drop_column("dream_entries", "processed_at")
    op.drop_column("dream_entries", "loudness_db")
    op.drop_column("dream_entries", "lemmas")
    op.drop_column("dream_entries", "analysis")
    for table in ("entry_motifs", "motifs", "model_calls", "versions", "lanes", "jobs"):
        op.drop_table(table)
