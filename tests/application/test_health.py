"""What an SRE sees of a dependency that stops answering."""

import asyncio

from prometheus_client import REGISTRY

from shared.application.health import HealthService
from shared.application.ports import StoreUnavailableError


def up(name: str) -> float | None:
    return REGISTRY.get_sample_value("vitte_dependency_up", {"dependency": name})


async def test_the_figure_follows_what_was_asked_last() -> None:
    away = asyncio.Event()

    async def storage() -> None:
        if away.is_set():
            raise StoreUnavailableError("S3 is away")

    health = HealthService(checks={"shelf": storage})
    assert (await health.check()).is_ok
    assert up("shelf") == 1
    away.set()
    [found] = (await health.check("shelf")).dependencies
    assert (found.is_ok, found.code) == (False, "store_unavailable")
    assert up("shelf") == 0
