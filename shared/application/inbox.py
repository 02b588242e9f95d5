"""The inbox: updates are kept before they are acknowledged, worked on in the order of their chat, and answered through the outbox."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Gauge

from shared.database.database import Database
from shared.database.presence import Presence
from shared.domain.inbox import Follower, Lease, LeaseLostError, Outcome, Outgoing, Parcel, Settlement
from shared.domain.intake import read_update

RECEIVED = Counter("vitte_inbox_received_total", "Updates that arrived", ["kind"])
REPEATED = Counter("vitte_inbox_repeated_total", "Updates that were known already")
DEAD = Counter("vitte_inbox_dead_letters_total", "Updates given up as dead letters", ["stage"])
TAKEOVERS = Counter("vitte_inbox_takeovers_total", "Lanes taken from a consumer that died")
DEPTH = Gauge("vitte_inbox_depth", "Updates that wait or are worked on")
OLDEST = Gauge("vitte_inbox_oldest_age_seconds", "Age of the oldest update that is not handled")

for _stage in ("intake", "consumer"):
    DEAD.labels(_stage)  # from zero on, or Prometheus could not see the first one as a rise

__all__ = ["InboxService", "Presence", "Received"]

log = structlog.get_logger("inbox")


@dataclass(frozen=True, slots=True)
class Received:
    """`gone_on` are lanes that this process works on, in which the person goes on speaking."""

    new: int
    priority: bool
    normal: bool
    gone_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxService:
    database: Database
    lease_seconds: float = 60.0

    async def receive(self, bot_id: int, bodies: Sequence[bytes], *, notice: str) -> Received:
        """Keeps raw updates; when this returns they may be acknowledged. Known ones are passed over, broken ones become dead letters.

        `notice` names this process to the other consumers that are woken. Raises `DatabaseUnavailableError`, and then nothing
        may be acknowledged.
        """
        updates = [read_update(body) for body in bodies]
        async with self.database.statement("inbox") as tx:
            new, dead, gone_on = await tx.inbox.receive(bot_id, updates, notice)
        REPEATED.inc(len(updates) - new)
        if dead:
            DEAD.labels("intake").inc(dead)
            for update in updates:
                if update.broken:
                    log.warning("update_dead_lettered", update_id=update.update_id, kind=update.kind, reason=update.broken)
        for update in updates:
            RECEIVED.labels(update.kind).inc()
        return Received(new, any(u.is_priority for u in updates), any(not u.is_priority for u in updates), tuple(gone_on))

    async def claim(self, bot_id: int, *, consumer: int, is_priority: bool, places: int) -> list[Lease]:
        """Leases lanes that have work, at most `places`: who pays first, then who has waited longest."""
        async with self.database.statement("inbox") as tx:
            return await tx.inbox.claim(bot_id, consumer=consumer, is_priority=is_priority, places=places, lease_seconds=self.lease_seconds)

    async def followers(self, lease: Lease, most: int) -> list[Follower]:
        """What waits behind the leased update in its lane, oldest first, at most so many."""
        async with self.database.statement("inbox") as tx:
            return await tx.inbox.followers(lease, most)

    async def settle(self, bot_id: int, settlements: Sequence[Settlement]) -> bool:
        """Ends leases, in one statement. True when one of the lanes has more work. May be repeated after an error."""
        async with self.database.statement("inbox") as tx:
            more = await tx.inbox.settle(bot_id, settlements)
        for ended in settlements:
            if ended.outcome is Outcome.DEAD:
                DEAD.labels("consumer").inc()
                log.error(
                    "update_dead_lettered", update_id=ended.lease.update_id, kind=ended.lease.kind, reason=ended.error,
                    attempts=ended.lease.attempts,
                )  # fmt: skip
        return more

    async def extend(self, bot_id: int, leases: Sequence[Lease]) -> set[str]:
        """Renews leases; answers the lanes that are still held."""
        async with self.database.statement("inbox") as tx:
            return await tx.inbox.extend(bot_id, leases, self.lease_seconds)

    async def post(self, lease: Lease, outgoing: Sequence[Outgoing]) -> None:
        """Puts what is to be sent in the outbox, once per update. Raises `LeaseLostError` when somebody else has the lane."""
        async with self.database.statement() as tx:
            if not await tx.inbox.post(lease, outgoing):
                raise LeaseLostError("the lane was taken over before the answer was posted")

    async def parcels(self, lease: Lease) -> list[Parcel]:
        """What an earlier attempt at the same update has put in the outbox."""
        async with self.database.statement() as tx:
            return await tx.inbox.parcels(lease)

    async def consumers(self) -> set[int]:
        """Consumers that hold leases."""
        async with self.database.statement("inbox") as tx:
            return await tx.inbox.consumers()

    async def bury(self, consumer: int) -> int:
        """Frees the lanes of a consumer that died; answers how many."""
        async with self.database.statement("inbox") as tx:
            freed = await tx.inbox.free(consumer)
        if freed:
            TAKEOVERS.inc(freed)
            log.warning("lanes_taken_over", lanes=freed)
        return freed

    async def depth(self) -> tuple[int, float]:
        """Updates that wait or are worked on, and the age of the oldest in seconds."""
        async with self.database.statement("inbox") as tx:
            return await tx.inbox.depth()

    async def measure(self) -> None:
        """Brings the gauges of depth and age up to date."""
        depth, age = await self.depth()
        DEPTH.set(depth)
        OLDEST.set(age)
