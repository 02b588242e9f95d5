"""Feature switches: read on every turn, changed by operators at run time."""

from dataclasses import dataclass, field
from typing import Any

import structlog

from shared.application.ports import Clock
from shared.database.database import Database, DatabaseUnavailableError
from shared.database.operators import CACHE_EPOCH
from shared.domain.switches import Switches, parse_switch, read_switches

FRESH_SECONDS = 5.0
"""How long another process may go on with the old value."""

log = structlog.get_logger("switches")


@dataclass(slots=True)
class _Known:
    switches: Switches | None = None
    until: float = 0.0
    cache_epoch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchService:
    database: Database
    clock: Clock
    _known: _Known = field(default_factory=_Known, init=False, repr=False)

    async def read(self) -> Switches:
        """At most five seconds old; the last known ones while PostgreSQL is away.

        Raises `DatabaseUnavailableError` only when they were never read.
        """
        known = self._known
        if known.switches is not None and self.clock.monotonic() < known.until:
            return known.switches
        known.until = self.clock.monotonic() + FRESH_SECONDS
        try:
            known.switches = await self._read()
        except DatabaseUnavailableError:
            if known.switches is None:
                raise
            log.warning("switches_are_stale")
        return known.switches

    async def set(self, key: str, value: Any, by: str) -> Switches:
        """An operator turns a switch; here it holds at once, in other processes within five seconds.

        Raises `UnknownSwitchError`, `InvalidInputError`.
        """
        parsed = parse_switch(key, value)
        async with self.database.statement() as tx:
            await tx.operators.set_switch(key, parsed, by=by, at=self.clock.now())
        log.info("switch_set", key=key, value=parsed, by=by)
        self._known.until = 0.0
        return await self.read()

    async def cache_epoch(self) -> int:
        """Part of every key that is cached; at most as old as the switches. Raises as `read` does."""
        await self.read()
        return self._known.cache_epoch

    async def next_cache_epoch(self) -> None:
        """Nothing that was cached counts any more: here at once, in other processes within five seconds, whatever Redis does."""
        async with self.database.statement() as tx:
            self._known.cache_epoch = await tx.operators.next_cache_epoch()
        log.info("caches_emptied", epoch=self._known.cache_epoch)

    async def _read(self) -> Switches:
        async with self.database.statement() as tx:
            rows = await tx.operators.switches()
        # Never back: a read that overlapped with a raise may be the older one.
        self._known.cache_epoch = max(self._known.cache_epoch, rows.pop(CACHE_EPOCH, 0))
        return read_switches(rows)
