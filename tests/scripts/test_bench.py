"""`make bench`: the crowd that makes the load, the arithmetic and the table. The measuring itself is not repeated here."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from scripts.bench import money
from scripts.bench.meters import cpu_seconds, memory, tree
from scripts.bench.money import Spent
from scripts.bench.report import as_json, ratio, tables
from scripts.bench.rounds import SHAPES, Figures, median, people, percentile
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
        self.heard: list[str] = []
        self.chats: set[int] = set()
        self.speakers: list[int] = []
        self.says_with: dict[str, Any] = {}

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
        self.chats.add(message["chat"]["id"])
        if message["text"] == "/start":
            more = {"reply_markup": KEYS}
        else:
            self.heard.append(message["text"])
            self.speakers.append(message["chat"]["id"])
            more = {"reply_markup": self.says_with} if self.says_with else {}
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


async def test_people_say_something_else_each_time_where_it_has_a_number(bot: SmallBot):
    await crowd(bot, does="say", users=2, seconds=0.1, text="Hello {n}")
    await crowd(bot, does="say", users=2, seconds=0.1, text="Hello {n}")
    assert len(bot.heard) > 4
    assert len(set(bot.heard)) == len(bot.heard)
    await crowd(bot, does="say", users=2, seconds=0.01, text="Hello")
    assert bot.heard[-1] == "Hello"


async def test_people_with_other_numbers_are_other_people(bot: SmallBot):
    await crowd(bot, does="start", users=2, buttons=1)
    await crowd(bot, does="start", users=3, first=100, buttons=1)
    assert len(bot.chats) == 5


async def test_buttons_under_what_is_said_are_not_pressed_for_the_menu(bot: SmallBot):
    bot.says_with = {"inline_keyboard": [[{"text": "again", "callback_data": "again"}]]}
    await crowd(bot, does="start", users=1, buttons=1)
    await crowd(bot, does="say", users=1, seconds=0.05)
    await crowd(bot, does="press", users=1, seconds=0.1)
    assert bot.pressed
    assert set(bot.pressed) <= {"one", "two", "back"}


def test_what_comes_from_the_cache_has_a_goal_of_its_own():
    results = {("vitte", "cached"): make_figures(p95_ms=101.0, cached=0.995)}
    table = tables([kind("vitte")], results)
    assert "100%" in table
    assert "NOT reached" in next(line for line in table.splitlines() if "p95 of a cached reply" in line)


def test_who_is_answered_from_the_cache_speaks_once():
    assert people(SHAPES["cached"], 10) == 300
    assert people(SHAPES["open"], 10) == 1000
    assert "{n}" not in SHAPES["cached"].text
    assert all("{n}" in shape.text for load, shape in SHAPES.items() if load != "cached")


def test_cost_per_request_stands_beside_the_dearest():
    spent = [Spent("beginner", "cheap", 10, 1000, 100, 1000), Spent("advanced", "dear", 10, 1000, 100, 20_000)]
    assert money.table(spent)[1:] == [
        ("beginner", "cheap", "10", "100", "10", "100", "1/20.0"),
        ("advanced", "dear", "10", "100", "10", "2000", "1"),
    ]


async def test_a_beginners_lesson_is_answered_by_the_simple_model(bot: SmallBot, database_url: str, redis_server: Any):
    dsn = database_url.replace("+asyncpg", "")
    async with bot.session.post(f"{bot.address}/sim/model", json={"first_token_ms": 0, "tokens_per_second": 0}) as changed:
        assert changed.status == 200
    beginner, advanced = await money.measure(bot.address, database_url, dsn, redis_server.url())
    assert (beginner.model, advanced.model) == (money.SIMPLE, money.STRONG)
    assert beginner.turns == advanced.turns == len(money.LESSON)
    assert beginner.each < advanced.each / 5


async def test_of_many_people_only_so_many_act_at_a_time_and_all_in_turn(bot: SmallBot):
    await crowd(bot, does="start", users=6, buttons=1)
    talk = await crowd(bot, does="say", users=6, at_once=2, seconds=0.3, text="Hello {n}")
    assert talk["acted"] == talk["answered"] >= 6
    assert max(bot.speakers.count(chat) for chat in bot.chats) - min(bot.speakers.count(chat) for chat in bot.chats) <= 2
