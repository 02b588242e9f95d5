"""A running bot: opens the application, runs until it is told to stop, explains in one line why it ends by itself."""

import asyncio
import signal
import sys
from contextlib import suppress

import structlog
import uvloop
from aiogram.exceptions import TelegramUnauthorizedError

from services.bot.polling import AnotherPollerError
from services.bot.process import BotProcess
from shared.bootstrap import open_application
from shared.domain.errors import InvalidInputError
from shared.settings import EXIT_CONFIG, Settings, SettingsError, exit_with
from shared.telemetry import configure_logging, watched_loop

log = structlog.get_logger("bot")


async def run(settings: Settings) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with open_application(settings, "bot") as application, watched_loop():
        process = BotProcess(application, settings)
        try:
            await process.run(stopping)
        except BaseExceptionGroup as group:
            return _explain(group, settings)
    log.info("stopped")
    return 0


def _explain(group: BaseExceptionGroup[BaseException], settings: Settings) -> int:
    """Why the bot ends by itself, in one line. Raises what has no such line."""
    for error in group.exceptions:
        if isinstance(error, AnotherPollerError):
            return _say(str(error), 1)
        if isinstance(error, TelegramUnauthorizedError):
            return _say("BOT_TOKEN: Telegram does not know this token; ask @BotFather for a new one", EXIT_CONFIG)
        if isinstance(error, OSError):
            return _say(f"BOT_PORT: cannot listen on port {settings.bot_port} ({error.strerror})", 1)
    raise group


def _say(problem: str, code: int) -> int:
    sys.stderr.write(f"vitte: {problem}\n")
    return code


def main(settings: Settings) -> int:
    """The exit status. Exits with 78 and one line for a setting that no process accepts, such as an unknown model."""
    configure_logging("bot", settings.log_level)
    try:
        with suppress(KeyboardInterrupt):
            return uvloop.run(run(settings))
    except InvalidInputError as error:
        exit_with(SettingsError(str(error)))
    return 0
