"""Telegram updates kept until they are handled, the lanes that keep their order, and what is still to be sent.

An update belongs to one lane; a lane is worked on by one consumer at a time, oldest update first. `due_at` is the moment when
somebody should look at the lane: none when it is idle, in the future while it is leased or postponed.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CheckConstraint, Identity, Index, LargeBinary, Sequence, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.domain.base import Base, BigInt, CreatedAt, Instant, JsonObject
from shared.domain.errors import ConflictError

MAX_FAILURES = 3
"""Attempts that ended with an error before an update becomes a dead letter."""
MAX_ATTEMPTS = 8
"""Attempts of any end, the death of the process included."""

LANE_TOKENS = Sequence("lane_tokens", metadata=Base.metadata)
"""Fencing tokens: never given out twice."""


class LeaseLostError(ConflictError):
    """Somebody else works on this lane now; nothing was written."""

    code = "lease_lost"


class UpdateStatus(StrEnum):
    PENDING = "pending"
    HANDLED = "handled"
    DEAD = "dead"


class ParcelStatus(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class StoredUpdate(Base, kw_only=True):
    """`body` holds the bytes as Telegram sent them, also those that cannot be understood."""

    __tablename__ = "stored_updates"
    __table_args__ = (
        CheckConstraint("status in ('pending', 'handled', 'dead')", name="status_known"),
        Index(
            "ix_stored_updates_pending",
            "telegram_bot_id",
            "lane",
            "sequence",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_stored_updates_dead", "received_at", postgresql_where=text("status = 'dead'")),
        Index("ix_stored_updates_received_at", "received_at"),
    )

    telegram_bot_id: Mapped[BigInt] = mapped_column(primary_key=True)
    telegram_update_id: Mapped[BigInt] = mapped_column(primary_key=True)
    sequence: Mapped[BigInt] = mapped_column(Identity(always=True), init=False)
    lane: Mapped[str]
    kind: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary, repr=False)
    status: Mapped[str] = mapped_column(default=UpdateStatus.PENDING)
    error: Mapped[str | None] = mapped_column(default=None)
    received_at: Mapped[CreatedAt] = mapped_column(init=False)
    handled_at: Mapped[Instant | None] = mapped_column(default=None)


class Lane(Base, kw_only=True):
    """`arrivals` and `handled` count updates; the lane has work while they differ.

    `attempts` and `failures` are those of its oldest update.
    """

    __tablename__ = "lanes"
    __table_args__ = (
        Index(
            "ix_lanes_due", "telegram_bot_id", "is_priority", text("is_paid desc"), "due_at", postgresql_where=text("due_at is not null")
        ),
        Index("ix_lanes_leased_by", "leased_by", postgresql_where=text("leased_by is not null")),
        {"postgresql_with": {"fillfactor": 70}},
    )

    telegram_bot_id: Mapped[BigInt] = mapped_column(primary_key=True)
    lane: Mapped[str] = mapped_column(primary_key=True)
    is_priority: Mapped[bool]
    is_paid: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Somebody with a paid plan speaks there: taken first when all places are busy."""
    arrivals: Mapped[BigInt] = mapped_column(default=0)
    handled: Mapped[BigInt] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)
    token: Mapped[BigInt] = mapped_column(default=0)
    leased_by: Mapped[int | None] = mapped_column(default=None)
    due_at: Mapped[Instant | None] = mapped_column(default=None)


class Parcel(Base, kw_only=True):
    """One Bot API call in the outbox that must reach a person: `step` orders the parcels of one update.

    `params` are JSON-ready. A parcel that is still pending when its lane changes hands may have been sent already: it is sent
    again and counted as a possible duplicate.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("status in ('pending', 'sent', 'failed')", name="status_known"),
        Index("ix_outbox_created_at", "created_at"),
        Index("ix_outbox_pending", "created_at", postgresql_where=text("status = 'pending'")),
    )

    telegram_bot_id: Mapped[BigInt] = mapped_column(primary_key=True)
    telegram_update_id: Mapped[BigInt] = mapped_column(primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    method: Mapped[str]
    params: Mapped[JsonObject] = mapped_column(repr=False)
    status: Mapped[str] = mapped_column(default=ParcelStatus.PENDING, server_default="pending")
    telegram_message_id: Mapped[BigInt | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    sent_at: Mapped[Instant | None] = mapped_column(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingUpdate:
    """An update as it came, with what intake reads from it. `broken` says why it can never be handled.

    `goes_on` marks plain words to us alone: they belong to what the same person said the moment before.
    """

    update_id: int
    lane: str
    kind: str
    is_priority: bool
    body: bytes
    broken: str | None = None
    goes_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on the oldest update of a lane until `token` is overtaken."""

    bot_id: int
    lane: str
    token: int
    update_id: int
    kind: str
    body: bytes
    attempts: int
    failures: int
    received_at: float
    """Seconds since the epoch, by the database's clock."""
    is_answered: bool = False
    """An earlier attempt has put its answer in the outbox already: that is to be sent, not made anew."""
    waiting: int = 0
    """Updates behind it in the lane when it was leased."""
    due_for: float = 0.0
    """Seconds that the lane had waited for somebody to take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """An update that waits behind the leased one."""

    update_id: int
    kind: str
    body: bytes


class Outcome(StrEnum):
    HANDLED = "handled"
    FAILED = "failed"
    """The attempt ended with an error and is made again later, up to `MAX_FAILURES` times."""
    DEAD = "dead"
    RELEASED = "released"
    """Given back untouched: somebody should take it again after the delay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How work on a lease ended. `delay` is in seconds; `sent` are (step, message id) of parcels that Telegram took.

    `merged` are updates behind the leased one that are handled with it, `passed` the ends of those that were tried before it. `is_paid`
    is what was learnt of whoever speaks in the lane.
    """

    lease: Lease
    outcome: Outcome
    delay: float = 0.0
    error: str | None = None
    sent: tuple[tuple[int, int | None], ...] = ()
    failed: tuple[tuple[int, str], ...] = ()
    merged: tuple[int, ...] = ()
    passed: "tuple[Settlement, ...]" = ()
    is_paid: bool | None = None

    @property
    def with_it(self) -> tuple[int, ...]:
        """All updates but the leased one that are handled."""
        return (*self.merged, *(end.lease.update_id for end in self.passed if end.outcome is Outcome.HANDLED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A Bot API call to put in the outbox."""

    method: str
    params: dict[str, object]
