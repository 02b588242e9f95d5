"""Several messages in a row are one turn: those that wait, those that come before the reply begins, albums."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.adapters.llm.scripted import Fault
from shared.domain.inbox import Outcome
from tests.factories import ANN_ID, BOB_ID, BOT_ID, make_update
from tests.services.bot.desk import Desk, until
from tests.services.bot.test_bot_groups import join

PICTURE = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}


@asynccontextmanager
async def working(desk: Desk) -> AsyncIterator[None]:
    """The bot works while the person goes on."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desk.run())
        yield
        await task


async def waiting_for_model(desk: Desk) -> None:
    await until(lambda: desk.model.open_streams)


def photo(update_id: int, **fields: Any) -> bytes:
    """A photo from Ann, message id and update id alike."""
    update = json.loads(make_update(update_id))
    message = update["message"]
    del message["text"]
    update["message"] = {**message, "message_id": update_id, "photo": [PICTURE], **fields}
    return json.dumps(update).encode()


async def bring(desk: Desk, *bodies: bytes) -> None:
    await desk.application.inbox.receive(BOT_ID, bodies, notice="desk")
    await desk.work()


async def test_what_waits_together_is_answered_together_and_paid_once(desk: Desk) -> None:
    for number in range(6):
        await desk.sandbox.say(f"n{number}")
    await desk.run()

    assert await desk.texts() == ["You said: n0\nn1\nn2\nn3\nn4\nn5"]
    assert await desk.statuses() == ["handled"] * 6
    assert await desk.house.rows("select used from allowance_usages") == [(1,)]
    assert await desk.house.rows("select arrivals::int, handled::int, due_at is null from lanes") == [(6, 6, True)]


async def test_of_a_long_burst_the_model_hears_the_beginning_too(desk: Desk) -> None:
    for number in range(8):
        await desk.sandbox.say(f"part {number} " + "words and words " * 60)
    await desk.run()
    heard = desk.model.prompts[-1][-1].text
    assert [number for number in (0, 7) if f"part {number} " in heard] == [0, 7]


async def test_words_before_the_reply_begins_join_it_and_the_first_try_is_dropped(desk: Desk) -> None:
    desk.model.break_next(Fault.hang())
    await desk.sandbox.say("I have")
    async with working(desk):
        await waiting_for_model(desk)
        await desk.go_on("a question", "about Brno")

    assert await desk.texts() == ["You said: I have\na question\nabout Brno"]
    assert await desk.statuses() == ["handled"] * 3
    assert await desk.house.rows("select status from turns") == [("finished",)]
    assert await desk.house.rows("select used from allowance_usages") == [(1,)]


async def test_words_after_the_reply_has_begun_are_the_next_turn(desk: Desk) -> None:
    desk.model.queue("One two three four", "Yes.")
    desk.model.piece_seconds = 0.05
    await desk.sandbox.say("Count!")
    async with working(desk):
        await until(lambda: desk.sandbox.sim(f"calls?bot_id={BOT_ID}&method=sendMessageDraft"))
        await desk.go_on("Ready?", "Well?")
    assert await desk.texts() == ["One two three four", "Yes."]
    assert [message.text for message in desk.model.prompts[-1]][-2:] == ["One two three four", "Ready?\nWell?"]


async def test_a_reply_that_is_ready_at_once_waits_for_more_words(desk: Desk) -> None:
    await desk.application.switches.set("quiet_milliseconds", 10_000, by="test")
    await desk.sandbox.say("Hi")
    async with working(desk):
        await until(lambda: desk.model.prompts)
        await desk.application.switches.set("quiet_milliseconds", 0, by="test")
        await desk.go_on("there")
    assert await desk.texts() == ["You said: Hi\nthere"]
    assert len(desk.model.prompts) == 2


async def test_somebody_who_never_stops_writing_is_answered_all_the_same(desk: Desk) -> None:
    for _ in range(7):
        desk.model.break_next(Fault.hang())
    await desk.sandbox.say("w0")
    async with working(desk):
        for number in range(1, 8):
            await until(lambda number=number: len(desk.model.prompts) == number and desk.model.open_streams)  # type: ignore[misc]
            await desk.go_on(f"w{number}")
    assert await desk.texts() == ["You said: " + "\n".join(f"w{number}" for number in range(8))]


async def test_what_a_reply_took_that_nobody_saw_is_counted(desk: Desk) -> None:
    await desk.application.switches.set("quiet_milliseconds", 10_000, by="test")
    desk.model.queue("seen by nobody", "Hello!")
    await desk.sandbox.say("Hi")
    async with working(desk):
        await until(lambda: desk.model.prompts)
        await desk.application.switches.set("quiet_milliseconds", 0, by="test")
        await asyncio.sleep(0.05)
        await desk.go_on("there")
    [(prompt, completion)] = await desk.house.rows("select prompt_tokens, completion_tokens from turns")
    one = sum(len(message.text) for message in desk.model.prompts[0]) // 8
    assert await desk.texts() == ["Hello!"]
    assert prompt > 2 * one
    assert completion > 2


@pytest.mark.parametrize("between", ["/status", "/nothing"])
async def test_a_command_in_between_keeps_its_place(desk: Desk, between: str) -> None:
    for text in ("one", between, "two", "three"):
        await desk.sandbox.say(text)
    await desk.run()
    first, command, last = await desk.texts()
    assert (first, last) == ("You said: one", "You said: two\nthree")
    assert not command.startswith("You said")


