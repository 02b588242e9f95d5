"""paid lanes first"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

NAME, DUE = "ix_lanes_due", sa.text("due_at is not null")


def upgrade() -> None:
    """Few lanes are due at a time, so that the index is made anew in no time."""
    op.drop_index(NAME, table_name="lanes", postgresql_where=DUE)
    op.create_index(NAME, "lanes", ["telegram_bot_id", "is_priority", sa.text("is_paid desc"), "due_at"], postgresql_where=DUE)


def downgrade() -> None:
    op.drop_index(NAME, table_name="lanes", postgresql_where=DUE)
    op.create_index(NAME, "lanes", ["telegram_bot_id", "is_priority", "due_at"], postgresql_where=DUE)
