"""Filters that run where they stand: aiogram sends each bare `F.…` to a thread and back."""

from aiogram.filters import Filter
from aiogram.types import Message, TelegramObject
from magic_filter import MagicFilter


class Holds(Filter):
    """A magic filter, resolved where it stands."""

    def __init__(self, rule: MagicFilter) -> None:
        self._rule = rule

    async def __call__(self, event: TelegramObject) -> bool:
        return bool(self._rule.resolve(event))


async def has_words(message: Message) -> bool:
    """A text or a caption, and not a command."""
    words = message.text or message.caption or ""
    return words != "" and not words.startswith("/")
