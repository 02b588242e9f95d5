"""The daily allowance under load, at midnight, at its end."""

import asyncio

import pytest

from shared.application.chat import Said
from shared.domain.allowance import DailyTurnsSpentError
from shared.domain.speaker import Speaker
from tests.factories import House


async def say(house: House, speaker: Speaker, source_id: str) -> str:
    return "".join([piece.text async for piece in house.chat.reply(speaker, [Said(source_id, "Hi")])])


async def limited(house: House, turns: int | None) -> Speaker:
    await house.speaker()
    await house.rows("update plans set daily_turns = :turns", turns=turns)
    return await house.speaker()


async def test_of_fifty_turns_at_once_exactly_the_allowance_passes(house: House) -> None:
    ann = await limited(house, 7)
    ended = await asyncio.gather(*(say(house, ann, str(number)) for number in range(50)), return_exceptions=True)

    refused = [error for error in ended if isinstance(error, DailyTurnsSpentError)]
    assert (len([said for said in ended if isinstance(said, str)]), len(refused)) == (7, 43)
    assert {(error.limit, error.resets_at.isoformat()) for error in refused} == {(7, "2026-11-21T00:00:00+00:00")}
    assert await house.used(ann) == 7
    assert await house.rows("select status, count(*) from turns group by status") == [("finished", 7)]
    assert await house.rows("select count(*) from messages where role = 'user'") == [(7,)]


async def test_a_new_utc_day_begins_a_new_allowance(house: House) -> None:
    ann = await limited(house, 1)
    await say(house, ann, "1")
    house.clock.go_on(hours=11, minutes=59)
    with pytest.raises(DailyTurnsSpentError):
        await say(house, ann, "2")

    house.clock.go_on(minutes=1)
    assert await say(house, ann, "2") == "You said: Hi"
    assert await house.rows("select day::text, used from allowance_usages order by day") == [("2026-11-20", 1), ("2026-11-21", 1)]


async def test_a_plan_without_limit_never_ends(house: House) -> None:
    ann = await limited(house, None)
    assert [await say(house, ann, str(number)) for number in range(3)] == ["You said: Hi"] * 3
    state = await house.accounts.allowance(ann)
    assert (state.used, state.limit, state.left) == (3, None, None)


async def test_a_plan_of_nothing_lets_nothing_through(house: House) -> None:
    ann = await limited(house, 0)
    with pytest.raises(DailyTurnsSpentError):
        await say(house, ann, "1")
    assert await house.rows("select count(*) from allowance_usages") == [(0,)]


async def test_a_refused_message_leaves_no_trace_and_passes_when_there_is_allowance_again(house: House) -> None:
    ann = await limited(house, 1)
    await say(house, ann, "1")
    with pytest.raises(DailyTurnsSpentError):
        await say(house, ann, "2")
    assert await house.rows("select source_id from turns") == [("1",)]

    await house.rows("update plans set daily_turns = 2")
    assert await say(house, await house.speaker(), "2") == "You said: Hi"
