"""Works on stored updates: one lane per chat, order kept, so many at once as there are places; priority lanes have places of their own."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Gauge, Histogram

from shared.application.inbox import InboxService, Presence
from shared.domain.errors import UnavailableError
from shared.domain.inbox import Lease, LeaseLostError, Settlement

POLL_SECONDS = 1.0
CONNECT_SECONDS = 0.05
"""Between two looks whether we are connected yet: what waits since the last process ended has waited long enough."""
BEAT_SECONDS = 10.0
LOOK_SECONDS = 1.0
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

WAITED = Histogram("vitte_update_wait_seconds", "From storing an update to starting on it", ["priority"], buckets=BUCKETS)
WORKED = Histogram("vitte_update_work_seconds", "Working on an update", ["kind", "outcome"], buckets=BUCKETS)
RUNNING = Gauge("vitte_updates_running", "Updates that are worked on", ["priority"])
LOST = Counter("vitte_inbox_leases_lost_total", "Leases that somebody else took while work went on")

log = structlog.get_logger("consumer")


@dataclass(slots=True)
class Hold:
    """A lease in our hands, and when it was last renewed on our own clock.

    `crowded` are the seconds that its update has waited while all places were taken; what waited while nobody worked does not count.
    """

    lease: Lease
    is_priority: bool
    seconds: float
    renewed_at: float = field(default_factory=time.monotonic)
    task: asyncio.Task[None] | None = None
    crowded: float = 0.0
    has_gone_on: bool = False
    on_going_on: Callable[[], object] | None = None

    def go_on(self) -> None:
        """The person whose update this is has said more."""
        self.has_gone_on = True
        if self.on_going_on is not None:
            self.on_going_on()

    @property
    def is_fresh(self) -> bool:
        """False when this process slept so long that somebody else may have the lane."""
        return time.monotonic() - self.renewed_at < self.seconds / 2


Work = Callable[[Hold], Awaitable[Settlement]]
"""Handles one update and says how it ended; raises `LeaseLostError` only."""


class Consumer:
    def __init__(self, inbox: InboxService, presence: Presence, work: Work, *, bot_id: int, places: int) -> None:
        self._inbox = inbox
        self._presence = presence
        self._work = work
        self._bot_id = bot_id
        self._places = {False: places, True: max(8, places // 3)}
        self._running: dict[bool, dict[int, Hold]] = {False: {}, True: {}}
        """By token: a lane that we lost and leased again may be worked on twice until the older task has ended."""
        self._ended: list[Settlement] = []
        self._due = {False: True, True: True}
        self._woken = asyncio.Event()
        self._draining = False
        self._crowded_since: float | None = None
        self._gone_on: set[str] = set()
        """Lanes in which somebody went on before we knew that we hold them."""

    def wake(self, *, priority: bool = True, normal: bool = True) -> None:
        """There is something new in the inbox."""
        self._due[True] |= priority
        self._due[False] |= normal
        self._woken.set()

    def go_on(self, lanes: Iterable[str]) -> None:
        """Whoever speaks in these lanes, which this process works on, has said more."""
        held = {hold.lease.lane: hold for hold in self._holds()}
        for lane in lanes:
            if lane in held:
                held[lane].go_on()
            else:
                self._gone_on.add(lane)

    def drain(self) -> None:
        """Take nothing more; `run` returns when what is begun has ended."""
        self._draining = True
        self._woken.set()

    def abort(self) -> None:
        """Give back what is still being worked on."""
        for hold in self._holds():
            if hold.task is not None:
                hold.task.cancel()

    async def run(self) -> None:
        """Until drained."""
        self.wake()
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(self._beat()), group.create_task(self._look_after_others())]
            while not (self._draining and not self._ended and not any(self._running.values())):
                await self._pump(group)
            for task in others:
                task.cancel()

    async def _pump(self, group: asyncio.TaskGroup) -> None:
        if not self._woken.is_set():
            await self._sleep_until_woken()
        self._woken.clear()
        try:
            await self._settle()
            if not self._presence.is_connected:
                self._crowded_since = None
            elif not self._draining:
                for is_priority in (True, False):
                    await self._claim(group, is_priority=is_priority)
        except UnavailableError as error:
            log.warning("waiting_for_database", error=error.code)
            self._crowded_since = None
            await asyncio.sleep(0.5)
            self.wake()

    async def _sleep_until_woken(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS if self._presence.is_connected else CONNECT_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            self._due = {False: True, True: True}

    async def _settle(self) -> None:
        """All that ended since the last time, in one statement; kept when the statement fails."""
        ended = self._ended
        if not ended:
            return
        self._ended = []
        try:
            more = await self._inbox.settle(self._bot_id, ended)
        except UnavailableError:
            self._ended = ended + self._ended
            raise
        if more:
            self._due = {False: True, True: True}

    async def _claim(self, group: asyncio.TaskGroup, *, is_priority: bool) -> None:
        running = self._running[is_priority]
        free = self._places[is_priority] - len(running)
        if free <= 0 or not self._due[is_priority]:
            return
        self._due[is_priority] = False
        try:
            leases = await self._inbox.claim(self._bot_id, consumer=self._presence.consumer, is_priority=is_priority, places=free)
        except UnavailableError:
            self._due[is_priority] = True
            raise
        if len(leases) == free:
            self._due[is_priority] = True
        if not is_priority:
            self._note_crowd(is_full=len(leases) == free)
        for lease in leases:
            hold = Hold(lease, is_priority, self._inbox.lease_seconds, crowded=self._crowded(lease))
            hold.has_gone_on = lease.lane in self._gone_on
            for older in [held for held in running.values() if held.lease.lane == lease.lane]:
                self._give_up(older)
            running[lease.token] = hold
            hold.task = group.create_task(self._carry(hold))
            WAITED.labels(is_priority).observe(max(0.0, time.time() - lease.received_at) if lease.received_at else 0.0)
        if not is_priority:
            self._gone_on.clear()
        RUNNING.labels(is_priority).set(len(running))

    def _note_crowd(self, *, is_full: bool) -> None:
        """Crowded from the claim on that filled the last place, until one leaves a place free."""
        if not is_full:
            self._crowded_since = None
        elif self._crowded_since is None:
            self._crowded_since = time.monotonic()

    def _crowded(self, lease: Lease) -> float:
        return 0.0 if self._crowded_since is None else min(time.monotonic() - self._crowded_since, lease.due_for)

    async def _carry(self, hold: Hold) -> None:
        began, outcome = time.monotonic(), "lease_lost"
        try:
            settlement = await self._work(hold)
            self._ended.append(settlement)
            outcome = settlement.outcome.value
        except LeaseLostError:
            LOST.inc()
            log.warning("lease_lost", kind=hold.lease.kind)
        finally:
            running = self._running[hold.is_priority]
            del running[hold.lease.token]
            RUNNING.labels(hold.is_priority).set(len(running))
            WORKED.labels(hold.lease.kind, outcome).observe(time.monotonic() - began)
            self._woken.set()

    async def _beat(self) -> None:
        """Renews our leases; work on a lane that is ours no more is ended."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            holds = self._holds()
            if not holds:
                continue
            try:
                kept = await self._inbox.extend(self._bot_id, [hold.lease for hold in holds])
            except UnavailableError as error:
                log.warning("leases_not_renewed", error=error.code)
                continue
            now = time.monotonic()
            for hold in holds:
                if hold.lease.lane in kept:
                    hold.renewed_at = now
                else:
                    self._give_up(hold)

    def _give_up(self, hold: Hold) -> None:
        """Ends work under a lease that somebody has overtaken."""
        if hold.task is not None and not hold.task.done():
            LOST.inc()
            hold.task.cancel()

    async def _look_after_others(self) -> None:
        """Frees the lanes of consumers that died, seen dead at two looks in a row; brings the gauges up to date."""
        suspects: set[int] = set()
        looks = 0
        while True:
            try:
                suspects = await self._bury(suspects)
                if looks % 5 == 0:
                    await self._inbox.measure()
            except UnavailableError:
                suspects = set()
            looks += 1
            await asyncio.sleep(LOOK_SECONDS if looks > 2 else LOOK_SECONDS / 3)

    async def _bury(self, suspects: set[int]) -> set[int]:
        if not self._presence.is_connected:
            return set()
        dead = {consumer for consumer in await self._inbox.consumers() if not await self._presence.is_alive(consumer)}
        for consumer in dead & suspects:
            await self._inbox.bury(consumer)
            self.wake()
        return dead - suspects

    def _holds(self) -> list[Hold]:
        return [hold for running in self._running.values() for hold in running.values()]
