"""`/memory` and `/forget`: a person sees, corrects and takes away what characters know about them. Only ever in their private chat."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import Bot, F, Router
from aiogram.filters import Command, CommandStart
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Message

from services.bot import keyboards, memory_screens
from services.bot.delivery import Delivery
from services.bot.handlers.menu import answer, show
from services.bot.keyboards import OpenScreen
from services.bot.memory_prompts import Prompted, ask_again, ask_for_fix, ask_for_new, link_to, prompted_by
from services.bot.memory_screens import PressAdd, PressForget, PressHere, PressMemory, PressPage
from services.bot.screens import Screen
from services.bot.sentences import say
from services.bot.streaming import place_of
from shared.application.memory import MemoryService
from shared.domain.errors import InvalidInputError
from shared.domain.inbox import Outgoing
from shared.domain.memory import MemoryNotFoundError
from shared.domain.speaker import Speaker


async def on_memory(message: Message, speaker: Speaker, memory: MemoryService, delivery: Delivery) -> None:
    _send(memory_screens.known(await memory.known(speaker), speaker.language), message, delivery)


async def on_forget(message: Message, speaker: Speaker, delivery: Delivery) -> None:
    _send(memory_screens.forget_ask(speaker.language), message, delivery)


async def on_elsewhere(message: Message, speaker: Speaker, delivery: Delivery, bot: Bot) -> None:
    _send(memory_screens.elsewhere(await link_to(bot), speaker.language), message, delivery)


async def on_page(press: CallbackQuery, callback_data: PressPage, speaker: Speaker, memory: MemoryService) -> None:
    await show(press, await _known(memory, speaker, callback_data.page))


async def on_menu(press: CallbackQuery, speaker: Speaker, memory: MemoryService) -> None:
    await show(press, await _known(memory, speaker, 0))


async def on_fact(press: CallbackQuery, callback_data: PressMemory, speaker: Speaker, memory: MemoryService) -> None:
    try:
        screen = await _DEEDS[callback_data.do](memory, speaker, callback_data)
    except MemoryNotFoundError:
        screen = await _known(memory, speaker, callback_data.page, notice="gone")
    await show(press, screen)


async def on_here(press: CallbackQuery, callback_data: PressHere, speaker: Speaker, memory: MemoryService) -> None:
    try:
        if callback_data.whose != memory_screens.mark_of(speaker):
            raise MemoryNotFoundError("the button names another character")
        screen = memory_screens.fact(await memory.share(speaker, callback_data.id, False), speaker, callback_data.page)
    except MemoryNotFoundError:
        screen = await _known(memory, speaker, callback_data.page, notice="gone")
    await show(press, screen)


async def on_fix(
    press: CallbackQuery, callback_data: PressMemory, *, speaker: Speaker, memory: MemoryService, delivery: Delivery, bot: Bot
) -> None:
    try:
        found = await memory.find(speaker, callback_data.id)
    except MemoryNotFoundError:
        await show(press, await _known(memory, speaker, callback_data.page, notice="gone"))
        return
    await answer(press)
    if isinstance(press.message, Message):
        delivery.queue(await ask_for_fix(found, speaker, bot, place_of(press.message)))


async def on_add(press: CallbackQuery, speaker: Speaker, delivery: Delivery, bot: Bot) -> None:
    await answer(press)
    if isinstance(press.message, Message):
        delivery.queue(await ask_for_new(speaker, bot, place_of(press.message)))


async def on_words(message: Message, speaker: Speaker, memory: MemoryService, delivery: Delivery, bot: Bot) -> None:
    """The reply to a prompt. What does not do, or was meant for another character, is asked for again; for a fact that is gone, what is
    left is shown.
    """
    about = prompted_by(message, bot.id) or Prompted(None)
    if about.whose not in {"", memory_screens.mark_of(speaker)}:
        delivery.queue(await ask_for_new(speaker, bot, place_of(message)))
        return
    words = message.text or ""
    try:
        noted = await (memory.fix(speaker, about.memory_id, words) if about.memory_id else memory.add(speaker, words))
    except InvalidInputError:
        delivery.queue(await ask_again(about, speaker, bot, place_of(message), had_words=bool(words)))
        return
    except MemoryNotFoundError:
        _send(await _after_gone(words, memory, speaker), message, delivery)
        return
    _send(memory_screens.fact(noted, speaker, 0, notice="fixed" if about.memory_id else "added"), message, delivery)


async def _after_gone(words: str, memory: MemoryService, speaker: Speaker) -> Screen:
    """A reply that is handled again after a crash finds its own words in the place of the fact: then all is well."""
    page = await memory.known(speaker)
    noted = next((found for found in page.memories if found.is_own_words and found.fact == " ".join(words.split())), None)
    if noted is None:
        return memory_screens.known(page, speaker.language, notice="gone")
    return memory_screens.fact(noted, speaker, 0, notice="fixed")


async def on_forget_press(press: CallbackQuery, callback_data: PressForget, speaker: Speaker, memory: MemoryService) -> None:
    if callback_data.do == "ask":
        await show(press, memory_screens.forget_ask(speaker.language))
    elif callback_data.do == "yes":
        await show(press, memory_screens.forgotten_all(await memory.forget_everything(speaker), speaker.language))
    else:
        await show(press, await _known(memory, speaker, 0, notice="kept"))


async def on_press_elsewhere(press: CallbackQuery, speaker: Speaker) -> None:
    await answer(press, say("memory-in-private", speaker.language))


async def _open(memory: MemoryService, speaker: Speaker, press: PressMemory) -> Screen:
    return memory_screens.fact(await memory.find(speaker, press.id), speaker, press.page)


async def _forget(memory: MemoryService, speaker: Speaker, press: PressMemory) -> Screen:
    await memory.forget(speaker, press.id)
    return await _known(memory, speaker, press.page, notice="forgotten")


async def _pin(memory: MemoryService, speaker: Speaker, press: PressMemory) -> Screen:
    return memory_screens.fact(await memory.pin(speaker, press.id, press.do == "pin"), speaker, press.page)


async def _share(memory: MemoryService, speaker: Speaker, press: PressMemory) -> Screen:
    return memory_screens.fact(await memory.share(speaker, press.id, True), speaker, press.page)


async def _settle(memory: MemoryService, speaker: Speaker, press: PressMemory) -> Screen:
    holds = await memory.settle(speaker, press.id, is_true=press.do == "now")
    if holds is None:
        return await _known(memory, speaker, press.page, notice="stays")
    return memory_screens.fact(holds, speaker, press.page, notice="settled" if press.do == "now" else "stays")


async def _known(memory: MemoryService, speaker: Speaker, page: int, *, notice: str | None = None) -> Screen:
    return memory_screens.known(await memory.known(speaker, page=page), speaker.language, notice=notice)


_DEEDS: dict[str, Callable[[MemoryService, Speaker, PressMemory], Awaitable[Screen]]] = {
    "open": _open,
    "forget": _forget,
    "pin": _pin,
    "unpin": _pin,
    "share": _share,
    "now": _settle,
    "before": _settle,
}


def _send(screen: Screen, message: Message, delivery: Delivery) -> None:
    """A fact may hold an address: no preview of it is shown."""
    params: dict[str, Any] = {**place_of(message), "text": screen.html, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}
    delivery.queue(Outgoing(method="sendMessage", params={**params, "reply_markup": keyboards.as_json(screen.keyboard)}))


async def in_own_chat(event: Message | CallbackQuery) -> bool:
    """The private chat of the person who acts, and nobody else's eyes."""
    message = event.message if isinstance(event, CallbackQuery) else event
    person = event.from_user
    return isinstance(message, Message) and message.chat.type == "private" and person is not None and message.chat.id == person.id


