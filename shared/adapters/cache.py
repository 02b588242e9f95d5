"""The cache: what this process holds itself for a moment, before what all processes hold in Redis, before the database.

A reader who finds nothing leaves its mark in Redis, and may only put its value where its own mark still stands. Whoever changes something
deletes the key, mark or value, after the change: so nobody keeps what was read before it. Redis tells every process of keys that others
change; what is held here counts only as long as Redis has proved lately that it would have told us.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from prometheus_client import Counter

from shared.adapters.redis_door import RedisDoor
from shared.adapters.redis_line import LineBrokenError
from shared.application.caches import Kept, Load
from shared.database.database import DatabaseUnavailableError

REQUESTS = Counter("vitte_cache_requests_total", "Values asked of a cache, by how they were found", ["cache", "outcome"])

PREFIX = "vitte:cache:"
MARK_MS = b"3000"
TRUSTED_SECONDS = 1.0
"""How long a process goes on with what it holds without a sign of life from Redis."""
NEAR_ENTRIES = 5_000
LARGEST = 64_000
PATIENCE = (0.005, 0.01, 0.02, 0.04)
"""Seconds between looks at a key that another process is about to fill."""

_MARK = b"~"

_LOOK = b"""
local found = {}
for i, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if not value and ARGV[1] ~= '' then
    value = ARGV[1]
    redis.call('SET', key, value, 'PX', ARGV[2])
  end
  found[2 * i - 1] = value
  found[2 * i] = redis.call('PTTL', key)
end
return found
"""
_PUT = b"""
for i, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    if ARGV[2 * i + 1] == '0' then redis.call('DEL', key)
    else redis.call('SET', key, ARGV[2 * i], 'PX', ARGV[2 * i + 1]) end
  end
