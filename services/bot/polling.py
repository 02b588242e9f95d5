"""Long polling: fetch raw updates, store them, and only then let the next call confirm them."""

import asyncio
import json
import re

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
CONFLICTS = Counter("vitte_bot_conflicts_total", "Times that another process fetched this bot's updates")

_UPDATE_ID = re.compile(rb'"update_id"\s*:\s*(\d{1,18})')

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
        self._limit = LIMIT
        self._conflicts = 0

    async def run(self) -> None:
        """Until cancelled. Raises `AnotherPollerError` after the third conflict in a row, `TelegramUnauthorizedError` for a wrong token."""
        while True:
            await self._lead()
            try:
                await self._poll()
                self._conflicts = 0
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
        content = await self._fetch()
        bodies, newest = split_updates(content)
        if bodies is None:
            self._isolate(content)
            return
        self._limit = LIMIT
        if bodies:
            await self._intake.store_all(bodies)
        # Once an answer to an offset has come, it is confirmed for good; sent again it would hide ids that restart lower.
        self._offset = newest + 1 if newest is not None else None

    def _isolate(self, content: bytes) -> None:
        """A batch that cannot be read is fetched one by one; an unreadable single one is stored as it is, by `_poll`'s next round."""
        if self._limit > 1:
            self._limit = 1
            return
        raise ClientDecodeError("unreadable update without an id", ValueError("no update_id"), len(content))

    async def _fetch(self) -> bytes:
        """The answer's bytes, checked for errors by aiogram's own rules."""
        request = {"timeout": POLL_TIMEOUT, "limit": self._limit, "allowed_updates": self._allowed_updates}
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
        pause = CONFLICT_PAUSES[self._conflicts] if self._conflicts < len(CONFLICT_PAUSES) else None
        self._conflicts += 1
        log.error("bot_conflict_detected", conflict=self._conflicts, next_try_seconds=pause)
        if pause is None or self._conflicts > len(CONFLICT_PAUSES):
            raise AnotherPollerError("another process fetches this bot's updates: stop it, or give one of them another BOT_TOKEN")
        await asyncio.sleep(pause)


def split_updates(content: bytes) -> tuple[list[bytes] | None, int | None]:
    """Each update's bytes and the newest id. None when the answer cannot be read and holds more than one update.

    A single update that is no valid JSON is cut out as it is.
    """
    try:
        result = _loads(content)["result"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return _single(content)
    bodies = [_dumps(update) for update in result]
    ids = [update["update_id"] for update in result if isinstance(update, dict) and isinstance(update.get("update_id"), int)]
    return bodies, max(ids, default=None)


def _single(content: bytes) -> tuple[list[bytes] | None, int | None]:
    ids = _UPDATE_ID.findall(content)
    opening = content.find(b"[")
    if len(ids) != 1 or opening < 0:
        return None, None
    return [content[opening + 1 : max(content.rfind(b"]"), opening + 1)]], int(ids[0])


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
