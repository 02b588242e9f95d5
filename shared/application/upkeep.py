"""What the clock makes happen: old things go, stuck things move again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge

from shared.application.jobs import CleanUpOldMessages, JobQueue
from shared.application.ports import Clock
from shared.application.switches import SwitchService
from shared.database.database import Database
from shared.database.upkeep import UpkeepRows
from shared.domain.allowance import allowance_day
from shared.domain.errors import ConflictError

BATCH = 2_000
SHIFT_SECONDS = 120.0
"""A clean-up hands over to a next job after this time, so that others in the queue get their turn."""
KEEP_UPDATES = timedelta(days=7)
KEEP_DEAD_LETTERS = timedelta(days=30)
KEEP_USAGES = timedelta(days=90)
KEEP_REPLACED = timedelta(days=30)
"""Facts that were replaced, or were forgotten and whose message is gone."""
UNSENT_AFTER = timedelta(minutes=2)
UNSENT_UNTIL = timedelta(days=1)
"""An answer that is older than a day is not worth sending any more."""
ABANDONED_AFTER = timedelta(hours=1)

CLEANED = Counter("vitte_cleanup_rows_total", "Rows deleted because they are old", ["kind"])
RESENT = Counter("vitte_resent_total", "Work that was stuck and was made due again", ["kind"])

DIFFERENCE = Gauge(
    "vitte_spendings_difference_micros",
    "Money by which budgets and their turns disagree since yesterday, in millionths of a US dollar",
    ["scope", "kind"],
)
COMPARED_AT = Gauge("vitte_spendings_compared_timestamp_seconds", "When this process last compared budgets with their turns")

ACTIVE_WITHIN = timedelta(hours=24)
ACTIVE_USERS = Gauge("vitte_active_users", "People who asked for a reply within 24 hours")
SPENT = Gauge("vitte_bot_spent_micros", "What this UTC day has cost, in millionths of a US dollar")
BUDGET = Gauge("vitte_bot_budget_micros", "What a UTC day may cost, in millionths of a US dollar; 0 is without limit")
TAKEN_AT = Gauge("vitte_figures_taken_timestamp_seconds", "When this process last took the figures that one of all workers takes")

log = structlog.get_logger("upkeep")


class NoDeadLetterError(ConflictError):
    """It was replayed already, or it cannot be understood and would only die again."""

    code = "not_replayable"


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanUpReport:
    """Rows deleted by kind. `is_complete` is false when a next job goes on with the rest."""

    deleted: dict[str, int]
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendReport:
    lanes_woken: int
    updates_reopened: int
    turns_abandoned: int


Batch = Callable[[UpkeepRows], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepService:
    database: Database
    switches: SwitchService
    clock: Clock
    jobs: JobQueue
    batch: int = BATCH

    async def clean_up(self, *, seconds: float = SHIFT_SECONDS) -> CleanUpReport:
        """Deletes what is past its time, in small transactions; killed at any moment, the next run goes on where this one was.

        A dialog itself is never deleted. Days for messages are the operators' switch; 0 keeps them for ever.
        """
        started, deleted = self.clock.monotonic(), dict[str, int]()
        await self.compare_spendings()
        for kind, batch in (await self._due()).items():
            while (rows := await self._run(batch)) > 0:
                CLEANED.labels(kind).inc(rows)
                deleted[kind] = deleted.get(kind, 0) + rows
                if self.clock.monotonic() - started > seconds:
                    return await self._hand_over(deleted)
                if rows < self.batch:
                    break
        log.info("cleaned_up", deleted=deleted, is_complete=True)
        return CleanUpReport(deleted=deleted, is_complete=True)

    async def resend_pending(self) -> ResendReport:
        """Makes due again what would wait for ever: lanes that nobody looks at, answers that were not sent, turns left open."""
        now = self.clock.now()
        async with self.database.statement() as tx:
            reopened = await tx.upkeep.reopen_unsent(now - UNSENT_UNTIL, now - UNSENT_AFTER)
        async with self.database.statement() as tx:
            woken = await tx.upkeep.wake_lanes()
        async with self.database.statement() as tx:
            abandoned = await tx.upkeep.abandon_turns(now - ABANDONED_AFTER, self.batch)
        for kind, rows in (("update", reopened), ("lane", woken), ("turn", abandoned)):
            RESENT.labels(kind).inc(rows)
        if reopened or woken or abandoned:
            log.warning("resent_pending", updates=reopened, lanes=woken, turns=abandoned)
        return ResendReport(lanes_woken=woken, updates_reopened=reopened, turns_abandoned=abandoned)

    async def compare_spendings(self) -> dict[str, tuple[int, int]]:
        """By scope (user, bot): by how much budgets and turns disagree since yesterday, in what was spent and in what is held back.

        Both are 0 in a house in order. Nothing is put right here: whichever is wrong, somebody should know why.
        """
        async with self.database.statement() as tx:
            found = await tx.upkeep.spending_differences(allowance_day(self.clock.now()) - timedelta(days=1))
        differences = {scope: found.get(scope, (0, 0)) for scope in ("user", "bot")}
        for scope, (spent, held) in differences.items():
            DIFFERENCE.labels(scope, "spent").set(spent)
            DIFFERENCE.labels(scope, "held").set(held)
            if spent or held:
                log.warning("spendings_differ", scope=scope, spent_micros=spent, held_micros=held)
        COMPARED_AT.set(self.clock.now().timestamp())
        return differences

    async def take_figures(self) -> None:
        """What can only be counted in the database: who is active, and what today costs beside what it may cost.

        Of several workers one is asked each time; the figures of the others are as old as their `TAKEN_AT` says.
        """
        now = self.clock.now()
        budget = (await self.switches.read()).bot_daily_micros
        async with self.database.statement() as tx:
            active, spent = await tx.reports.lately(now - ACTIVE_WITHIN, allowance_day(now))
        ACTIVE_USERS.set(active)
        SPENT.set(spent)
        BUDGET.set(budget)
        TAKEN_AT.set(now.timestamp())

    async def replay(self, bot_id: int, update_id: int, by: str) -> None:
        """An operator has a dead letter tried again, before what waits in its lane. Raises `NoDeadLetterError`."""
        async with self.database.statement() as tx:
            replayed = await tx.upkeep.replay(bot_id, update_id)
        if not replayed:
            raise NoDeadLetterError("this update is no dead letter that could be tried again")
        log.info("dead_letter_replayed", update_id=update_id, by=by)

    async def _due(self) -> dict[str, Batch]:
        now, size = self.clock.now(), self.batch
        days = (await self.switches.read()).keep_messages_days
        spoken: dict[str, Batch] = {}
        if days:
            until = now - timedelta(days=days)
            spoken = {"messages": lambda rows: rows.delete_messages(until, size), "turns": lambda rows: rows.delete_turns(until, size)}
        return spoken | {
            "updates": lambda rows: rows.delete_handled_updates(now - KEEP_UPDATES, size),
            "dead_updates": lambda rows: rows.delete_dead_updates(now - KEEP_DEAD_LETTERS, size),
            "parcels": lambda rows: rows.delete_sent_parcels(now - KEEP_UPDATES, size),
            "failed_parcels": lambda rows: rows.delete_failed_parcels(now - KEEP_DEAD_LETTERS, size),
            "usages": lambda rows: rows.delete_usages(now - KEEP_USAGES, size),
            "spendings": lambda rows: rows.delete_spendings(now - KEEP_USAGES, size),
            "memories": lambda rows: rows.delete_replaced_memories(now - KEEP_REPLACED, size),
            "lanes": lambda rows: rows.delete_idle_lanes(size),
        }

    async def _run(self, batch: Batch) -> int:
        async with self.database.statement() as tx:
            return await batch(tx.upkeep)

    async def _hand_over(self, deleted: dict[str, int]) -> CleanUpReport:
        await self.jobs.enqueue(CleanUpOldMessages())
        log.info("cleaned_up", deleted=deleted, is_complete=False)
        return CleanUpReport(deleted=deleted, is_complete=False)
