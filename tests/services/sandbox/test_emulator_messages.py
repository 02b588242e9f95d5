"""Sending, editing, deleting: what Telegram refuses, in its words, and what it gives back."""

import time
from typing import Any

import pytest

from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox

BUTTON = {"inline_keyboard": [[{"text": "More", "callback_data": "more"}]]}


async def test_a_message_arrives_as_it_was_meant(sandbox: Sandbox) -> None:
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="  <b>Hi</b> 😀 /help ", parse_mode="HTML", reply_markup=BUTTON)
    assert sent["text"] == "Hi 😀 /help"
    assert sent["entities"] == [
        {"type": "bold", "offset": 0, "length": 2},
        {"type": "bot_command", "offset": 6, "length": 5},
    ]
    assert sent["reply_markup"] == BUTTON
    assert sent["chat"] == {"id": ANN, "first_name": "Ann", "username": "ann_a", "type": "private"}
    shown = (await sandbox.transcript())["messages"][-1]
    assert (shown["message_id"], shown["text"], shown["from"]["is_bot"]) == (sent["message_id"], "Hi 😀 /help", True)


async def test_form_multipart_and_query_say_the_same_as_json(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/bot{sandbox.token}/sendmessage"
    form = {"chat_id": str(ANN), "text": "x", "reply_markup": '{"inline_keyboard":[[{"text":"More","callback_data":"more"}]]}'}
    async with sandbox.session.post(url, data=form) as response:
        assert (await response.json())["result"]["reply_markup"] == BUTTON
    async with sandbox.session.post(url, params={"chat_id": str(ANN), "text": "y"}) as response:
        assert (await response.json())["result"]["text"] == "y"


TOO_LONG = "😀" * 2048 + "a"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"chat_id": ANN, "text": " \n "}, "message text is empty"),
        ({"chat_id": ANN}, "message text is empty"),
        ({"chat_id": ANN, "text": TOO_LONG}, "message is too long"),
        ({"text": "x"}, "chat_id is empty"),
        ({"chat_id": 99, "text": "x"}, "chat not found"),
        ({"chat_id": BOB, "text": "x"}, "chat not found"),
        ({"chat_id": "@nobody", "text": "x"}, "chat not found"),
        ({"chat_id": ANN, "text": "x", "parse_mode": "XML"}, "unsupported parse_mode"),
        (
            {"chat_id": ANN, "text": "<u>x", "parse_mode": "HTML"},
            "can't parse entities: Can't find end tag corresponding to start tag \"u\"",
        ),
        (
            {"chat_id": ANN, "text": "v1.0", "parse_mode": "MarkdownV2"},
            "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
        ),
        ({"chat_id": ANN, "text": "x", "reply_parameters": {"message_id": 1}}, "message to be replied not found"),
        ({"chat_id": ANN, "text": "x", "message_thread_id": 5}, "message thread not found"),
        ({"chat_id": ANN, "text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
        ({"chat_id": ANN, "text": "x", "reply_markup": "[]"}, "object expected as reply markup"),
    ],
)
async def test_a_wrong_message_is_refused_in_telegrams_words_and_nothing_is_sent(
    sandbox: Sandbox, params: dict[str, Any], words: str
) -> None:
    refused = await sandbox.refusal("sendMessage", **params)
    assert (refused.status, refused.words) == (400, f"Bad Request: {words}")
    assert len((await sandbox.transcript())["messages"]) == 1


async def test_the_longest_text_is_counted_in_utf16_after_parsing(sandbox: Sandbox) -> None:
    sent = await sandbox.call("sendMessage", chat_id=ANN, text=f"<b>{'😀' * 2048}</b>", parse_mode="HTML")
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 4096}]


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ({"text": "x", "callback_data": "я" * 32 + "x"}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        ({"text": "x"}, "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        ({"text": "", "callback_data": "x"}, "inline keyboard button text must be non-empty"),
        ({"text": "x", "url": "http://localhost/"}, "inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL"),
    ],
)
async def test_a_wrong_button_is_refused(sandbox: Sandbox, button: dict[str, str], words: str) -> None:
    refused = await sandbox.refusal("sendMessage", chat_id=ANN, text="x", reply_markup={"inline_keyboard": [[button]]})
    assert refused.words == f"Bad Request: {words}"


async def test_64_bytes_of_button_data_are_allowed(sandbox: Sandbox) -> None:
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": "я" * 32}]]}
    assert (await sandbox.call("sendMessage", chat_id=ANN, text="x", reply_markup=markup))["reply_markup"] == markup


async def test_a_reply_keyboard_reaches_the_person_but_is_no_part_of_the_message(sandbox: Sandbox) -> None:
    keyboard = {"keyboard": [[{"text": "Yes"}]], "resize_keyboard": True}
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="?", reply_markup=keyboard)
    assert "reply_markup" not in sent
    assert (await sandbox.transcript())["messages"][-1]["reply_markup"] == keyboard


