"""A recorded hour: how much of what is only read reaches PostgreSQL, and what a cached read costs."""

import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.application.recorded_load import PEOPLE, play, recording
from tests.application.test_caches import cached_house
from tests.factories import House, make_person, make_place, open_house


@pytest.fixture
async def processes(database_url: str, redis_url: str) -> AsyncIterator[tuple[House, House]]:
    async with cached_house(database_url, redis_url) as one, cached_house(database_url, redis_url) as two:
        yield one, two


async def test_seven_of_ten_reads_of_the_recorded_hour_do_not_reach_the_database(processes: tuple[House, House], redis_url: str) -> None:
    deeds = recording()
    tally = await play(deeds, processes, redis_url)
    kept_away = 1 - tally.statements / tally.parts
    sys.stdout.write(
        f"\nrecorded hour: {PEOPLE} people, {len(deeds)} updates, {tally.parts} reads,"
        f" {tally.statements} of them reached PostgreSQL ({kept_away:.1%} did not)\n"
    )
    assert tally.parts > 2500
    assert kept_away >= 0.7


async def cpu_ms(work: Callable[[], Awaitable[object]], times: int = 1500) -> float:
    for _ in range(100):
        await work()
    gc.collect()
    began = time.process_time()
    for _ in range(times):
        await work()
    return (time.process_time() - began) / times * 1000


async def test_a_cached_recognition_costs_no_more_than_the_statement_it_saves(database_url: str, processes: tuple[House, House]) -> None:
    house, other = processes
    async with open_house(database_url) as plain:
        await plain.speaker()
        near, distant, statement = [], [], []
        person, place = make_person(), make_place()

        async def from_redis() -> None:
            held = other.cache._near  # type: ignore[attr-defined]
            for key in [key for key in held if str(person.telegram_user_id) in key]:
                del held[key]
            await other.accounts.recognise(person, place)

        for _ in range(3):
            near.append(await cpu_ms(lambda: house.accounts.recognise(person, place)))
            distant.append(await cpu_ms(from_redis))
            statement.append(await cpu_ms(lambda: plain.accounts.recognise(person, place)))
    sys.stdout.write(
        f"\nCPU of our process for one recognition: held here {min(near):.3f} ms, from Redis {min(distant):.3f} ms,"
        f" from PostgreSQL {min(statement):.3f} ms and PostgreSQL's own\n"
    )
    assert min(near) < min(statement) / 2
    assert min(distant) < min(statement) * 1.5  # what PostgreSQL itself would spend is saved on top
