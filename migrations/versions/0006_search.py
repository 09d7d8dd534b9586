"""Search: the index that the database keeps, the words of each journal, and saved searches."""

import sqlalchemy as sa
from alembic import op

from dreamweb.search import index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dream_entries", sa.Column("title_lemmas", sa.Text()))
    op.create_table(
        "journal_words",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("word", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_journal_words_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "word", name=op.f("pk_journal_words")),
    )
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_saved_searches_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("account_id", "query", name=op.f("uq_saved_searches_account_id_query")),
    )
    # Not written out here, as tables are: the index can be thrown away, and is always as the code wants it.
    index.create(op.get_bind())
    index.fill(op.get_bind())


def downgrade() -> None:
    index.drop(op.get_bind())
    op.drop_table("saved_searches")
    op.drop_table("journal_words")
    op.drop_column("dream_entries", "title_lemmas")
