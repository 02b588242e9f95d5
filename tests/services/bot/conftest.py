"""A bot on a sandbox in this process, with a real database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import aiohttp
import pytest
import structlog
from aiogram import Bot
from aiohttp import web

from services.bot.dispatcher import create_dispatcher
from services.bot.session import FloodControl, LeanSession
from services.bot.session.lean import build_api
from services.bot.updates import UpdateHandler
from services.sandbox.app import create_app
from services.sandbox.world import WORLD
from shared.adapters.llm.scripted import ScriptedModel
from shared.application.stop import StopRegistry
from shared.bootstrap import Application, open_application
from shared.settings import Settings
from tests.factories import ANN_ID, BOB_ID, BOT_ID, House, SteppedClock
from tests.services.bot.desk import TOKEN, Desk
from tests.services.sandbox.emulator import Sandbox

OPERATOR_ID = BOB_ID


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> Iterator[None]:
    """Tracebacks as text: structlog's own picture of one takes seconds to draw."""
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
async def telegram() -> AsyncIterator[Sandbox]:
    """A sandbox with our bot, Ann (English) and Bob (Russian); nobody has said anything yet."""
    app = create_app()
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        sandbox = Sandbox(session, f"http://127.0.0.1:{runner.addresses[0][1]}", app[WORLD])
        await sandbox.sim("bots", {"id": BOT_ID, "username": "vitte_bot", "name": "Vitte"})
        await sandbox.call("getMe")
        await sandbox.sim("users", {"id": ANN_ID, "first_name": "Ann", "username": "ann_a", "language_code": "en"})
        await sandbox.sim("users", {"id": BOB_ID, "first_name": "Bob", "language_code": "ru"})
        yield sandbox
    await runner.cleanup()


@pytest.fixture
async def application(database_url: str, redis_url: str) -> AsyncIterator[Application]:
    settings = Settings(
        _env_file=None, database_url=database_url, redis_url=redis_url, bot_token=TOKEN, llm_strong="", s3_endpoint=None, db_pool_size=5
    )
    async with open_application(settings, "bot") as application:
        yield application


@pytest.fixture
async def desk(telegram: Sandbox, application: Application) -> AsyncIterator[Desk]:
    model, clock = ScriptedModel(), SteppedClock()
    application = replace(
        application,
        chat=replace(application.chat, model=model, models=None, reply_cache=None, clock=clock),
        accounts=replace(application.accounts, clock=clock),
    )
    await application.switches.set("quiet_milliseconds", 0, by="desk")  # a reply that is ready waits for nobody
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    session = LeanSession(api=build_api(telegram.url), limit=20, timeout=1.0)
    session.middleware(FloodControl(sleep=pause))
    bot = Bot(TOKEN, session=session)
    stops = StopRegistry()
    dispatcher = create_dispatcher(application, bot, stops=stops, operator_ids=frozenset({OPERATOR_ID}))
    handler = UpdateHandler(bot, dispatcher, inbox=application.inbox, accounts=application.accounts)
    house = House(database=application.chat.database, model=model, clock=clock)
    yield Desk(telegram, application, house, bot, session, dispatcher, stops, handler, pauses)
    await session.close()
