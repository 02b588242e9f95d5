"""How a dialog's past is condensed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.adapters.llm.scripted import Fault, ScriptedModel
from shared.application.ports import ModelUnavailableError
from shared.domain.speaker import Speaker
from tests.application.memory_talk import asked_data, fact, memories, reading_model, say, will_read
from tests.factories import House, OneModel, make_character, make_dialog, make_message, make_prose, make_user, open_house

SUMMARY = "Ann spoke of her garden. They agreed to plant roses."


def house_parts() -> dict[str, Any]:
    """A reading model that finds no facts, and condenses whatever it is given into the same words."""

    def answer(prompt: object) -> str:
        return SUMMARY if "Task: summary" in str(prompt) else '{"facts": []}'

    return {"reading": OneModel(ScriptedModel(say=answer)), "prompt_tokens": 300}


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with open_house(database_url, **house_parts()) as house:
        yield house


async def chatter(house: House, speaker: Speaker, turns: int) -> None:
    for turn in range(turns):
        await say(house, speaker, f"{turn} " + make_prose("garden", 150))


async def summary(house: House) -> list[tuple[Any, ...]]:
    return await house.rows("select text, until_message_id, tokens_before > 300, tokens_after < 40, model from summaries")


async def test_what_fits_stays_as_it_was_said(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "I like roses")
    assert (await house.memory.refresh(ann.dialog_id)).folded == 0
    assert await summary(house) == []


async def test_an_outgrown_past_is_folded_but_for_its_newest_part(house: House) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    done = await house.memory.refresh(ann.dialog_id)
    rows = await house.rows("select id, role from messages order by id")
    [(text, until, is_more, is_less, model)] = await summary(house)
    assert (text, is_more, is_less, model) == (SUMMARY, True, True, "scripted:parrot")
    left = [role for number, role in rows if number > until]
    assert (len(left) >= 3, left[0], done.folded) == (True, "user", len(rows) - len(left))
    data = asked_data(house)
    assert (data["summary"], len(data["messages"]), data["messages"][0]["who"]) == (None, done.folded, "character")
    await say(house, ann, "And now?")
    system, *history = house.model.prompts[-1]
    assert SUMMARY in system.text
    assert len(history) == len(left) + 1


async def test_the_next_summary_stands_on_the_one_before(house: House) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    [(_, first, *_)] = await summary(house)
    await chatter(house, ann, 5)
    await house.memory.refresh(ann.dialog_id)
    assert asked_data(house)["summary"] == SUMMARY
    [(_, second, *_)] = await summary(house)
    assert second > first


async def test_what_was_undone_failed_or_is_no_longer_shown_is_not_told(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "UNDONE")
    await house.chat.undo(ann, source_id="undo")
    house.model.break_next(Fault.refused())
    with pytest.raises(ModelUnavailableError):
        await say(house, ann, "FAILED")
    await house.rows("update turns set created_at = now() - interval '1 hour' where status = 'failed' returning 1")
    await say(house, ann, "KEPT")
    await house.rows("update messages set is_active = false where text = 'You said: KEPT' returning 1")
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    told = str(asked_data(house)["messages"])
    assert ("KEPT" in told, "UNDONE" in told, "FAILED" in told, "'You said: KEPT'" in told) == (True, False, False, False)


async def test_a_dialog_begun_anew_while_the_model_writes_gets_no_summary_of_the_old(house: House) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    await chatter(house, ann, 5)
    reading_model(house).first_token_seconds = 0.1
    writing = asyncio.ensure_future(house.memory.refresh(ann.dialog_id))
    await asyncio.sleep(0.15)
    await house.chat.start_over(ann)
    await writing
    assert await summary(house) == []


async def test_two_workers_at_once_write_one_summary(house: House) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    reading_model(house).first_token_seconds = 0.05
    done = await asyncio.gather(house.memory.refresh(ann.dialog_id), house.memory.refresh(ann.dialog_id))
    assert sorted(one.folded > 0 for one in done) == [False, True]
    assert len(await summary(house)) == 1


@pytest.mark.parametrize("answer", ["", "...", '{"summary": "x"}', "<data>"])
async def test_a_summary_that_is_none_changes_nothing(house: House, answer: str) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    reading_model(house).queue('{"facts": []}', answer)
    assert (await house.memory.refresh(ann.dialog_id)).folded == 0
    assert await summary(house) == []


async def test_forgetting_everything_takes_summaries_along(house: House) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    await house.memory.forget_everything(ann)
    assert (await summary(house), await memories(house, ann)) == ([], [])
    await say(house, ann, "Who am I?")
    system, *history = house.model.prompts[-1]
    assert SUMMARY not in system.text
    assert [message.text for message in history] == ["Who am I?"]


async def test_a_forgotten_fact_leaves_the_summary_and_is_not_told_again(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "I live in Brno")
    will_read(house, fact("Lives in Brno", "I live in Brno"))
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    assert len(await summary(house)) == 1
    [memory] = (await house.memory.known(ann)).memories
    await house.memory.forget(ann, memory.id)
    assert await summary(house) == []
    await house.memory.refresh(ann.dialog_id)
    told = [one["text"] for one in asked_data(house)["messages"] if one["who"] == "user"]
    assert ("I live in Brno" in told, len(told)) == (False, 4)
    assert len(await summary(house)) == 1


async def test_a_long_backlog_is_folded_piece_by_piece(house: House) -> None:
    ann = await house.speaker()
    dialog = make_dialog(make_user(), make_character(), id=ann.dialog_id, user_id=ann.user_id)
    for number in range(30):
        await house.add(make_message(dialog, role="user" if number % 2 else "assistant", text=make_prose(f"word{number} ", 1100)))
    done = await house.memory.refresh(ann.dialog_id)
    assert (done.folded, len(reading_model(house).prompts)) == (28, 3)
