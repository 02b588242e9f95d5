"""The talks, played once for all tests of this folder."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from scripts.local.valkey import ValkeyServer
from tests.conftest import DatabaseFarm
from tests.memory.judging import Score
from tests.memory.playing import House, open_house, play, sandbox_model, settings_for
from tests.memory.table import total
from tests.memory.talks import Talk, read_talks

SEEDS = 3


@asynccontextmanager
async def furnished(database_url: str, redis_url: str, mistakes: object) -> AsyncIterator[House]:
    async with sandbox_model() as (sandbox_url, sandbox):
        sandbox.change({"mistakes": mistakes})
        async with open_house(settings_for(database_url, redis_url, sandbox_url), sandbox) as house:
            yield house


@pytest.fixture(scope="session")
async def played(database_farm: DatabaseFarm, migrated_template: str, redis_server: ValkeyServer) -> Score:
    """All talks, three times, with the mistakes that the sandbox's model makes by itself, each time at other words."""
    whole = Score()
    for seed in range(SEEDS):
        name = database_farm.grow(migrated_template)
        whole += await play_some(database_farm.server.url(name), redis_server.url(), mistakes={"seed": seed})
        database_farm.drop(name)
    return whole


async def play_some(database_url: str, redis_url: str, *, mistakes: object, only: Callable[[Talk], bool] = bool) -> Score:
    async with furnished(database_url, redis_url, mistakes) as house:
        return total((await play(house, tuple(filter(only, read_talks())))).values())
