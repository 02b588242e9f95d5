"""The AI role as product: what is shown of it and what the model is told."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from shared.domain.base import Base, CreatedAt, Id, Instant, JsonObject
from shared.domain.errors import NotFoundError
from shared.domain.user import DEFAULT_LANGUAGE


class CharacterNotFoundError(NotFoundError):
    code = "character_not_found"


class Character(Base, kw_only=True):
    """`tagline`, `description` and `greeting` hold one text per language; `settings` go to the model as they are."""

    __tablename__ = "characters"
    __table_args__ = (
        Index("uq_characters_default", "is_default", unique=True, postgresql_where=text("is_default")),
        Index("ix_characters_position", "position"),
        CheckConstraint("task in ('talk', 'tutor')", name="task_known"),
    )

    id: Mapped[Id] = mapped_column(default_factory=uuid4)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    emoji: Mapped[str] = mapped_column(default="")
    tagline: Mapped[dict[str, str]] = mapped_column(JSONB, default_factory=dict)
    description: Mapped[dict[str, str]] = mapped_column(JSONB, default_factory=dict)
    greeting: Mapped[dict[str, str]] = mapped_column(JSONB, default_factory=dict, repr=False)
    system_prompt: Mapped[str] = mapped_column(repr=False)
    task: Mapped[str] = mapped_column(default="talk", server_default="talk")
    """What it is for, as far as the choice of a model goes: `talk` or `tutor`."""
    settings: Mapped[JsonObject] = mapped_column(default_factory=dict)
    position: Mapped[int] = mapped_column(default=0)
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)
    edited_at: Mapped[Instant | None] = mapped_column(default=None)
    """Set when an operator changes the character; the files it was seeded from then leave it alone."""


class CharacterTile(NamedTuple):
    """What a menu shows of a character; its texts in every language."""

    id: UUID
    slug: str
    name: str
    emoji: str
    tagline: dict[str, str]
    description: dict[str, str]
    is_default: bool

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "id": str(self.id)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "CharacterTile":
        return cls(**{**kept, "id": UUID(kept["id"])})


def in_language(texts: dict[str, str], language: str) -> str:
    return texts.get(language) or texts.get(DEFAULT_LANGUAGE) or next(iter(texts.values()), "")
