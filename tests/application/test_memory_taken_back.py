"""What people forget, undo or correct leaves the summary of its dialog, however late, and while a model is writing it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.domain.speaker import Speaker
from tests.application.memory_talk import asked_data, fact, learn, memories, reading_model, say, will_read
from tests.application.test_memory_summary import SUMMARY, chatter, house_parts, summary
from tests.factories import House, open_house

BRNO = fact("Lives in Brno", "I live in Brno")


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with open_house(database_url, **house_parts()) as house:
        yield house


async def told(house: House, word: str) -> list[str]:
    """Of what the last summary was written, as far as it has this word."""
    return [one["text"] for one in asked_data(house)["messages"] if word in one["text"]]


async def forget_only(house: House, speaker: Speaker) -> None:
    [memory] = (await house.memory.known(speaker)).memories
    await house.memory.forget(speaker, memory.id)


async def writing_a_summary(house: House, speaker: Speaker) -> asyncio.Future[object]:
    """Begun, and not ended for some time."""
    reading_model(house).first_token_seconds = 0.3
    writing = asyncio.ensure_future(house.memory.refresh(speaker.dialog_id))
    for _ in range(250):
        if any("Task: summary" in prompt[0].text for prompt in reading_model(house).prompts[-1:]):
            return writing
        await asyncio.sleep(0.02)
    raise AssertionError("no summary was asked for")


async def test_what_is_forgotten_while_the_first_summary_is_written_is_not_in_it(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await chatter(house, ann, 6)
    writing = await writing_a_summary(house, ann)
    await forget_only(house, ann)
    await writing
    assert (await told(house, "I live in Brno"), await summary(house)) == (["I live in Brno", "You said: I live in Brno"], [])
    await house.memory.refresh(ann.dialog_id)
    assert (await told(house, "Brno"), len(await summary(house))) == ([], 1)


async def test_what_is_corrected_while_the_first_summary_is_written_is_not_in_it(house: House) -> None:
    ann = await house.speaker()
    source = await say(house, ann, "I live in Brno")
    await chatter(house, ann, 6)
    writing = await writing_a_summary(house, ann)
    await house.chat.edit(ann, source, "I like tea")
    await writing
    assert await summary(house) == []


async def test_a_correction_of_folded_words_has_the_summary_written_anew(house: House) -> None:
    ann = await house.speaker()
    source = await say(house, ann, "I live in Brno")
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    assert len(await summary(house)) == 1
    await house.chat.edit(ann, source, "I like tea")
    assert await summary(house) == []
    await house.memory.refresh(ann.dialog_id)
    assert ("I like tea" in await told(house, "tea"), len(await summary(house))) == (True, 1)


async def test_a_correction_of_what_is_not_folded_leaves_the_summary(house: House) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    before = await summary(house)
    source = await say(house, ann, "I live in Brno")
    await house.chat.edit(ann, source, "I like tea")
    assert (await summary(house), len(before)) == (before, 1)


async def test_undoing_folded_turns_takes_the_summary_along(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "I live in Brno")
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    await house.chat.undo(ann, source_id="undo0")
    assert len(await summary(house)) == 1
    for number in range(1, 7):
        await house.chat.undo(ann, source_id=f"undo{number}")
    assert await summary(house) == []
    await say(house, ann, "Hi")
    assert SUMMARY not in house.model.prompts[-1][0].text


@pytest.mark.parametrize("begins", ["forget", "new"])
async def test_an_old_message_that_is_corrected_after_a_fresh_start_is_not_read(house: House, begins: str) -> None:
    ann = await house.speaker()
    source = await say(house, ann, "I live in Brno")
    will_read(house, BRNO)
    await house.memory.refresh(ann.dialog_id)
    await (house.memory.forget_everything(ann) if begins == "forget" else house.chat.start_over(ann))
    await house.chat.edit(ann, source, "I live in Brno!")
    calls = len(reading_model(house).prompts)
    assert (await house.memory.refresh(ann.dialog_id)).facts == {}
    assert (len(reading_model(house).prompts), await memories(house, ann)) == (calls, [])
