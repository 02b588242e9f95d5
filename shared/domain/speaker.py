"""Who speaks, where, and with whom: all that a handler needs to know before it acts."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A bot's chat, or a topic in it (`thread_id` 0 outside topics)."""

    bot_id: int
    chat_id: int
    thread_id: int = 0

    @property
    def is_group(self) -> bool:
        """Ids of groups are negative; a private chat has its person's."""
        return self.chat_id < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What Telegram tells of the sender of an update."""

    telegram_user_id: int
    first_name: str = ""
    username: str | None = None
    language_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A known user in a place with a current dialog.

    `daily_turns`, `turns_per_minute` and `daily_micros` (millionths of a US dollar) are the plan's, none without limit; so are `plan_tier`
    (auto, strong, simple), `may_choose_model` and `is_paid`. `level` and `chosen_model` are the user's own, none until they said so.
    """

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
    turns_per_minute: int | None = None
    daily_micros: int | None = None
    plan_tier: str = "auto"
    may_choose_model: bool = False
    is_paid: bool = False
    level: str | None = None
    chosen_model: str | None = None
    character_task: str = "talk"
    is_blocked: bool = False
    is_new: bool = False

    @property
    def has_choice_of_model(self) -> bool:
        """A plan that always takes the strong or the simple models leaves nothing to choose."""
        return self.may_choose_model and self.plan_tier == "auto"
