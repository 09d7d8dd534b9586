"""What entries mean, as an embedding engine has put it into numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dreamweb.search import index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "embeddings",
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("engine", sa.String(200), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("places", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["dream_entries.id"], name=op.f("fk_embeddings_entry_id_dream_entries"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_embeddings_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_embeddings")),
    )
    op.create_index("ix_embeddings_account_id_engine", "embeddings", ["account_id", "engine"])
    if not index.is_whole(op.get_bind()):  # one that is kept in another way than today's
        index.create(op.get_bind())
        index.fill(op.get_bind())


def downgrade() -> None:
    # Where pgvector is, another table is made of this one.
    op.execute("DROP TABLE IF EXISTS search_near")
    op.drop_table("embeddings")
