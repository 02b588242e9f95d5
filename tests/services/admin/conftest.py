from collections.abc import AsyncIterator

import pytest

from tests.factories import House, open_house
from tests.services.admin.dashboard import Browser, Dashboard, open_dashboard


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with open_house(database_url) as house:
        yield house


@pytest.fixture
async def dashboard(house: House, database_url: str, redis_url: str) -> AsyncIterator[Dashboard]:
    async with open_dashboard(house, database_url, redis_url) as dashboard:
        yield dashboard


@pytest.fixture
async def owner(dashboard: Dashboard) -> AsyncIterator[Browser]:
    async with dashboard.signed_in("ann") as browser:
        yield browser


@pytest.fixture
async def viewer(dashboard: Dashboard) -> AsyncIterator[Browser]:
    async with dashboard.signed_in("vic") as browser:
        yield browser
