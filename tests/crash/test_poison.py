"""Poison hurts only itself: the process lives, other people are answered meanwhile, and the same chat goes on."""

import asyncio
import json
import os
import random
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.crash.conftest import MakeHouse
from tests.crash.house import SECRET, House, eventually
from tests.crash.load import Deaths, Load
from tests.crash.poison import Fate, Poison, message, poisons
from tests.crash.test_kills import SEED
from tests.crash.test_outages import answered

pytestmark = pytest.mark.crash

EXAMPLES = int(os.environ.get("CRASH_EXAMPLES", "200"))


async def deliver(house: House, raw: bytes) -> int:
    """As Telegram calls the webhook; answers the status."""
    url = f"http://127.0.0.1:{house.bots[-1].port}{house.webhook_path}"
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
    async with house.sandbox.session.post(url, data=BytesIO(raw), headers=headers) as response:
        return response.status


async def fates(house: House) -> dict[bytes, tuple[str, str | None]]:
    rows = await house.ask("select body, status, error from stored_updates")
    return {bytes(row["body"]): (row["status"], row["error"]) for row in rows}


async def until_none_waits(house: House, seconds: float) -> None:
    async def is_so() -> bool:
        return not await house.count("select count(*) from stored_updates where status = 'pending'")

    await eventually(is_so, seconds, "all poison was dealt with")


async def all_answered(house: House, load: Load, seconds: float) -> None:
    asked = set(load.asked.values())

    async def is_so() -> bool:
        return asked <= await answered(house)

    await eventually(is_so, seconds, "the healthy messages were answered")


@pytest.mark.timeout(120)
async def test_forty_poisonous_updates_by_webhook_hurt_only_themselves(make_house: MakeHouse) -> None:
    house = await make_house("webhook")
    load = Load(house, random.Random(1), users=3)
    await load.prepare(repeated=False)
    victim, friend, _ = load.people()
    bot = await house.start_bot()
    await house.sandbox.model(tokens_per_second=0)  # the longest questions come back as the longest answers
    await load.ask_one(victim)
    await all_answered(house, load, 20)
    statuses: dict[str, int] = {}
    list_of_all = poisons(victim)
    for number, poison in enumerate(list_of_all):
        statuses[poison.name] = await deliver(house, poison.build(1_000 + number))
        if number % 10 == 0:
            await load.ask_one(friend)
            await load.ask_one(victim)
    assert {name: status for name, status in statuses.items() if status != 200} == {}
    await all_answered(house, load, 20)
    await until_none_waits(house, 30)

    assert (len(list_of_all) >= 40, bot.is_alive) == (True, True)
    found = await fates(house)
    wrong = {p.name: said for n, p in enumerate(list_of_all) if (said := _fate(found, p, 1_000 + n)) != p.fate}
    assert wrong == {}
    assert all(error for status, error in found.values() if status == "dead"), "a dead letter says why"
    await load.ask_one(victim)
    await all_answered(house, load, 10)


def _fate(found: dict[bytes, tuple[str, str | None]], poison: Poison, update_id: int) -> str | None:
    raw = poison.build(update_id)
    kept = found.get(raw) or found.get(raw[:65_536])
    return kept[0] if kept else None


@pytest.mark.timeout(120)
async def test_poison_while_polling_holds_up_nobody(make_house: MakeHouse) -> None:
    house = await make_house("polling")
    load = Load(house, random.Random(2), users=3)
    await load.prepare(repeated=False)
    victim, friend, _ = load.people()
    bot = await house.start_bot()
    await house.sandbox.model(tokens_per_second=0)
    newest = await load.ask_one(victim)
    await all_answered(house, load, 20)
    sent = 0
    for number, poison in enumerate(poisons(victim)):
        if poison.only_webhook:
            continue
        sent += 1
        newest = max(newest, await house.sandbox.inject(house.bot_id, poison.build(newest + 1)))
        if number % 4 == 0:
            newest = await load.ask_one(friend)
        if number % 10 == 0:
            newest = await load.ask_one(victim)
    newest = await load.ask_one(victim)
    await all_answered(house, load, 60)
    await until_none_waits(house, 30)

    assert (sent >= 40, bot.is_alive) == (True, True)
    dead = await house.ask("select error from stored_updates where status = 'dead'")
    expected = sum(1 for poison in poisons(victim) if poison.fate is Fate.DEAD and not poison.only_webhook)
    assert len(dead) >= expected * 0.8, "neighbours without an id may share a dead letter"
    assert all(row["error"] for row in dead)
    assert not await house.sandbox.unacknowledged(house.bot_id)


def junk() -> st.SearchStrategy[Any]:
    words = st.text(st.characters(exclude_categories=()), max_size=20)
    numbers = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([0, -1, 2**31, 2**63, 10**25])
    leaves = st.none() | st.booleans() | numbers | words
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6)


def spoilt(content: dict[str, Any], draw: st.DrawFn) -> dict[str, Any]:
    """One to three fields, at any depth, become junk or go away."""
    for _ in range(draw(st.integers(1, 3))):
        place = content
        while place:
            name = draw(st.sampled_from(sorted(place)))
            inner = place[name]
            if isinstance(inner, dict) and inner and draw(st.booleans()):
                place = inner
                continue
            if draw(st.integers(0, 4)):
                place[name] = draw(junk())
            else:
                del place[name]
            break
    return content


@st.composite
def strange_updates(draw: st.DrawFn, user: int) -> tuple[str, dict[str, Any]]:
    kinds = ("message", "message", "message", "edited_message", "callback_query", "callback_query", "stopped_message_generation")
    kind = draw(st.sampled_from(kinds))
    said = message(user, message_id=draw(st.integers(1, 10**6)), entities=[{"type": "bold", "offset": 0, "length": 3}], caption="c")
    press: dict[str, Any] = {"id": "1", "from": dict(said["from"]), "chat_instance": "1", "data": "menu", "message": said}
    stop: dict[str, Any] = {"chat": dict(said["chat"]), "draft_id": 5, "date": 1}
    content: dict[str, Any] = {"callback_query": press, "stopped_message_generation": stop}.get(kind, said)
    return kind, spoilt(content, draw)


@pytest.mark.timeout(120 + EXAMPLES)
async def test_generated_updates_never_end_the_process(make_house: MakeHouse) -> None:
    house = await make_house("webhook")
    load, found = Load(house, random.Random(3), users=2), []
    await load.prepare(repeated=False)
    stranger, friend = load.people()

    @seed(SEED)
    @settings(max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(strange_updates(stranger))
    def collect(update: tuple[str, dict[str, Any]]) -> None:
        found.append(update)

    collect()
    print(f"{len(found)} generated updates, CRASH_SEED={SEED}")
    bot = await house.start_bot()
    await load.ask_one(friend)
    gate = asyncio.Semaphore(8)

    async def send(number: int, kind: str, content: dict[str, Any]) -> int:
        async with gate:
            return await deliver(house, json.dumps({"update_id": 50_000 + number, kind: content}).encode())

    async with asyncio.TaskGroup() as group:
        sent = [group.create_task(send(number, *update)) for number, update in enumerate(found)]
    await load.ask_one(friend)
    assert {task.result() for task in sent} == {200}
    await all_answered(house, load, 15)
    await until_none_waits(house, 60)
    assert bot.is_alive
    assert await house.count("select count(*) from stored_updates where telegram_update_id >= 50000") >= len(found) * 0.99
    assert await house.count("select count(*) from stored_updates where status = 'dead' and error is null") == 0
    assert Deaths(house).in_flight == []
