"""The command menu that Telegram shows, in every language."""

from aiogram import Bot
from aiogram.types import BotCommand

from services.bot.sentences import say
from shared.domain.user import DEFAULT_LANGUAGE, LANGUAGES

COMMANDS = ("start", "new", "undo", "stop", "memory", "forget", "status", "settings", "language", "help")


async def publish_commands(bot: Bot) -> None:
    for language in LANGUAGES:
        commands = [BotCommand(command=name, description=say(f"command-{name}", language)) for name in COMMANDS]
        await bot.set_my_commands(commands, language_code=None if language == DEFAULT_LANGUAGE else language)
