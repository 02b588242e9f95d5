"""What Telegram says of our webhook, as figures: nobody else knows what it could not deliver."""

import asyncio

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramUnauthorizedError
from prometheus_client import Gauge

ASK_SECONDS = 60.0

PENDING = Gauge("vitte_webhook_pending_updates", "Updates that wait at Telegram")
FAILED_AT = Gauge("vitte_webhook_last_error_timestamp_seconds", "When Telegram last failed to deliver an update; 0 when it never has")
LOST = Gauge("vitte_webhook_lost", "1 while Telegram delivers this bot's updates somewhere else or nowhere")

log = structlog.get_logger("bot")


async def watch_webhook(bot: Bot, url: str, *, seconds: float = ASK_SECONDS) -> None:
    """Asks for ever. Raises `TelegramUnauthorizedError` when the token was revoked; other errors wait for the next time."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await ask_about_webhook(bot, url)
        except TelegramUnauthorizedError:
            raise
        except TelegramAPIError as error:
            log.warning("webhook_not_asked", error=type(error).__name__)


async def ask_about_webhook(bot: Bot, url: str) -> None:
    """Once. `url` is the one that we set; which other one there is stays out of the log, for it may hold somebody's secret."""
    info = await bot.get_webhook_info()
    PENDING.set(info.pending_update_count)
    FAILED_AT.set(info.last_error_date.timestamp() if info.last_error_date else 0)
    if info.url != url:
        log.warning("webhook_lost", is_set=bool(info.url))
    LOST.set(info.url != url)
