"""Who speaks, and where: every handler gets a `Speaker`."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, Message, TelegramObject

from services.bot.handlers.menu import answer
from shared.application.accounts import AccountService
from shared.domain.speaker import Person, Place

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
    thread_id = message.message_thread_id if message.is_topic_message else None
    return Place(bot_id=bot_id, chat_id=message.chat.id, thread_id=thread_id or 0)


def _start_payload(event: TelegramObject) -> str | None:
    """`/start <payload>` of a deep link: at most 64 characters, as Telegram has it."""
    text = event.text if isinstance(event, Message) else None
    if not text or not text.startswith("/start "):
        return None
    return text.split(maxsplit=1)[1][:64] if len(text.split(maxsplit=1)) > 1 else None
