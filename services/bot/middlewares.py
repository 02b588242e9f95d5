"""Who speaks, and where: every handler gets a `Speaker`."""

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, Message, TelegramObject
from prometheus_client import Counter

from services.bot.delivery import Delivery
from services.bot.handlers.menu import answer
from services.bot.patience import was_kept
from services.bot.sentences import say
from services.bot.streaming import place_of, thread_of
from shared.application.accounts import AccountService
from shared.application.limits import FLOOD_SECONDS, LimitService
from shared.domain.speaker import Person, Place
from shared.domain.user import spoken_language

_START = re.compile(r"/start(?:@\w+)?\s+(\S.*)", re.DOTALL)

FLOODED = Counter("vitte_flood_refused_total", "Updates passed over because one person sent too many at once")

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
        delivery: Delivery = data["delivery"]
        delivery.language, delivery.is_paid = speaker.language, speaker.is_paid
        return await handler(event, {**data, "speaker": speaker})


class FloodMiddleware(BaseMiddleware):
    """Too much of one person at once is passed over, and told so once; what is paid for is never passed over."""

    def __init__(self, limits: LimitService) -> None:
        self._limits = limits

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        user = event.from_user if isinstance(event, (CallbackQuery, Message)) else None
        delivery: Delivery = data["delivery"]
        is_money = isinstance(event, Message) and (event.successful_payment or event.refunded_payment)
        if user is None or user.is_bot or is_money or delivery.is_alone or not await self._limits.flood(user.id):
            return await handler(event, data)
        if await was_kept(delivery, self._limits):
            return await handler(event, data)
        FLOODED.inc()
        is_first = await self._limits.first(f"flood-told:{user.id}", FLOOD_SECONDS)
        sentence = say("too-many-updates", spoken_language(user.language_code)) if is_first else ""
        if isinstance(event, CallbackQuery):
            return await answer(event, unescape(sentence))
        if sentence and isinstance(event, Message) and event.chat.type == "private":
            delivery.say(sentence, place_of(event))
        return None


def place_in(message: Message, bot_id: int) -> Place:
    return Place(bot_id=bot_id, chat_id=message.chat.id, thread_id=thread_of(message))


def _start_payload(event: TelegramObject) -> str | None:
    """`/start <payload>` of a deep link: at most 64 characters, as Telegram has it."""
    found = _START.match(event.text or "") if isinstance(event, Message) else None
    return found[1][:64] if found else None
