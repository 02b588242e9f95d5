"""PostgreSQL or Redis goes away under load and comes back; the bot is not touched meanwhile."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from tests.crash.conftest import MakeHouse
from tests.crash.house import House, eventually
from tests.crash.load import Deaths, Load, judge, questions_in

pytestmark = pytest.mark.crash

OUTAGES: dict[str, float] = {"stopped": 20.0, "killed": 3.0, "frozen": 12.0}
"""How PostgreSQL is away, and for how many seconds."""


async def take_away(house: House, how: str) -> Callable[[], Awaitable[None]]:
    """PostgreSQL is away now; the answer brings it back."""
    postgres = house.postgres
    if how == "frozen":
        postgres.freeze()
        return lambda: asyncio.to_thread(postgres.resume)
    await asyncio.to_thread(postgres.stop if how == "stopped" else postgres.kill)
    return lambda: asyncio.to_thread(postgres.start)


async def answered(house: House) -> set[tuple[int, int]]:
    return {key for call in await house.sandbox.messages_sent(house.bot_id) for key in questions_in(call.params["text"])}


async def stored(house: House) -> set[int]:
    return {row[0] for row in await house.ask("select telegram_update_id from stored_updates")}


async def looks(house: House) -> tuple[int, dict[str, object]]:
    async with house.sandbox.session.get(f"http://127.0.0.1:{house.bots[-1].port}/health") as response:
        return response.status, await response.json()


@pytest.mark.parametrize("how", OUTAGES)
@pytest.mark.timeout(200)
async def test_nothing_acknowledged_is_lost_while_postgresql_is_away(make_house: MakeHouse, how: str) -> None:
    houses = [await make_house("polling"), await make_house("webhook")]
    loads = [Load(house, random.Random(how), users=10, rate=8.0, thinking=(300, 1_200)) for house in houses]
    for house, load in zip(houses, loads, strict=True):
        await house.start_bot()
        await load.prepare()
    async with asyncio.TaskGroup() as group:
        for load in loads:
            group.create_task(load.run())
        await asyncio.sleep(1.5)
        bring_back = await take_away(houses[0], how)
        await asyncio.sleep(OUTAGES[how] - 1.0)
        unhealthy = None if how == "frozen" else await looks(houses[0])
        await asyncio.sleep(1.0)
        acknowledged = [await house.sandbox.acknowledged(house.bot_id) for house in houses]
        await bring_back()
        kept = [await stored(house) for house in houses]
        await asyncio.sleep(1.0)
        for load in loads:
            load.end()
    await houses[0].sandbox.model(first_token_ms=0)  # what piled up is not to be thought about for long

    assert [sorted(told - known) for told, known in zip(acknowledged, kept, strict=True)] == [[], []], "acknowledged, but not kept"
    for house, load in zip(houses, loads, strict=True):
        await house.until_quiet(40)
        verdict = await judge(load, Deaths(house))
        print(f"{how}, {house.mode}: {verdict}")
        assert (verdict.lost, verdict.disordered, verdict.duplicates, verdict.strangers) == ([], [], 0, [])
        assert verdict.database == {}
        assert [bot.is_alive for bot in house.bots] == [True]
    assert set(houses[1].front.refusals) == {(503, "2")}, "Telegram is to come back in two seconds"
    if unhealthy is not None:
        assert unhealthy[0] == 503
        assert unhealthy[1]["status"] == "unavailable"


@pytest.mark.timeout(90)
async def test_the_bot_answers_without_redis(make_house: MakeHouse) -> None:
    house = await make_house("polling")
    load = Load(house, random.Random(1), users=5)
    await load.prepare(repeated=False)
    await house.start_bot()

    async def all_answered() -> bool:
        return await answered(house) == set(load.asked.values())

    await load.ask_one(load.people()[0])
    await eventually(all_answered, 20, "the first answer")
    await asyncio.to_thread(house.redis.stop)
    try:
        for user in load.people():
            await load.ask_one(user)
        await eventually(all_answered, 20, "answers without Redis")
        status, health = await looks(house)
        assert (status, health["status"]) == (200, "degraded")

        bot = house.bots[-1]
        await bot.kill()
        await house.start_bot()  # it also starts without
        for user in load.people():
            await load.ask_one(user)
        await eventually(all_answered, 20, "answers of a bot that never saw Redis")
    finally:
        await asyncio.to_thread(house.redis.start)
    await house.until_quiet(20)
    assert (await judge(load, Deaths(house))).database == {}


@pytest.mark.timeout(120)
async def test_redis_that_is_emptied_and_started_anew_under_load_costs_nothing_but_speed(make_house: MakeHouse) -> None:
    house = await make_house("webhook")
    load = Load(house, random.Random(3), users=8, rate=20.0)
    await load.prepare()
    await house.start_bot()
    await house.start_bot()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        for round_ in range(6):
            await asyncio.sleep(0.6)
            async with Redis.from_url(house.environment["REDIS_URL"]) as redis:
                await redis.flushall()
            if round_ % 3 == 2:
                await asyncio.to_thread(house.redis.stop)
                await asyncio.sleep(0.4)
                await asyncio.to_thread(house.redis.start)
        load.end()
    await house.until_quiet(30)

    verdict = await judge(load, Deaths(house))
    print(f"redis emptied: {verdict}")
    assert (verdict.lost, verdict.disordered, verdict.duplicates, verdict.strangers, verdict.database) == ([], [], 0, [], {})
    assert verdict.questions > 40
