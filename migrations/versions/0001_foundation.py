"""The first tables: accounts, tokens, dream_entries, tags."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("name_key", sa.String(128), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'member')", name=op.f("ck_accounts_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name_key", name=op.f("uq_accounts_name_key")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tokens_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_tokens_token_hash")),
    )
    op.create_index(op.f("ix_tokens_account_id"), "tokens", ["account_id"])
    _create_entries()
    op.create_table(
        "tags",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tags_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_tags_account_id_name")),
    )
    op.create_table(
        "entry_tags",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["dream_entries.id"], name=op.f("fk_entry_tags_entry_id_dream_entries"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_entry_tags_tag_id_tags"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entry_id", "tag_id", name=op.f("pk_entry_tags")),
    )
    op.create_index(op.f("ix_entry_tags_tag_id"), "entry_tags", ["tag_id"])


def _create_entries() -> None:
    op.create_table(
        "dream_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("kind", sa.String(16), server_default="dream", nullable=False),
        sa.Column("status", sa.String(16), server_default="stored", nullable=False),
        sa.Column("title", sa.String(200)),
        sa.Column("text", sa.Text()),
        sa.Column("transcription", sa.Text()),
        sa.Column("cleaned_text", sa.Text()),
        sa.Column("language", sa.String(16)),
        sa.Column("dreamed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("mood", sa.String(50)),
        sa.Column("lucidity", sa.SmallInteger()),
        sa.Column("recall", sa.String(16)),
        sa.Column(
            "metadata", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), server_default="{}", nullable=False
        ),
        sa.Column("private", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("original_filename", sa.String(255)),
        sa.Column("saved_filename", sa.String(255)),
        sa.Column("file_path", sa.Text()),
        sa.Column("content_type", sa.String(100)),
        sa.Column("size_bytes", sa.BigInteger()),
        sa.Column("sha256", sa.String(64)),
        sa.Column("duration_seconds", sa.Float()),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("synced_to_notion", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("notion_page_id", sa.String(64)),
        sa.CheckConstraint("kind IN ('dream', 'journal', 'guided')", name=op.f("ck_dream_entries_kind")),
        sa.CheckConstraint("recall IN ('none', 'fragment', 'full')", name=op.f("ck_dream_entries_recall")),
        sa.CheckConstraint(
            "status IN ('stored', 'processing', 'ready', 'failed')", name=op.f("ck_dream_entries_status")
        ),
        sa.CheckConstraint(
            "(original_filename IS NULL) = (saved_filename IS NULL) AND (saved_filename IS NULL) = (file_path IS NULL)",
            name=op.f("ck_dream_entries_recording_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_dream_entries_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dream_entries")),
        sa.UniqueConstraint("account_id", "client_id", name=op.f("uq_dream_entries_account_id_client_id")),
        sa.UniqueConstraint("saved_filename", name=op.f("uq_dream_entries_saved_filename")),
    )
    op.create_index("ix_dream_entries_account_id_dreamed_at_id", "dream_entries", ["account_id", "dreamed_at", "id"])
    op.create_index(op.f("ix_dream_entries_deleted_at"), "dream_entries", ["deleted_at"])
    op.create_index(op.f("ix_dream_entries_uploaded_at"), "dream_entries", ["uploaded_at"])


def downgrade() -> None:
    for table in ("entry_tags", "tags", "dream_entries", "tokens", "accounts"):
        op.drop_table(table)
