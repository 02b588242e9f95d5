"""The whole bot in this process: it introduces itself, talks, and ends in order."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiogram.exceptions import TelegramUnauthorizedError

from services.bot.polling import AnotherPollerError
from services.bot.process import BotProcess
from shared.adapters.llm.scripted import Fault, ScriptedModel
from shared.bootstrap import Application
from shared.settings import Settings
from tests.factories import ANN_ID, BOB_ID, BOT_ID
from tests.services.bot.desk import TOKEN, until
from tests.services.sandbox.emulator import Sandbox


def settings_of(telegram: Sandbox, **overrides: Any) -> Settings:
    fields: dict[str, Any] = {
        "bot_token": TOKEN,
        "telegram_api_url": telegram.url,
        "bot_port": 0,
        "max_concurrent_updates": 10,
        "llm_strong": "",
    }
    return Settings(_env_file=None, **{**fields, **overrides})


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@asynccontextmanager
async def running(application: Application, settings: Settings) -> AsyncIterator[asyncio.Event]:
    stopping = asyncio.Event()
    process = asyncio.ensure_future(BotProcess(application, settings).run(stopping))
    try:
        yield stopping
    finally:
        stopping.set()
        await asyncio.wait_for(process, 10)


async def texts(telegram: Sandbox, chat: int = ANN_ID) -> list[str]:
    messages = (await telegram.transcript(chat))["messages"]
    return [message["text"] for message in messages if message["from"]["id"] == BOT_ID]


def model_of(application: Application) -> ScriptedModel:
    """The only one of the pool that stands in where no model is configured."""
    [member] = application.models.pool("strong").members
    assert isinstance(member.model, ScriptedModel)
    return member.model


async def test_people_write_and_are_answered_while_polling(telegram: Sandbox, application: Application) -> None:
    await telegram.say("written before the bot was up")
    async with running(application, settings_of(telegram)):
        await until(lambda: texts(telegram))
        await telegram.say("/start", BOB_ID)
        await until(lambda: _count(telegram, BOB_ID, 2))
    assert await texts(telegram) == ["You said: written before the bot was up"]
    state = await telegram.sim("state")
    commands = [command["command"] for command in state["bots"][0]["commands"]]
    assert commands == ["start", "new", "undo", "stop", "memory", "forget", "status", "settings", "language", "help"]


async def _count(telegram: Sandbox, chat: int, count: int) -> bool:
    return len(await texts(telegram, chat)) >= count


async def test_people_write_and_are_answered_over_a_webhook(telegram: Sandbox, application: Application) -> None:
    port = free_port()
    settings = settings_of(
        telegram, bot_port=port, telegram_mode="webhook", webhook_url=f"http://127.0.0.1:{port}/", webhook_secret="a-secret"
    )
    async with running(application, settings):
        await telegram.say("Hi")
        await until(lambda: texts(telegram))
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/health") as response:
            assert (response.status, (await response.json())["status"]) == (200, "ok")
    assert await texts(telegram) == ["You said: Hi"]


async def test_a_reply_that_is_being_written_is_finished_before_the_end(telegram: Sandbox, application: Application) -> None:
    model = model_of(application)
    model.first_token_seconds = 0.25
    async with running(application, settings_of(telegram)) as stopping:
        await telegram.say("Hi")
        await until(lambda: model.open_streams)
        stopping.set()
    assert await texts(telegram) == ["You said: Hi"]


async def test_stop_pressed_in_one_replica_ends_the_reply_of_another(telegram: Sandbox, application: Application) -> None:
    model = model_of(application)
    model.break_next(Fault.hang())
    async with running(application, settings_of(telegram)):
        await telegram.say("A story!")
        await until(lambda: model.open_streams)
        await application.presence.notify("vitte_stop", f"[{ANN_ID}, null]")
        await until(lambda: texts(telegram))
    assert await texts(telegram) == ["⏹ Stopped."]


async def test_a_token_that_telegram_does_not_know_ends_the_process(telegram: Sandbox, application: Application) -> None:
    with pytest.raises(BaseExceptionGroup) as ended:
        await BotProcess(application, settings_of(telegram, bot_token=f"{BOT_ID}:OTHER")).run(asyncio.Event())
    assert [type(error) for error in ended.value.exceptions] == [TelegramUnauthorizedError]


async def test_a_port_that_is_taken_ends_the_process(telegram: Sandbox, application: Application) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BaseExceptionGroup) as ended:
            await BotProcess(application, settings_of(telegram, bot_port=taken.getsockname()[1])).run(asyncio.Event())
    assert ended.group_contains(OSError)


async def test_another_poller_is_waited_for_three_times_and_then_given_way(
    telegram: Sandbox, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.bot.polling.CONFLICT_PAUSES", (0.01, 0.01, 0.01))
    conflict = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    await telegram.sim("faults", {"faults": [{"kind": "error", "method": "getUpdates", "code": 409, "description": conflict}]})
    with pytest.raises(BaseExceptionGroup) as ended:
        await BotProcess(application, settings_of(telegram)).run(asyncio.Event())
    assert ended.group_contains(AnotherPollerError)
    assert len(await telegram.sim(f"calls?bot_id={BOT_ID}&method=getUpdates")) == 4


async def test_telegram_that_is_away_at_the_start_is_waited_for(telegram: Sandbox, application: Application) -> None:
    await telegram.sim("faults", {"faults": [{"kind": "error", "method": "getMe", "code": 502, "times": 1, "description": "Bad Gateway"}]})
    await telegram.say("Hi")
    async with running(application, settings_of(telegram)):
        await until(lambda: texts(telegram), seconds=15)
