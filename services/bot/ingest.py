"""Intake: a raw update is stored, then acknowledged. No rules, no waiting."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from shared.application.inbox import InboxService, Received
from shared.domain.errors import UnavailableError

MAX_BATCH = 200
PATIENCE = 5.0
"""Seconds for storing a batch. A database that hangs is one that is away: Telegram keeps the updates and brings them again."""

Wake = Callable[[Received], None]


@dataclass(slots=True)
class _Waiting:
    body: bytes
    stored: asyncio.Future[None]


class Intake:
    """Writes updates in batches: while one statement runs, those that arrive meanwhile become the next one."""

    def __init__(self, inbox: InboxService, wake: Wake, *, bot_id: int, notice: str) -> None:
        self._inbox = inbox
        self._wake = wake
        self._bot_id = bot_id
        self._notice = notice
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()

    async def store_all(self, bodies: list[bytes]) -> None:
        """Returns when all are stored. Raises `UnavailableError`, and then none may be acknowledged."""
        try:
            async with asyncio.timeout(PATIENCE):
                received = await self._inbox.receive(self._bot_id, bodies, notice=self._notice)
        except TimeoutError:
            raise UnavailableError("storing took too long", retry_after=2.0) from None
        self._wake(received)

    async def store(self, body: bytes) -> None:
        """The same for one of many that arrive at once; needs `run`."""
        waiting = _Waiting(body, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        await waiting.stored

    async def run(self) -> None:
        """Writes what `store` was given, until cancelled; who waits then is told that nothing was stored."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                    await self._write(batch)
        finally:
            _refuse(self._waiting, UnavailableError("stopping"))

    async def _write(self, batch: list[_Waiting]) -> None:
        try:
            await self.store_all([waiting.body for waiting in batch])
        except UnavailableError as error:
            _refuse(batch, error)
        else:
            for waiting in batch:
                if not waiting.stored.done():
                    waiting.stored.set_result(None)
        finally:
            _refuse(batch, UnavailableError("nobody knows whether it was stored"))


def _refuse(batch: list[_Waiting], error: UnavailableError) -> None:
    for waiting in batch:
        if not waiting.stored.done():
            waiting.stored.set_exception(error)
