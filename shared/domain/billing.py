"""What is sold, who holds it, and how much of it is used today."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.domain.base import Base, CreatedAt, Id, Instant

FREE_PLAN = "free"


class Plan(Base, kw_only=True):
    """`daily_turns` is the allowance of a UTC day; none means without limit."""

    __tablename__ = "plans"
    __table_args__ = (CheckConstraint("daily_turns >= 0", name="daily_turns_not_negative"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    daily_turns: Mapped[int | None] = mapped_column(default=None)
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
