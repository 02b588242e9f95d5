"""The bot dies at random moments under load, and nobody who wrote to it notices more than a pause."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.crash.conftest import MakeHouse
from tests.crash.house import House
from tests.crash.load import Deaths, Load, judge

KILLS = max(1, int(os.environ.get("CRASH_KILLS", "20")) // 2)
TERMS = max(1, int(os.environ.get("CRASH_TERMS", "10")) // 2)
SEED = int(os.environ.get("CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

pytestmark = pytest.mark.crash


@asynccontextmanager
async def under_load(house: House, rng: random.Random) -> AsyncIterator[Load]:
    load = Load(house, rng)
    await load.prepare()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        yield load
        load.end()


@pytest.mark.parametrize("mode", ["polling", "webhook"])
@pytest.mark.timeout(120 + KILLS * 10)
async def test_nothing_is_lost_when_the_bot_is_killed_at_any_moment(make_house: MakeHouse, mode: str) -> None:
    print(f"{mode}: {KILLS} kills, CRASH_SEED={SEED}")
    rng, house = random.Random(f"{SEED}-{mode}"), await make_house(mode)
    deaths = Deaths(house)
    async with under_load(house, rng) as load:
        for _ in range(KILLS):
            bot = await house.start_bot()
            await asyncio.sleep(rng.uniform(0.0, 2.0))
            await deaths.note(await bot.kill())
        await house.start_bot()
    await house.until_quiet(90)

    verdict = await judge(load, deaths)
    print(f"{mode}: {verdict}")
    assert verdict.lost == []
    assert verdict.disordered == []
    assert verdict.unexcused == []
    assert verdict.duplicates <= verdict.in_flight
    assert verdict.strangers == []
    assert verdict.database == {}
    assert verdict.questions > KILLS * 3, "the load was too light to prove anything"
    assert max(await house.sandbox.deliveries(house.bot_id)) > 1


@pytest.mark.parametrize("mode", ["polling", "webhook"])
@pytest.mark.timeout(120 + TERMS * 30)
async def test_nothing_is_lost_or_said_twice_when_the_bot_is_asked_to_stop(make_house: MakeHouse, mode: str) -> None:
    print(f"{mode}: {TERMS} stops, CRASH_SEED={SEED}")
    rng, house = random.Random(f"{SEED}-{mode}-term"), await make_house(mode)
    async with under_load(house, rng) as load:
        for _ in range(TERMS):
            bot = await house.start_bot()
            await asyncio.sleep(rng.uniform(0.0, 1.5))
            bot.terminate()
            assert await bot.end(30) == 0
            assert bot.told("stopped")
        await house.start_bot()
    await house.until_quiet(60)

    verdict = await judge(load, Deaths(house))
    print(f"{mode}: {verdict}")
    assert (verdict.lost, verdict.disordered, verdict.duplicates, verdict.strangers) == ([], [], 0, [])
    assert verdict.database == {}


@pytest.mark.timeout(60)
async def test_a_stop_does_not_wait_for_a_model_that_thinks_too_long(make_house: MakeHouse) -> None:
    house = await make_house("polling")
    load = Load(house, random.Random(7), users=3)
    await load.prepare(repeated=False)
    bot = await house.start_bot(hurry={"drain_seconds": 1.0})
    await house.sandbox.model(first_token_ms=30_000)
    for user in load.people():
        await load.ask_one(user)
    await house.until_stored("status = 'pending'", load.users)
    await asyncio.sleep(0.3)
    began = time.monotonic()
    bot.terminate()
    assert await bot.end(20) == 0
    assert time.monotonic() - began < 8
    assert bot.told("drain_took_too_long")
    assert await house.count("select count(*) from lanes where leased_by is not null") == 0, "the lanes were given back"

    await house.sandbox.model(first_token_ms=50)
    await house.start_bot()
    await house.until_quiet(20)
    verdict = await judge(load, Deaths(house))
    assert (verdict.lost, verdict.duplicates, verdict.strangers, verdict.database) == ([], 0, [], {})
