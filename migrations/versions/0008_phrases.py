"""Phrases on PostgreSQL that do not reach from one part of an entry into the next."""

from alembic import op

from dreamweb.search import index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        index.create(op.get_bind())
        index.fill(op.get_bind())


def downgrade() -> None:
    pass  # an older DreamWeb reads the same index
