"""Inline keyboards beside their callback data."""

from collections.abc import Sequence
from html import unescape
from typing import Any, Literal
from uuid import UUID

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from services.bot.sentences import say
from shared.domain.character import CharacterTile

LANGUAGE_NAMES = {"en": "English", "ru": "Русский"}


class OpenScreen(CallbackData, prefix="screen"):
    name: str


class PickCharacter(CallbackData, prefix="character"):
    id: UUID


class PickLanguage(CallbackData, prefix="language"):
    code: str


class PressTurn(CallbackData, prefix="turn"):
    """A button under a reply. `number` of `count` alternatives stands there, in `parts` messages.

    Presses that begin so wait in the lane of their chat (`shared/domain/intake.py`).
    """

    id: int
    do: Literal["again", "on", "previous", "next", "none"]
    number: int
    count: int
    parts: int


class PressStop(CallbackData, prefix="stop"):
    """Stands under a reply while it is written anew. `reply` is the update that is answered."""

    reply: int


def under_reply(turn_id: int, *, number: int, count: int, parts: int, language: str) -> InlineKeyboardMarkup:
    """Another answer, go on, and, once there are several answers, which one this is."""

    def to(label: str, do: Literal["again", "on", "previous", "next", "none"]) -> InlineKeyboardButton:
        return _button(label, PressTurn(id=turn_id, do=do, number=number, count=count, parts=parts))

    turning = [to("‹", "previous"), to(f"{number}/{count}", "none"), to("›", "next")]
    rows = [turning] if count > 1 else []
    return InlineKeyboardMarkup(inline_keyboard=[*rows, [to(say("turn-again", language), "again"), to(say("turn-on", language), "on")]])


def while_written(reply: int, language: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[_button(say("turn-stop", language), PressStop(reply=reply))]])


def as_json(keyboard: InlineKeyboardMarkup) -> dict[str, Any]:
    return keyboard.model_dump(exclude_none=True)


def menu(language: str) -> InlineKeyboardMarkup:
    def to(screen: str) -> InlineKeyboardButton:
        return _button(say(f"menu-{screen}", language), OpenScreen(name=screen))

    pairs = (("characters", "memory"), ("status", "settings"), ("language", "help"))
    return InlineKeyboardMarkup(inline_keyboard=[[to(left), to(right)] for left, right in pairs])


def back(language: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[_back(language)]])


def characters(found: Sequence[CharacterTile], language: str) -> InlineKeyboardMarkup:
    rows = [
        [_button(say("character-button", language, emoji=character.emoji, name=character.name), PickCharacter(id=character.id))]
        for character in found
    ]
    return InlineKeyboardMarkup(inline_keyboard=[*rows, [_back(language)]])


def languages(language: str) -> InlineKeyboardMarkup:
    row = [_button(("✓ " if code == language else "") + name, PickLanguage(code=code)) for code, name in LANGUAGE_NAMES.items()]
    return InlineKeyboardMarkup(inline_keyboard=[row, [_back(language)]])


def _back(language: str) -> InlineKeyboardButton:
    return _button(say("menu-back", language), OpenScreen(name="menu"))


def _button(text: str, press: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=unescape(text), callback_data=press.pack())
