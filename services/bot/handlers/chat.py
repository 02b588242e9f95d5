"""Talking with a character: text, corrections, Stop, and what we cannot read."""

import json
from contextlib import suppress

from aiogram import F, Router
from aiogram.enums import ContentType
from aiogram.filters import Command
from aiogram.types import Message, MessageGenerationStopped

from services.bot.addressing import ADDRESSED
from services.bot.albums import RecentAlbums
from services.bot.bursts import Burst, words_in
from services.bot.delivery import Delivery
from services.bot.filters import Holds, has_words
from services.bot.replies import Shown
from services.bot.sentences import say
from services.bot.streaming import DRAFTS_PER_REPLY, ReplyView, Stage, place_of, thread_of
from services.bot.talking import Talking
from shared.application.chat import ChatService, NotLastTurnError
from shared.application.inbox import Presence
from shared.application.limits import LimitService
from shared.application.stop import StopRegistry
from shared.domain.speaker import Speaker


async def on_words(
    message: Message, speaker: Speaker, *, chat: ChatService, delivery: Delivery, stage: Stage, limits: LimitService, albums: RecentAlbums
) -> None:
    """Words, and all that the person says right after them; or an album, whose words may stand under any of its parts."""
    burst = Burst(message, delivery, stage.bot, stage.switches)
    await burst.begin()
    if not await burst.said():
        await on_other_content(message, speaker, delivery, albums)
        return
    albums.is_first(message.chat.id, message.media_group_id)
    await Talking(chat=chat, stage=stage, limits=limits).answer(burst, message, speaker, delivery)


async def on_edited(message: Message, speaker: Speaker, chat: ChatService, delivery: Delivery, stage: Stage) -> None:
    edited = await chat.edit(speaker, str(message.message_id), words_in(message, await stage.bot.me()))
    if edited is None or not edited.is_last:
        return
    view = ReplyView(message, delivery, stage, language=speaker.language, shown=Shown.among(edited.message_ids))
    turn_id, source = edited.turn_id, f"edit:{delivery.lease.update_id}"
    with suppress(NotLastTurnError):  # more was said meanwhile: the correction is remembered, and the talk goes on
        await view.show(lambda by, stop: chat.regenerate(speaker, turn_id, source_id=source, stop=stop, delivery=by))


async def on_stop_button(event: MessageGenerationStopped, stops: StopRegistry, presence: Presence) -> None:
    reply = event.draft_id // DRAFTS_PER_REPLY
    if not stops.press(event.chat.id, reply):
        await presence.notify("vitte_stop", json.dumps([event.chat.id, reply]))


async def on_stop_command(
    message: Message, speaker: Speaker, *, chat: ChatService, stops: StopRegistry, presence: Presence, delivery: Delivery
) -> None:
    thread = thread_of(message)
    if stops.press(message.chat.id, thread_id=thread):
        return
    await presence.notify("vitte_stop", json.dumps([message.chat.id, None, thread]))
    if not await chat.is_replying(speaker):
        delivery.say(say("nothing-to-stop", speaker.language), place_of(message))


async def on_unknown_command(message: Message, speaker: Speaker, delivery: Delivery) -> None:
    delivery.say(say("unknown-command", speaker.language), place_of(message))


async def on_other_content(message: Message, speaker: Speaker, delivery: Delivery, albums: RecentAlbums) -> None:
    if albums.is_first(message.chat.id, message.media_group_id):
        delivery.say(say("unknown-content", speaker.language, kind=_kind(message)), place_of(message))


_KINDS = {"animation": "video", "video_note": "video", "audio": "voice", "venue": "location"}
_CONTENT = F.content_type.in_({"photo", "voice", "audio", "video", "video_note", "animation", "sticker", "document", "location",
                               "venue", "contact", "poll", "dice", "story", "game", "checklist"})  # fmt: skip


def _kind(message: Message) -> str:
    kind = ContentType(message.content_type).value  # str() of it names the class too
    return _KINDS.get(kind, kind)


def create_text_router() -> Router:
    """Asked first: most of what people send is words."""
    router = Router(name="text")
    router.message.register(on_words, has_words, ADDRESSED)
    return router


def create_router() -> Router:
    router = Router(name="chat")
    router.stopped_message_generation.register(on_stop_button)
    router.message.register(on_stop_command, Command("stop"))
    router.message.register(on_unknown_command, Holds((F.chat.type == "private") & F.text.startswith("/")))
    router.edited_message.register(on_edited, has_words, ADDRESSED)
    router.message.register(on_words, Holds(F.media_group_id), ADDRESSED)
    router.message.register(on_other_content, Holds(_CONTENT), ADDRESSED)
    return router
