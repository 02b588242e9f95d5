"""Button presses and their answers."""

import pytest

from services.sandbox.methods import callbacks
from tests.services.sandbox.emulator import ANN, BOB, BOT_ID, Sandbox

TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


async def pressed(sandbox: Sandbox) -> str:
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes:1"}]]}
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="Sure?", reply_markup=markup)
    place = {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "message_id": sent["message_id"]}
    return str((await sandbox.sim("press", {**place, "data": "yes:1"}))["callback_query_id"])


async def test_a_press_reaches_the_bot_with_message_and_chat_instance(sandbox: Sandbox) -> None:
    query_id = await pressed(sandbox)
    [update] = await sandbox.updates()
    query = update["callback_query"]
    assert (query["id"], query["data"], query["from"]["id"], query["message"]["text"]) == (query_id, "yes:1", ANN, "Sure?")
    assert query["chat_instance"].lstrip("-").isdigit()
    [record] = [record for record in await sandbox.records() if record["kind"] == "callback_query"]
    assert record["chat_id"] == ANN


async def test_a_press_is_answered_once(sandbox: Sandbox) -> None:
    query_id = await pressed(sandbox)
    assert await sandbox.call("answerCallbackQuery", callback_query_id=query_id, text="Done", show_alert=True) is True
    [(_, _, shown)] = [event for event in sandbox.world.events.after(0) if event[1] == "callback_answer"]
    assert shown == {"bot_id": BOT_ID, "chat_id": ANN, "callback_query_id": query_id, "text": "Done", "show_alert": True, "url": None}
    assert (await sandbox.refusal("answerCallbackQuery", callback_query_id=query_id)).words == TOO_OLD


async def test_an_old_press_and_an_unknown_one_cannot_be_answered(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    query_id = await pressed(sandbox)
    monkeypatch.setattr(callbacks, "LIFE", -1)
    assert (await sandbox.refusal("answerCallbackQuery", callback_query_id=query_id)).words == TOO_OLD
    assert (await sandbox.refusal("answerCallbackQuery", callback_query_id="5")).words == TOO_OLD


async def test_an_answer_has_200_characters_at_most(sandbox: Sandbox) -> None:
    query_id = await pressed(sandbox)
    refused = await sandbox.refusal("answerCallbackQuery", callback_query_id=query_id, text="x" * 201)
    assert refused.words == "Bad Request: MESSAGE_TOO_LONG"
    assert await sandbox.call("answerCallbackQuery", callback_query_id=query_id, text="x" * 200) is True


async def test_only_a_button_that_is_there_can_be_pressed(sandbox: Sandbox) -> None:
    sent = await sandbox.call("sendMessage", chat_id=ANN, text="no buttons")
    place = {"bot_id": BOT_ID, "chat_id": ANN, "user_id": ANN, "message_id": sent["message_id"]}
    answer = await sandbox.sim("press", {**place, "data": "yes"}, status=400)
    assert answer == {"error": "there is no such button under this message"}
    assert await sandbox.updates() == []


async def test_a_press_in_a_group_goes_to_the_bot_that_sent_the_message(sandbox: Sandbox, group: int) -> None:
    markup = {"inline_keyboard": [[{"text": "Join", "callback_data": "join"}]]}
    sent = await sandbox.call("sendMessage", chat_id=group, text="Who joins?", reply_markup=markup)
    await sandbox.sim("press", {"chat_id": group, "user_id": BOB, "message_id": sent["message_id"], "data": "join"})
    [update] = await sandbox.updates()
    assert (update["callback_query"]["from"]["id"], update["callback_query"]["message"]["chat"]["id"]) == (BOB, group)