async def test_bots_do_not_write_to_bots_nor_to_whoever_blocked_them(sandbox: Sandbox) -> None:
    refused = await sandbox.refusal("sendMessage", chat_id=BOT_ID, text="me?")
    assert (refused.status, refused.words) == (403, "Forbidden: bots can't send messages to bots")

    await sandbox.sim("block", {"bot_id": BOT_ID, "user_id": ANN, "blocked": True})
    refused = await sandbox.refusal("sendMessage", chat_id=ANN, text="still there?")
    assert (refused.status, refused.words) == (403, "Forbidden: bot was blocked by the user")
    [update] = await sandbox.updates()
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"

    await sandbox.sim("block", {"bot_id": BOT_ID, "user_id": ANN, "blocked": False})
    assert (await sandbox.call("sendMessage", chat_id=ANN, text="welcome back"))["text"] == "welcome back"


async def test_a_person_who_never_wrote_but_shares_a_group_cannot_be_written_to(sandbox: Sandbox, group: int) -> None:
    refused = await sandbox.refusal("sendMessage", chat_id=BOB, text="psst")
    assert (refused.status, refused.words) == (403, "Forbidden: bot can't initiate conversation with a user")


async def test_an_edit_changes_takes_away_and_says_when_nothing_changed(sandbox: Sandbox) -> None:
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="one", reply_markup=BUTTON)
    same = {"chat_id": ANN, "message_id": sent["message_id"]}
    refused = await sandbox.refusal("editMessageText", **same, text="one", reply_markup=BUTTON)
    assert refused.words == (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content "
        "and reply markup of the message"
    )
    edited = await sandbox.call("editMessageText", **same, text="one")
    assert "reply_markup" not in edited
    assert edited["edit_date"] >= sent["date"]
    assert (await sandbox.call("editMessageReplyMarkup", **same, reply_markup=BUTTON))["reply_markup"] == BUTTON
    assert (
        await sandbox.refusal("editMessageCaption", **same, caption="x")
    ).words == "Bad Request: there is no caption in the message to edit"


async def test_only_an_own_message_that_is_there_can_be_edited(sandbox: Sandbox) -> None:
    foreign = (await sandbox.say("mine"))["message_id"]
    assert (
        await sandbox.refusal("editMessageText", chat_id=ANN, message_id=foreign, text="x")
    ).words == "Bad Request: message can't be edited"
    assert (await sandbox.refusal("editMessageText", chat_id=ANN, message_id=1, text="x")).words == "Bad Request: message to edit not found"


async def test_deleting(sandbox: Sandbox) -> None:
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="oops")
    assert await sandbox.call("deleteMessage", chat_id=ANN, message_id=sent["message_id"]) is True
    refused = await sandbox.refusal("deleteMessage", chat_id=ANN, message_id=sent["message_id"])
    assert refused.words == "Bad Request: message to delete not found"
    old = await sandbox.call("sendMessage", chat_id=ANN, text="old")
    sandbox.world.bots[BOT_ID].private[ANN].messages[old["message_id"]].body["date"] = int(time.time()) - 49 * 3600
    assert (await sandbox.refusal("deleteMessage", chat_id=ANN, message_id=old["message_id"])).words == (
        "Bad Request: message can't be deleted for everyone"
    )


async def test_a_reply_carries_what_it_replies_to_in_both_directions(sandbox: Sandbox) -> None:
    asked = await sandbox.say("how old are you?")
    answer = await sandbox.call("sendMessage", chat_id=ANN, text="very", reply_parameters={"message_id": asked["message_id"]})
    assert answer["reply_to_message"]["text"] == "how old are you?"
    await sandbox.say("really?", reply_to=answer["message_id"])
    update = (await sandbox.updates())[-1]
    assert update["message"]["reply_to_message"]["text"] == "very"
    assert "reply_to_message" not in update["message"]["reply_to_message"]


async def test_copying_and_forwarding(sandbox: Sandbox) -> None:
    asked = await sandbox.say("pass it on")
    place = {"chat_id": ANN, "from_chat_id": ANN, "message_id": asked["message_id"]}
    forwarded = await sandbox.call("forwardMessage", **place)
    assert forwarded["forward_origin"]["sender_user"]["id"] == ANN
    copied = await sandbox.call("copyMessage", **place)
    assert list(copied) == ["message_id"]
    assert [message["text"] for message in (await sandbox.transcript())["messages"]][-2:] == ["pass it on", "pass it on"]
    refused = await sandbox.refusal("copyMessage", chat_id=ANN, from_chat_id=ANN, message_id=5)
    assert refused.words == "Bad Request: message to copy not found"


async def test_a_bot_reacts_with_one_standard_emoji(sandbox: Sandbox) -> None:
    place = {"chat_id": ANN, "message_id": (await sandbox.say("I passed!"))["message_id"]}
    await sandbox.call("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "🎉"}])
    assert (await sandbox.transcript())["messages"][-1]["reactions"] == [{"emoji": "🎉", "user_id": BOT_ID}]
    refused = await sandbox.refusal("setMessageReaction", **place, reaction=[{"type": "emoji", "emoji": "🧀"}])
    assert refused.words == "Bad Request: REACTION_INVALID"
    await sandbox.call("setMessageReaction", **place, reaction=[])
    assert (await sandbox.transcript())["messages"][-1]["reactions"] == []
