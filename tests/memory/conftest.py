"""The talks, played once for all tests of this folder."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from tests.conftest import DatabaseFarm
from tests.memory.judging import Score
from tests.memory.playing import House, open_house, play, sandbox_model, settings_for
from tests.memory.table import total
from tests.memory.talks import Talk, read_talks

Opened = Callable[..., "asynccontextmanager[House]"]


@pytest.fixture(scope="session")
def memory_database(database_farm: DatabaseFarm, migrated_template: str) -> Iterator[str]:
    name = database_farm.grow(migrated_template)
    yield database_farm.server.url(name)
    database_farm.drop(name)


@asynccontextmanager
async def furnished(database_url: str, redis_url: str, mistakes: object) -> AsyncIterator[House]:
    async with sandbox_model() as (sandbox_url, sandbox):
        sandbox.change({"mistakes": mistakes})
        async with open_house(settings_for(database_url, redis_url, sandbox_url), sandbox) as house:
            yield house


@pytest.fixture(scope="session")
async def played(memory_database: str, redis_server: object) -> Score:
    """All talks, with the mistakes that the sandbox's model makes by itself."""
    async with furnished(memory_database, redis_server.url(), None) as house:  # type: ignore[attr-defined]
        return total((await play(house, read_talks())).values())


async def play_some(database_url: str, redis_url: str, *, mistakes: object, only: Callable[[Talk], bool] = bool) -> Score:
    async with furnished(database_url, redis_url, mistakes) as house:
        return total((await play(house, tuple(filter(only, read_talks())))).values())
