"""Bot and worker die under a load of bursts, other answers and facts to remember: nothing is lost, made twice or mixed up."""

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from scripts.local.ports import free_port
from scripts.local.processes import Command
from shared.adapters.celery_jobs import CeleryJobs
from shared.application.jobs import RefreshMemory
from shared.bootstrap import open_application
from shared.settings import Settings
from tests.crash.bots import ROOT
from tests.crash.conftest import MakeHouse
from tests.crash.house import House
from tests.crash.load import Deaths, Load, judge
from tests.crash.test_kills import KILLS, SEED

pytestmark = pytest.mark.crash

BROKER = 7
"""A database of Redis that no other test's jobs are in."""
CITIES = ("Brno", "Lisbon", "Oslo", "Turin", "Ghent", "Malmö", "Porto", "Bergen", "Lyon", "Graz")
HARMLESS = ("Another answer is there already", "The conversation has moved on")
"""Said to a press that came too late."""


@dataclass
class Talk(Load):
    """Some questions tell where the person lives; now and then somebody asks for another answer."""

    users: int = 10
    rate: float = 20.0
    presses: int = 0

    async def ask_one(self, user: int) -> int:
        self._numbers[user] += 1
        number = self._numbers[user]
        told = f". I live in {city_of(user)}." if number % 3 == 1 else ""
        update_id = await self.house.sandbox.say(self.house.bot_id, user, f"ask-{user}-{number}{told}")
        self.asked[update_id] = (user, number)
        if self.rng.random() < 0.25:
            await self._press(self.rng.choice(list(self._numbers)))
        return update_id

    async def _press(self, user: int) -> None:
        transcript = await self.house.sandbox.get(f"/sim/chats/{user}/transcript", bot_id=self.house.bot_id)
        for message in reversed(transcript["messages"]):
            rows = message.get("reply_markup", {}).get("inline_keyboard", [])
            data = [button["callback_data"] for row in rows for button in row if ":again:" in button["callback_data"]]
            if data:
                pressed = {"bot_id": self.house.bot_id, "chat_id": user, "user_id": user, "message_id": message["message_id"]}
                await self.house.sandbox.post("/sim/press", {**pressed, "data": data[0]})
                self.presses += 1
                return


def city_of(user: int) -> str:
    return CITIES[user % 10]


def worker_of(house: House) -> subprocess.Popen[bytes]:
    command = Command(name="worker", argv=(sys.executable, "-m", "services.worker"), cwd=ROOT)
    environment = {**house.environment, "WORKER_PORT": str(free_port()), "WORKER_CONCURRENCY": "2"}
    with (house.folder / f"worker-{house.bot_id}.log").open("ab") as output:
        return subprocess.Popen(command.tethered(), env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


@asynccontextmanager
async def dying_workers(house: House, rng: random.Random) -> AsyncIterator[list[int]]:
    """A worker, and another one as soon as it has been killed; the list grows with each of them."""
    deaths: list[int] = []

    async def go_round() -> None:
        while True:
            worker = worker_of(house)
            try:
                await asyncio.sleep(rng.uniform(2.5, 6.0))
            finally:
                worker.kill()
                worker.wait(10)
            deaths.append(worker.pid)

    going = asyncio.ensure_future(go_round())
    try:
        yield deaths
    finally:
        going.cancel()
        await asyncio.wait([going])


async def keep_asking_for_memory(house: House) -> None:
    """Jobs as the bot sends them after a turn, for all dialogs again and again."""
    jobs = CeleryJobs(house.environment["CELERY_BROKER_URL"])
    try:
        while True:
            for (dialog,) in await house.ask("select id from dialogs"):
                await jobs.enqueue(RefreshMemory(dialog_id=str(dialog)))
            await asyncio.sleep(1.0)
    finally:
        await jobs.aclose()


async def remember_the_rest(house: House) -> None:
    """What the worker had not come to, as its catching up does it."""
    names = ("database_url", "redis_url", "bot_token", "llm_strong", "openai_base_url", "openai_api_key")
    fields: dict[str, Any] = {name: house.environment[name.upper()] for name in names}
    settings = Settings(_env_file=None, **fields)
    async with open_application(settings, "worker") as application:
        for (dialog,) in await house.ask("select id from dialogs"):
            await application.memory.refresh(dialog)


MEMORY_WRONGS = {
    "dialogs not read to their end": (
        "select count(*) from dialogs d left join memory_marks k on k.dialog_id = d.id "
        "where coalesce(k.until_message_id, 0) < (select max(id) from messages where dialog_id = d.id)"
    ),
    "facts told twice": (
        "select count(*) from (select user_id from memories where status in ('active', 'asked') "
        "group by user_id, lower(fact) having count(*) > 1) twice"
    ),
    "facts of somebody else": (
        "select count(*) from memories m join messages s on s.id = m.source_message_id join turns t on t.id = s.turn_id "
        "where t.user_id <> m.user_id"
    ),
}


@pytest.mark.timeout(180 + KILLS * 10)
async def test_nothing_is_lost_while_other_answers_are_asked_for_and_facts_remembered(make_house: MakeHouse) -> None:
    print(f"remembering: {KILLS} kills, CRASH_SEED={SEED}")
    rng, house = random.Random(f"{SEED}-remembering"), await make_house("webhook")
    house.environment["CELERY_BROKER_URL"] = house.environment["REDIS_URL"].rsplit("/", 1)[0] + f"/{BROKER}"
    await house.sandbox.model(mistakes=0)
    deaths, talk = Deaths(house), Talk(house, rng)
    await talk.prepare()
    async with dying_workers(house, rng) as dead_workers, asyncio.TaskGroup() as group:
        running, remembering = group.create_task(talk.run()), group.create_task(keep_asking_for_memory(house))
        for _ in range(KILLS):
            bot = await house.start_bot()
            await asyncio.sleep(rng.uniform(0.5, 2.0))
            await deaths.note(await bot.kill())
        await house.start_bot()
        talk.end()
        await running
        await house.until_quiet(90)
        remembering.cancel()
    read_by_worker = await house.count("select count(*) from memory_marks")
    await remember_the_rest(house)

    verdict = await judge(talk, deaths)
    print(f"remembering: {verdict}; {talk.presses} presses, {len(dead_workers)} workers killed, {read_by_worker} dialogs read by them")
    assert (verdict.lost, verdict.disordered, verdict.unexcused) == ([], [], [])
    assert verdict.duplicates <= verdict.in_flight
    assert [said for said in verdict.strangers if not said.startswith(HARMLESS)] == []
    assert verdict.database == {}
    assert {name: found for name, sql in MEMORY_WRONGS.items() if (found := await house.count(sql))} == {}
    statement = "select u.telegram_user_id as id, m.fact from memories m join users u on u.id = m.user_id where m.status = 'active'"
    known = await house.ask(statement)
    told = {user for user, _ in talk.asked.values()}
    assert {row["id"] for row in known if city_of(row["id"]) in row["fact"]} == told
    assert [row["fact"] for row in known if city_of(row["id"]) not in row["fact"]] == []
    assert (talk.presses > 0, len(dead_workers) > 0, read_by_worker > 0) == (True, True, True)
    assert await house.count("select count(*) from turns where of_turn_id is not null") > 0
