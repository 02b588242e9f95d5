"""Whether a message speaks to us: always in private, in groups when it mentions us or answers one of our messages."""

import re

from aiogram import Bot
from aiogram.filters import Filter
from aiogram.types import Message, User

from shared.application.switches import SwitchService


class _Addressed(Filter):
    async def __call__(self, message: Message, bot: Bot, switches: SwitchService) -> bool:
        if message.chat.type == "private":
            return True
        if not (await switches.read()).answer_in_groups or (message.text or message.caption or "").startswith("/"):
            return False
        replied = message.reply_to_message
        if replied is not None and replied.from_user is not None and replied.from_user.id == bot.id:
            return True
        return _mentions(message, await bot.me())


ADDRESSED = _Addressed()


def without_mention(message: Message, me: User) -> str:
    """What was said, without our name; in a group with the speaker's name before it, because several people talk there."""
    text = message.text or message.caption or ""
    if message.chat.type == "private":
        return text
    said = re.sub(rf"@{re.escape(me.username or '')}\b[,:]?\s*", "", text, flags=re.IGNORECASE).strip() or text
    name = message.from_user.first_name if message.from_user else ""
    return f"{name}: {said}" if name else said


def _mentions(message: Message, me: User) -> bool:
    text = message.text or message.caption or ""
    for entity in message.entities or message.caption_entities or ():
        if entity.type == "mention" and entity.extract_from(text).lower() == f"@{me.username}".lower():
            return True
        if entity.type == "text_mention" and entity.user is not None and entity.user.id == me.id:
            return True
    return False