async def test_an_answer_to_one_message_stands_by_itself(desk: Desk) -> None:
    await desk.tell("Hi")
    [reply] = await desk.seen()
    await desk.sandbox.say("one")
    await desk.sandbox.say("to that", reply_to=reply["message_id"])
    await desk.run()
    assert [message.text for message in desk.model.prompts[-1]][-1] == "to that"
    assert (await desk.texts())[1:] == ["You said: one", "You said: to that"]


async def test_two_people_of_a_group_are_answered_one_after_the_other(desk: Desk) -> None:
    chat = await join(desk)
    for text, user in (("@vitte_bot one", ANN_ID), ("@vitte_bot two", ANN_ID), ("@vitte_bot three", BOB_ID)):
        await desk.sandbox.say(text, user, chat)
    await desk.run()
    assert (await desk.texts(chat))[-2:] == ["You said: Ann: one\nAnn: two", "You said: Bob: three"]


async def test_an_update_that_failed_before_is_handled_alone(desk: Desk) -> None:
    for text in ("one", "two"):
        await desk.sandbox.say(text)
    await desk.fetch()
    await desk.house.rows("update lanes set attempts = 1")
    await desk.work()
    assert await desk.texts() == ["You said: one", "You said: two"]


async def test_words_that_an_attempt_had_merged_before_it_died_are_answered_once(desk: Desk) -> None:
    desk.model.break_next(Fault.hang(after_pieces=1))
    await desk.sandbox.say("one")
    await desk.sandbox.say("two")
    await desk.fetch()
    [lease] = await desk.take()
    dying = asyncio.ensure_future(desk.handle(lease))
    await waiting_for_model(desk)
    dying.cancel()
    await asyncio.wait([dying])
    await desk.house.rows("update lanes set due_at = clock_timestamp()")
    await desk.work()

    assert await desk.texts() == ["You said: one\ntwo"]
    assert await desk.statuses() == ["handled"] * 2
    assert await desk.house.rows("select used from allowance_usages") == [(1,)]


async def test_what_comes_after_words_that_were_answered_already_is_answered_too(desk: Desk) -> None:
    """A process died after it had merged; the one after it handles the first message alone, and with it the merged one."""
    for text in ("one", "two"):
        await desk.sandbox.say(text)
    desk.model.break_next(Fault.hang(after_pieces=1))
    await desk.fetch()
    [lease] = await desk.take()
    dying = asyncio.ensure_future(desk.handle(lease))
    await waiting_for_model(desk)
    dying.cancel()
    await asyncio.wait([dying])
    for text in ("three", "four"):
        await desk.sandbox.say(text)
    await desk.fetch()
    await desk.house.rows("update lanes set due_at = clock_timestamp()")
    await desk.work()
    assert await desk.texts() == ["You said: one\ntwo", "You said: three\nfour"]
    assert await desk.statuses() == ["handled"] * 4


async def test_a_burst_that_is_refused_is_told_once(desk: Desk) -> None:
    await desk.house.rows("update plans set daily_turns = 0")
    for text in ("one", "two", "three"):
        await desk.sandbox.say(text)
    await desk.run()
    [told] = await desk.texts()
    assert told.startswith("You have used all 0 messages")
    assert await desk.statuses() == ["handled"] * 3


@pytest.mark.parametrize("captioned", [0, 1, 2, None])
async def test_an_album_is_one_turn_wherever_its_words_stand(desk: Desk, captioned: int | None) -> None:
    await desk.tell("/start")
    captions: list[dict[str, str]] = [{"caption": "Our cat"} if number == captioned else {} for number in range(3)]
    await bring(desk, *(photo(900 + number, media_group_id="one", **caption) for number, caption in enumerate(captions)))
    [told] = (await desk.texts())[2:]
    if captioned is None:
        assert told.startswith("I can see that you sent a picture")
    else:
        assert told == "You said: (3 files that you cannot see) Our cat"
        assert await desk.house.rows("select source_id from messages where role = 'user'") == [(str(900 + captioned),)]
    assert await desk.statuses() == ["handled"] * 4


async def test_a_picture_with_words_is_answered_and_its_words_can_be_corrected(desk: Desk) -> None:
    await desk.tell("/start")
    await bring(desk, photo(900, caption="Our cta"))
    assert (await desk.texts())[-1] == "You said: (photo that you cannot see) Our cta"
    edited = json.loads(photo(901, caption="Our cat", message_id=900, edit_date=1))
    await bring(desk, json.dumps({"update_id": 901, "edited_message": edited["message"]}).encode())
    assert (await desk.texts())[-1] == "You said: (photo that you cannot see) Our cat"


async def test_a_picture_among_words_is_part_of_what_is_said(desk: Desk) -> None:
    await desk.tell("/start")
    words = [json.loads(make_update(number, text=text)) for number, text in ((900, "Look"), (902, "Nice?"))]
    for word, number in zip(words, (900, 902), strict=True):
        word["message"]["message_id"] = number
    first, last = (json.dumps(word).encode() for word in words)
    await bring(desk, first, photo(901, caption="Our cat"), last)
    assert (await desk.texts())[-1] == "You said: Look\n(photo that you cannot see) Our cat\nNice?"
    assert desk.ended[-1].outcome is Outcome.HANDLED
