"""Plans: what each of them allows, and changing that."""

from dataclasses import dataclass

import structlog

from shared.application.caches import PLANS, Cache
from shared.database.database import Database
from shared.domain.billing import TIERS, PlanTerms
from shared.domain.errors import InvalidInputError, NotFoundError

LARGEST = {"daily_turns": 1_000_000, "turns_per_minute": 10_000, "daily_micros": 10**12}
SMALLEST = {"daily_turns": 0, "turns_per_minute": 1, "daily_micros": 0}

log = structlog.get_logger("plans")


class PlanNotFoundError(NotFoundError):
    code = "plan_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanService:
    database: Database
    cache: Cache

    async def list(self) -> list[PlanTerms]:
        """In the order they are shown."""
        async with self.database.statement() as tx:
            return await tx.users.plan_terms()

    async def change(self, terms: PlanTerms, *, by: str) -> None:
        """An operator changes what a plan allows; it holds for its holders' next message, in every process.

        Raises `PlanNotFoundError`, `InvalidInputError` for a value that a plan cannot have.
        """
        _refuse_wrong(terms)
        async with self.database.statement() as tx:
            found = await tx.users.change_plan(terms)
        if not found:
            raise PlanNotFoundError("no plan with this code")
        await self.cache.forget(PLANS)
        log.info("plan_changed", by=by, plan=terms._asdict())


def _refuse_wrong(terms: PlanTerms) -> None:
    for field, most in LARGEST.items():
        value = getattr(terms, field)
        if value is not None and not SMALLEST[field] <= value <= most:
            raise InvalidInputError(f"{field} must be {SMALLEST[field]} to {most}, or nothing for no limit")
    if terms.tier not in TIERS:
        raise InvalidInputError(f"no such tier: {terms.tier!r}")
