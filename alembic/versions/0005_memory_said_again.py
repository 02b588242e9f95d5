"""memory: what says it again, and what was asked to be read"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Two tables beside the others, whose rows are neither read nor written: they are locked for an instant. May be run again."""
    op.create_table(
        "memory_sayings",
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("is_said", sa.Boolean(), nullable=False),
        sa.Column("was", sa.String(), nullable=True),
        sa.Column("was_of", sa.Uuid(), nullable=True),
        sa.CheckConstraint("was in ('active', 'asked')", name=op.f("ck_memory_sayings_was_known")),
        sa.ForeignKeyConstraint(["memory_id"], ["memories.id"], name=op.f("fk_memory_sayings_memory_id_memories"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_memory_sayings_message_id_messages"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("memory_id", "message_id", name=op.f("pk_memory_sayings")),
        if_not_exists=True,
    )
    op.create_index("ix_memory_sayings_message_id", "memory_sayings", ["message_id"], unique=False, if_not_exists=True)
    op.create_table(
        "memory_requests",
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("until_message_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.CheckConstraint("times > 0", name=op.f("ck_memory_requests_times_positive")),
        sa.ForeignKeyConstraint(["dialog_id"], ["dialogs.id"], name=op.f("fk_memory_requests_dialog_id_dialogs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dialog_id", name=op.f("pk_memory_requests")),
        if_not_exists=True,
    )


def downgrade() -> None:
    op.drop_table("memory_requests")
    op.drop_index("ix_memory_sayings_message_id", table_name="memory_sayings")
    op.drop_table("memory_sayings")
