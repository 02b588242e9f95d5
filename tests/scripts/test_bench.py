"""`make bench`: the crowd that makes the load, the arithmetic and the table. The measuring itself is not repeated here."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from scripts.bench.meters import cpu_seconds, memory, tree
from scripts.bench.report import as_json, ratio, tables
from scripts.bench.rounds import Figures, median, percentile
from scripts.bench.subjects import KINDS
from services.sandbox.app import create_app

BOT_ID = 4711
KEYS = {"inline_keyboard": [[{"text": name, "callback_data": name} for name in ("one", "two", "back")]]}


def make_figures(**overrides: Any) -> Figures:
    figures: dict[str, Any] = dict.fromkeys(Figures.__dataclass_fields__, 1.0) | {"lost": 0.0}
    return Figures(**(figures | overrides))


def kind(name: str) -> Any:
    return next(kind for kind in KINDS if kind.name == name)


def test_percentiles_are_values_that_occurred():
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (50, 75, 95)] == [2.0, 3.0, 4.0]
    assert percentile([], 95) == 0.0


def test_rounds_are_summed_up_by_medians_but_nothing_lost_is_forgotten():
    rounds = [
        make_figures(cpu_ms=cpu, lost=lost, memory_peak=peak) for cpu, lost, peak in ((1.0, 0.0, 90.0), (9.0, 2.0, 95.0), (2.0, 1.0, 80.0))
    ]
    found = median(rounds)
    assert (found.cpu_ms, found.lost, found.memory_peak) == (2.0, 3.0, 95.0)
    assert median([make_figures(calls=None)]).calls is None


def test_our_cost_stands_beside_the_bare_bot_with_the_same_intake():
    results = {("bare", "chat"): make_figures(cpu_ms=0.8), ("vitte", "chat"): make_figures(cpu_ms=2.0, handler_statements=3.0)}
    assert ratio(kind("vitte"), results, "chat") == pytest.approx(2.5)
    assert ratio(kind("bare"), results, "chat") is None
    table = tables([kind("bare"), kind("vitte")], results)
    assert [line.split("  ")[-1] for line in table.splitlines() if line.startswith("  vitte  ") and "≤" in line] == [
        "reached",
        "stretch goal reached",
    ]
    [first, second] = json.loads(as_json([kind("bare"), kind("vitte")], results))["results"]
    assert (first["cpu_ratio"], second["cpu_ratio"], second["load"]) == (None, 2.5, "chat")


def test_a_missed_goal_is_said():
    results = {("bare", "click"): make_figures(cpu_ms=1.0), ("vitte", "click"): make_figures(cpu_ms=2.01)}
    assert "NOT reached" in tables([kind("bare"), kind("vitte")], results)


def test_a_process_is_measured_from_outside():
    pid = os.getpid()
    assert pid in tree(pid)
    assert os.getppid() not in tree(pid)
    assert cpu_seconds(pid) > 0
    assert memory(pid).resident > 10
    assert memory(pid).highest == pytest.approx(memory(pid).resident, rel=0.5)


class SmallBot:
    """Answers words with an echo, and shows and edits buttons."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session, self.address = session, address
        self.pressed: list[str] = []

    async def call(self, method: str, **params: Any) -> Any:
        async with self.session.post(f"{self.address}/bot{BOT_ID}:secret/{method}", json=params) as response:
            return (await response.json())["result"]

    async def run(self) -> None:
        offset = 0
        while True:
            for update in await self.call("getUpdates", offset=offset, timeout=5):
                offset = update["update_id"] + 1
                await self.handle(update)

    async def handle(self, update: dict[str, Any]) -> None:
        if press := update.get("callback_query"):
            self.pressed.append(press["data"])
            chat_id, message_id = press["message"]["chat"]["id"], press["message"]["message_id"]
            await self.call("answerCallbackQuery", callback_query_id=press["id"])
            await self.call("editMessageText", chat_id=chat_id, message_id=message_id, text=f"{len(self.pressed)}", reply_markup=KEYS)
            return
        message = update["message"]
        more = {"reply_markup": KEYS} if message["text"] == "/start" else {}
        await self.call("sendMessage", chat_id=message["chat"]["id"], text=message["text"], **more)


@pytest.fixture
async def bot() -> AsyncIterator[SmallBot]:
    runner = web.AppRunner(create_app(), handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session:
        bot = SmallBot(session, f"http://127.0.0.1:{runner.addresses[0][1]}")
        await bot.call("getMe")
        running = asyncio.ensure_future(bot.run())
        yield bot
        running.cancel()
        await asyncio.wait([running])
    await runner.cleanup()


async def crowd(bot: SmallBot, *, status: int = 200, **what: Any) -> Any:
    async with bot.session.post(f"{bot.address}/sim/crowd", json={"bot_id": BOT_ID, **what}) as response:
        assert response.status == status
        return await response.json()


async def test_a_crowd_talks_and_presses_and_every_answer_is_timed(bot: SmallBot):
    began = await crowd(bot, does="start", users=5, buttons=1)
    assert (began["acted"], began["answered"], len(began["latencies_ms"])) == (5, 5, 5)
    talk = await crowd(bot, does="say", users=3, seconds=0.2)
    assert talk["acted"] == talk["answered"] > 3
    assert all(0 < latency < 5000 for latency in talk["latencies_ms"])
    clicks = await crowd(bot, does="press", users=2, seconds=0.2)
    assert clicks["acted"] == clicks["answered"] == len(bot.pressed)
    assert {"one", "two", "back"} == set(bot.pressed)


async def test_people_who_come_at_random_moments_do_not_wait_for_the_bot(bot: SmallBot):
    await crowd(bot, does="start", users=4, buttons=1)
    talk = await crowd(bot, does="say", users=4, seconds=0.5, rate=100)
    assert talk["acted"] == talk["answered"]
    assert 20 <= talk["acted"] <= 100


async def test_wrong_use_of_the_crowd_is_said(bot: SmallBot):
    assert await crowd(bot, does="dance", users=1, status=400) == {"error": "does is one of: start, say, press"}
    assert "buttons" in (await crowd(bot, does="press", users=1, status=400))["error"]
    assert "users" in (await crowd(bot, does="say", users=0, status=400))["error"]
