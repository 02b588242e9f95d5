"""Long polling: fetch raw updates, store them, and only then let the next call confirm them."""

import asyncio
import json
import re
import time
from typing import NamedTuple

import aiohttp
import orjson
import structlog
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.methods import GetUpdates
from prometheus_client import Counter

from services.bot.ingest import Intake
from services.bot.session import LeanSession
from shared.application.inbox import Presence
from shared.domain.errors import UnavailableError

POLL_TIMEOUT = 30
LIMIT = 100
CONFLICT_PAUSES = (5.0, 10.0, 20.0)
CALM = 60.0
"""Seconds without a conflict after which the next one counts as the first again."""
NOT_HURRIED = 0.6
"""Telegram gives one update only to a poller that asks again within half a second."""
CONFLICTS = Counter("vitte_bot_conflicts_total", "Times that another process fetched this bot's updates")

_UPDATE_ID = re.compile(rb'"update_id"\s*:\s*(\d{1,15})\s*[,}]')
_ENVELOPE = re.compile(rb'\s*\{\s*"ok"\s*:\s*true\s*,\s*"result"\s*:\s*\[')

log = structlog.get_logger("polling")


class AnotherPollerError(Exception):
    """Another process fetches this bot's updates and goes on doing so."""


class Poller:
    def __init__(self, bot: Bot, session: LeanSession, intake: Intake, presence: Presence, *, allowed_updates: list[str]) -> None:
        self._bot = bot
        self._session = session
        self._intake = intake
        self._presence = presence
        self._allowed_updates = allowed_updates
        self._offset: int | None = None
        self._passed = -1
        self._limit = LIMIT
        self._conflicts = 0
        self._conflict_at = 0.0

    async def run(self) -> None:
        """Until cancelled.

        Raises `AnotherPollerError` for a conflict after the third pause, `TelegramUnauthorizedError` for a wrong token.
        """
        while True:
            await self._lead()
            try:
                await self._poll()
            except TelegramConflictError:
                await self._give_way()
            except TelegramRetryAfter as error:
                await asyncio.sleep(error.retry_after)
            except TelegramUnauthorizedError:
                raise
            except UnavailableError as error:
                log.warning("waiting_for_database", error=error.code)
                await asyncio.sleep(0.5)
            except (TelegramNetworkError, ClientDecodeError, TelegramAPIError, aiohttp.ClientError, OSError) as error:
                log.warning("waiting_for_telegram", error=type(error).__name__)
                await asyncio.sleep(1.0)

    async def _lead(self) -> None:
        """Only one replica polls; the others stand by."""
        while True:
            try:
                if await self._presence.lead(self._bot.id):
                    return
            except UnavailableError:
                await asyncio.sleep(0.2)
                continue
            log.debug("standing_by")
            await asyncio.sleep(1.0)

    async def _poll(self) -> None:
        batch = split_updates(await self._fetch(self._limit), alone=self._limit == 1)
        if batch is None:
            self._limit = 1  # the batch cannot be read: one by one, only the broken one of them cannot
            return
        self._limit = LIMIT
        if batch.bodies:
            await self._intake.store_all(batch.bodies)
        # Once an answer to an offset has come, it is confirmed for good; sent again it would hide ids that restart lower.
        self._offset = batch.newest + 1 if batch.newest is not None else None
        if batch.bodies and batch.newest is None:
            await self._pass_over(b",".join(batch.bodies))

    async def _pass_over(self, stored: bytes) -> None:
        """Updates without an id cannot be confirmed by themselves: the id of the next one behind them does so, once there is one."""
        log.warning("updates_without_id")
        await asyncio.sleep(NOT_HURRIED)
        content = await self._fetch(LIMIT)
        found = _UPDATE_ID.search(content)
        if found is None:
            await asyncio.sleep(1.0)
            return
        before = content[content.find(b"[") + 1 : content.rfind(b"{", 0, found.start())].rstrip(b", \r\n\t")
        if before and before != stored:
            await self._intake.store_all([before])
        # Not the same offset twice: what looks like the next one's id stood in the broken one, which has the lowest id of all.
        self._passed = self._offset = max(int(found[1]), self._passed + 1)

    async def _fetch(self, limit: int) -> bytes:
        """The answer's bytes, checked for errors by aiogram's own rules."""
        request = {"timeout": POLL_TIMEOUT, "limit": limit, "allowed_updates": self._allowed_updates}
        if self._offset is not None:
            request["offset"] = self._offset
        client = await self._session.create_session()
        url = self._session.api.api_url(token=self._bot.token, method="getUpdates")
        try:
            async with client.post(url, data=orjson.dumps(request), headers={"Content-Type": "application/json"},
                                   timeout=aiohttp.ClientTimeout(total=POLL_TIMEOUT + 15, sock_connect=5)) as response:  # fmt: skip
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TelegramNetworkError(method=GetUpdates(), message=type(error).__name__) from None
        if response.status != 200:
            self._session.check_response(self._bot, GetUpdates(), response.status, content.decode("utf-8", "replace"))
        return content

    async def _give_way(self) -> None:
        CONFLICTS.inc()
        now = time.monotonic()
        # Not after each success: two pollers that take turns on a busy bot succeed now and then.
        if now > self._conflict_at + CALM:
            self._conflicts = 0
        self._conflict_at = now
        pause = CONFLICT_PAUSES[self._conflicts] if self._conflicts < len(CONFLICT_PAUSES) else None
        self._conflicts += 1
        log.error("bot_conflict_detected", conflict=self._conflicts, next_try_seconds=pause)
        if pause is None or self._conflicts > len(CONFLICT_PAUSES):
            raise AnotherPollerError("another process fetches this bot's updates: stop it, or give one of them another BOT_TOKEN")
        await asyncio.sleep(pause)


class Batch(NamedTuple):
    """Updates as bytes, and the newest id among them."""

    bodies: list[bytes]
    newest: int | None


def split_updates(content: bytes, *, alone: bool = False) -> Batch | None:
    """What one answer holds. None when it cannot be read, unless its update is `alone`: then that one is cut out as it is.

    Raises `ClientDecodeError` for an answer that is none of Telegram's.
    """
    try:
        result = _loads(content)["result"]
        bodies = [_dumps(update) for update in result]
    except (ValueError, RecursionError, KeyError, TypeError):
        return _cut_out(content) if alone else None
    ids = [update["update_id"] for update in result if isinstance(update, dict) and _is_id(update.get("update_id"))]
    return Batch(bodies, max(ids, default=None))


def _cut_out(content: bytes) -> Batch:
    envelope = _ENVELOPE.match(content)
    if envelope is None:
        raise ClientDecodeError("no answer of Telegram", ValueError("unknown shape"), len(content))
    found = _UPDATE_ID.search(content)
    return Batch([content[envelope.end() : max(content.rfind(b"]"), envelope.end())]], int(found[1]) if found else None)


def _is_id(value: object) -> bool:
    """Negative ones would count from the end, and Telegram would forget what is before."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _loads(content: bytes) -> dict[str, list[object]]:
    try:
        return orjson.loads(content)  # type: ignore[no-any-return]
    except orjson.JSONDecodeError:
        return json.loads(content)  # type: ignore[no-any-return]


def _dumps(update: object) -> bytes:
    try:
        return orjson.dumps(update)
    except (orjson.JSONEncodeError, RecursionError):
        return json.dumps(update).encode()
