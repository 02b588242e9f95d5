"""Several processes of the same bot: they share the load, stand in for each other, and never do the same thing twice."""

import asyncio
import random
import signal
import time
from datetime import datetime

import pytest

from tests.crash.conftest import MakeHouse
from tests.crash.house import House, eventually
from tests.crash.load import Deaths, Load, judge
from tests.crash.test_outages import answered

pytestmark = pytest.mark.crash

LEASE = 3.0


async def seconds_until_answered(house: House, questions: set[tuple[int, int]], at_most: float) -> float:
    began = time.monotonic()

    async def is_so() -> bool:
        return questions <= await answered(house)

    await eventually(is_so, at_most, "the survivors answered")
    return time.monotonic() - began


@pytest.mark.timeout(90)
async def test_the_other_replica_takes_over_within_seconds(make_house: MakeHouse) -> None:
    rng, house = random.Random(3), await make_house("webhook")
    load, deaths = Load(house, rng), Deaths(house)
    await load.prepare()
    first, second = await house.start_bot(), await house.start_bot()
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        await asyncio.sleep(2.5)
        died_at = await first.kill()
        await deaths.note(died_at)
        house.face_the_living()
        await seconds_until_answered(house, set(load.asked.values()), 30)
        load.end()
    await house.until_quiet(20)

    verdict = await judge(load, deaths)
    took = datetime.fromisoformat(second.told("lanes_taken_over")[0]["timestamp"]).timestamp() - died_at
    print(f"two replicas: {verdict}; lanes taken over after {took:.1f} s")
    assert (verdict.lost, verdict.disordered, verdict.unexcused, verdict.strangers) == ([], [], [], [])
    assert verdict.database == {}
    assert min(len(bot.told("completion_success")) for bot in (first, second)) >= 5, "they shared the load"
    assert took < 5


@pytest.mark.timeout(90)
async def test_one_replica_polls_and_the_next_goes_on_after_its_death(make_house: MakeHouse) -> None:
    house = await make_house("polling")
    load, deaths = Load(house, random.Random(4), users=5), Deaths(house)
    await load.prepare(repeated=False)
    first = await house.start_bot(LOG_LEVEL="DEBUG")
    user = load.people()[0]
    await load.ask_one(user)
    await seconds_until_answered(house, set(load.asked.values()), 20)
    second = await house.start_bot(LOG_LEVEL="DEBUG")
    await second.until_told("standing_by")
    await load.ask_one(user)
    await seconds_until_answered(house, set(load.asked.values()), 20)
    assert not first.told("standing_by")

    await deaths.note(await first.kill())
    await load.ask_one(user)
    took = await seconds_until_answered(house, set(load.asked.values()), 10)
    print(f"the second poller answered {took:.1f} s after the first one's death")
    assert {call.status for call in await house.sandbox.calls(house.bot_id, "getUpdates")} <= {200, 0}, "nobody was in another's way"
    await house.until_quiet()
    assert (await judge(load, deaths)).database == {}


@pytest.mark.timeout(120)
async def test_a_replica_that_slept_longer_than_its_lease_does_no_harm(make_house: MakeHouse) -> None:
    rng, house = random.Random(5), await make_house("webhook")
    load, naps = Load(house, rng, thinking=(200, 900)), Deaths(house)
    await load.prepare()
    sleeper, other = await house.start_bot(hurry={"lease_seconds": LEASE}), await house.start_bot(hurry={"lease_seconds": LEASE})
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        for _ in range(2):
            await asyncio.sleep(rng.uniform(0.7, 1.2))
            sleeper.signal(signal.SIGSTOP)
            house.front.replace(other.port)
            await naps.note(time.time())
            await asyncio.sleep(LEASE + 1.5)
            sleeper.signal(signal.SIGCONT)
            house.face_the_living()
        load.end()
    await house.until_quiet(30)

    verdict = await judge(load, naps)
    print(f"asleep: {verdict}")
    assert (verdict.lost, verdict.disordered, verdict.unexcused, verdict.strangers) == ([], [], [], [])
    assert verdict.database == {}
    assert (sleeper.is_alive, other.is_alive) == (True, True)


async def poll_too(house: House, rounds: int, timeout: int = 20) -> None:
    """Somebody who runs a bot of their own with our token."""
    url = f"{house.sandbox.url}/bot{house.environment['BOT_TOKEN']}/getUpdates"
    for _ in range(rounds):
        async with house.sandbox.session.post(url, json={"timeout": timeout, "limit": 1}) as response:
            await response.read()
        await asyncio.sleep(0.02)


@pytest.mark.timeout(60)
async def test_a_second_poller_elsewhere_ends_the_bot_with_one_clear_line(make_house: MakeHouse) -> None:
    house = await make_house("polling")
    async with asyncio.TaskGroup() as group:
        rival = group.create_task(poll_too(house, 10_000))
        bot = await house.start_bot(hurry={"conflict_pauses": [0.1, 0.2, 0.4]})
        assert await bot.end(20) == 1
        rival.cancel()
    conflicts = [(line["conflict"], line["next_try_seconds"]) for line in bot.told("bot_conflict_detected")]
    assert conflicts == [(1, 0.1), (2, 0.2), (3, 0.4), (4, None)]
    assert bot.words() == ["vitte: another process fetches this bot's updates: stop it, or give one of them another BOT_TOKEN"]


@pytest.mark.timeout(60)
async def test_a_conflict_that_ends_is_forgiven(make_house: MakeHouse) -> None:
    house = await make_house("polling")
    load = Load(house, random.Random(6), users=1)
    await load.prepare(repeated=False)
    bot = await house.start_bot(hurry={"conflict_pauses": [0.3, 0.3, 0.3]})
    while not bot.told("bot_conflict_detected"):
        await poll_too(house, rounds=1, timeout=0)
        await asyncio.sleep(0.1)
    await load.ask_one(load.people()[0])
    await seconds_until_answered(house, set(load.asked.values()), 20)
    assert len(bot.told("bot_conflict_detected")) <= 2
    assert bot.is_alive
