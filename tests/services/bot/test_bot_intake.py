"""Updates on their way in: batches that are broken, confirmed only when stored, one poller at a time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiogram import Bot
from hypothesis import given
from hypothesis import strategies as st

from services.bot.ingest import MAX_BATCH, Intake
from services.bot.polling import Poller, split_updates
from services.bot.session import LeanSession
from services.bot.session.lean import build_api
from shared.application.inbox import Received
from shared.bootstrap import Application
from shared.domain.errors import UnavailableError
from tests.factories import ANN_ID, BOT_ID, House, make_update, open_house
from tests.services.bot.desk import TOKEN, until
from tests.services.sandbox.emulator import Sandbox

AWAY = "postgresql+asyncpg://nobody@127.0.0.1:9/nowhere"


def answer(*updates: bytes) -> bytes:
    return b'{"ok":true,"result":[' + b",".join(updates) + b"]}"


def test_an_answer_is_split_into_its_updates() -> None:
    batch = split_updates(answer(make_update(7), make_update(9), make_update(8)))
    assert batch is not None
    assert ([json.loads(body)["update_id"] for body in batch.bodies], batch.newest) == ([7, 9, 8], 9)
    assert split_updates(answer()) == ([], None)


def test_one_broken_update_makes_a_batch_unreadable_and_is_cut_out_when_it_is_alone() -> None:
    broken = b'{"update_id": 8, "message": {"text": "\\q"}}'
    assert split_updates(answer(make_update(7), broken)) is None
    assert split_updates(answer(broken), alone=True) == ([broken], 8)


@pytest.mark.parametrize(
    "update", [b"7", b"null", b'"x"', b"[]", b"{}", b'{"update_id": "7"}', b'{"update_id": true}', b'{"update_id": 1e400}']
)
def test_what_is_no_update_has_no_id_and_is_kept(update: bytes) -> None:
    batch = split_updates(answer(update, make_update(9)))
    assert batch is None or (len(batch.bodies), batch.newest) == (2, 9)
    alone = split_updates(answer(update), alone=True)
    assert alone is not None
    assert len(alone.bodies) == 1


@pytest.mark.parametrize("depth", [10, 250, 260, 500, 900, 985, 990, 995, 1000, 1010, 1020, 1030, 5000])
def test_an_update_as_deep_as_the_sea_is_kept(depth: int) -> None:
    deep = b'{"update_id": 5, "message": ' + b"[" * depth + b"]" * depth + b"}"
    batch = split_updates(answer(deep)) or split_updates(answer(deep), alone=True)
    assert batch is not None
    assert (len(batch.bodies), batch.newest) == (1, 5)
    assert batch.bodies[0].count(b"[") == depth


def test_lone_surrogates_and_giant_numbers_pass_as_they_came() -> None:
    for odd in (b'{"update_id":5,"x":"\\ud800"}', b'{"update_id":5,"x":123456789012345678901234567890}'):
        batch = split_updates(answer(odd))
        assert batch is not None
        assert (json.loads(batch.bodies[0])["update_id"], batch.newest) == (5, 5)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5)))
)
def test_whatever_json_comes_as_updates_is_split_into_as_many(updates: list[object]) -> None:
    batch = split_updates(json.dumps({"ok": True, "result": updates}).encode())
    assert batch is not None
    assert len(batch.bodies) == len(updates)


@asynccontextmanager
async def polling(telegram: Sandbox, application: Application, intake: Intake) -> AsyncIterator[Poller]:
    session = LeanSession(api=build_api(telegram.url), limit=5, timeout=5.0)
    presence = application.presence
    keeping = asyncio.ensure_future(presence.keep(lambda *_: None))
    await until(lambda: presence.is_connected)
    poller = Poller(Bot(TOKEN, session=session), session, intake, presence, allowed_updates=["message"])
    running = asyncio.ensure_future(poller.run())
    try:
        yield poller
    finally:
        running.cancel()
        keeping.cancel()
        await asyncio.wait([running, keeping])
        await session.close()


def intake_of(house: House | Application) -> tuple[Intake, list[Received]]:
    woken: list[Received] = []
    return Intake(house.inbox, woken.append, bot_id=BOT_ID, notice="test"), woken


async def test_updates_are_confirmed_only_after_they_are_stored(telegram: Sandbox, application: Application) -> None:
    async with open_house(AWAY) as nowhere:
        intake, woken = intake_of(nowhere)
        await telegram.say("Hi")
        async with polling(telegram, application, intake):
            await until(lambda: _deliveries(telegram, 1))
            await asyncio.sleep(0.1)
    [record] = await telegram.records()
    assert (record["acknowledged_at"], woken) == (None, [])

    intake, woken = intake_of(application)
    async with polling(telegram, application, intake):
        await until(lambda: _acknowledged(telegram))
    assert [received.new for received in woken] == [1]


async def _deliveries(telegram: Sandbox, count: int) -> bool:
    return all(record["deliveries"] >= count for record in await telegram.records())


async def _acknowledged(telegram: Sandbox) -> bool:
    return all(record["acknowledged_at"] for record in await telegram.records())


async def test_an_update_that_cannot_be_read_is_kept_and_those_around_it_arrive(telegram: Sandbox, application: Application) -> None:
    await telegram.say("before")
    number = (await telegram.records())[0]["update_id"] + 1
    raw = b'{"update_id": %d, "message": {"text": "\\q"}}' % number
    telegram.world.bots[BOT_ID].queue.put(number, "message", raw, chat_id=ANN_ID, lane=f"chat:{ANN_ID}")
    await telegram.say("after")
    intake, _ = intake_of(application)
    async with polling(telegram, application, intake):
        await until(lambda: _acknowledged(telegram))
    rows = await House(database=application.chat.database).rows("select status, error from stored_updates order by telegram_update_id")
    assert [status for status, _ in rows] == ["pending", "dead", "pending"]
    assert rows[1][1].startswith("not JSON")


async def test_the_offset_is_not_sent_again_once_it_is_confirmed(telegram: Sandbox, application: Application) -> None:
    intake, _ = intake_of(application)
    async with polling(telegram, application, intake):
        await telegram.say("one")
        await until(lambda: _acknowledged(telegram))
        await telegram.say("two")
        await until(lambda: _acknowledged(telegram))
    calls = await telegram.sim(f"calls?bot_id={BOT_ID}&method=getUpdates")
    first, *others = [call["params"].get("offset") for call in calls]
    numbers = [record["update_id"] for record in await telegram.records()]
    assert first is None
    assert set(others) <= {None, *(number + 1 for number in numbers)}


async def test_updates_that_come_at_once_are_stored_together_and_each_is_told(application: Application) -> None:
    intake, woken = intake_of(application)
    writing = asyncio.ensure_future(intake.run())
    await asyncio.gather(*(intake.store(make_update(number)) for number in range(1, MAX_BATCH + 51)))
    writing.cancel()
    await asyncio.wait([writing])
    assert sum(received.new for received in woken) == MAX_BATCH + 50
    assert len(woken) <= 3


async def test_whoever_waits_for_an_intake_that_ends_is_told_so() -> None:
    async with open_house(AWAY) as nowhere:
        intake, _ = intake_of(nowhere)
        waiting = [asyncio.ensure_future(intake.store(make_update(number))) for number in range(3)]
        await asyncio.sleep(0)
        writing = asyncio.ensure_future(intake.run())
        await asyncio.sleep(0)
        writing.cancel()
        ended = await asyncio.gather(*waiting, writing, return_exceptions=True)
    assert all(isinstance(error, UnavailableError) for error in ended[:-1]), ended
