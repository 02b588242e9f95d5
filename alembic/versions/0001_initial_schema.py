"""initial schema"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("lane_tokens")))
    op.create_table(
        "characters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("emoji", sa.String(), nullable=False),
        sa.Column("tagline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("description", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("greeting", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("system_prompt", sa.String(), nullable=False),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_characters")),
        sa.UniqueConstraint("slug", name=op.f("uq_characters_slug")),
    )
    op.create_index("ix_characters_position", "characters", ["position"], unique=False)
    op.create_index("uq_characters_default", "characters", ["is_default"], unique=True, postgresql_where=sa.text("is_default"))
    op.create_table(
        "lanes",
        sa.Column("telegram_bot_id", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("is_priority", sa.Boolean(), nullable=False),
        sa.Column("arrivals", sa.BigInteger(), nullable=False),
        sa.Column("handled", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("leased_by", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("telegram_bot_id", "lane", name=op.f("pk_lanes")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(
        "ix_lanes_due", "lanes", ["telegram_bot_id", "is_priority", "due_at"], unique=False, postgresql_where=sa.text("due_at is not null")
    )
    op.create_index("ix_lanes_leased_by", "lanes", ["leased_by"], unique=False, postgresql_where=sa.text("leased_by is not null"))
    op.create_table(
        "operators",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role in ('owner', 'viewer')", name=op.f("ck_operators_role_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operators")),
        sa.UniqueConstraint("login", name=op.f("uq_operators_login")),
    )
    op.create_table(
        "outbox",
        sa.Column("telegram_bot_id", sa.BigInteger(), nullable=False),
        sa.Column("telegram_update_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(), server_default="pending", nullable=False),
        sa.Column("telegram_message_id", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('pending', 'sent', 'failed')", name=op.f("ck_outbox_status_known")),
        sa.PrimaryKeyConstraint("telegram_bot_id", "telegram_update_id", "step", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_created_at", "outbox", ["created_at"], unique=False)
    op.create_index("ix_outbox_pending", "outbox", ["created_at"], unique=False, postgresql_where=sa.text("status = 'pending'"))
    plans = op.create_table(
        "plans",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("daily_turns", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("daily_turns >= 0", name=op.f("ck_plans_daily_turns_not_negative")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_plans")),
    )
    op.create_table(
        "settings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_settings")),
    )
    op.create_table(
        "stored_updates",
        sa.Column("telegram_bot_id", sa.BigInteger(), nullable=False),
        sa.Column("telegram_update_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('pending', 'handled', 'dead')", name=op.f("ck_stored_updates_status_known")),
        sa.PrimaryKeyConstraint("telegram_bot_id", "telegram_update_id", name=op.f("pk_stored_updates")),
    )
    op.create_index("ix_stored_updates_dead", "stored_updates", ["received_at"], unique=False, postgresql_where=sa.text("status = 'dead'"))
    op.create_index(
        "ix_stored_updates_pending",
        "stored_updates",
        ["telegram_bot_id", "lane", "sequence"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_stored_updates_received_at", "stored_updates", ["received_at"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("telegram_user_id", sa.BigInteger(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("username", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("language_is_chosen", sa.Boolean(), nullable=False),
        sa.Column("start_payload", sa.String(), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("language in ('en', 'ru')", name=op.f("ck_users_language_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("telegram_user_id", name=op.f("uq_users_telegram_user_id")),
    )
    op.create_table(
        "allowance_usages",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_allowance_usages_used_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_allowance_usages_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "day", name=op.f("pk_allowance_usages")),
    )
    op.create_index("ix_allowance_usages_day", "allowance_usages", ["day"], unique=False)
    op.create_table(
        "dialogs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("telegram_bot_id", sa.BigInteger(), nullable=False),
        sa.Column("telegram_chat_id", sa.BigInteger(), nullable=False),
        sa.Column("telegram_thread_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("character_id", sa.Uuid(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["character_id"], ["characters.id"], name=op.f("fk_dialogs_character_id_characters")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_dialogs_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dialogs")),
        sa.UniqueConstraint(
            "telegram_bot_id",
            "telegram_chat_id",
            "telegram_thread_id",
            "character_id",
            name=op.f("uq_dialogs_telegram_bot_id_telegram_chat_id_telegram_thread_id_character_id"),
        ),
    )
    op.create_index("ix_dialogs_character_id", "dialogs", ["character_id"], unique=False)
    op.create_index("ix_dialogs_created_at", "dialogs", ["created_at"], unique=False)
    op.create_index(
        "ix_dialogs_place", "dialogs", ["telegram_bot_id", "telegram_chat_id", "telegram_thread_id", "entered_at"], unique=False
    )
    op.create_index("ix_dialogs_user_id", "dialogs", ["user_id"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("plan_code", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("ends_at is null or ends_at > starts_at", name=op.f("ck_subscriptions_ends_after_start")),
        sa.ForeignKeyConstraint(["plan_code"], ["plans.code"], name=op.f("fk_subscriptions_plan_code_plans")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_subscriptions_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    op.create_index("ix_subscriptions_user_id_ends_at", "subscriptions", ["user_id", "ends_at"], unique=False)
    op.create_index("uq_subscriptions_open_end", "subscriptions", ["user_id"], unique=True, postgresql_where=sa.text("ends_at is null"))
    op.create_table(
        "turns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("allowance_day", sa.Date(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("cost_micros", sa.BigInteger(), nullable=True),
        sa.Column("first_piece_ms", sa.Integer(), nullable=True),
        sa.Column("total_ms", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status in ('open', 'finished', 'interrupted', 'failed')", name=op.f("ck_turns_status_known")),
        sa.CheckConstraint("cost_micros >= 0", name=op.f("ck_turns_cost_not_negative")),
        sa.ForeignKeyConstraint(["dialog_id"], ["dialogs.id"], name=op.f("fk_turns_dialog_id_dialogs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_turns_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turns")),
        sa.UniqueConstraint("dialog_id", "source_id", name=op.f("uq_turns_dialog_id_source_id")),
    )
    op.create_index("ix_turns_created_at", "turns", ["created_at"], unique=False)
    op.create_index("ix_turns_open", "turns", ["created_at"], unique=False, postgresql_where=sa.text("status = 'open'"))
    op.create_index("ix_turns_user_id", "turns", ["user_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("dialog_id", sa.Uuid(), nullable=False),
        sa.Column("turn_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role in ('user', 'assistant', 'system')", name=op.f("ck_messages_role_known")),
        sa.ForeignKeyConstraint(["dialog_id"], ["dialogs.id"], name=op.f("fk_messages_dialog_id_dialogs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name=op.f("fk_messages_turn_id_turns"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_created_at", "messages", ["created_at"], unique=False)
    op.create_index("ix_messages_dialog_id_id", "messages", ["dialog_id", "id"], unique=False)
    op.create_index("ix_messages_turn_id", "messages", ["turn_id"], unique=False)
    op.bulk_insert(plans, [{"code": "free", "daily_turns": 100, "position": 0}])


def downgrade() -> None:
    op.drop_index("ix_messages_turn_id", table_name="messages")
    op.drop_index("ix_messages_dialog_id_id", table_name="messages")
    op.drop_index("ix_messages_created_at", table_name="messages")
    op.drop_table("messages")
    op.drop_index("ix_turns_user_id", table_name="turns")
    op.drop_index("ix_turns_open", table_name="turns", postgresql_where=sa.text("status = 'open'"))
    op.drop_index("ix_turns_created_at", table_name="turns")
    op.drop_table("turns")
    op.drop_index("uq_subscriptions_open_end", table_name="subscriptions", postgresql_where=sa.text("ends_at is null"))
    op.drop_index("ix_subscriptions_user_id_ends_at", table_name="subscriptions")
    op.drop_table("subscriptions")
    op.drop_index("ix_dialogs_user_id", table_name="dialogs")
    op.drop_index("ix_dialogs_place", table_name="dialogs")
    op.drop_index("ix_dialogs_created_at", table_name="dialogs")
    op.drop_index("ix_dialogs_character_id", table_name="dialogs")
    op.drop_table("dialogs")
    op.drop_index("ix_allowance_usages_day", table_name="allowance_usages")
    op.drop_table("allowance_usages")
    op.drop_table("users")
    op.drop_index("ix_stored_updates_received_at", table_name="stored_updates")
    op.drop_index("ix_stored_updates_pending", table_name="stored_updates", postgresql_where=sa.text("status = 'pending'"))
    op.drop_index("ix_stored_updates_dead", table_name="stored_updates", postgresql_where=sa.text("status = 'dead'"))
    op.drop_table("stored_updates")
    op.drop_table("settings")
    op.drop_table("plans")
    op.drop_index("ix_outbox_pending", table_name="outbox", postgresql_where=sa.text("status = 'pending'"))
    op.drop_index("ix_outbox_created_at", table_name="outbox")
    op.drop_table("outbox")
    op.drop_table("operators")
    op.drop_index("ix_lanes_leased_by", table_name="lanes", postgresql_where=sa.text("leased_by is not null"))
    op.drop_index("ix_lanes_due", table_name="lanes", postgresql_where=sa.text("due_at is not null"))
    op.drop_table("lanes")
    op.drop_index("uq_characters_default", table_name="characters", postgresql_where=sa.text("is_default"))
    op.drop_index("ix_characters_position", table_name="characters")
    op.drop_table("characters")
    op.execute(sa.schema.DropSequence(sa.Sequence("lane_tokens")))
