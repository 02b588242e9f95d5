"""Whether what we depend on answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog
from prometheus_client import Gauge

from shared.domain.errors import AppError

CHECK_SECONDS = 2.0

UP = Gauge("vitte_dependency_up", "1 when what we depend on answered the last time it was asked, else 0", ["dependency"])

log = structlog.get_logger("health")


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyHealth:
    """`code` says what is wrong, none when all is well."""

    name: str
    code: str | None
    latency_ms: float

    @property
    def is_ok(self) -> bool:
        return self.code is None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    dependencies: tuple[DependencyHealth, ...]

    @property
    def is_ok(self) -> bool:
        return all(dependency.is_ok for dependency in self.dependencies)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthService:
    """`checks` raise when their dependency cannot serve."""

    checks: Mapping[str, Callable[[], Awaitable[None]]]

    async def check(self, *names: str) -> HealthReport:
        """Asks the named dependencies, or all, at the same time; each has two seconds. Never raises."""
        chosen = {name: check for name, check in self.checks.items() if not names or name in names}
        return HealthReport(dependencies=tuple(await asyncio.gather(*(_ask(name, check) for name, check in chosen.items()))))


async def _ask(name: str, check: Callable[[], Awaitable[None]]) -> DependencyHealth:
    started = time.monotonic()
    [error] = await asyncio.gather(asyncio.wait_for(_call(check), CHECK_SECONDS), return_exceptions=True)
    latency_ms = round((time.monotonic() - started) * 1000, 1)
    UP.labels(name).set(error is None)
    if error is None:
        return DependencyHealth(name=name, code=None, latency_ms=latency_ms)
    code = _code_of(error)
    log.warning("dependency_not_healthy", dependency=name, code=code, error=type(error).__name__)
    return DependencyHealth(name=name, code=code, latency_ms=latency_ms)


async def _call(check: Callable[[], Awaitable[None]]) -> None:
    await check()


def _code_of(error: BaseException) -> str:
    if isinstance(error, AppError):
        return error.code
    return "timeout" if isinstance(error, TimeoutError) else "check_failed"
