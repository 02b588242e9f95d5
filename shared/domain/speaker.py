"""Who speaks, where, and with whom: all that a handler needs to know before it acts."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A bot's chat, or a topic in it (`thread_id` 0 outside topics)."""

    bot_id: int
    chat_id: int
    thread_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What Telegram tells of the sender of an update."""

    telegram_user_id: int
    first_name: str = ""
    username: str | None = None
    language_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A known user in a place with a current dialog. `daily_turns` is the plan's allowance, none without limit."""

    user_id: UUID
    telegram_user_id: int
    language: str
    place: Place
    dialog_id: UUID
    character_id: UUID
    character_name: str
    character_emoji: str
    plan_code: str
    daily_turns: int | None
    is_blocked: bool = False
    is_new: bool = False
