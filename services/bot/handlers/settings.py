"""`/settings`: how well the user speaks what a tutor teaches, and which model shall answer where the plan allows a choice."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from html import unescape

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from services.bot.delivery import Delivery
from services.bot.handlers.menu import show
from services.bot.keyboards import OpenScreen, back
from services.bot.screens import Screen
from services.bot.sentences import say
from services.bot.streaming import place_of
from shared.application.accounts import AccountService
from shared.domain.speaker import Speaker
from shared.domain.user import LEVELS

OPEN = "open"
"""No level said, no model chosen."""
SIMPLE = "🪶"


class KnownModels(dict[str, str]):
    """The configured models, `provider:model`, best first, and where each belongs: strong or simple."""

    __slots__ = ()


class PickLevel(CallbackData, prefix="level"):
    level: str


class PickModel(CallbackData, prefix="model"):
    """A model's name may be longer than a button can carry: the beginning of its digest stands for it."""

    digest: str


async def on_settings(message: Message, speaker: Speaker, models: KnownModels, delivery: Delivery) -> None:
    screen = settings(speaker, models)
    delivery.say(screen.html, place_of(message), screen.keyboard)


async def on_menu(press: CallbackQuery, speaker: Speaker, models: KnownModels) -> None:
    await show(press, settings(speaker, models))


async def on_level(press: CallbackQuery, callback_data: PickLevel, speaker: Speaker, accounts: AccountService, models: KnownModels) -> None:
    level = None if callback_data.level == OPEN else callback_data.level
    await accounts.choose_level(speaker.user_id, level)
    await show(press, settings(replace(speaker, level=level), models))


async def on_model(press: CallbackQuery, callback_data: PickModel, speaker: Speaker, accounts: AccountService, models: KnownModels) -> None:
    model = None if callback_data.digest == OPEN else _named(callback_data.digest, models)
    await accounts.choose_model(speaker, model, known=models)
    await show(press, settings(replace(speaker, chosen_model=model), models))


def settings(speaker: Speaker, models: Mapping[str, str]) -> Screen:
    language, choice = speaker.language, speaker.has_choice_of_model and len(models) > 1
    chosen = speaker.chosen_model if speaker.chosen_model in models else None
    text = say("settings", language, level=speaker.level or OPEN)
    rows = [[_level(level, speaker) for level in pair] for pair in (LEVELS[:2], LEVELS[2:])] + [[_level(OPEN, speaker)]]
    if choice:
        text += "\n\n" + say("settings-model", language, model=chosen or OPEN)
        if "simple" in models.values():
            text += "\n" + say("settings-model-simple", language, mark=SIMPLE)
        rows += [[_model(model, tier, is_on=model == chosen)] for model, tier in models.items()]
        rows += [[_button(say("settings-model-open", language), PickModel(digest=OPEN), is_on=chosen is None)]]
    return Screen(text, InlineKeyboardMarkup(inline_keyboard=[*rows, *back(language).inline_keyboard]))


def _model(name: str, tier: str, *, is_on: bool) -> InlineKeyboardButton:
    return _button(f"{SIMPLE} {name}" if tier == "simple" else name, PickModel(digest=_digest(name)), is_on=is_on)


def _level(level: str, speaker: Speaker) -> InlineKeyboardButton:
    return _button(say(f"settings-level-{level}", speaker.language), PickLevel(level=level), is_on=level == (speaker.level or OPEN))


def _button(text: str, press: CallbackData, *, is_on: bool) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=("✓ " if is_on else "") + unescape(text), callback_data=press.pack())


def _digest(model: str) -> str:
    return sha256(model.encode()).hexdigest()[:16]


def _named(digest: str, known: Iterable[str]) -> str:
    """A model that is not configured any more stands for nothing that could be chosen."""
    return next((model for model in known if _digest(model) == digest), "")


def create_router() -> Router:
    router = Router(name="settings")
    router.message.register(on_settings, Command("settings"))
    router.callback_query.register(on_menu, OpenScreen.filter(F.name == "settings"))
    router.callback_query.register(on_level, PickLevel.filter())
    router.callback_query.register(on_model, PickModel.filter())
    return router