end
return 1
"""

log = structlog.get_logger("cache")


@dataclass(slots=True)
class _Flight:
    """A read that is under way for everybody who asks the same. Spoiled by a change meanwhile: then nobody else may board."""

    keys: tuple[str, ...]
    landing: asyncio.Future[list[Any]]
    is_spoiled: bool = False


@dataclass(slots=True)
class _Near:
    value: Any
    until: float


@dataclass(slots=True)
class _Look:
    """What Redis has: values that were found, marks of ours, what is no value, and whether somebody else is about to fill one."""

    values: dict[int, Any] = field(default_factory=dict)
    seconds: dict[int, float] = field(default_factory=dict)
    ours: list[int] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    is_awaited: bool = False


class RedisCache:
    """`epoch` is part of every key, and `next_epoch` raises it in the database: the way to forget that needs no Redis."""

    def __init__(
        self, url: str, *, epoch: Callable[[], Awaitable[int]], next_epoch: Callable[[], Awaitable[None]], is_on: bool = True
    ) -> None:
        self._door = RedisDoor(url, name="cache", told=self._told, prefix=PREFIX)
        self._epoch, self._next_epoch, self._is_on = epoch, next_epoch, is_on
        self._near: dict[str, _Near] = {}
        self._flights: dict[tuple[str, ...], _Flight] = {}

    async def read(self, names: tuple[str, ...], load: Load) -> list[Any]:
        if not self._is_on:
            return [kept.value for kept in await load()]
        prefix = f"{PREFIX}{await self._epoch()}:"
        keys = tuple([prefix + name for name in names])
        if (near := self._find_near(keys)) is not None:
            count(names, "near")
            return near
        if (flight := self._flights.get(keys)) is not None:
            count(names, "shared")
            return await self._board(flight, load)
        return await self._fly(keys, names, load)

    async def forget(self, *names: str) -> None:
        try:
            prefix = f"{PREFIX}{await self._epoch()}:"
            keys = [prefix + name for name in names]
            try:
                await self._delete(keys)
            finally:  # also what was read while we were deleting: Redis does not tell us of our own changes
                for key in keys:
                    self._spoil(key)
        except DatabaseUnavailableError as error:
            log.warning("cache_not_forgotten", reason=str(error))

    async def aclose(self) -> None:
        await self._door.aclose()

    async def _delete(self, keys: Sequence[str]) -> None:
        try:
            await self._door.ask(b"DEL", *[key.encode() for key in keys])
        except LineBrokenError:
            await self._next_epoch()

    async def _board(self, flight: _Flight, load: Load) -> list[Any]:
        try:
            values: list[Any] = await asyncio.shield(flight.landing)
        except asyncio.CancelledError:
            if not flight.landing.cancelled():
                raise
            values = _values(await load())  # it was not we who were cancelled, or who failed
        return values

    async def _fly(self, keys: tuple[str, ...], names: tuple[str, ...], load: Load) -> list[Any]:
        flight = self._flights[keys] = _Flight(keys, asyncio.get_running_loop().create_future())
        try:
            values = await self._read_through(flight, names, load)
        except BaseException:
            flight.landing.cancel()
            raise
        else:
            flight.landing.set_result(values)
            return values
        finally:
            if self._flights.get(keys) is flight:
                del self._flights[keys]

    async def _read_through(self, flight: _Flight, names: tuple[str, ...], load: Load) -> list[Any]:
        asked_at = asyncio.get_running_loop().time()
        mark = _MARK + secrets.token_bytes(12)
        try:
            look = await self._look(flight.keys, mark)
        except LineBrokenError:
            count(names, "away")
            return _values(await load())
        if len(look.values) == len(names):
            count(names, "hit")
            self._hold(flight, look, asked_at)
            return [look.values[number] for number in range(len(names))]
        for number, name in enumerate(names):
            count((name,), "hit" if number in look.values else "miss")
        loaded_at = asyncio.get_running_loop().time()
        try:
            kept = await load()
        except BaseException:
            await self._put(flight, look, [Kept(None, 0.0)] * len(names), mark, loaded_at)
            raise
        await self._put(flight, look, kept, mark, loaded_at)
        return _values(kept)

    async def _look(self, keys: tuple[str, ...], mark: bytes) -> _Look:
        """Waits a moment for what another process is about to fill, unless a part is ours to fill anyway."""
        raw_keys = [key.encode() for key in keys]
        look = _sorted(await self._door.run(_LOOK, raw_keys, mark, MARK_MS), mark)
        if look.broken:
            await self._door.ask(b"DEL", *[raw_keys[number] for number in look.broken])
            look = _sorted(await self._door.run(_LOOK, raw_keys, mark, MARK_MS), mark)
        for pause in PATIENCE:
            if not look.is_awaited or look.ours:
                break
            await asyncio.sleep(pause)
            look = _sorted(await self._door.run(_LOOK, raw_keys, b"", b"0"), mark)
        return look

    async def _put(self, flight: _Flight, look: _Look, kept: Sequence[Kept], mark: bytes, loaded_at: float) -> None:
        """Where our marks stand; the time that loading took is taken off. Too large or nothing: only the mark goes."""
        if not look.ours:
            return
        late = asyncio.get_running_loop().time() - loaded_at
        arguments = list[bytes]()
        for number in look.ours:
            value = b"" if kept[number].value is None else orjson.dumps(kept[number].value)
            milliseconds = int((kept[number].seconds - late) * 1000)
            fits = 0 < len(value) <= LARGEST and milliseconds > 0
            arguments += [value if fits else b"", b"%d" % milliseconds if fits else b"0"]
        try:
            await self._door.run(_PUT, [flight.keys[number].encode() for number in look.ours], mark, *arguments)
        except LineBrokenError:
            return

    def _find_near(self, keys: tuple[str, ...]) -> list[Any] | None:
        now = asyncio.get_running_loop().time()
        if now - self._door.proven_at > TRUSTED_SECONDS:
            return None
        values = []
        for key in keys:
            held = self._near.get(key)
            if held is None or held.until <= now:
                return None
            values.append(held.value)
        return values

    def _hold(self, flight: _Flight, look: _Look, asked_at: float) -> None:
        if flight.is_spoiled:
            return
        for number, key in enumerate(flight.keys):
            if len(self._near) >= NEAR_ENTRIES and key not in self._near:
                del self._near[next(iter(self._near))]
            self._near[key] = _Near(look.values[number], asked_at + look.seconds[number])

    def _told(self, keys: list[bytes] | None) -> None:
        """By Redis, of what another process changed; of everything when the line broke or Redis was emptied."""
        if keys is None:
            self._near.clear()
            for flight in self._flights.values():
                flight.is_spoiled = True
            self._flights.clear()
            return
        for key in keys:
            self._spoil(key.decode("utf-8", "replace"))

    def _spoil(self, key: str) -> None:
        self._near.pop(key, None)
        for keys in [keys for keys in self._flights if key in keys]:
            self._flights.pop(keys).is_spoiled = True


def _values(kept: Sequence[Kept]) -> list[Any]:
    return [one.value for one in kept]


def _sorted(answer: Any, mark: bytes) -> _Look:
    look = _Look()
    for number, (value, left) in enumerate(zip(answer[::2], answer[1::2], strict=True)):
        if value == mark:
            look.ours.append(number)
        elif value is None or value[:1] == _MARK:
            look.is_awaited = True
        elif (loaded := _loaded(value)) is None:
            look.broken.append(number)
        else:
            look.values[number], look.seconds[number] = loaded, left / 1000
    return look


def _loaded(value: bytes) -> Any:
    """None, which is never kept, for what is no JSON."""
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return None


_CHILDREN: dict[tuple[str, str], Any] = {}


def count(names: Sequence[str], outcome: str) -> None:
    for name in names:
        kind = name.partition(":")[0], outcome
        child = _CHILDREN.get(kind)
        if child is None:
            child = _CHILDREN[kind] = REQUESTS.labels(*kind)
        child.inc()
