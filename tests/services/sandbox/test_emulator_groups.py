"""Groups: what a bot gets to see, topics, membership, flood."""

from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox


async def test_a_bot_that_is_added_hears_of_it(sandbox: Sandbox) -> None:
    chat = await sandbox.sim("chats", {"type": "group", "title": "Friends", "members": [ANN], "bots": [BOT_ID]})
    assert (chat["type"], chat["member_ids"], chat["bot_ids"]) == ("group", [ANN], [BOT_ID])
    joined, created = await sandbox.updates()
    change = joined["my_chat_member"]
    assert (change["old_chat_member"]["status"], change["new_chat_member"]["status"]) == ("left", "member")
    assert created["message"]["group_chat_created"] is True


async def test_privacy_mode_shows_commands_replies_and_mentions_only(sandbox: Sandbox, group: int) -> None:
    mine = await sandbox.call("sendMessage", chat_id=group, text="hello all")
    name = (await sandbox.call("getMe"))["username"]
    for text, more in (
        ("just chatting", {}),
        ("/help", {}),
        (f"/help@{name}", {}),
        ("/help@another_bot", {}),
        (f"hey @{name}!", {}),
        (f"hey @{name}x", {}),
        ("yes", {"reply_to": mine["message_id"]}),
    ):
        await sandbox.say(text, chat=group, **more)
    assert [update["message"]["text"] for update in await sandbox.updates()] == ["/help", f"/help@{name}", f"hey @{name}!", "yes"]


async def test_an_administrator_sees_everything(sandbox: Sandbox, group: int) -> None:
    await sandbox.sim(f"chats/{group}/members", {"bot_id": BOT_ID, "status": "administrator"})
    sent = await sandbox.say("just chatting", user=BOB, chat=group)
    change, update = await sandbox.updates()
    assert change["my_chat_member"]["new_chat_member"]["status"] == "administrator"
    assert update["update_id"] == sent["update_id"]
    assert (await sandbox.call("getChatMember", chat_id=group, user_id=BOT_ID))["can_delete_messages"] is True


async def test_a_message_the_bot_may_not_see_has_no_update(sandbox: Sandbox, group: int) -> None:
    assert (await sandbox.say("just chatting", chat=group))["update_id"] is None


async def test_a_bot_that_was_thrown_out_cannot_write(sandbox: Sandbox, group: int) -> None:
    await sandbox.sim(f"chats/{group}/members", {"bot_id": BOT_ID, "status": "kicked"})
    refused = await sandbox.refusal("sendMessage", chat_id=group, text="but why")
    assert (refused.status, refused.words) == (403, "Forbidden: bot was kicked from the supergroup chat")
    await sandbox.say("/help", chat=group)
    assert [list(update)[1] for update in await sandbox.updates()] == ["my_chat_member"]


async def test_a_bot_that_left_is_no_member(sandbox: Sandbox, group: int) -> None:
    assert await sandbox.call("leaveChat", chat_id=group) is True
    refused = await sandbox.refusal("sendMessage", chat_id=group, text="x")
    assert refused.words == "Forbidden: bot is not a member of the supergroup chat"


async def test_twenty_messages_a_minute_are_enough_for_a_group(sandbox: Sandbox, group: int) -> None:
    for number in range(19):
        await sandbox.call("sendMessage", chat_id=group, text=str(number))
    last = await sandbox.call("sendMessage", chat_id=group, text="19")
    refused = await sandbox.refusal("editMessageText", chat_id=group, message_id=last["message_id"], text="20")
    assert refused.status == 429
    assert 55 <= refused.answer["parameters"]["retry_after"] <= 60
    for number in range(25):
        await sandbox.call("sendMessage", chat_id=ANN, text=str(number))


async def test_topics(sandbox: Sandbox) -> None:
    chat = await sandbox.sim("chats", {"type": "supergroup", "title": "Forum", "is_forum": True, "members": [ANN], "bots": [BOT_ID]})
    topic = await sandbox.sim(f"chats/{chat['id']}/topics", {"name": "Dragons"})
    thread = topic["message_thread_id"]
    await sandbox.say("/roar", chat=chat["id"], message_thread_id=thread)
    message = (await sandbox.updates())[-1]["message"]
    assert (message["message_thread_id"], message["is_topic_message"]) == (thread, True)
    assert message["reply_to_message"]["forum_topic_created"]["name"] == "Dragons"
    answer = await sandbox.call("sendMessage", chat_id=chat["id"], text="Roar", message_thread_id=thread)
    assert answer["message_thread_id"] == thread

    refused = await sandbox.refusal("createForumTopic", chat_id=chat["id"], name="Elves")
    assert refused.words == "Bad Request: not enough rights to create a topic"
    await sandbox.sim(f"chats/{chat['id']}/members", {"bot_id": BOT_ID, "status": "administrator"})
    created = await sandbox.call("createForumTopic", chat_id=chat["id"], name="Elves")
    state = await sandbox.sim("state")
    [shown] = [known for known in state["chats"] if known["id"] == chat["id"]]
    assert shown["topics"] == [topic, {"message_thread_id": created["message_thread_id"], "name": "Elves"}]


async def test_no_topics_in_an_ordinary_chat(sandbox: Sandbox, group: int) -> None:
    assert (await sandbox.refusal("createForumTopic", chat_id=group, name="x")).words == "Bad Request: the chat is not a forum"


async def test_who_is_in_a_group(sandbox: Sandbox, group: int) -> None:
    assert await sandbox.call("getChatMemberCount", chat_id=group) == 3
    [owner] = await sandbox.call("getChatAdministrators", chat_id=group)
    assert (owner["user"]["id"], owner["status"]) == (ANN, "creator")
    assert (await sandbox.call("getChatMember", chat_id=group, user_id=BOB))["status"] == "member"
    assert (await sandbox.refusal("getChatMember", chat_id=group, user_id=12)).words == "Bad Request: user not found"
    assert (await sandbox.call("getChat", chat_id=group))["title"] == "Book club"


async def test_only_members_write_in_a_group(sandbox: Sandbox) -> None:
    chat = await sandbox.sim("chats", {"type": "group", "title": "Two", "members": [ANN], "bots": [BOT_ID]})
    body = {"bot_id": BOT_ID, "chat_id": chat["id"], "user_id": BOB, "text": "let me in"}
    assert await sandbox.sim("send", body, status=400) == {"error": f"user {BOB} is not a member of chat {chat['id']}"}
