"""Which process is asked what; every check at the same time, each with a time of its own."""

import asyncio
from collections.abc import Awaitable, Callable

from scripts.doctor.findings import Finding, fail
from scripts.doctor.inside import database, models, redis, storage, telegram
from scripts.doctor.inside.patient import Patient

Check = Callable[[Patient], Awaitable[list[Finding]]]
LIMIT_SECONDS = 9.0

DATABASE: tuple[str, Check] = ("database", database.examined)
DATABASE_REACHED: tuple[str, Check] = ("database", database.reached)
SERVERS: tuple[tuple[str, Check], ...] = (("Redis", redis.examined), ("cache", redis.cache_examined))
QUEUE: tuple[str, Check] = ("jobs", redis.queue_examined)
OUTSIDE: tuple[tuple[str, Check], ...] = (("Telegram", telegram.examined), ("models", models.examined), ("S3", storage.examined))

CHECKS: dict[str, tuple[tuple[str, Check], ...]] = {
    "bot": (*OUTSIDE, DATABASE, *SERVERS),
    "worker": (DATABASE_REACHED, *SERVERS, QUEUE),
    "api": (DATABASE_REACHED, *SERVERS),
    "admin": (DATABASE_REACHED, *SERVERS),
    "all": (*OUTSIDE, DATABASE, *SERVERS, QUEUE),
}


async def examine(patient: Patient, limit: float = LIMIT_SECONDS) -> list[Finding]:
    """`limit` in seconds for each check; one that hangs is itself a finding."""
    found = await asyncio.gather(*(_limited(area, check, patient, limit) for area, check in CHECKS[patient.process]))
    return [finding for findings in found for finding in findings]


async def _limited(area: str, check: Check, patient: Patient, limit: float) -> list[Finding]:
    try:
        async with asyncio.timeout(limit):
            return await check(patient)
    except TimeoutError:
        return [fail(area, f"did not answer within {limit:g} s", f"it hangs: {patient.start(area.lower())}")]
