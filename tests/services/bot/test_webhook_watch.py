"""What the figures about the webhook tell while Telegram delivers, while it cannot, and when another program took it."""

import asyncio
import time
from contextlib import suppress

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramUnauthorizedError
from prometheus_client import REGISTRY

from services.bot.session.lean import LeanSession, build_api
from services.bot.webhook_watch import ask_about_webhook, watch_webhook
from tests.factories import BOT_ID
from tests.services.bot.desk import Desk, until
from tests.services.bot.test_bot_process import free_port
from tests.services.sandbox.emulator import Sandbox


def told(name: str) -> float:
    found = REGISTRY.get_sample_value(f"vitte_webhook_{name}")
    assert found is not None
    return found


async def test_nothing_waits_and_nothing_failed(desk: Desk) -> None:
    url = f"http://127.0.0.1:{free_port()}/hook"
    await desk.bot.set_webhook(url)
    await ask_about_webhook(desk.bot, url)
    assert [told(name) for name in ("pending_updates", "last_error_timestamp_seconds", "lost")] == [0.0, 0.0, 0.0]


async def test_what_cannot_be_delivered_waits_and_the_failure_has_a_time(desk: Desk) -> None:
    url = f"http://127.0.0.1:{free_port()}/nobody-is-here"
    await desk.bot.set_webhook(url)
    await desk.sandbox.say("Is anybody there?")

    async def failed() -> bool:
        await ask_about_webhook(desk.bot, url)
        return told("last_error_timestamp_seconds") > 0

    await until(failed)
    assert told("pending_updates") == 1
    assert abs(told("last_error_timestamp_seconds") - time.time()) < 60
    assert told("lost") == 0


async def test_a_webhook_that_others_set_or_removed_is_lost_until_it_is_ours_again(desk: Desk) -> None:
    ours, seen = f"http://127.0.0.1:{free_port()}/ours", []
    await desk.bot.delete_webhook()
    await ask_about_webhook(desk.bot, ours)
    seen.append(told("lost"))
    await desk.bot.set_webhook(ours)
    await ask_about_webhook(desk.bot, ours)
    assert [*seen, told("lost")] == [1.0, 0.0]
    await ask_about_webhook(desk.bot, "http://127.0.0.1/before-the-move")
    assert told("lost") == 1.0
    await ask_about_webhook(desk.bot, ours)


async def test_a_revoked_token_ends_the_watch(telegram: Sandbox) -> None:
    session = LeanSession(api=build_api(telegram.url), limit=2, timeout=1.0)
    try:
        with pytest.raises(TelegramUnauthorizedError):
            await asyncio.wait_for(watch_webhook(Bot(f"{BOT_ID}:REVOKED", session=session), "https://bot.example.org", seconds=0), 5)
    finally:
        await session.close()


async def test_the_watch_outlives_a_telegram_that_is_away(desk: Desk) -> None:
    session = LeanSession(api=build_api(f"http://127.0.0.1:{free_port()}"), limit=2, timeout=1.0)
    watch = asyncio.ensure_future(watch_webhook(Bot("123456:TEST", session=session), "https://bot.example.org", seconds=0.01))
    await asyncio.sleep(0.2)
    assert not watch.done()
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch
    await session.close()
