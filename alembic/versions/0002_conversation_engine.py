"""conversation engine"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RULES = (
    ("characters", "task_known", "task in ('talk', 'tutor')"),
    ("plans", "turns_per_minute_positive", "turns_per_minute > 0"),
    ("plans", "daily_micros_not_negative", "daily_micros >= 0"),
    ("plans", "tier_known", "tier in ('auto', 'strong', 'simple')"),
    ("turns", "reserved_not_negative", "reserved_micros >= 0"),
    ("turns", "tier_known", "tier in ('strong', 'simple', 'cache')"),
    ("users", "level_known", "level in ('beginner', 'intermediate', 'advanced', 'native')"),
)


def upgrade() -> None:
    op.create_table(
        "spendings",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("scope_id", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reserved_micros", sa.BigInteger(), nullable=False),
        sa.Column("spent_micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("scope in ('user', 'bot')", name=op.f("ck_spendings_scope_known")),
        sa.CheckConstraint("reserved_micros >= 0 and spent_micros >= 0", name=op.f("ck_spendings_not_negative")),
        sa.PrimaryKeyConstraint("scope", "scope_id", "day", name=op.f("pk_spendings")),
    )
    op.create_index("ix_spendings_day", "spendings", ["day"], unique=False)
    op.create_table(
        "memory_marks",
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("until_message_id", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dialog_id"], ["dialogs.id"], name=op.f("fk_memory_marks_dialog_id_dialogs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dialog_id", name=op.f("pk_memory_marks")),
    )
    op.create_table(
        "summaries",
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("until_message_id", sa.BigInteger(), nullable=False),
        sa.Column("tokens_before", sa.Integer(), nullable=False),
        sa.Column("tokens_after", sa.Integer(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["dialog_id"], ["dialogs.id"], name=op.f("fk_summaries_dialog_id_dialogs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dialog_id", name=op.f("pk_summaries")),
    )
    op.create_table(
        "memories",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("character_id", sa.Uuid(), nullable=True),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("confidence", sa.REAL(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("source_message_id", sa.BigInteger(), nullable=True),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.Column("embedding", postgresql.ARRAY(sa.REAL()), nullable=True),
        sa.Column("embedding_model", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('active', 'asked', 'replaced', 'forgotten')", name=op.f("ck_memories_status_known")),
        sa.CheckConstraint("confidence between 0 and 1", name=op.f("ck_memories_confidence_is_share")),
        sa.ForeignKeyConstraint(["character_id"], ["characters.id"], name=op.f("fk_memories_character_id_characters"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["source_message_id"], ["messages.id"], name=op.f("fk_memories_source_message_id_messages"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["successor_id"], ["memories.id"], name=op.f("fk_memories_successor_id_memories"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memories_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memories")),
    )
    op.create_index("ix_memories_character_id", "memories", ["character_id"], unique=False)
    op.create_index("ix_memories_source_message_id", "memories", ["source_message_id"], unique=False)
    op.create_index("ix_memories_successor_id", "memories", ["successor_id"], unique=False)
    op.create_index("ix_memories_user_id", "memories", ["user_id"], unique=False)
    op.add_column("characters", sa.Column("task", sa.String(), server_default="talk", nullable=False))
    op.add_column("dialogs", sa.Column("history_from", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("messages", sa.Column("source_id", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False))
    op.create_index(
        "uq_messages_source", "messages", ["dialog_id", "source_id"], unique=True, postgresql_where=sa.text("source_id is not null")
    )
    op.add_column("plans", sa.Column("turns_per_minute", sa.Integer(), nullable=True))
    op.add_column("plans", sa.Column("daily_micros", sa.BigInteger(), nullable=True))
    op.add_column("plans", sa.Column("tier", sa.String(), server_default="auto", nullable=False))
    op.add_column("plans", sa.Column("may_choose_model", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("plans", sa.Column("is_paid", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("turns", sa.Column("telegram_update_id", sa.BigInteger(), nullable=True))
    op.add_column("turns", sa.Column("tier", sa.String(), nullable=True))
    op.add_column("turns", sa.Column("reserved_micros", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("turns", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("turns", sa.Column("undone_by", sa.String(), nullable=True))
    op.add_column("turns", sa.Column("of_turn_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f("fk_turns_of_turn_id_turns"), "turns", "turns", ["of_turn_id"], ["id"], ondelete="CASCADE")
    op.create_index("ix_turns_of_turn_id", "turns", ["of_turn_id"], unique=False)
    op.add_column("users", sa.Column("level", sa.String(), nullable=True))
    op.add_column("users", sa.Column("chosen_model", sa.String(), nullable=True))
    op.add_column("lanes", sa.Column("is_paid", sa.Boolean(), server_default="false", nullable=False))
    for table, name, rule in RULES:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule)
    # Corrections find a user's words by the Telegram message that brought them, which only the turn knew so far.
    op.execute(
        "update messages m set source_id = t.source_id from turns t where t.id = m.turn_id and m.role = 'user' and m.source_id is null"
    )
    op.execute("update characters set task = 'tutor' where slug = 'honzik' and edited_at is null")


def downgrade() -> None:
    for table, name, _ in reversed(RULES):
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.drop_column("lanes", "is_paid")
    op.drop_column("users", "chosen_model")
    op.drop_column("users", "level")
    op.drop_index("ix_turns_of_turn_id", table_name="turns")
    op.drop_column("turns", "of_turn_id")
    op.drop_column("turns", "undone_by")
    op.drop_column("turns", "undone_at")
    op.drop_column("turns", "reserved_micros")
    op.drop_column("turns", "tier")
    op.drop_column("turns", "telegram_update_id")
    op.drop_column("plans", "is_paid")
    op.drop_column("plans", "may_choose_model")
    op.drop_column("plans", "tier")
    op.drop_column("plans", "daily_micros")
    op.drop_column("plans", "turns_per_minute")
    op.drop_index("uq_messages_source", table_name="messages", postgresql_where=sa.text("source_id is not null"))
    op.drop_column("messages", "is_active")
    op.drop_column("messages", "source_id")
    op.drop_column("dialogs", "history_from")
    op.drop_column("characters", "task")
    op.drop_index("ix_memories_user_id", table_name="memories")
    op.drop_index("ix_memories_successor_id", table_name="memories")
    op.drop_index("ix_memories_source_message_id", table_name="memories")
    op.drop_index("ix_memories_character_id", table_name="memories")
    op.drop_table("memories")
    op.drop_table("summaries")
    op.drop_table("memory_marks")
    op.drop_index("ix_spendings_day", table_name="spendings")
    op.drop_table("spendings")
