"""Which dialogs the worker is asked to read, in which order, and how often those that do not get on."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from shared.application.jobs import Job, MemoryJobs, RefreshMemory
from shared.application.memory import service
from shared.domain.memory import MemoryStatus
from tests.application.memory_talk import fact, say, will_read
from tests.factories import ANN_ID, BOB_ID, BOT_ID, House

BRNO = fact("Lives in Brno", "I live in Brno")


async def test_the_worker_finds_what_rests_and_what_has_gone_on_for_some_turns(house: House) -> None:
    ann = await house.speaker()
    job = RefreshMemory(dialog_id=str(ann.dialog_id))
    await say(house, ann, "I live in Brno")
    [(at,)] = await house.rows("select created_at from turns")
    house.clock.at = at + timedelta(seconds=15)
    assert await house.memory.catch_up() == 0
    house.clock.at = at + timedelta(seconds=25)
    assert await house.memory.catch_up() == 1
    will_read(house, BRNO)
    await house.memory.refresh(ann.dialog_id)
    assert await house.memory.catch_up() == 0
    assert service.MEMORIES.labels(MemoryStatus.ACTIVE)._value.get() == 1
    await house.rows("update memory_marks set updated_at = now() returning 1")
    house.clock.at = at + timedelta(minutes=2.5)
    for said in ("One", "Two", "Three"):
        await say(house, ann, said)
    assert await house.memory.catch_up() == 0
    await say(house, ann, "Four")
    assert await house.memory.catch_up() == 1
    assert house.jobs.jobs == [job, job]


async def waiting(house: House, *people: int) -> list[RefreshMemory]:
    """The jobs that people who have said something, and rest since then, are waiting for."""
    speakers = [await house.speaker(telegram_user_id=one) for one in people]
    for one in speakers:
        await say(house, one, "I live in Brno")
    [(at,)] = await house.rows("select max(created_at) from turns")
    house.clock.at = at + timedelta(minutes=4)
    return [RefreshMemory(dialog_id=str(one.dialog_id)) for one in speakers]


async def asked_after(house: House, *minutes: int) -> list[int]:
    """How many dialogs are asked for after so many minutes each."""
    counts = list[int]()
    for one in minutes:
        house.clock.go_on(seconds=60.0 * one)
        counts.append(await house.memory.catch_up())
    return counts


async def test_a_dialog_that_does_not_get_on_is_asked_for_less_and_less_often(house: House) -> None:
    [job] = await waiting(house, ANN_ID)
    assert await asked_after(house, 0, 1, 1, 2, 2, 4, 4, 8, 8, 15, 1, 16) == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1]
    will_read(house, BRNO)
    await house.memory.refresh(UUID(job.dialog_id))
    ann = await house.speaker()
    await say(house, ann, "I live here still")
    await house.rows("update turns set created_at = :at returning 1", at=house.clock.now() - timedelta(minutes=2))
    assert await asked_after(house, 2, 2, 4) == [1, 1, 1]


async def test_a_dialog_that_did_not_get_on_for_weeks_keeps_no_others_waiting(house: House) -> None:
    ann, bob = await waiting(house, ANN_ID, BOB_ID)
    assert await asked_after(house, 0) == [2]
    await house.rows("update memory_requests set times = 5000 where dialog_id = :id returning 1", id=UUID(ann.dialog_id))
    assert await asked_after(house, 2, 14) == [1, 2]
    assert house.jobs.jobs == [ann, bob, bob, bob, ann]


async def test_dialogs_that_nobody_gets_done_keep_no_others_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_LAGGING", 1)
    ann, bob = await waiting(house, ANN_ID, BOB_ID)
    assert await asked_after(house, 0, 0, 0) == [1, 1, 0]
    assert house.jobs.jobs == [ann, bob]


async def test_who_speaks_later_is_read_before_those_whom_nobody_gets_done(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_LAGGING", 2)
    stuck = await waiting(house, ANN_ID, BOB_ID)
    assert await asked_after(house, 0) == [2]
    [later] = await waiting(house, BOB_ID + 1)
    assert await asked_after(house, 2) == [2]
    assert house.jobs.jobs == [*stuck, later, stuck[0]]


async def test_of_two_workers_that_look_at_once_one_asks(house: House) -> None:
    jobs = await waiting(house, ANN_ID, BOB_ID)
    assert sum(await asyncio.gather(*[house.memory.catch_up() for _ in range(4)])) == 2
    assert sorted(house.jobs.jobs, key=str) == sorted(jobs, key=str)


class NoBroker(MemoryJobs):
    async def enqueue(self, job: Job) -> bool:
        return False


async def test_what_no_broker_took_is_asked_for_at_once_when_there_is_one(house: House) -> None:
    jobs = await waiting(house, ANN_ID, BOB_ID)
    assert await replace(house.memory, jobs=NoBroker()).catch_up() == 0
    assert await house.memory.catch_up() == 2
    assert house.jobs.jobs == jobs


async def test_bots_take_turns_in_being_read(house: House) -> None:
    ann, bob, elsewhere = [await house.speaker(telegram_user_id=ANN_ID + number) for number in range(3)]
    for one in (ann, bob, elsewhere):
        await say(house, one, "I live in Brno")
    await house.rows("update dialogs set telegram_bot_id = :bot where id = :id returning 1", bot=BOT_ID + 1, id=elsewhere.dialog_id)
    [(at,)] = await house.rows("select max(created_at) from turns")
    house.clock.at = at + timedelta(minutes=4)
    await house.memory.catch_up()
    assert house.jobs.jobs == [RefreshMemory(dialog_id=str(one.dialog_id)) for one in (ann, elsewhere, bob)]
