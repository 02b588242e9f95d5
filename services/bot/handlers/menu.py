"""Buttons: each press is answered at once and turns the message it stands under into the next screen."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiogram import F, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, LinkPreviewOptions, Message

from services.bot import keyboards, screens
from services.bot.formatting import render
from services.bot.keyboards import OpenScreen, PickCharacter, PickLanguage
from services.bot.screens import Screen
from services.bot.sentences import say
from shared.application.accounts import AccountService
from shared.application.characters import CharacterService
from shared.domain.character import in_language
from shared.domain.speaker import Speaker

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


async def on_menu(press: CallbackQuery, speaker: Speaker) -> None:
    await show(press, screens.menu(speaker))


async def on_help(press: CallbackQuery, speaker: Speaker) -> None:
    await show(press, screens.help_screen(speaker))


async def on_languages(press: CallbackQuery, speaker: Speaker) -> None:
    await show(press, screens.languages(speaker.language))


async def on_status(press: CallbackQuery, speaker: Speaker, accounts: AccountService) -> None:
    await show(press, screens.status(speaker, await accounts.allowance(speaker)))


async def on_characters(press: CallbackQuery, speaker: Speaker, characters: CharacterService) -> None:
    await show(press, screens.characters(speaker, await characters.list()))


async def on_character(press: CallbackQuery, callback_data: PickCharacter, speaker: Speaker, characters: CharacterService) -> None:
    character, is_new = await characters.enter(speaker, callback_data.id)
    keyboard = keyboards.back(speaker.language)
    greeting = render(in_language(character.greeting, speaker.language)) if is_new else []
    if not greeting:
        sentence = "character-entered" if is_new else "character-resumed"
        await show(press, Screen(say(sentence, speaker.language, emoji=character.emoji, name=character.name), keyboard))
        return
    await _edit(press, text=greeting[0].text, entities=greeting[0].entities, keyboard=keyboard)


async def on_language(press: CallbackQuery, callback_data: PickLanguage, speaker: Speaker, accounts: AccountService) -> None:
    await accounts.choose_language(speaker.user_id, callback_data.code)
    await show(press, Screen(say("language-chosen", callback_data.code), keyboards.back(callback_data.code)))


async def on_unknown(press: CallbackQuery) -> None:
    await answer(press)


async def show(press: CallbackQuery, screen: Screen) -> None:
    """A screen may hold what a person wrote: no preview of an address in it is shown."""
    await _edit(press, text=screen.html, parse_mode="HTML", keyboard=screen.keyboard, link_preview_options=NO_PREVIEW)


async def answer(press: CallbackQuery, alert: str | None = None) -> None:
    """Ends the button's spinner, with an alert if there is something to say; too late is not worth a word."""
    with suppress(TelegramBadRequest):
        await press.answer(alert[:200] if alert else None, show_alert=alert is not None)


async def _edit(press: CallbackQuery, *, text: str, keyboard: InlineKeyboardMarkup, **form: object) -> None:
    await answer(press)
    if not isinstance(press.message, Message):
        return
    try:
        await press.message.edit_text(text, reply_markup=keyboard, **form)  # type: ignore[arg-type]
    except TelegramBadRequest as error:
        # Pressed twice, or the message is gone: both leave the person with what they wanted to see or took away.
        if "message is not modified" not in error.message and "message to edit not found" not in error.message:
            raise


def create_router() -> Router:
    router = Router(name="menu")
    screens_by_name: dict[str, Callable[..., Awaitable[None]]] = {
        "menu": on_menu,
        "help": on_help,
        "language": on_languages,
        "status": on_status,
        "characters": on_characters,
    }
    for name, handler in screens_by_name.items():
        router.callback_query.register(handler, OpenScreen.filter(F.name == name))
    router.callback_query.register(on_character, PickCharacter.filter())
    router.callback_query.register(on_language, PickLanguage.filter())
    router.callback_query.register(on_unknown)
    return router
