"""In groups the bot speaks when it is spoken to, in the right topic, to the right message."""

import json
from typing import Any

import pytest

from tests.factories import ANN_ID, BOB_ID, BOT_ID, make_prose, make_update
from tests.services.bot.desk import Desk


async def join(desk: Desk, **chat: Any) -> int:
    """A supergroup of Ann and Bob that the bot, as administrator, reads all of; its arrival is worked on."""
    made = await desk.sandbox.sim("chats", {"type": "supergroup", "title": "Club", "members": [ANN_ID, BOB_ID], "bots": [BOT_ID], **chat})
    await desk.sandbox.sim(f"chats/{made['id']}/members", {"bot_id": BOT_ID, "status": "administrator"})
    await desk.run()
    return int(made["id"])


async def test_the_bot_introduces_itself_once_when_it_is_let_in(desk: Desk) -> None:
    chat = await join(desk)
    [hello] = await desk.seen(chat)
    assert hello["text"] == "Hello! I am Vitte. Mention me (@vitte_bot) or reply to one of my messages, and I will answer."
    assert desk.marked(hello) == [("bold", "Vitte"), ("mention", "@vitte_bot")]


async def test_a_channel_is_not_told_how_to_talk_with_the_bot(desk: Desk) -> None:
    ours = {"id": BOT_ID, "is_bot": True, "first_name": "Vitte", "username": "vitte_bot"}
    joined = make_update(900, kind="my_chat_member", chat=-1009, old_chat_member={"user": ours, "status": "left"})
    update = json.loads(joined)
    update["my_chat_member"]["chat"] = {"id": -1009, "type": "channel", "title": "News"}
    update["my_chat_member"]["new_chat_member"] = {"user": ours, "status": "member"}
    await desk.application.inbox.receive(BOT_ID, [json.dumps(update).encode()], notice="desk")
    await desk.work()
    assert (await desk.calls("sendMessage"), await desk.statuses()) == ([], ["handled"])


async def test_talk_among_people_is_left_alone_and_leaves_no_trace(desk: Desk) -> None:
    chat = await join(desk)
    for said in ("Hello Bob", "@bob look", "vitte_bot is nice", "mail@vitte_bot.example", "@vitte_botany"):
        await desk.tell(said, ANN_ID, chat)
    assert len(await desk.texts(chat)) == 1
    assert desk.model.prompts == []
    assert await desk.house.rows("select count(*) from users") == [(0,)]
    assert sum(statements for kind, statements in desk.statements if kind == "message") == 0


@pytest.mark.parametrize("mention", ["@vitte_bot", "@Vitte_Bot", "@VITTE_BOT,"])
async def test_a_mention_is_answered_to_that_message_without_the_name(desk: Desk, mention: str) -> None:
    chat = await join(desk)
    said = await desk.tell(f"{mention} who are you?", ANN_ID, chat)

    answer = (await desk.seen(chat))[-1]
    assert (answer["text"], answer["reply_to_message_id"]) == ("You said: Ann: who are you?", said["message_id"])


async def test_a_mention_in_the_middle_is_heard_too(desk: Desk) -> None:
    chat = await join(desk)
    await desk.tell("What do you think, @vitte_bot?", ANN_ID, chat)
    assert desk.model.prompts[0][-1].text == "Ann: What do you think, ?"


async def test_a_reply_to_the_bot_is_answered_and_people_are_told_apart(desk: Desk) -> None:
    chat = await join(desk)
    await desk.tell("@vitte_bot hi", ANN_ID, chat)
    answer = (await desk.seen(chat))[-1]
    await desk.tell("me too", BOB_ID, chat, reply_to=answer["message_id"])

    assert [message.text for message in desk.model.prompts[-1]][2:] == ["Ann: hi", "You said: Ann: hi", "Bob: me too"]
    assert [(await desk.house.speaker(telegram_user_id=who)).telegram_user_id for who in (ANN_ID, BOB_ID)] == [ANN_ID, BOB_ID]
    assert await desk.house.rows("select used from allowance_usages") == [(1,), (1,)]


async def test_a_reply_to_somebody_else_is_left_alone(desk: Desk) -> None:
    chat = await join(desk)
    said = await desk.tell("Hello Bob", ANN_ID, chat)
    await desk.tell("Hello Ann", BOB_ID, chat, reply_to=said["message_id"])
    assert desk.model.prompts == []


