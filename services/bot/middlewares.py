"""Who speaks, and where: every handler gets a `Speaker`."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, Message, TelegramObject

from services.bot.handlers.menu import answer
from services.bot.streaming import thread_of
from shared.application.accounts import AccountService
from shared.domain.speaker import Person, Place

_START = re.compile(r"/start(?:@\w+)?\s+(\S.*)", re.DOTALL)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class SpeakerMiddleware(BaseMiddleware):
    """Passes `speaker`; a deep link's payload is kept at the first contact. Updates without a person, or from another bot, end here."""

    def __init__(self, accounts: AccountService) -> None:
        self._accounts = accounts

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        message = event.message if isinstance(event, CallbackQuery) else event
        user = event.from_user if isinstance(event, (CallbackQuery, Message)) else None
        if user is None or user.is_bot:
            return None
        if not isinstance(message, Message):
            # A button whose message is gone: nothing is left to show anything in, but its spinner shall end.
            return await answer(event) if isinstance(event, CallbackQuery) else None
        speaker = await self._accounts.recognise(
            Person(
                telegram_user_id=user.id,
                first_name=user.first_name,
                username=user.username,
                language_code=user.language_code,
            ),
            place_in(message, data["bot"].id),
            start_payload=_start_payload(event),
        )
        data["delivery"].language = speaker.language
        return await handler(event, {**data, "speaker": speaker})


def place_in(message: Message, bot_id: int) -> Place:
    return Place(bot_id=bot_id, chat_id=message.chat.id, thread_id=thread_of(message))


def _start_payload(event: TelegramObject) -> str | None:
    """`/start <payload>` of a deep link: at most 64 characters, as Telegram has it."""
    found = _START.match(event.text or "") if isinstance(event, Message) else None
    return found[1][:64] if found else None
