"""A line to Redis that is opened when it is first needed, and left alone for a moment after Redis was away."""

import asyncio

import structlog

from shared.adapters.redis_line import LineBrokenError, RedisLine, RefusedError, Told, open_line
from shared.database.database import refuse_inside_transaction

PATIENCE_SECONDS = 0.05
"""How long anybody waits for Redis before the database is asked instead."""
PAUSE_SECONDS = 3.0

log = structlog.get_logger("redis")


class RedisDoor:
    """`ask` raises `LineBrokenError` only: at once during the pause, and within `PATIENCE_SECONDS` when Redis has just gone."""

    def __init__(self, url: str, *, name: str, told: Told | None = None, prefix: str = "") -> None:
        self._url, self._name, self._told, self._prefix = url, name, told, prefix
        self._line: RedisLine | None = None
        self._opening: asyncio.Task[RedisLine] | None = None
        self._closed_until = 0.0
        self._is_away = False
        self._scripts: dict[bytes, bytes] = {}

    @property
    def proven_at(self) -> float:
        """Until then we know of every change; never, without a line."""
        return self._line.proven_at if self._line is not None and self._line.is_open else float("-inf")

    async def ask(self, *words: bytes) -> bytes | int | list[bytes | int | None] | None:
        refuse_inside_transaction()
        line = await self._open()
        try:
            answer: bytes | int | list[bytes | int | None] | None = await line.ask(*words, within=PATIENCE_SECONDS)
        except LineBrokenError as error:
            self._pause(str(error))
            raise
        except RefusedError as error:
            if str(error).startswith("NOSCRIPT"):
                raise
            self._pause(str(error))
            raise LineBrokenError(str(error)) from error
        return answer

    async def run(self, script: bytes, keys: list[bytes], *arguments: bytes) -> bytes | int | list[bytes | int | None] | None:
        """A Lua script, sent in full only to a server that does not know it yet."""
        count = b"%d" % len(keys)
        known = self._scripts.get(script)
        if known is None:
            loaded = await self.ask(b"SCRIPT", b"LOAD", script)
            known = self._scripts[script] = loaded if isinstance(loaded, bytes) else b""
        try:
            return await self.ask(b"EVALSHA", known, count, *keys, *arguments)
        except RefusedError:
            return await self.ask(b"EVAL", script, count, *keys, *arguments)

    async def aclose(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._line is not None:
            self._line.break_off("closed")

    async def _open(self) -> RedisLine:
        if self._line is not None and self._line.is_open:
            return self._line
        loop = asyncio.get_running_loop()
        if loop.time() < self._closed_until:
            raise LineBrokenError("Redis was away a moment ago")
        if self._opening is None:
            self._opening = loop.create_task(open_line(self._url, told=self._told, prefix=self._prefix))
            self._opening.add_done_callback(self._opened)
        # Connecting goes on when nobody has the patience to wait for it any more.
        await asyncio.wait([self._opening], timeout=PATIENCE_SECONDS)
        if self._line is None or not self._line.is_open:
            raise LineBrokenError("Redis is not connected")
        return self._line

    def _opened(self, opening: asyncio.Task[RedisLine]) -> None:
        self._opening = None
        if opening.cancelled():
            return
        if (error := opening.exception()) is not None:
            self._pause(str(error))
            return
        self._line = opening.result()
        if self._is_away:
            self._is_away = False
            log.info("redis_is_back", server=self._name)

    def _pause(self, why: str) -> None:
        """Said once for an absence, however long it is."""
        self._closed_until = asyncio.get_running_loop().time() + PAUSE_SECONDS
        if self._line is not None:
            self._line.break_off(why)
        if not self._is_away:
            self._is_away = True
            log.warning("redis_is_away", server=self._name, reason=why)
