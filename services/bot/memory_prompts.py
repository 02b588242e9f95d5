"""Messages that ask for a fact's words. Which fact is meant stands in a link inside the message itself: nothing is kept anywhere, so a
prompt works for as long as it stands in the chat.
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiogram import Bot
from aiogram.types import ForceReply, Message

from services.bot.memory_screens import IN_FULL, mark_of, shortened
from services.bot.sentences import say
from shared.application.memory import KnownMemory
from shared.domain.inbox import Outgoing
from shared.domain.memory_rules import LONGEST_FACT
from shared.domain.speaker import Speaker

_LINK = re.compile(r"https?://t\.me/\w+/?\?start=memory-(?:new(?:_([0-9a-f]{8}))?|([0-9a-f]{32}))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prompted:
    """What a reply is about: a fact that shall read differently, or, without id, a new one for the character with the mark `whose`."""

    memory_id: UUID | None
    whose: str = ""

    @property
    def payload(self) -> str:
        if self.memory_id is not None:
            return f"memory-{self.memory_id.hex}"
        return f"memory-new_{self.whose}" if self.whose else "memory-new"


async def link_to(bot: Bot, about: Prompted | None = None) -> str:
    """Opens the private chat with /memory, or with what a prompt is about."""
    payload = "memory" if about is None else about.payload
    return f"https://t.me/{(await bot.me()).username}?start={payload}"


def prompted_by(message: Message, bot_id: int) -> Prompted | None:
    """What the prompt that this message replies to is about; none if it replies to no prompt of ours."""
    asked = message.reply_to_message
    if asked is None or asked.from_user is None or asked.from_user.id != bot_id:
        return None
    links = [found for entity in asked.entities or () if entity.type == "text_link" and (found := _LINK.fullmatch(entity.url or ""))]
    if not links:
        return None
    whose, memory_id = links[0].groups()
    return Prompted(UUID(memory_id) if memory_id else None, whose or "")


async def ask_for_fix(memory: KnownMemory, speaker: Speaker, bot: Bot, place: dict[str, Any]) -> Outgoing:
    link = await link_to(bot, Prompted(memory.id))
    return _prompt(say("memory-prompt-fix", speaker.language, link=link, fact=shortened(memory.fact, IN_FULL)), speaker.language, place)


async def ask_for_new(speaker: Speaker, bot: Bot, place: dict[str, Any]) -> Outgoing:
    link = await link_to(bot, Prompted(None, mark_of(speaker)))
    return _prompt(say("memory-prompt-add", speaker.language, link=link, character=speaker.character_name), speaker.language, place)


async def ask_again(about: Prompted, speaker: Speaker, bot: Bot, place: dict[str, Any], *, had_words: bool) -> Outgoing:
    """The answer did not do; the prompt before stays good, too."""
    link = await link_to(bot, about)
    if had_words:
        return _prompt(say("memory-prompt-too-long", speaker.language, link=link, most=LONGEST_FACT), speaker.language, place)
    return _prompt(say("memory-prompt-no-words", speaker.language, link=link), speaker.language, place)


def _prompt(html: str, language: str, place: dict[str, Any]) -> Outgoing:
    asks = ForceReply(force_reply=True, input_field_placeholder=say("memory-placeholder", language, most=LONGEST_FACT))
    preview = {"is_disabled": True}
    params = {
        **place,
        "text": html,
        "parse_mode": "HTML",
        "link_preview_options": preview,
        "reply_markup": asks.model_dump(exclude_none=True),
    }
    return Outgoing(method="sendMessage", params=params)
