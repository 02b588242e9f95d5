"""What people take back in the moment when a summary of it is committed is in no summary afterwards."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from shared.domain.speaker import Speaker
from tests.application.memory_talk import fact, say, will_read
from tests.application.test_memory_summary import chatter, house_parts, summary
from tests.factories import House, open_house


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with open_house(database_url, **house_parts()) as house:
        yield house


async def while_a_summary_is_committed(house: House, speaker: Speaker, taking_back: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Begun when the summary of all that was said is written and nobody sees it yet."""
    async with house.database.statement() as tx:
        past = await tx.memory_reading.past(speaker.dialog_id, 100)
    assert past is not None
    is_written = asyncio.Event()

    async def take_back() -> None:
        await is_written.wait()
        await taking_back()

    taken = asyncio.ensure_future(take_back())
    async with house.database.transaction() as tx:
        until, tokens = past.messages[-1].id, {"tokens_before": 1, "tokens_after": 1}
        assert await tx.memory_reading.summarise(past, text="Ann lives in Brno.", until=until, model="x", **tokens)
        is_written.set()
        await asyncio.sleep(0.1)
    await taken


@pytest.mark.parametrize("way", ["everything", "new"])
async def test_a_fresh_start_takes_along_the_summary_that_is_being_committed(house: House, way: str) -> None:
    ann = await house.speaker()
    await say(house, ann, "I live in Brno")
    ways = {"everything": lambda: house.memory.forget_everything(ann), "new": lambda: house.chat.start_over(ann)}
    await while_a_summary_is_committed(house, ann, ways[way])
    assert await summary(house) == []


@pytest.mark.parametrize("way", ["edit", "undo", "forget"])
async def test_a_summary_that_was_committed_while_its_words_were_taken_back_goes_with_the_next_reading(house: House, way: str) -> None:
    ann = await house.speaker()
    await say(house, ann, "I like jazz")
    await house.memory.refresh(ann.dialog_id)
    source = await say(house, ann, "I live in Brno")
    will_read(house, fact("Lives in Brno", "I live in Brno"))
    await house.memory.refresh(ann.dialog_id)
    [memory] = (await house.memory.known(ann)).memories
    ways = {
        "edit": lambda: house.chat.edit(ann, source, "I like tea"),
        "undo": lambda: house.chat.undo(ann, source_id="undo"),
        "forget": lambda: house.memory.forget(ann, memory.id),
    }
    await while_a_summary_is_committed(house, ann, ways[way])
    await house.memory.refresh(ann.dialog_id)
    assert await summary(house) == []


async def test_a_summary_of_words_that_stand_is_not_written_twice(house: House) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    before = await summary(house)
    await house.memory.refresh(ann.dialog_id)
    assert (await summary(house), len(before)) == (before, 1)
