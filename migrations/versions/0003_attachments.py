"""Attachments: pictures, documents, videos and sounds beside what an entry says."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("original_filename", sa.String(255), nullable=False),
        sa.Column("saved_filename", sa.String(255), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("content_type", sa.String(100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["dream_entries.id"],
            name=op.f("fk_attachments_entry_id_dream_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
        sa.UniqueConstraint("entry_id", "client_id", name=op.f("uq_attachments_entry_id_client_id")),
        sa.UniqueConstraint("saved_filename", name=op.f("uq_attachments_saved_filename")),
    )
    op.create_index(op.f("ix_attachments_entry_id"), "attachments", ["entry_id"])


def downgrade() -> None:
    op.drop_table("attachments")
