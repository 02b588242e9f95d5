"""The consumer: so many at once, each chat in order, priority never waiting, nothing lost when somebody dies."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from services.bot.consumer import Consumer, Hold, Work
from shared.bootstrap import Application
from shared.database.presence import Presence
from shared.domain.inbox import LeaseLostError, Outcome, Settlement
from tests.factories import BOT_ID, House, make_update
from tests.services.bot.desk import until


def handled(hold: Hold) -> Settlement:
    return Settlement(lease=hold.lease, outcome=Outcome.HANDLED)


class Workshop:
    """Work that waits at the gate until it is let through."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.at_once = self.most_at_once = 0

    async def __call__(self, hold: Hold) -> Settlement:
        self.begun.append(hold.lease.update_id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            return Settlement(lease=hold.lease, outcome=Outcome.RELEASED)
        finally:
            self.at_once -= 1
        self.ended.append(hold.lease.update_id)
        return handled(hold)


@asynccontextmanager
async def consuming(url: str, application: Application, work: Work, *, places: int = 3) -> AsyncIterator[Consumer]:
    """A consumer with a presence of its own; drained at the end."""
    presence = Presence(url, application_name="vitte-test", connect_timeout=5.0)
    keeping = asyncio.ensure_future(presence.keep(lambda *_: None))
    await until(lambda: presence.is_connected)
    consumer = Consumer(application.inbox, presence, work, bot_id=BOT_ID, places=places)
    running = asyncio.ensure_future(consumer.run())
    try:
        yield consumer
    finally:
        consumer.drain()
        await asyncio.wait([running], timeout=5)
        running.cancel()
        keeping.cancel()
        await asyncio.wait([running, keeping])


async def bring(application: Application, *bodies: bytes) -> None:
    await application.inbox.receive(BOT_ID, bodies, notice="test")


async def nothing_waits(application: Application) -> bool:
    return (await application.inbox.depth())[0] == 0


def every(count: int, of: list[int]) -> Callable[[], bool]:
    return lambda: len(of) == count


async def test_no_more_are_worked_on_at_once_than_there_are_places(application: Application, database_url: str) -> None:
    await bring(application, *(make_update(number, user=5000 + number) for number in range(1, 11)))
    shop = Workshop()
    async with consuming(database_url, application, shop):
        await until(every(3, shop.begun))
        shop.gate.set()
        await until(every(10, shop.ended))
        await until(lambda: nothing_waits(application))
    assert (shop.most_at_once, sorted(shop.ended)) == (3, list(range(1, 11)))


async def test_each_chat_is_worked_on_in_its_order(application: Application, database_url: str) -> None:
    await bring(application, *(make_update(number, user=5000 + number % 4) for number in range(1, 41)))
    shop = Workshop()
    shop.gate.set()
    async with consuming(database_url, application, shop, places=10):
        await until(every(40, shop.ended))
    for chat in range(4):
        assert [number for number in shop.begun if number % 4 == chat] == [number for number in range(1, 41) if number % 4 == chat]


async def test_stop_and_buttons_are_worked_on_while_every_place_is_taken(application: Application, database_url: str) -> None:
    await bring(application, *(make_update(number, user=5000 + number) for number in range(1, 6)))
    shop = Workshop()
    async with consuming(database_url, application, shop, places=2) as consumer:
        await until(every(2, shop.begun))
        await bring(application, make_update(50, text="/stop", user=5001), make_update(51, kind="callback_query", data="x"))
        consumer.wake()
        await until(every(4, shop.begun))
        assert sorted(shop.begun[2:]) == [50, 51]
        shop.gate.set()
        await until(every(7, shop.ended))


async def test_a_new_update_is_begun_at_once_not_at_the_next_look(application: Application, database_url: str) -> None:
    shop = Workshop()
    shop.gate.set()
    async with consuming(database_url, application, shop) as consumer:
        for number in range(1, 6):
            await bring(application, make_update(number))
            consumer.wake()
            await until(every(number, shop.ended), seconds=0.8)


async def test_what_waits_since_the_last_process_ended_is_begun_at_once(application: Application, database_url: str) -> None:
    await bring(application, make_update(1))
    shop = Workshop()
    shop.gate.set()
    async with consuming(database_url, application, shop):
        await until(every(1, shop.ended), seconds=0.7)


async def test_an_update_that_nobody_told_of_is_found_all_the_same(application: Application, database_url: str) -> None:
    shop = Workshop()
    shop.gate.set()
    async with consuming(database_url, application, shop):
        await bring(application, make_update(1))
        await until(every(1, shop.ended), seconds=3)


async def test_draining_finishes_what_is_begun_and_takes_nothing_more(application: Application, database_url: str) -> None:
    await bring(application, make_update(1), make_update(2))
    shop = Workshop()
    async with consuming(database_url, application, shop) as consumer:
        await until(every(1, shop.begun))
        consumer.drain()
        shop.gate.set()
    assert shop.ended == [1]
    assert (await application.inbox.depth())[0] == 1


async def test_what_is_aborted_is_given_back_and_done_by_the_next(application: Application, database_url: str) -> None:
    await bring(application, make_update(1))
    shop = Workshop()
    async with consuming(database_url, application, shop) as consumer:
        await until(every(1, shop.begun))
        consumer.drain()
        consumer.abort()
    assert shop.ended == []
    shop.gate.set()
    async with consuming(database_url, application, shop):
        await until(every(1, shop.ended))


async def test_two_consumers_share_the_work_and_do_nothing_twice(application: Application, database_url: str) -> None:
    await bring(application, *(make_update(number, user=5000 + number % 20) for number in range(1, 101)))
    first, second = Workshop(), Workshop()
    for shop in (first, second):
        shop.gate.set()
    async with consuming(database_url, application, first), consuming(database_url, application, second):
        await until(lambda: len(first.ended) + len(second.ended) >= 100)
        await until(lambda: nothing_waits(application))
    assert sorted(first.ended + second.ended) == list(range(1, 101))


async def test_the_work_of_a_process_that_died_is_taken_over_in_seconds(application: Application, database_url: str) -> None:
    await bring(application, make_update(1))
    presence = Presence(database_url, application_name="vitte-doomed", connect_timeout=5.0)
    keeping = asyncio.ensure_future(presence.keep(lambda *_: None))
    await until(lambda: presence.is_connected)
    [_] = await application.inbox.claim(BOT_ID, consumer=presence.consumer, is_priority=False, places=1)
    shop = Workshop()
    shop.gate.set()
    async with consuming(database_url, application, shop):
        await asyncio.sleep(0.2)
        assert shop.begun == []
        keeping.cancel()
        await asyncio.wait([keeping])
        await until(every(1, shop.ended), seconds=4)


async def test_work_that_lost_its_lane_is_not_settled(application: Application, database_url: str) -> None:
    begun: list[int] = []

    async def work(hold: Hold) -> Settlement:
        begun.append(hold.lease.update_id)
        raise LeaseLostError("somebody else has it")

    await bring(application, make_update(1))
    async with consuming(database_url, application, work):
        await until(every(1, begun))
    assert (await application.inbox.depth())[0] == 1


async def test_nothing_is_taken_while_nobody_can_see_that_we_live(application: Application, database_url: str) -> None:
    await bring(application, make_update(1))
    presence = Presence(database_url, application_name="vitte-test", connect_timeout=5.0)
    shop = Workshop()
    shop.gate.set()
    consumer = Consumer(application.inbox, presence, shop, bot_id=BOT_ID, places=3)
    running = asyncio.ensure_future(consumer.run())
    consumer.wake()
    await asyncio.sleep(0.1)
    assert shop.begun == []

    keeping = asyncio.ensure_future(presence.keep(lambda *_: None))
    await until(every(1, shop.ended))
    consumer.drain()
    await running
    keeping.cancel()
    await asyncio.wait([keeping])


async def test_work_that_takes_longer_than_a_lease_is_not_taken_away(
    application: Application, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.bot.consumer.BEAT_SECONDS", 0.03)
    hasty = replace(application, inbox=replace(application.inbox, lease_seconds=0.15))
    await bring(application, make_update(1))
    first, second = Workshop(), Workshop()
    async with consuming(database_url, hasty, first):
        await until(every(1, first.begun))
        async with consuming(database_url, hasty, second):
            await asyncio.sleep(0.3)
            first.gate.set()
            await until(every(1, first.ended))
    assert second.begun == []
    assert await nothing_waits(application)


async def test_work_on_a_lane_that_somebody_else_took_is_ended(
    application: Application, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.bot.consumer.BEAT_SECONDS", 0.03)
    await bring(application, make_update(1))
    shop = Workshop()
    async with consuming(database_url, application, shop):
        await until(every(1, shop.begun))
        house = House(database=application.chat.database)
        await house.rows("update lanes set token = nextval('lane_tokens'), due_at = now() + interval '1 hour'")
        await until(lambda: shop.at_once == 0)
    assert (shop.ended, await nothing_waits(application)) == ([], False)


async def test_waiting_while_all_places_are_taken_counts_and_waiting_while_nobody_works_does_not(
    application: Application, database_url: str
) -> None:
    shop, crowded = Workshop(), dict[int, float]()

    async def work(hold: Hold) -> Settlement:
        crowded[hold.lease.update_id] = hold.crowded
        return await shop(hold)

    await bring(application, *(make_update(number, user=5000 + number) for number in range(1, 5)))
    await asyncio.sleep(0.4)
    async with consuming(database_url, application, work, places=2):
        await until(every(2, shop.begun))
        await asyncio.sleep(0.3)
        shop.gate.set()
        await until(every(4, shop.ended))
    assert max(crowded[1], crowded[2]) < 0.05
    assert min(crowded[3], crowded[4]) >= 0.25
    assert max(crowded[3], crowded[4]) < 0.65
