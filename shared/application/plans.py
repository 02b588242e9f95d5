"""Plans: what each of them allows, changing that, and who holds which."""

import re
from dataclasses import dataclass
from datetime import datetime

import structlog

from shared.application.caches import PLANS, Cache, subscription_key
from shared.database.database import Database
from shared.domain.billing import FREE_PLAN, TIERS, PlanTerms
from shared.domain.errors import ConflictError, InvalidInputError, NotFoundError

LARGEST = {"daily_turns": 1_000_000, "turns_per_minute": 10_000, "daily_micros": 10**12}
SMALLEST = {"daily_turns": 0, "turns_per_minute": 1, "daily_micros": 0}

LONGEST_DAYS = 36_500
_CODE = re.compile(r"[a-z][a-z0-9-]{0,19}")
_TELEGRAM_ID = re.compile(r"[0-9]{1,15}")
_USERNAME = re.compile(r"@?([A-Za-z][A-Za-z0-9_]{3,31})")

log = structlog.get_logger("plans")


class PlanNotFoundError(NotFoundError):
    code = "plan_not_found"


class PlanExistsError(ConflictError):
    code = "plan_exists"


class PlanHeldError(ConflictError):
    code = "plan_held"


class HolderNotFoundError(NotFoundError):
    code = "holder_not_found"


class SeveralHoldersError(ConflictError):
    code = "several_holders"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanService:
    database: Database
    cache: Cache

    async def list(self) -> list[PlanTerms]:
        """In the order they are shown."""
        async with self.database.statement() as tx:
            return await tx.plans.all()

    async def holders(self) -> dict[str, int]:
        """How many people hold each plan now; those that nobody holds are missing."""
        async with self.database.statement() as tx:
            return await tx.plans.holders()

    async def change(self, terms: PlanTerms, *, by: str) -> None:
        """An operator changes what a plan allows; it holds for its holders' next message, in every process.

        Raises `PlanNotFoundError`, `InvalidInputError` for a value that a plan cannot have.
        """
        _refuse_wrong(terms)
        async with self.database.statement() as tx:
            found = await tx.plans.change(terms)
        if not found:
            raise PlanNotFoundError("no plan with this code")
        await self.cache.forget(PLANS)
        log.info("plan_changed", by=by, plan=terms._asdict())

    async def add(self, code: str, *, by: str) -> None:
        """An operator adds a plan, which allows what the free one does until that is changed.

        Raises `PlanExistsError`, `InvalidInputError` for anything but up to 20 small letters, digits and hyphens.
        """
        if not _CODE.fullmatch(code):
            raise InvalidInputError("a plan is named by small letters, digits and hyphens")
        async with self.database.statement() as tx:
            added = await tx.plans.add(code, like=FREE_PLAN)
        if not added:
            raise PlanExistsError("there is a plan with this code")
        await self.cache.forget(PLANS)
        log.info("plan_added", by=by, plan=code)

    async def remove(self, code: str, *, by: str) -> None:
        """An operator removes a plan that nobody has ever had. Raises `PlanHeldError`, also for the free plan and one that is gone."""
        async with self.database.statement() as tx:
            removed = code != FREE_PLAN and await tx.plans.remove(code)
        if not removed:
            raise PlanHeldError("somebody has or had this plan")
        await self.cache.forget(PLANS)
        log.info("plan_removed", by=by, plan=code)

    async def give(self, person: str, code: str, *, days: int | None, by: str) -> datetime | None:
        """An operator gives a plan to somebody known, by Telegram id or @name: from their next message on, for so many days or without an
        end. What they held without an end before holds again after the days. Answers when it ends.

        Raises `HolderNotFoundError`, `SeveralHoldersError` for a name that several people have had, `PlanNotFoundError`,
        `InvalidInputError`.
        """
        telegram_user_id, username = _named(person.strip())
        if days is not None and not 1 <= days <= LONGEST_DAYS:
            raise InvalidInputError(f"days must be 1 to {LONGEST_DAYS}, or nothing for no end")
        async with self.database.transaction() as tx:
            if all(plan.code != code for plan in await tx.plans.all()):
                raise PlanNotFoundError("no plan with this code")
            found = await tx.plans.find_holders(telegram_user_id, username)
            if not found:
                raise HolderNotFoundError("nobody with this id or name")
            if len(found) > 1:
                raise SeveralHoldersError("several people have had this name")
            ends_at = await tx.plans.give(found[0].user_id, code, days=days)
        await self.cache.forget(subscription_key(found[0].telegram_user_id))
        log.info("plan_given", by=by, plan=code, user_id=str(found[0].user_id), days=days)
        return ends_at


def _named(person: str) -> tuple[int | None, str | None]:
    if _TELEGRAM_ID.fullmatch(person):
        return int(person), None
    if name := _USERNAME.fullmatch(person):
        return None, name[1]
    raise InvalidInputError("neither a Telegram id nor a @name")


def _refuse_wrong(terms: PlanTerms) -> None:
    for field, most in LARGEST.items():
        value = getattr(terms, field)
        if value is not None and not SMALLEST[field] <= value <= most:
            raise InvalidInputError(f"{field} must be {SMALLEST[field]} to {most}, or nothing for no limit")
    if terms.tier not in TIERS:
        raise InvalidInputError(f"no such tier: {terms.tier!r}")
