"""Signed-in browsers, and what an account prefers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# In SQL, which is the same for both databases here: Alembic adds a constraint to an SQLite table by copying it, and
# loses the constraints that were there. https://alembic.sqlalchemy.org/en/latest/batch.html
COLUMNS = (
    "language VARCHAR(16) CONSTRAINT ck_accounts_language CHECK (language IN ('sl', 'en'))",
    "time_zone VARCHAR(64)",
    (
        "theme VARCHAR(16) DEFAULT 'auto' NOT NULL "
        "CONSTRAINT ck_accounts_theme CHECK (theme IN ('auto', 'light', 'dark', 'night'))"
    ),
    "night_from TIME",
    "night_until TIME",
)


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("device", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_sessions_key_hash")),
    )
    op.create_index(op.f("ix_sessions_account_id"), "sessions", ["account_id"])
    for column in COLUMNS:
        op.execute(f"ALTER TABLE accounts ADD COLUMN {column}")
    op.add_column("dream_entries", sa.Column("peaks", sa.LargeBinary()))


def downgrade() -> None:
    op.drop_column("dream_entries", "peaks")
    for column in reversed(COLUMNS):
        op.execute(f"ALTER TABLE accounts DROP COLUMN {column.split()[0]}")
    op.drop_table("sessions")
