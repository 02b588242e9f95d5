"""Buttons under a reply, and taking a conversation back: another answer, go on, ‹ ›, /undo, /new."""

import json
from typing import Any

from aiogram import F, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from services.bot import keyboards, replies
from services.bot.delivery import Delivery
from services.bot.handlers.menu import answer
from services.bot.keyboards import PressStop, PressTurn
from services.bot.replies import Shown
from services.bot.sentences import say
from services.bot.spinner import Spinner
from services.bot.streaming import ReplyView, Stage, place_of
from shared.application.chat import ChatService
from shared.application.inbox import Presence
from shared.application.stop import StopRegistry
from shared.domain.inbox import Outgoing
from shared.domain.speaker import Speaker


async def on_again(
    press: CallbackQuery, callback_data: PressTurn, *, speaker: Speaker, chat: ChatService, delivery: Delivery, stage: Stage
) -> None:
    message = _under(press)
    shown = Shown(message.message_id, is_whole=callback_data.parts == 1)
    view = ReplyView(message, delivery, stage, language=speaker.language, shown=shown)
    source, count = _source(press), callback_data.count
    async with Spinner(press, delivery):
        await view.show(lambda by, stop: chat.regenerate(speaker, callback_data.id, source_id=source, shown=count, stop=stop, delivery=by))


async def on_go_on(
    press: CallbackQuery, callback_data: PressTurn, *, speaker: Speaker, chat: ChatService, delivery: Delivery, stage: Stage
) -> None:
    view = ReplyView(_under(press), delivery, stage, language=speaker.language)
    source = _source(press)
    async with Spinner(press, delivery):
        await view.show(lambda by, stop: chat.go_on(speaker, callback_data.id, source_id=source, stop=stop, delivery=by))


async def on_turn_page(press: CallbackQuery, callback_data: PressTurn, speaker: Speaker, chat: ChatService, delivery: Delivery) -> None:
    step = 1 if callback_data.do == "next" else -1
    chosen = await chat.choose(speaker, callback_data.id, step, shown=callback_data.number)
    await answer(press)
    message, parts = _under(press), replies.written(chosen.text)
    keyboard = keyboards.under_reply(chosen.turn_id, number=chosen.number, count=chosen.count, parts=len(parts), language=speaker.language)
    if callback_data.parts == 1 and len(parts) == 1:
        await _edit(message, parts[0], keyboard)
        return
    for call in replies.in_place(parts, place_of(message), keyboard, Shown(message.message_id, is_whole=False)):
        delivery.queue(call)


async def on_page_number(press: CallbackQuery) -> None:
    await answer(press)


async def on_stop_press(press: CallbackQuery, callback_data: PressStop, stops: StopRegistry, presence: Presence) -> None:
    chat_id = _under(press).chat.id
    if not stops.press(chat_id, callback_data.reply):
        await presence.notify("vitte_stop", json.dumps([chat_id, callback_data.reply]))
    await answer(press)


async def on_undo(message: Message, speaker: Speaker, chat: ChatService, delivery: Delivery) -> None:
    undone = await chat.undo(speaker, source_id=str(message.message_id))
    place = place_of(message)
    if undone is None:
        delivery.say(say("nothing-to-undo", speaker.language), place)
        return
    if undone.message_ids:
        delivery.queue(Outgoing(method="deleteMessages", params={"chat_id": message.chat.id, "message_ids": undone.message_ids[:100]}))
    sentence = say("undone" if undone.sources else "undone-reply", speaker.language)
    delivery.say(sentence, {**place, **_quoting(undone.sources)})


async def on_new(message: Message, speaker: Speaker, chat: ChatService, delivery: Delivery) -> None:
    greeting = replies.written(await chat.start_over(speaker))
    for call in replies.anew(greeting or [{"text": say("begun-anew", speaker.language)}], place_of(message), None):
        delivery.queue(call)


def _under(press: CallbackQuery) -> Message:
    """The message with the button; presses without one end in the middleware."""
    if not isinstance(press.message, Message):
        raise TypeError("a press without its message")
    return press.message


def _source(press: CallbackQuery) -> str:
    return f"press:{press.id}"


def _quoting(sources: tuple[str, ...]) -> dict[str, Any]:
    """The person sees which of their messages is meant."""
    if not sources or not sources[0].isdecimal():
        return {}
    return {"reply_parameters": {"message_id": int(sources[0]), "allow_sending_without_reply": True}}


async def _edit(message: Message, part: replies.Part, keyboard: InlineKeyboardMarkup) -> None:
    try:
        await message.edit_text(part["text"], entities=part.get("entities"), reply_markup=keyboard)
    except TelegramBadRequest as error:
        if "message is not modified" not in error.message and "message to edit not found" not in error.message:
            raise


def create_router() -> Router:
    router = Router(name="turns")
    router.callback_query.register(on_again, PressTurn.filter(F.do == "again"))
    router.callback_query.register(on_go_on, PressTurn.filter(F.do == "on"))
    router.callback_query.register(on_turn_page, PressTurn.filter(F.do.in_({"previous", "next"})))
    router.callback_query.register(on_page_number, PressTurn.filter())
    router.callback_query.register(on_stop_press, PressStop.filter())
    router.message.register(on_undo, Command("undo"))
    router.message.register(on_new, Command("new"))
    return router
