"""What the menu's screens say: a sentence and its keyboard."""

from collections.abc import Sequence
from typing import NamedTuple

from aiogram.types import InlineKeyboardMarkup

from services.bot import keyboards
from services.bot.sentences import say
from shared.application.accounts import AllowanceState
from shared.domain.character import CharacterTile, in_language
from shared.domain.speaker import Speaker


class Screen(NamedTuple):
    html: str
    keyboard: InlineKeyboardMarkup


def menu(speaker: Speaker) -> Screen:
    text = say("menu", speaker.language, emoji=speaker.character_emoji, character=speaker.character_name)
    return Screen(text, keyboards.menu(speaker.language))


def help_screen(speaker: Speaker) -> Screen:
    return Screen(say("help", speaker.language), keyboards.back(speaker.language))


def status(speaker: Speaker, allowance: AllowanceState) -> Screen:
    text = say(
        "status",
        speaker.language,
        emoji=speaker.character_emoji,
        character=speaker.character_name,
        plan=speaker.plan_code,
        used=allowance.used,
        limit="unlimited" if allowance.limit is None else allowance.limit,
        left=allowance.left or 0,
        percent="none" if allowance.spent_percent is None else allowance.spent_percent,
        resets=f"{allowance.resets_at:%H:%M}",
    )
    return Screen(text, keyboards.back(speaker.language))


def characters(speaker: Speaker, found: Sequence[CharacterTile]) -> Screen:
    lines = [
        say(
            "character-line",
            speaker.language,
            emoji=character.emoji,
            name=character.name,
            tagline=in_language(character.tagline, speaker.language),
        )
        for character in found
    ]
    text = "\n\n".join([say("characters", speaker.language), *lines])
    return Screen(text, keyboards.characters(found, speaker.language))


def languages(language: str) -> Screen:
    return Screen(say("language", language), keyboards.languages(language))
