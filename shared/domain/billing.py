"""What is sold, who holds it, and how much of it is used today."""

from datetime import date
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.domain.base import Base, BigInt, CreatedAt, Id, Instant

FREE_PLAN = "free"
TIERS = ("auto", "strong", "simple")


class Plan(Base, kw_only=True):
    """What a plan allows; none means without limit. Money is in millionths of a US dollar.

    `daily_turns` and `daily_micros` are for a UTC day, `turns_per_minute` for any 60 seconds. `tier` says which models answer: `auto`
    chooses by task and person, `strong` and `simple` always take those.
    """

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("daily_turns >= 0", name="daily_turns_not_negative"),
        CheckConstraint("turns_per_minute > 0", name="turns_per_minute_positive"),
        CheckConstraint("daily_micros >= 0", name="daily_micros_not_negative"),
        CheckConstraint("tier in ('auto', 'strong', 'simple')", name="tier_known"),
    )

    code: Mapped[str] = mapped_column(primary_key=True)
    daily_turns: Mapped[int | None] = mapped_column(default=None)
    turns_per_minute: Mapped[int | None] = mapped_column(default=None)
    daily_micros: Mapped[BigInt | None] = mapped_column(default=None)
    tier: Mapped[str] = mapped_column(default="auto", server_default="auto")
    may_choose_model: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_paid: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Its holders are answered first when all places are taken."""
    position: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class Subscription(Base, kw_only=True):
    """A user's period of a plan; without `ends_at` it runs until another one replaces it."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint("ends_at is null or ends_at > starts_at", name="ends_after_start"),
        Index("uq_subscriptions_open_end", "user_id", unique=True, postgresql_where=text("ends_at is null")),
        Index("ix_subscriptions_user_id_ends_at", "user_id", "ends_at"),
    )

    id: Mapped[Id] = mapped_column(default_factory=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    plan_code: Mapped[str] = mapped_column(ForeignKey("plans.code"))
    starts_at: Mapped[Instant]
    ends_at: Mapped[Instant | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class AllowanceUsage(Base, kw_only=True):
    """Turns that a user has begun on a UTC day."""

    __tablename__ = "allowance_usages"
    __table_args__ = (CheckConstraint("used >= 0", name="used_not_negative"), Index("ix_allowance_usages_day", "day"))

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(default=0)


class Spending(Base, kw_only=True):
    """Money of one UTC day: of a user (`scope` user, `scope_id` the user's id), or of a bot (`scope` bot, its telegram id), where they have
    a limit; and always what a bot's memory took (`scope` memory, the bot's telegram id).

    What open turns may still cost is `reserved_micros`; it becomes `spent_micros` when they end.
    """

    __tablename__ = "spendings"
    __table_args__ = (
        CheckConstraint("scope in ('user', 'bot', 'memory')", name="scope_known"),
        CheckConstraint("reserved_micros >= 0 and spent_micros >= 0", name="not_negative"),
        Index("ix_spendings_day", "day"),
    )

    scope: Mapped[str] = mapped_column(primary_key=True)
    scope_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    reserved_micros: Mapped[BigInt] = mapped_column(default=0)
    spent_micros: Mapped[BigInt] = mapped_column(default=0)
    memory_micros: Mapped[BigInt] = mapped_column(default=0, server_default="0")
    """The part of what was spent that no turn was asked for: summaries and facts."""


class PlanTerms(NamedTuple):
    """What a plan allows; none is without limit. Money is in millionths of a US dollar."""

    code: str
    daily_turns: int | None
    turns_per_minute: int | None
    daily_micros: int | None
    tier: str
    may_choose_model: bool
    is_paid: bool
