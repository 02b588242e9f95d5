"""What one person says in a row: several messages, forwarded ones, an album. One turn answers all of it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiogram import Bot
from aiogram.enums import ContentType
from aiogram.types import Message, User
from prometheus_client import Counter

from services.bot.addressing import ADDRESSED, without_mention
from services.bot.delivery import Delivery
from services.bot.filters import has_words
from services.bot.reading import UnreadableUpdateError, understood
from services.bot.streaming import thread_of
from shared.application.chat import Said
from shared.application.switches import SwitchService
from shared.domain.inbox import Follower

MOST_UPDATES = 50
MOST_CHARACTERS = 16_000
"""What comes on top of that waits for a turn of its own."""

MERGED = Counter("vitte_updates_merged_total", "Updates answered together with the one before them")


@dataclass(frozen=True, slots=True)
class _Part:
    update_id: int
    message: Message


class Burst:
    """Begins with the message of the leased update. `gather` adds those behind it in the lane, as far as they belong to it."""

    def __init__(self, message: Message, delivery: Delivery, bot: Bot, switches: SwitchService) -> None:
        self._delivery = delivery
        self._bot = bot
        self._switches = switches
        self._parts = [_Part(delivery.lease.update_id, message)]

    async def begin(self) -> None:
        """Takes along what waits already. The parts of an album arrive one by one, so that it is waited for."""
        if self._delivery.is_alone:
            return
        if self._parts[0].message.media_group_id is not None:
            await asyncio.sleep((await self._switches.read()).quiet_milliseconds / 1000)
            await self.gather()
        elif self._delivery.has_followers:
            await self.gather()

    async def gather(self) -> int:
        """Reads what waits in the lane; answers how much of it is new. What belongs to the burst is handled when the leased update is."""
        before = len(self._parts)
        found = await self._delivery.followers(MOST_UPDATES - 1)
        self._parts = [self._parts[0], *await self._that_belong(found)]
        self._delivery.merged = tuple(part.update_id for part in self._parts[1:])
        MERGED.inc(max(0, len(self._parts) - before))
        return len(self._parts) - before

    async def said(self) -> list[Said]:
        """In order; an album is one. Empty when there are no words at all."""
        me = await self._bot.me()
        return [said for album in _albums(part.message for part in self._parts) if (said := _said(album, me)) is not None]

    async def _that_belong(self, followers: Iterable[Follower]) -> list[_Part]:
        found: list[_Part] = []
        albums = {self._parts[0].message.media_group_id} - {None}
        room = MOST_CHARACTERS - _length(self._parts[0].message)
        for follower in followers:
            message = _message_in(follower, self._bot)
            if message is None or (room := room - _length(message)) < 0:
                break
            is_of_album = message.media_group_id in albums
            if not is_of_album and not await self._goes_on(message):
                break
            albums |= {message.media_group_id} - {None}
            found.append(_Part(follower.update_id, message))
        return found

    async def _goes_on(self, message: Message) -> bool:
        """An answer to one certain message stands by itself."""
        first = self._parts[0].message
        same = message.from_user is not None and first.from_user is not None and message.from_user.id == first.from_user.id
        if not same or thread_of(message) != thread_of(first) or message.reply_to_message is not None or not await has_words(message):
            return False
        return bool(await ADDRESSED(message, self._bot, self._switches))


def _message_in(follower: Follower, bot: Bot) -> Message | None:
    if follower.kind != "message":
        return None
    try:
        return understood(follower.body, bot).message
    except (UnreadableUpdateError, ValueError, RecursionError):
        return None


def _albums(messages: Iterable[Message]) -> list[list[Message]]:
    """Each message by itself, those of an album together."""
    albums: list[list[Message]] = []
    for message in messages:
        of_same = message.media_group_id is not None and albums and albums[-1][0].media_group_id == message.media_group_id
        if of_same:
            albums[-1].append(message)
        else:
            albums.append([message])
    return albums


def _said(album: Sequence[Message], me: User) -> Said | None:
    """Named by the message that holds the words, because that is the one that people correct."""
    spoken = next((message for message in album if message.text or message.caption), None)
    if spoken is None:
        return None
    return Said(str(spoken.message_id), words_in(spoken, me, items=len(album)))


def words_in(message: Message, me: User, *, items: int = 1) -> str:
    """What was said; before a caption stands what came with it, of which the character sees nothing."""
    words = without_mention(message, me)
    if message.text:
        return words
    what = f"{items} files" if items > 1 else ContentType(message.content_type).value
    return f"({what} that you cannot see) {words}"


def _length(message: Message) -> int:
    return len(message.text or message.caption or "")
