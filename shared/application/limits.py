"""How fast somebody may go: turns per minute as their plan says, updates of any kind against floods, things said once in a while."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from prometheus_client import Counter

from shared.application.ports import Clock
from shared.domain.allowance import TooManyTurnsError
from shared.domain.speaker import Speaker

MINUTE = 60.0
FLOOD_UPDATES = 30
FLOOD_SECONDS = 10.0
FLOOD_UNASKED = 3
"""Nobody floods with three updates: that Redis is not asked about them saves a tenth of what a turn costs."""

REFUSED = Counter("vitte_limits_refused_total", "What went over a limit of speed", ["limit"])

log = structlog.get_logger("limits")


class Windows(Protocol):
    async def hit(self, key: str, limit: int, seconds: float, *, unasked: int = 0) -> float | None:
        """Counts one in the window that moves along; none when it fits, else the seconds until one fits, and then nothing is counted.

        Each process lets the first `unasked` pass without asking the others: so many more than `limit` fit for each process but the first.

        Never raises and never lets everything through: when the processes cannot count together, each counts alone.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitService:
    windows: Windows
    clock: Clock

    async def check(self, speaker: Speaker) -> None:
        """Counts a new turn of the speaker. Raises `TooManyTurnsError` when their plan's minute is full."""
        limit = speaker.turns_per_minute
        if limit is None:
            return
        seconds = await self.windows.hit(f"turns:{speaker.user_id}", limit, MINUTE)
        if seconds is not None:
            _refuse("turns_per_minute")
            raise TooManyTurnsError(limit=limit, resets_at=self.clock.now() + timedelta(seconds=seconds), seconds=seconds)

    async def flood(self, telegram_user_id: int) -> bool:
        """Counts an update of any kind. True when there are too many of them: it is to be passed over."""
        if await self.windows.hit(f"flood:{telegram_user_id}", FLOOD_UPDATES, FLOOD_SECONDS, unasked=FLOOD_UNASKED) is None:
            return False
        _refuse("flood")
        return True

    async def first(self, key: str, seconds: float) -> bool:
        """True for the first who asks within that time, and then for the first after it. Keys hold ids, never words."""
        return await self.windows.hit(f"once:{key}", 1, seconds) is None


def _refuse(limit: str) -> None:
    REFUSED.labels(limit).inc()
    log.info("rate_limit_exceeded", what=limit)
