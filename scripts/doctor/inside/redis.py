"""Both Redis servers, as one process may use them, and the queue of jobs."""

import json
import secrets
import time
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, RedisError, ResponseError

from scripts.doctor.findings import Finding, Kind, fail, ok, span, warn
from scripts.doctor.inside.patient import Patient, host_of
from shared.adapters.redis import open_redis

NEARLY_FULL = 0.9
OLD_JOB_SECONDS, STUCK_JOB_SECONDS = 60.0, 300.0
SCHEDULE_LOCK = "vitte:schedule::lock"
QUEUES, QUEUED_HEADER = ("default", "media", "upkeep", "memory"), "vitte_queued_at"
"""As in shared/adapters/celery_jobs.py, which needs Celery, and only the worker's image has that."""


async def examined(patient: Patient) -> list[Finding]:
    """Locks, limits, sessions and the queue: this one may never forget."""
    return await _server(patient, "Redis", "REDIS_URL", patient.settings.redis_url.get_secret_value(), forgets=False)


async def cache_examined(patient: Patient) -> list[Finding]:
    url = patient.settings.cache_url
    if url is None or not patient.settings.cache_enabled:
        return []
    return await _server(patient, "cache", "CACHE_URL", url.get_secret_value(), forgets=True)


async def _server(patient: Patient, area: str, setting: str, url: str, *, forgets: bool) -> list[Finding]:
    client = open_redis(url, max_connections=1)
    try:
        await client.ping()
        probe = f"vitte:doctor:{secrets.token_hex(8)}"
        await client.set(probe, "1", ex=10)
        await client.delete(probe)
        return [ok(area, f"{host_of(url)} answers and takes writes"), *await _memory(client, area, forgets=forgets)]
    except (RedisError, OSError, TimeoutError) as error:
        return [_why(patient, area, setting, host_of(url), error)]
    finally:
        await client.aclose()


async def _memory(client: Redis, area: str, *, forgets: bool) -> list[Finding]:
    """Only where this user may ask; the users of the compose installation may not, and the host asks there."""
    try:
        told: dict[str, Any] = await client.info("memory")
    except (NoPermissionError, ResponseError):
        return []
    return about_memory(
        area, int(told.get("used_memory", 0)), int(told.get("maxmemory", 0)), str(told.get("maxmemory_policy")), forgets=forgets
    )


def about_memory(area: str, used: int, most: int, policy: str, *, forgets: bool) -> list[Finding]:
    if not forgets and policy != "noeviction":
        return [
            fail(
                area,
                f"forgets keys when it is full (maxmemory-policy {policy}): jobs and locks would vanish",
                "set maxmemory-policy noeviction for the server of REDIS_URL",
            )
        ]
    if most and not forgets and used > most * NEARLY_FULL:
        return [
            warn(
                area,
                f"{used >> 20} of {most >> 20} MB are used; when it is full it refuses writes",
                "raise its maxmemory (REDIS_MAXMEMORY in docker-compose.yml)",
            )
        ]
    return [ok(area, f"{used / 1e6:.1f}" + (f" of {most >> 20}" if most else "") + f" MB are used ({policy})")]


def _why(patient: Patient, area: str, setting: str, where: str, error: BaseException) -> Finding:
    if isinstance(error, AuthenticationError):
        return fail(area, f"{where} refuses user or password of {setting}", _password(patient, setting))
    if isinstance(error, NoPermissionError):
        return fail(
            area,
            f"{where} lets this user in, but not write our keys",
            "bring infrastructure/redis/users.acl back to the version of this checkout, then `make up`",
        )
    if isinstance(error, OutOfMemoryError):
        return fail(
            area, f"{where} is full and refuses writes", "raise its maxmemory (REDIS_MAXMEMORY in docker-compose.yml), then `make up`"
        )
    if isinstance(error, ResponseError):
        return fail(
            area, f"{where} refuses writes ({str(error).split()[0][:20]})", f"its disk may be full: look at {patient.logs(_service(area))}"
        )
    return fail(area, f"{area if area == 'Redis' else 'the cache'} at {where} does not answer ({setting})", patient.start(_service(area)))


def _service(area: str) -> str:
    return "redis" if area == "Redis" else "cache"


def _password(patient: Patient, setting: str) -> str:
    if patient.kind is Kind.DEMO:
        return f"correct {setting}, then {patient.apply}"
    return f"`make up`, which gives REDIS_PASSWORD_{patient.process.upper()} of .env to the server and to {patient.process}"


async def queue_examined(patient: Patient) -> list[Finding]:
    """Jobs that wait, and whether worker and schedule are seen to work."""
    client = open_redis(patient.settings.broker_url, max_connections=1)
    try:
        lengths = {name: int(await client.llen(name)) for name in QUEUES}
        ages = [_age(await client.lindex(name, -1)) for name, length in lengths.items() if length]
        scheduled = bool(await client.exists(SCHEDULE_LOCK))
    except (RedisError, OSError, TimeoutError) as error:
        setting = "CELERY_BROKER_URL" if patient.settings.celery_broker_url else "REDIS_URL"
        return [_why(patient, "Redis", setting, host_of(patient.settings.broker_url), error)]
    finally:
        await client.aclose()
    return [_about_jobs(patient, sum(lengths.values()), max(ages, default=0.0)), _about_schedule(patient, scheduled=scheduled)]


def _age(job: str | bytes | None) -> float:
    """Seconds in the queue, by its header; of the job itself nothing is read."""
    try:
        queued = float(json.loads(job or "{}")["headers"][QUEUED_HEADER])
    except (ValueError, KeyError, TypeError):
        return 0.0
    return max(0.0, time.time() - queued)


def _about_jobs(patient: Patient, waiting: int, oldest: float) -> Finding:
    found = f"{waiting} jobs wait, the oldest for {span(oldest)}"
    if oldest > STUCK_JOB_SECONDS:
        return fail("jobs", f"{found}: no worker takes them", f"look at {patient.logs('worker')}, then {patient.restart('worker')}")
    if oldest > OLD_JOB_SECONDS:
        return warn(
            "jobs", found, "the worker is behind: raise WORKER_CONCURRENCY or run another one (docker compose up -d --scale worker=2)"
        )
    return ok("jobs", f"{waiting} wait" if waiting else "none waits")


def _about_schedule(patient: Patient, *, scheduled: bool) -> Finding:
    if scheduled:
        return ok("schedule", "one is at work")
    return fail("schedule", "none is at work: old messages stay and lost answers are not sent again", patient.start("schedule"))
