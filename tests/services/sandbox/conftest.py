"""A sandbox in this process on a free port."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from services.sandbox.app import create_app
from services.sandbox.world import WORLD
from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Empty but for a bot and two people; Ann has pressed Start and the bot has seen it."""
    app = create_app()
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        sandbox = Sandbox(session, f"http://127.0.0.1:{port}", app[WORLD])
        await sandbox.call("getMe")
        await sandbox.sim("users", {"id": ANN, "first_name": "Ann", "username": "ann_a", "language_code": "en"})
        await sandbox.sim("users", {"id": BOB, "first_name": "Bob", "language_code": "ru"})
        await sandbox.say("/start")
        await sandbox.updates()
        yield sandbox
    await runner.cleanup()


@pytest.fixture
async def group(sandbox: Sandbox) -> int:
    """A supergroup of Ann and Bob with the bot as a member; its arrival is already seen."""
    chat = await sandbox.sim("chats", {"type": "supergroup", "title": "Book club", "members": [ANN, BOB], "bots": [BOT_ID]})
    await sandbox.updates()
    return int(chat["id"])