async def is_answer_to_prompt(message: Message, bot: Bot) -> bool:
    return not (message.text or "").startswith("/") and prompted_by(message, bot.id) is not None


def create_answer_router() -> Router:
    """Asked before the characters: these words are for the memory, and no model sees them."""
    router = Router(name="memory-answers")
    router.message.register(on_words, is_answer_to_prompt, in_own_chat)
    return router


def create_router() -> Router:
    router = Router(name="memory")
    opened = CommandStart(deep_link=True, magic=F.args.regexp(r"memory(-\w+)?$"))
    router.message.register(on_memory, Command("memory"), in_own_chat)
    router.message.register(on_memory, opened, in_own_chat)
    router.message.register(on_forget, Command("forget"), in_own_chat)
    router.message.register(on_elsewhere, Command("memory", "forget"))
    router.message.register(on_elsewhere, opened)
    router.callback_query.register(on_fix, PressMemory.filter(F.do == "fix"), in_own_chat)
    router.callback_query.register(on_menu, OpenScreen.filter(F.name == "memory"), in_own_chat)
    router.callback_query.register(on_press_elsewhere, OpenScreen.filter(F.name == "memory"))
    presses: dict[type[CallbackData], Callable[..., Awaitable[None]]] = {
        PressPage: on_page,
        PressMemory: on_fact,
        PressHere: on_here,
        PressAdd: on_add,
        PressForget: on_forget_press,
    }
    for pressed, handler in presses.items():
        router.callback_query.register(handler, pressed.filter(), in_own_chat)
        router.callback_query.register(on_press_elsewhere, pressed.filter())
    return router
