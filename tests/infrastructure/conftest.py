"""The real nginx and promtool on the files that are deployed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scripts.local.deployment_tools import find_tool
from tests.infrastructure.door import Door
from tests.infrastructure.stand_ins import House


def _needed(name: str) -> str:
    found = find_tool(name)
    if found is None:
        pytest.fail(f"{name} is not here: make test fetches it on Debian; elsewhere install it or name it in {name.upper()}", pytrace=False)
    return found


@pytest.fixture(scope="session")
def nginx() -> str:
    return _needed("nginx")


@pytest.fixture(scope="session")
def promtool() -> str:
    return _needed("promtool")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """All upstreams stand; the sandbox does not, as in production."""
    house = House()
    await house.open()
    for name in ("bot", "api", "admin", "grafana"):
        await house.start(name)
    try:
        yield house
    finally:
        await house.close()


@pytest.fixture
async def make_door(nginx: str, house: House, server_folder: Path, tmp_path: Path) -> AsyncIterator[type[Door]]:
    doors: list[Door] = []

    class Opened(Door):
        """A door before `house`, with the settings given; closed when the test ends."""

        def __init__(self, **settings: str) -> None:
            folder = server_folder / f"{tmp_path.name}-{len(doors)}"
            super().__init__(nginx, folder, {"NGINX_RESOLVER": house.resolver, **settings})
            doors.append(self)

    yield Opened
    for door in doors:
        await door.close()


@pytest.fixture
async def door(make_door: type[Door]) -> Door:
    """Plain, for any name, as a first `make up` has it."""
    door = make_door()
    await door.open()
    return door
