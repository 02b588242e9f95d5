"""One test's own world: a database, a bot of its own on the shared sandbox, and the processes that serve it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from scripts.local.ports import free_port
from tests.crash.bots import Bot, Nursery
from tests.crash.front import Front
from tests.crash.sandbox import Sandbox
from tests.crash.servers import Stoppable

SECRET = "crash-suite-secret-0123456789abcdef"


@dataclass
class House:
    bot_id: int
    mode: str
    environment: dict[str, str]
    sandbox: Sandbox
    nursery: Nursery
    front: Front
    postgres: Stoppable
    redis: Stoppable
    dsn: str
    folder: Path
    bots: list[Bot] = field(default_factory=list)
    _connection: asyncpg.Connection | None = None
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def webhook_path(self) -> str:
        return f"/telegram/webhook/{self.bot_id}"

    async def start_bot(self, *, hurry: dict[str, Any] | None = None, ready: bool = True, **environment: str) -> Bot:
        """A further process of the bot; with `ready` it has begun to work."""
        port = str(free_port())
        bot = self.nursery.start({**self.environment, "BOT_PORT": port, **environment}, hurry=hurry)
        self.bots.append(bot)
        self.face_the_living()
        if ready:
            await bot.until_told("started")
        return bot

    def face_the_living(self) -> None:
        """Webhook calls go to the bots that are alive."""
        self.front.replace(*(bot.port for bot in self.bots if bot.is_alive))

    async def ask(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """A look into the database, one at a time; connects again after it was away."""
        async with self._looking:
            if self._connection is None or self._connection.is_closed():
                self._connection = await asyncpg.connect(self.dsn, timeout=10)
            return list(await self._connection.fetch(statement, *values))

    async def count(self, statement: str, *values: object) -> int:
        return int((await self.ask(statement, *values))[0][0])

    async def parcels_pending(self) -> set[int]:
        """Updates whose answer is in the outbox and not known to have arrived."""
        return {row[0] for row in await self.ask("select telegram_update_id from outbox where status = 'pending'")}

    async def until_quiet(self, seconds: float = 60.0) -> None:
        """Every update was acknowledged, and none waits."""

        async def is_quiet() -> bool:
            if await self.sandbox.unacknowledged(self.bot_id):
                return False
            return not await self.count("select count(*) from stored_updates where status = 'pending'")

        await eventually(is_quiet, seconds, "everything was answered")

    async def until_stored(self, condition: str, expected: int, seconds: float = 20.0) -> None:
        """`condition` is SQL over stored_updates."""

        async def is_so() -> bool:
            return await self.count(f"select count(*) from stored_updates where {condition}") >= expected

        await eventually(is_so, seconds, f"{expected} updates were {condition}")

    async def close(self) -> None:
        """Shows what the last bot, and those that ended by themselves, said; pytest prints it where a test failed."""
        for bot in self.bots:
            if bot is self.bots[-1] or bot.status not in {0, -9}:
                said = bot.log.read_text(encoding="utf-8").splitlines()[-8:]
                print(f"{bot.log.name}, exit status {bot.status}:", *(line[:600] for line in said), sep="\n  ")
        for bot in self.bots:
            if bot.is_alive:
                await bot.kill()
        if self._connection is not None:
            await self._connection.close()


async def eventually(is_so: Callable[[], Awaitable[bool]], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not await is_so():
        assert time.monotonic() < deadline, f"{seconds:g} s passed before {what}"
        await asyncio.sleep(0.1)
