"""Taking back and correcting what was said: /undo, /new, an edited message, and Stop in a topic."""

import asyncio

from shared.adapters.llm.scripted import Fault
from tests.factories import ANN_ID, BOT_ID
from tests.services.bot.desk import Desk, until
from tests.services.bot.test_bot_chat import working
from tests.services.bot.test_bot_groups import join
from tests.services.bot.test_turn_buttons import AGAIN, TURNED, labels, two_answers


async def correct(desk: Desk, said: dict[str, object], text: str, chat: int = ANN_ID) -> None:
    change = {"bot_id": BOT_ID, "chat_id": chat, "user_id": ANN_ID, "message_id": said["message_id"], "text": text}
    await desk.sandbox.sim("edit", change)
    await desk.run()


async def test_the_reply_to_the_last_message_follows_its_correction(desk: Desk) -> None:
    said = await desk.tell("My cat is Tom")
    await correct(desk, said, "My cat is Tim")
    [reply] = await desk.seen()
    assert (reply["text"], labels(reply)) == ("You said: My cat is Tim", TURNED)
    await correct(desk, said, "My cat is Kim")
    assert await desk.texts() == ["You said: My cat is Kim"]
    await correct(desk, said, "My cat is Jim")
    assert desk.statements[-1] == ("edited_message", 3)


async def test_an_older_correction_is_remembered_and_nothing_is_said(desk: Desk) -> None:
    said = await desk.tell("My cat is Tom")
    await desk.tell("And I am Ann")
    await correct(desk, said, "My cat is Tim")
    assert (await desk.texts(), len(desk.model.prompts)) == (["You said: My cat is Tom", "You said: And I am Ann"], 2)
    await desk.tell("Her name?")
    assert [message.text for message in desk.model.prompts[-1]][2] == "My cat is Tim"


async def test_a_corrected_message_in_a_group_changes_the_reply_there(desk: Desk) -> None:
    chat = await join(desk)
    said = await desk.tell("@vitte_bot Tom", ANN_ID, chat)
    await correct(desk, said, "@vitte_bot Tim", chat)
    reply = (await desk.seen(chat))[-1]
    assert (reply["text"], labels(reply), len(await desk.seen(chat))) == ("You said: Ann: Tim", [], 2)


async def test_a_correction_of_a_reply_in_several_messages_is_answered_anew(desk: Desk) -> None:
    desk.model.queue(['["One.", "Two."]'])
    said = await desk.tell("Tom")
    await correct(desk, said, "Tim")
    assert [(message["text"], labels(message)) for message in await desk.seen()] == [
        ("One.", []),
        ("Two.", []),
        ("You said: Tim", TURNED),
    ]


async def test_a_correction_beyond_the_allowance_is_told_and_remembered(desk: Desk) -> None:
    await desk.house.rows("update plans set daily_turns = 1")
    said = await desk.tell("Tom")
    await correct(desk, said, "Tim")
    reply, sentence = await desk.texts()
    assert (reply, sentence[:33]) == ("You said: Tom", "You have used all 1 messages of t")
    assert await desk.house.rows("select text from messages where role = 'user'") == [("Tim",)]


async def test_undo_takes_back_the_last_turn_with_all_its_messages(desk: Desk) -> None:
    await desk.tell("one")
    desk.model.queue(['["Two.", "And more."]'])
    said = await desk.tell("two")
    await desk.tell("/undo")
    first, last = await desk.seen()
    assert (first["text"], last["text"]) == (
        "You said: one",
        "↩️ Taken back: this message and my reply. I do not remember them any more.",
    )
    assert last["reply_to_message_id"] == said["message_id"]

    await desk.tell("three")
    assert [message.text for message in desk.model.prompts[-1]][2:] == ["one", "You said: one", "three"]


async def test_undo_after_another_answer_takes_the_one_message_away(desk: Desk) -> None:
    await two_answers(desk)
    await desk.tell("/undo")
    await desk.tell("/undo")
    assert await desk.texts() == [
        "↩️ Taken back: this message and my reply. I do not remember them any more.",
        "There is nothing to take back.",
    ]


async def test_undo_of_a_reply_that_went_on_takes_back_that_reply_only(desk: Desk) -> None:
    await desk.tell("Hi")
    desk.model.queue("More.")
    await desk.press((await desk.seen())[0], "▶ Continue")
    await desk.tell("/undo")
    assert await desk.texts() == ["You said: Hi", "↩️ Taken back: my last reply. I do not remember it any more."]


async def test_undo_says_what_it_did_even_if_the_messages_cannot_be_deleted(desk: Desk) -> None:
    await desk.tell("Hi")
    [reply] = await desk.seen()
    await desk.sandbox.call("deleteMessage", chat_id=ANN_ID, message_id=reply["message_id"])
    await desk.faults({"kind": "error", "code": 400, "method": "deleteMessages", "times": 1})
    await desk.tell("/undo")
    assert [text[:2] for text in await desk.texts()] == ["↩️"]


async def test_the_buttons_under_what_was_taken_back_say_that_it_is_over(desk: Desk) -> None:
    desk.model.queue("Mine.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    await desk.tell("/new")
    await desk.press(reply, AGAIN)
    assert [given["text"] for given in await desk.answered()] == ["The conversation has moved on: this works only under the last reply."]


async def test_new_greets_again_and_what_was_said_is_over(desk: Desk) -> None:
    await desk.tell("/start")
    greeting = (await desk.texts())[0]
    await desk.tell("My cat is Tom")
    await desk.tell("/new")
    assert (await desk.texts())[-1] == greeting
    await desk.tell("Hi")
    assert [message.text for message in desk.model.prompts[-1]][2:] == ["Hi"]


async def test_stop_in_a_topic_leaves_the_reply_in_another_topic_alone(desk: Desk) -> None:
    chat = await join(desk, is_forum=True)
    topics = [await desk.sandbox.sim(f"chats/{chat}/topics", {"name": name}) for name in ("Cats", "Dogs")]
    cats, dogs = (topic["message_thread_id"] for topic in topics)
    connected = asyncio.ensure_future(desk.application.presence.keep(lambda *_: None))
    await until(lambda: desk.application.presence.is_connected)
    desk.model.break_next(Fault.hang())
    await desk.sandbox.say("@vitte_bot meow", ANN_ID, chat, message_thread_id=cats)
    async with working(desk):
        await until(lambda: desk.model.open_streams)
        await desk.tell("/stop@vitte_bot", ANN_ID, chat, message_thread_id=dogs)
        await until(lambda: _is_said(desk, chat, "Nothing is being written at the moment."))
        assert desk.model.open_streams == 1
        await desk.tell("/stop@vitte_bot", ANN_ID, chat, message_thread_id=cats)
    assert (await desk.texts(chat))[-1] == "⏹ Stopped."
    connected.cancel()
    await asyncio.wait([connected])


async def _is_said(desk: Desk, chat: int, text: str) -> bool:
    return text in await desk.texts(chat)
