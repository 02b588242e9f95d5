"""memory search and cost"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("memories", sa.Column("sketch", postgresql.BIT(varying=True), nullable=True))
    words = "to_tsvector('simple', translate(topic, '._', '  ') || ' ' || fact)"
    op.add_column("memories", sa.Column("words", postgresql.TSVECTOR(), sa.Computed(words, persisted=True), nullable=False))
    op.drop_column("memories", "embedding")
    op.execute("update memories set embedding_model = null")
    op.add_column("spendings", sa.Column("memory_micros", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("spendings", "memory_micros")
    op.add_column("memories", sa.Column("embedding", postgresql.ARRAY(sa.REAL()), nullable=True))
    op.drop_column("memories", "words")
    op.drop_column("memories", "sketch")
    op.execute("update memories set embedding_model = null")
