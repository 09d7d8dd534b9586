"""Captures: recordings that are collected piece by piece, while they are spoken."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "captures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid()),
        sa.Column("state", sa.String(16), server_default="open", nullable=False),
        sa.Column(
            "segments", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), server_default="[]", nullable=False
        ),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("tried_version", sa.Integer()),
        sa.CheckConstraint("state IN ('open', 'finished', 'cut_off')", name=op.f("ck_captures_state")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_captures_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["dream_entries.id"], name=op.f("fk_captures_entry_id_dream_entries"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captures")),
        sa.UniqueConstraint("account_id", "client_id", name=op.f("uq_captures_account_id_client_id")),
    )
    op.create_index(op.f("ix_captures_entry_id"), "captures", ["entry_id"])
    op.create_index(op.f("ix_captures_state_updated_at"), "captures", ["state", "updated_at"])
    op.create_table(
        "capture_chunks",
        sa.Column("capture_id", sa.Uuid(), nullable=False),
        sa.Column("segment", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["captures.id"], name=op.f("fk_capture_chunks_capture_id_captures"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("capture_id", "segment", "n", name=op.f("pk_capture_chunks")),
    )
    # In place: to copy the table, as Alembic's batch mode does on SQLite, would take its entries' tags and attachments.
    op.add_column("dream_entries", sa.Column("cut_off", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("dream_entries", "cut_off")
    op.drop_table("capture_chunks")
    op.drop_table("captures")