async def test_typing_is_shown_while_the_answer_is_written_and_no_draft(desk: Desk) -> None:
    chat = await join(desk)
    desk.model.first_token_seconds = 0.25
    await desk.tell("@vitte_bot hi", ANN_ID, chat)

    [action] = await desk.calls("sendChatAction")
    assert (action["params"]["chat_id"], action["params"]["action"]) == (chat, "typing")
    assert await desk.calls("sendMessageDraft") == []
    assert (await desk.texts(chat))[-1] == "You said: Ann: hi"


async def test_a_long_answer_replies_with_its_first_part_only(desk: Desk) -> None:
    chat = await join(desk)
    desk.model.queue([make_prose("a", 4000) + "\n\n" + make_prose("b", 4000)])
    said = await desk.tell("@vitte_bot write", ANN_ID, chat)
    first, second = (await desk.seen(chat))[1:]
    assert (first["reply_to_message_id"], "reply_to_message_id" in second) == (said["message_id"], False)


async def test_a_topic_is_answered_in_that_topic_and_has_a_memory_of_its_own(desk: Desk) -> None:
    chat = await join(desk, is_forum=True)
    topics = [await desk.sandbox.sim(f"chats/{chat}/topics", {"name": name}) for name in ("Cats", "Dogs")]
    cats, dogs = (topic["message_thread_id"] for topic in topics)
    desk.model.first_token_seconds = 0.2
    await desk.tell("@vitte_bot meow", ANN_ID, chat, message_thread_id=cats)
    await desk.tell("@vitte_bot woof", ANN_ID, chat, message_thread_id=dogs)
    await desk.tell("/status@vitte_bot", ANN_ID, chat, message_thread_id=dogs)

    answers = (await desk.seen(chat))[1:]
    assert [(answer["text"].splitlines()[0], answer["message_thread_id"]) for answer in answers] == [
        ("You said: Ann: meow", cats),
        ("You said: Ann: woof", dogs),
        ("Your status", dogs),
    ]
    assert "Ann: meow" not in [message.text for message in desk.model.prompts[-1]]
    assert [call["params"]["message_thread_id"] for call in await desk.calls("sendChatAction")] == [cats, dogs]


async def test_commands_for_us_are_answered_and_those_for_others_and_unknown_ones_are_not(desk: Desk) -> None:
    chat = await join(desk)
    await desk.tell("/help@vitte_bot", ANN_ID, chat)
    await desk.tell("/help@other_bot", ANN_ID, chat)
    await desk.tell("/dance", ANN_ID, chat)
    await desk.tell("/dance@vitte_bot", ANN_ID, chat)
    assert [text.splitlines()[0] for text in (await desk.texts(chat))[1:]] == ["How this works"]


async def test_an_operator_can_silence_the_bot_in_groups(desk: Desk) -> None:
    chat = await join(desk)
    await desk.application.switches.set("answer_in_groups", False, by="op")
    await desk.tell("@vitte_bot hi", ANN_ID, chat)
    await desk.tell("hi")
    assert (len(await desk.texts(chat)), await desk.texts()) == (1, ["You said: hi"])


async def test_a_limit_in_a_group_is_told_there(desk: Desk) -> None:
    chat = await join(desk)
    await desk.house.rows("update plans set daily_turns = 0")
    await desk.tell("@vitte_bot hi", BOB_ID, chat)
    assert (await desk.texts(chat))[-1] == "Вы использовали все сообщения на сегодня (0). Продолжим в 00:00 UTC – до встречи!"


async def test_being_thrown_out_while_an_answer_is_written_marks_nobody_as_gone(desk: Desk) -> None:
    chat = await join(desk)
    await desk.sandbox.say("@vitte_bot hi", ANN_ID, chat)
    await desk.fetch()
    await desk.sandbox.sim(f"chats/{chat}/members", {"bot_id": BOT_ID, "status": "kicked"})
    await desk.work()
    assert await desk.house.rows("select status from outbox where method = 'sendMessage' and telegram_update_id = "
                                 "(select max(telegram_update_id) from outbox)") == [("failed",)]  # fmt: skip
    assert await desk.house.rows("select blocked_at from users") == [(None,)]


async def test_a_corrected_mention_is_remembered_in_its_new_words(desk: Desk) -> None:
    chat = await join(desk)
    said = await desk.tell("@vitte_bot my cat is Tom", ANN_ID, chat)
    changed = {"bot_id": BOT_ID, "chat_id": chat, "user_id": ANN_ID, "message_id": said["message_id"], "text": "@vitte_bot my cat is Tim"}
    await desk.sandbox.sim("edit", changed)
    await desk.run()
    await desk.tell("@vitte_bot and?", ANN_ID, chat)
    assert desk.model.prompts[-1][2].text == "Ann: my cat is Tim"
