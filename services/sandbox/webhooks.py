"""Delivery to a webhook as Telegram does it: a queue per chat, one update of a queue at a time, retries until it expires."""

import asyncio
import contextlib
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from services.sandbox.faults import Faults
from services.sandbox.updates import Update, UpdateQueue

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
ANSWER_TIMEOUT = 60.0
LONGEST_RETRY_AFTER = 3600.0
_dice = secrets.SystemRandom()

OnReply = Callable[[aiohttp.ClientResponse], Awaitable[None]]


def retry_delay(failures: int, retry_after: str | None) -> float:
    """Seconds until the next try: at once, then 2, 4, 8 … up to a random 60 to 120; the receiver's own wish comes first."""
    if retry_after is not None and retry_after.strip().isdecimal():
        return min(float(retry_after), LONGEST_RETRY_AFTER)
    if failures <= 1:
        return 0.0
    return min(2.0 ** (failures - 1), _dice.uniform(60.0, 120.0))


@dataclass(slots=True, eq=False)
class Webhook:
    """One bot's webhook. `on_reply` gets every accepted answer, which may carry a method call."""

    queue: UpdateQueue
    faults: Faults
    url: str
    secret: str
    on_reply: OnReply
    max_connections: int = 40
    has_certificate: bool = False
    last_error_at: int | None = None
    last_error: str | None = None
    _lanes: dict[str, deque[Update]] = field(default_factory=dict)
    _workers: set[asyncio.Task[None]] = field(default_factory=set)
    _slots: asyncio.Semaphore | None = None
    _session: aiohttp.ClientSession | None = None

    def start(self) -> None:
        self._slots = asyncio.Semaphore(self.max_connections)
        timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout)
        self.queue.on_update = self._take
        for update in list(self.queue.pending):
            self._take(update)

    async def close(self) -> None:
        self.queue.on_update = None
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        self._lanes.clear()
        self.queue.tidy()

    def _take(self, update: Update) -> None:
        lane = self._lanes.get(update.lane)
        if lane is not None:
            lane.append(update)
            return
        self._lanes[update.lane] = deque([update])
        worker = asyncio.get_running_loop().create_task(self._work(update.lane))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, name: str) -> None:
        """Empties one lane, head first; a refused head holds up the rest of its lane only."""
        lane = self._lanes[name]
        while lane:
            await self._deliver(lane[0])
            lane.popleft()
        del self._lanes[name]

    async def _deliver(self, update: Update) -> None:
        failures, copies = 0, self.faults.copies(self.queue.bot_id)
        while copies > 0:
            if update.gone or update.expires_at < time.time():
                self.queue.settle(update, taken=False)
                return
            raw = update.raw
            accepted, retry_after = await self._post(update, raw)
            if accepted:
                copies, failures = copies - 1, 0
                continue
            failures += 1
            await asyncio.sleep(retry_delay(failures, retry_after))
        self.queue.settle(update, taken=True)

    async def _post(self, update: Update, raw: bytes) -> tuple[bool, str | None]:
        """(accepted, Retry-After)"""
        if self._session is None or self._slots is None:
            return False, None
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers[SECRET_HEADER] = self.secret
        async with self._slots:
            try:
                return await self._exchange(self._session, update, raw, headers)
            except aiohttp.ClientConnectorError as error:
                self._failed(f"Connection failed: {error.strerror or error}" if error.errno != 111 else "Connection refused")
            except TimeoutError:
                update.deliveries += 1
                self._failed("Read timeout expired")
            except (aiohttp.ClientError, OSError) as error:
                update.deliveries += 1
                self._failed(f"Connection closed: {type(error).__name__}")
        return False, None

    async def _exchange(
        self, session: aiohttp.ClientSession, update: Update, raw: bytes, headers: dict[str, str]
    ) -> tuple[bool, str | None]:
        async with session.post(self.url, data=raw, headers=headers, allow_redirects=False) as response:
            update.deliveries += 1
            if 200 <= response.status < 300:
                if not update.acknowledged_at:
                    update.acknowledged_at = time.time()
                with contextlib.suppress(aiohttp.ClientError):
                    await self.on_reply(response)
                return True, None
            self._failed(f"Wrong response from the webhook: {response.status} {_phrase(response.status)}")
            return False, response.headers.get("Retry-After")

    def _failed(self, reason: str) -> None:
        self.last_error_at, self.last_error = int(time.time()), reason


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
