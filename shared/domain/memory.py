"""What a character knows of a user beyond the last messages: single facts, and a dialog's condensed past."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index
from sqlalchemy.dialects.postgresql import BIT, REAL, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from shared.domain.base import Base, BigInt, CreatedAt, Id, Instant
from shared.domain.errors import NotFoundError


class MemoryNotFoundError(NotFoundError):
    code = "memory_not_found"


class MemoryStatus(StrEnum):
    ACTIVE = "active"
    ASKED = "asked"
    """Contradicts an active memory: the user is asked which one holds."""
    REPLACED = "replaced"
    """A newer fact took its place; `successor_id` names it."""
    FORGOTTEN = "forgotten"


class Memory(Base, kw_only=True):
    """One fact about a user, in their own words' meaning. Without `character_id` all characters know it.

    `topic` is the attribute that it tells (`name`, `city`, `pet.dog`, …): a new fact of the same topic succeeds or contradicts the old one.
    `source_message_id` is the user's message that said it; facts that a user wrote themselves in /memory have none and are certain.
    `successor_id` names what took the place of a replaced fact, and of an asked one the active fact that it contradicts.
    A forgotten one has lost its words and keeps only its source, so that nothing is learnt from that message again.
    """

    __tablename__ = "memories"
    __table_args__ = (
        CheckConstraint("status in ('active', 'asked', 'replaced', 'forgotten')", name="status_known"),
        CheckConstraint("confidence between 0 and 1", name="confidence_is_share"),
        Index("ix_memories_user_id", "user_id"),
        Index("ix_memories_character_id", "character_id"),
        Index("ix_memories_source_message_id", "source_message_id"),
        Index("ix_memories_successor_id", "successor_id"),
    )

    id: Mapped[Id] = mapped_column(default_factory=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    character_id: Mapped[UUID | None] = mapped_column(ForeignKey("characters.id", ondelete="CASCADE"), default=None)
    topic: Mapped[str]
    fact: Mapped[str] = mapped_column(repr=False)
    confidence: Mapped[float] = mapped_column(REAL, default=1.0)
    status: Mapped[str] = mapped_column(default=MemoryStatus.ACTIVE)
    is_pinned: Mapped[bool] = mapped_column(default=False)
    source_message_id: Mapped[BigInt | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"), default=None)
    successor_id: Mapped[UUID | None] = mapped_column(ForeignKey("memories.id", ondelete="SET NULL"), default=None)
    sketch: Mapped[str | None] = mapped_column(BIT(varying=True), default=None, repr=False)
    """Its embedding in bits, by which memories are compared (docs/adr/0012)."""
    embedding_model: Mapped[str | None] = mapped_column(default=None)
    words: Mapped[str] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple', translate(topic, '._', '  ') || ' ' || fact)", persisted=True), init=False, repr=False
    )
    """By which it is found; kept by the database."""
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    updated_at: Mapped[Instant | None] = mapped_column(default=None)


class Summary(Base, kw_only=True):
    """What a dialog's messages up to `until_message_id` come down to. Tokens are estimates."""

    __tablename__ = "summaries"

    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(repr=False)
    until_message_id: Mapped[BigInt]
    tokens_before: Mapped[int]
    tokens_after: Mapped[int]
    model: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


class MemorySaying(Base, kw_only=True):
    """A later message of the user that said the memory again in the same words; not `is_said`: it said what contradicts the memory.

    Where that settled what was asked, `was` is the memory's status before and `was_of` the only character that knew it: taken back, the
    message lets it be so again.
    """

    __tablename__ = "memory_sayings"
    __table_args__ = (
        CheckConstraint("was in ('active', 'asked')", name="was_known"),
        Index("ix_memory_sayings_message_id", "message_id"),
    )

    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[BigInt] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    is_said: Mapped[bool] = mapped_column(default=True)
    was: Mapped[str | None] = mapped_column(default=None)
    was_of: Mapped[UUID | None] = mapped_column(default=None)


class MemoryMark(Base, kw_only=True):
    """How far a dialog's messages have been read for facts: each user message is read once, also when the worker dies in between."""

    __tablename__ = "memory_marks"

    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), primary_key=True)
    until_message_id: Mapped[BigInt]
    updated_at: Mapped[Instant]


class MemoryRequest(Base, kw_only=True):
    """When a dialog was last asked to be read, from which mark on, and how often from there."""

    __tablename__ = "memory_requests"
    __table_args__ = (CheckConstraint("times > 0", name="times_positive"),)

    dialog_id: Mapped[UUID] = mapped_column(ForeignKey("dialogs.id", ondelete="CASCADE"), primary_key=True)
    until_message_id: Mapped[BigInt]
    asked_at: Mapped[Instant]
    times: Mapped[int] = mapped_column(default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRival:
    """The fact that holds until the user answers which of two is true."""

    id: UUID
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMemory:
    """A memory as its user sees it. `is_asked`: it contradicts `rival`, and is not used before the user has said that it is true.

    `said_at` is none for what they wrote themselves and for messages that have been deleted since.
    """

    id: UUID
    fact: str
    topic: str
    is_shared: bool
    is_pinned: bool
    is_asked: bool
    rival: KnownRival | None
    confidence: float
    said_at: datetime | None
    is_own_words: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPage:
    """`page` counts from 0; `total` is over all pages, of which there is always one."""

    memories: tuple[KnownMemory, ...]
    total: int
    page: int
    pages: int
    character_name: str
