"""Inline keyboards beside their callback data."""

from collections.abc import Sequence
from html import unescape
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


def menu(language: str) -> InlineKeyboardMarkup:
    def to(screen: str) -> InlineKeyboardButton:
        return _button(say(f"menu-{screen}", language), OpenScreen(name=screen))

    return InlineKeyboardMarkup(inline_keyboard=[[to("characters"), to("status")], [to("language"), to("help")]])


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
