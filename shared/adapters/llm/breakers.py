"""The breakers of all models of a process, kept in step with those of its replicas."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import structlog

from shared.adapters.llm.breaker import Breaker, BreakerRule, News, SharedState, rule_of
from shared.domain.errors import UnavailableError

STEP_SECONDS = 0.25
"""How old the picture of the other replicas may be while people talk."""
IDLE_STEP_SECONDS = 2.0
IDLE_AFTER = 3.0
ASLEEP_AFTER = 300.0
AWAY_SECONDS = 5.0
"""How long a store that does not answer is left alone; each process goes by what it sees itself meanwhile."""
_CANCEL_AGAIN = 0.1
"""Before Python 3.12 `asyncio.wait_for`, through which Redis is asked, may lose a cancellation."""

log = structlog.get_logger("models")


class BreakerStore(Protocol):
    async def tell(self, news: Sequence[tuple[str, BreakerRule, News, float]]) -> list[SharedState]: ...
    async def claim(self, name: str, seconds: float, *, early: bool) -> bool: ...


class Breakers:
    """Without a store, or while it is away, the process goes by what it sees itself. No reply ever waits for the store, except a
    probe for a few milliseconds when there is no other model to turn to."""

    def __init__(self, store: BreakerStore | None = None) -> None:
        self._store = store
        self._breakers: dict[str, Breaker] = {}
        self._is_keeping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken, self._hurry = asyncio.Event(), asyncio.Event()
        self._touched = self._away_until = float("-inf")

    def of(self, name: str, *, rule: BreakerRule | None = None, setting: str = "") -> Breaker:
        """The breaker of `provider:model`; `setting` is named in the log when the provider refuses the key."""
        if name not in self._breakers:
            rule = rule or rule_of(name.partition(":")[0])
            self._breakers[name] = Breaker(name, rule, _now, self._hurry_up, setting)
        return self._breakers[name]

    def touch(self) -> None:
        """Somebody is about to ask a model: from now on the picture of the others should be fresh."""
        self._touched = _now()
        self._woken.set()

    async def claim(self, breaker: Breaker, seconds: float, *, early: bool = False) -> bool:
        """The one probe of a half-open breaker, or `early` of an open one, among all replicas; it is given to another when it is not
        ended in time."""
        if not breaker.claim(seconds, early=early):
            return False
        if self._store is None or _now() < self._away_until:
            return True
        try:
            return await self._store.claim(breaker.name, seconds, early=early)
        except UnavailableError:
            self._is_away()
            return True

    def start(self, work: Coroutine[Any, Any, None]) -> bool:
        """Does it beside the replies; false when this process does not keep in step, and the work is closed."""
        if not self._is_keeping:
            work.close()
            return False
        # No task group: the block below is a whole process, whose errors must come out as they are.
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    @asynccontextmanager
    async def kept_in_step(self) -> AsyncIterator["Breakers"]:
        """Probes run, and news go to the other replicas and come from them, while the block runs. Connects to nothing before
        the first `touch`."""
        self._is_keeping = True
        self.start(self._keep())
        try:
            yield self
        finally:
            self._is_keeping = False
            while self._tasks:
                for task in self._tasks:
                    task.cancel()
                await asyncio.wait(tuple(self._tasks), timeout=_CANCEL_AGAIN)

    async def exchange(self) -> None:
        """One round trip: tells what happened here and learns what happened elsewhere. Never raises."""
        breakers = list(self._breakers.values())
        if self._store is None or not breakers or _now() < self._away_until:
            return
        news = [breaker.take_news() for breaker in breakers]
        try:
            told = [(one.name, one.rule, fresh, _open_for(fresh)) for one, fresh in zip(breakers, news, strict=True)]
            states = await self._store.tell(told)
        except UnavailableError:
            self._is_away()
            for breaker, stale in zip(breakers, news, strict=True):
                breaker.give_back(stale)
            return
        for breaker, state in zip(breakers, states, strict=True):
            breaker.merge(state)

    async def _keep(self) -> None:
        while True:
            await self._woken.wait()
            quiet = _now() - self._touched
            if quiet > ASLEEP_AFTER:
                self._woken.clear()
                continue
            self._hurry.clear()
            await self.exchange()
            await asyncio.sleep(STEP_SECONDS / 10)  # many failures at once make one round trip
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_STEP_SECONDS if quiet > IDLE_AFTER else STEP_SECONDS):
                    await self._hurry.wait()

    def _hurry_up(self) -> None:
        self.touch()
        self._hurry.set()

    def _is_away(self) -> None:
        if _now() >= self._away_until:
            log.warning("breakers_on_their_own", seconds=AWAY_SECONDS)
        self._away_until = _now() + AWAY_SECONDS


def _open_for(news: News) -> float:
    """At least a millisecond: an opening that has passed meanwhile is a half-open breaker."""
    return max(0.001, news.opened_until - _now()) if news.opened_until else 0.0


def _now() -> float:
    return asyncio.get_running_loop().time()
