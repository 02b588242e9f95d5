"""A conversation as the person sees it: draft, final message, Stop, corrections, limits, a model that is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.adapters.llm.scripted import Fault
from tests.factories import ANN_ID, BOB_ID, BOT_ID
from tests.services.bot.desk import Desk, until


@asynccontextmanager
async def working(desk: Desk) -> AsyncIterator[None]:
    """The bot works while the person goes on."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(desk.run())
        yield
        await task


async def test_a_reply_arrives_as_one_message_with_its_markup(desk: Desk) -> None:
    desk.model.queue("I am **glad** to *see* you, `Ann`.")
    await desk.tell("Hi")

    [reply] = await desk.seen()
    assert reply["text"] == "I am glad to see you, Ann."
    assert desk.marked(reply) == [("bold", "glad"), ("italic", "see"), ("code", "Ann")]
    assert "reply_to_message_id" not in reply


async def test_a_chat_turn_costs_three_statements(desk: Desk) -> None:
    await desk.tell("Hi")
    await desk.tell("How are you?")
    assert desk.statements[-1] == ("message", 3)


async def test_a_reply_that_takes_its_time_is_shown_while_it_is_written(desk: Desk) -> None:
    desk.model.queue("It was **night**, and all was still in the harbour.")
    desk.model.piece_seconds = 0.04
    await desk.sandbox.say("Tell me")
    async with working(desk):
        draft = await until(lambda: _draft(desk))
        assert draft["can_stop"]
    assert "It was night, and all was still in the harbour.".startswith(draft["text"])

    transcript = await desk.sandbox.transcript()
    assert transcript["drafts"] == []
    assert await desk.texts() == ["It was night, and all was still in the harbour."]
    order = [call["method"] for call in await desk.sandbox.sim(f"calls?bot_id={BOT_ID}")]
    assert order.index("sendMessageDraft") < order.index("sendMessage")
    assert order[-1] == "sendMessage"


async def _draft(desk: Desk) -> dict[str, object] | None:
    drafts = [draft for draft in (await desk.sandbox.transcript())["drafts"] if draft["text"]]
    return drafts[0] if drafts else None


async def test_the_switch_for_streaming_leaves_one_message_and_no_draft(desk: Desk) -> None:
    await desk.application.switches.set("streaming", False, by="op")
    desk.model.piece_seconds = 0.03
    await desk.tell("Count to six, please, slowly")
    assert await desk.texts() == ["You said: Count to six, please, slowly"]
    assert await desk.calls("sendMessageDraft") == []


async def test_a_long_reply_comes_in_parts_in_order(desk: Desk) -> None:
    said = "\n\n".join(f"Paragraph {number}: " + " ".join(f"word{number}-{place}" for place in range(70)) for number in range(15))
    desk.model.queue([said])
    await desk.tell("Write a lot")

    texts = await desk.texts()
    assert len(texts) == 3
    assert all(len(text) <= 4096 for text in texts)
    assert "".join("".join(texts).split()) == "".join(said.split())
    assert await desk.house.rows("select status from outbox order by step") == [("sent",)] * 3


async def test_the_stop_button_ends_the_reply_and_keeps_what_was_said(desk: Desk) -> None:
    desk.model.queue(["Once ", "upon ", "a time"])
    desk.model.break_next(Fault.hang(after_pieces=2))
    await desk.sandbox.say("A story!")
    async with working(desk):
        draft = await until(lambda: _draft(desk))
        await desk.sandbox.sim("stop", {"bot_id": BOT_ID, "chat_id": ANN_ID, "draft_id": draft["draft_id"]})
        await desk.run()

    assert await desk.texts() == ["Once upon"]
    assert await desk.house.rows("select status, error_code from turns") == [("interrupted", "stopped")]
    assert desk.model.open_streams == 0
    await desk.tell("Go on")
    assert [message.text for message in desk.model.prompts[-1]][-2:] == ["Once upon", "Go on"]


async def test_the_stop_command_before_the_first_word_says_that_it_stopped(desk: Desk) -> None:
    desk.model.break_next(Fault.hang())
    await desk.sandbox.say("A story!", BOB_ID)
    async with working(desk):
        await until(lambda: desk.model.open_streams)
        await desk.tell("/stop", BOB_ID)
    assert await desk.texts(BOB_ID) == ["⏹ Остановлено."]


async def test_stop_with_nothing_to_stop_says_so(desk: Desk) -> None:
    connected = asyncio.ensure_future(desk.application.presence.keep(lambda *_: None))
    await until(lambda: desk.application.presence.is_connected)
    await desk.tell("/stop")
    await desk.tell("/stop", BOB_ID)
    assert await desk.texts() == ["Nothing is being written at the moment."]
    assert await desk.texts(BOB_ID) == ["Сейчас ничего не пишется."]
    connected.cancel()
    await asyncio.wait([connected])


async def test_stop_reaches_a_reply_that_another_process_writes(desk: Desk) -> None:
    heard: list[tuple[str, str]] = []
    connected = asyncio.ensure_future(desk.application.presence.keep(lambda *notice: heard.append(notice)))
    await until(lambda: desk.application.presence.is_connected)
    await desk.tell("/stop")
    await until(lambda: heard)
    assert ("vitte_stop", f"[{ANN_ID}, null, 0]") in heard
    connected.cancel()
    await asyncio.wait([connected])


async def test_a_corrected_message_is_what_the_character_remembers(desk: Desk) -> None:
    said = await desk.tell("My cat is Tom")
    await desk.sandbox.sim(
        "edit", {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": said["message_id"], "text": "My cat is Tim"}
    )
    await desk.run()
    assert await desk.texts() == ["You said: My cat is Tim"]

    await desk.tell("Her name?")
    assert [message.text for message in desk.model.prompts[-1]][2:4] == ["My cat is Tim", "You said: My cat is Tim"]


async def test_a_model_that_breaks_off_leaves_what_it_said(desk: Desk) -> None:
    desk.model.queue("Once upon a time")
    desk.model.break_next(Fault.cut(after_pieces=2))
    await desk.tell("A story!")
    assert await desk.texts() == ["Once upon"]


async def test_a_spent_allowance_is_told_with_its_number_and_hour(desk: Desk) -> None:
    await desk.house.rows("update plans set daily_turns = 1")
    await desk.tell("one")
    await desk.tell("two")
    assert (await desk.texts())[-1] == "You have used all 1 messages of today. It goes on at 00:00 UTC – see you then!"
    assert len(desk.model.prompts) == 1

    desk.house.clock.go_on(days=1)
    await desk.tell("three")
    assert (await desk.texts())[-1] == "You said: three"


async def test_an_update_that_comes_twice_is_answered_once(desk: Desk) -> None:
    await desk.faults({"kind": "duplicate_updates", "times_each": 3, "times": 2})
    await desk.tell("Hi")
    await desk.run()
    assert await desk.texts() == ["You said: Hi"]
    assert len(desk.model.prompts) == 1


async def test_one_chat_that_waits_does_not_hold_up_another(desk: Desk) -> None:
    desk.model.break_next(Fault.hang())
    await desk.sandbox.say("slow")
    async with working(desk):
        await until(lambda: desk.model.open_streams)
        await desk.tell("quick", BOB_ID)
        assert await desk.texts(BOB_ID) == ["You said: quick"]
        assert await desk.texts() == []
        await desk.tell("/stop")
    assert await desk.texts() == ["⏹ Stopped."]


async def test_a_reply_that_renders_to_nothing_is_not_silence(desk: Desk) -> None:
    desk.model.queue([" \n "])
    await desk.tell("Hi")
    assert len(await desk.texts()) == 1
