"""Moving windows: counted by Redis for all processes together, and by each for itself, which is what holds while Redis is away."""

from collections import deque
from dataclasses import dataclass, field

from shared.adapters.redis_door import RedisDoor
from shared.adapters.redis_line import LineBrokenError
from shared.application.ports import Clock

PREFIX = "vitte:limits:"
MOST_KEYS = 20_000

# By the clock of Redis, so that processes need not agree on the time. The list holds the moments that still count, newest first.
_HIT = b"""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], limit - 1)
if oldest and oldest + window > now then
  return oldest + window - now
end
redis.call('LPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], 0, limit - 1)
redis.call('PEXPIRE', KEYS[1], window)
return 0
"""


@dataclass(slots=True)
class _Window:
    seconds: float
    moments: deque[float] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class LocalWindows:
    """Of one process. With very many keys those that were used longest ago are forgotten."""

    clock: Clock
    _windows: dict[str, _Window] = field(default_factory=dict)

    async def hit(self, key: str, limit: int, seconds: float, *, unasked: int = 0) -> float | None:  # noqa: ARG002 - nobody is asked
        return self.take(key, limit, seconds)

    def count(self, key: str) -> int:
        """What was taken within the window, with the latest."""
        return len(self._windows[key].moments) if key in self._windows else 0

    def take(self, key: str, limit: int, seconds: float) -> float | None:
        now = self.clock.monotonic()
        window = self._windows.pop(key, None) or _Window(seconds)
        self._windows[key] = window  # last again
        while window.moments and window.moments[0] + seconds <= now:
            window.moments.popleft()
        if limit <= 0:
            return seconds
        if len(window.moments) >= limit:
            return window.moments[-limit] + seconds - now
        window.moments.append(now)
        if len(self._windows) > MOST_KEYS:
            del self._windows[next(iter(self._windows))]
        return None

    def give_back(self, key: str) -> None:
        """The latest one was not counted after all."""
        if (window := self._windows.get(key)) and window.moments:
            window.moments.pop()


@dataclass(frozen=True, slots=True)
class SharedWindows:
    """What this process alone has seen too often is refused without asking Redis."""

    door: RedisDoor
    own: LocalWindows

    async def hit(self, key: str, limit: int, seconds: float, *, unasked: int = 0) -> float | None:
        wait = self.own.take(key, limit, seconds)
        if wait is not None:
            return wait
        if self.own.count(key) <= unasked:
            return None
        try:
            milliseconds = await self.door.run(_HIT, [f"{PREFIX}{key}".encode()], b"%d" % (limit - unasked), b"%d" % (seconds * 1000))
        except LineBrokenError:
            return None
        if not isinstance(milliseconds, int) or milliseconds <= 0:
            return None
        self.own.give_back(key)
        return milliseconds / 1000
