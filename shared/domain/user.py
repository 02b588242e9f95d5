"""A person, known by platform id, and the language they are spoken to in."""

from uuid import uuid4

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from shared.domain.base import Base, BigInt, CreatedAt, Id, Instant

LANGUAGES = ("en", "ru")
DEFAULT_LANGUAGE = "en"
LEVELS = ("beginner", "intermediate", "advanced", "native")


class User(Base, kw_only=True):
    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("language in ('en', 'ru')", name="language_known"),
        CheckConstraint("level in ('beginner', 'intermediate', 'advanced', 'native')", name="level_known"),
    )

    id: Mapped[Id] = mapped_column(default_factory=uuid4)
    telegram_user_id: Mapped[BigInt] = mapped_column(unique=True)
    first_name: Mapped[str] = mapped_column(default="", repr=False)
    username: Mapped[str | None] = mapped_column(default=None, repr=False)
    language: Mapped[str] = mapped_column(default=DEFAULT_LANGUAGE)
    language_is_chosen: Mapped[bool] = mapped_column(default=False)
    level: Mapped[str | None] = mapped_column(default=None)
    """How well they speak what a tutor teaches; none until they said so."""
    chosen_model: Mapped[str | None] = mapped_column(default=None)
    """`provider:model` that they prefer, where their plan allows it."""
    start_payload: Mapped[str | None] = mapped_column(default=None)
    blocked_at: Mapped[Instant | None] = mapped_column(default=None)
    created_at: Mapped[CreatedAt] = mapped_column(init=False)


def spoken_language(language_code: str | None) -> str:
    """The language we can speak that is nearest to Telegram's code (`ru`, `en-GB`, …); others get English.

    Neighbours that mostly read Russian get Russian, as they may change it with one press.
    """
    code = (language_code or "").lower().split("-")[0]
    if code in {"ru", "be", "uk", "kk", "ky", "tg"}:
        return "ru"
    return code if code in LANGUAGES else DEFAULT_LANGUAGE
