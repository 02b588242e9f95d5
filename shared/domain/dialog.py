"""A user or group with one character in one place, and what was said there."""

from datetime import date
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.domain.base import Base, BigInt, CreatedAt, Id, Instant, Serial
from shared.domain.errors import NotFoundError


class DialogNotFoundError(NotFoundError):
    code = "dialog_not_found"


class TurnStatus(StrEnum):
    OPEN = "open"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    """Stopped by the user or cut off by the provider; what was said is kept."""
    FAILED = "failed"
    """Nothing was said; the allowance was given back and the turn may be opened again."""


class Dialog(Base, kw_only=True):
    """Of a place's dialogs (bot, chat, topic) the one entered last is current; those with other characters wait to be resumed."""

    __tablename__ = "dialogs"
    __table_args__ = (
        UniqueConstraint("telegram_bot_id", "telegram_chat_id", "telegram_thread_id", "character_id"),
        Index("ix_dialogs_place", "telegram_bot_id", "telegram_chat_id", "telegram_thread_id", "entered_at"),
        Index("ix_dialogs_user_id", "user_id"),
        Index("ix_dialogs_character_id", "character_id"),
        Index("ix_dialogs_created_at", "created_at"),
    )

    id: Mapped[Id] = mapped_column(default_factory=uuid4)
    telegram_bot_id: Mapped[BigInt]
    telegram_chat_id: Mapped[BigInt]
    telegram_thread_id: Mapped[BigInt] = mapped_column(default=0)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    character_id: Mapped[UUID] = mapped_column(ForeignKey("characters.id"))
    entered_at: Mapped[Instant]
    history_from: Mapped[BigInt] = mapped_column(default=0, server_default="0")
    """The oldest message that still counts: /new moves it past everything that was said."""
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class Turn(Base, kw_only=True):
    """`source_id` names the message or press that began it, unique in its dialog. Money is in millionths of a US dollar.

    Another reply to the words of a turn is an attempt with a row of its own, `of_turn_id` naming that turn, whose alternative it becomes.
    Tokens and cost are this row's own; `reserved_micros` is what its budgets hold back while it is open.
    """

    __tablename__ = "turns"
    __table_args__ = (
        UniqueConstraint("dialog_id", "source_id"),
        CheckConstraint("status in ('open', 'finished', 'interrupted', 'failed')", name="status_known"),
        CheckConstraint("cost_micros >= 0", name="cost_not_negative"),
        CheckConstraint("reserved_micros >= 0", name="reserved_not_negative"),
        CheckConstraint("tier in ('strong', 'simple', 'cache')", name="tier_known"),
        Index("ix_turns_created_at", "created_at"),
        Index("ix_turns_open", "created_at", postgresql_where=text("status = 'open'")),
        Index("ix_turns_user_id", "user_id"),
        Index("ix_turns_of_turn_id", "of_turn_id"),
    )

    id: Mapped[Serial] = mapped_column(init=False)
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    source_id: Mapped[str]
    status: Mapped[str] = mapped_column(default=TurnStatus.OPEN)
    allowance_day: Mapped[date]
    of_turn_id: Mapped[BigInt | None] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), default=None)
    telegram_update_id: Mapped[BigInt | None] = mapped_column(default=None)
    """The update whose outbox parcels carry the reply: through them we know the messages that show it."""
    tier: Mapped[str | None] = mapped_column(default=None)
    model: Mapped[str | None] = mapped_column(default=None)
    prompt_tokens: Mapped[int | None] = mapped_column(default=None)
    completion_tokens: Mapped[int | None] = mapped_column(default=None)
    cost_micros: Mapped[BigInt | None] = mapped_column(default=None)
    reserved_micros: Mapped[BigInt] = mapped_column(default=0, server_default="0")
    first_piece_ms: Mapped[int | None] = mapped_column(default=None)
    total_ms: Mapped[int | None] = mapped_column(default=None)
    error_code: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    finished_at: Mapped[Instant | None] = mapped_column(default=None)
    undone_at: Mapped[Instant | None] = mapped_column(default=None)
    """Taken back with /undo: kept, and no part of the history any more."""
    undone_by: Mapped[str | None] = mapped_column(default=None)
    """What asked for it, so that the same /undo takes back one turn only."""


class Message(Base, kw_only=True):
    """One utterance. A greeting belongs to no turn.

    A turn may have several of the user (a burst) and several replies (alternatives), of which one is active. `source_id` names the
    Telegram message that brought a user's words.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("role in ('user', 'assistant', 'system')", name="role_known"),
        Index("ix_messages_dialog_id_id", "dialog_id", "id"),
        Index("ix_messages_turn_id", "turn_id"),
        Index("uq_messages_source", "dialog_id", "source_id", unique=True, postgresql_where=text("source_id is not null")),
        Index("ix_messages_created_at", "created_at"),
    )

    id: Mapped[Serial] = mapped_column(init=False)
    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"))
    turn_id: Mapped[BigInt | None] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), default=None)
    role: Mapped[str]
    text: Mapped[str] = mapped_column(repr=False)
    source_id: Mapped[str | None] = mapped_column(default=None)
    is_active: Mapped[bool] = mapped_column(default=True, server_default="true")
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    edited_at: Mapped[Instant | None] = mapped_column(default=None)


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
