"""Buttons: every press is answered at once and turns its message into the next screen."""

from typing import Any
from uuid import uuid4

import pytest

from services.bot.keyboards import PickCharacter
from tests.factories import ANN_ID, BOB_ID, BOT_ID, make_character, make_update
from tests.services.bot.desk import Desk, Message


async def menu_of(desk: Desk) -> Message:
    await desk.tell("/start")
    return (await desk.seen())[-1]


async def press_from_elsewhere(desk: Desk, data: str, **message: Any) -> None:
    """A press that no button of this message would make."""
    menu = await menu_of(desk)
    under = message or {"message_id": menu["message_id"], "date": 1_790_000_000, "chat": {"id": ANN_ID, "type": "private"}, "text": "x"}
    body = make_update(900, kind="callback_query", message=under, data=data)
    await desk.application.inbox.receive(BOT_ID, [body], notice="desk")
    await desk.work()


async def test_every_button_edits_its_message_in_place_and_leads_back(desk: Desk) -> None:
    menu = await menu_of(desk)
    for label, title in (
        ("🎭 Characters", "Who would you like to talk with?"),
        ("📊 My status", "Your status"),
        ("⚙️ Settings", "Settings"),
        ("🌐 Language", "Which language shall I use for menus and notices?"),
        ("❓ Help", "How this works"),
    ):
        await desk.press(menu, label)
        shown = (await desk.seen())[-1]
        assert (shown["message_id"], shown["text"].splitlines()[0]) == (menu["message_id"], title)
        await desk.press(shown, "‹ Back")
        assert (await desk.seen())[-1]["text"] == menu["text"]
    assert len(await desk.seen()) == 2
    assert len(await desk.answered()) == 10
    assert set(await desk.statuses()) == {"handled"}


async def test_a_press_costs_at_most_two_statements(desk: Desk) -> None:
    menu = await menu_of(desk)
    for label in ("🎭 Characters", "📊 My status", "⚙️ Settings", "🌐 Language", "❓ Help"):
        await desk.press(menu, label)
        await desk.press((await desk.seen())[-1], "‹ Back")
    await desk.press(menu, "🎭 Characters")
    characters = (await desk.seen())[-1]
    await desk.press(characters, desk.buttons(characters)[1][0])
    presses = [statements for kind, statements in desk.statements if kind == "callback_query"]
    assert (len(presses), max(presses)) == (12, 2)


async def test_pressing_twice_is_harmless(desk: Desk) -> None:
    menu = await menu_of(desk)
    data = dict(desk.buttons(menu))["❓ Help"]
    for _ in range(2):
        await desk.sandbox.sim(
            "press", {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": menu["message_id"], "data": data}
        )
    await desk.run()

    assert (await desk.seen())[-1]["text"].startswith("How this works")
    assert len(await desk.answered()) == 2
    assert [call["status"] for call in await desk.calls("editMessageText")] == [200, 400]
    assert await desk.statuses() == ["handled"] * 3


async def test_a_press_whose_message_is_deleted_meanwhile_is_answered(desk: Desk) -> None:
    menu = await menu_of(desk)
    pressed = {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": menu["message_id"]}
    await desk.sandbox.sim("press", {**pressed, "data": dict(desk.buttons(menu))["❓ Help"]})
    await desk.sandbox.call("deleteMessage", chat_id=ANN_ID, message_id=menu["message_id"])
    await desk.run()

    assert len(await desk.seen()) == 1
    assert len(await desk.answered()) == 1
    assert await desk.statuses() == ["handled", "handled"]


async def test_a_press_under_a_message_that_telegram_shows_no_more_ends_its_spinner(desk: Desk) -> None:
    await press_from_elsewhere(desk, "screen:help", message_id=5, date=0, chat={"id": ANN_ID, "type": "private"})

    assert [answer["callback_query_id"] for answer in await desk.answered()] == ["900"]
    assert await desk.statuses() == ["handled", "handled"]


async def test_a_press_of_somebody_who_blocked_the_bot_meanwhile_is_no_failure(desk: Desk) -> None:
    menu = await menu_of(desk)
    await desk.sandbox.sim("press", {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": menu["message_id"],
                                     "data": dict(desk.buttons(menu))["❓ Help"]})  # fmt: skip
    await desk.faults({"kind": "error", "method": "editMessageText", "code": 403, "description": "Forbidden: bot was blocked by the user"})
    await desk.run()
    assert await desk.statuses() == ["handled", "handled"]
    assert len(await desk.calls("editMessageText")) == 1


async def test_a_press_that_comes_too_late_for_an_answer_still_changes_the_screen(desk: Desk) -> None:
    menu = await menu_of(desk)
    too_old = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    await desk.faults({"kind": "error", "method": "answerCallbackQuery", "code": 400, "times": 1, "description": too_old})
    await desk.press(menu, "❓ Help")
    assert (await desk.seen())[-1]["text"].startswith("How this works")
    assert await desk.statuses() == ["handled", "handled"]


@pytest.mark.parametrize("data", ["", "unknown", "screen:none", "character:not-an-id", "language", "screen:menu:extra", "я" * 20])
async def test_buttons_of_other_times_are_answered_and_do_nothing(desk: Desk, data: str) -> None:
    await press_from_elsewhere(desk, data)

    assert len(await desk.calls("answerCallbackQuery")) == 1
    assert await desk.calls("editMessageText") == []
    assert await desk.statuses() == ["handled", "handled"]


async def test_the_language_changes_at_once_and_stays(desk: Desk) -> None:
    await desk.tell("/language")
    asked = (await desk.seen())[-1]
    assert [label for label, _ in desk.buttons(asked)] == ["✓ English", "Русский", "‹ Back"]

    await desk.press(asked, "Русский")
    chosen = (await desk.seen())[-1]
    assert (chosen["text"], [label for label, _ in desk.buttons(chosen)]) == ("Готово: меню и уведомления на русском.", ["‹ Назад"])
    await desk.press(chosen, "‹ Назад")
    assert (await desk.texts())[-1].startswith("С вами 🌿 Mira.")
    await desk.tell("/status")
    assert (await desk.texts())[-1].startswith("Ваш статус")


async def test_a_language_we_do_not_speak_is_refused_with_an_alert(desk: Desk) -> None:
    await press_from_elsewhere(desk, "language:tlh")

    [answer] = await desk.answered()
    assert (answer["text"], answer["show_alert"]) == ("I could not understand that. /help shows what I know.", True)
    assert await desk.house.rows("select language from users") == [("en",)]


async def test_a_new_character_greets_and_an_old_one_remembers(desk: Desk) -> None:
    fox = make_character(name="Fox", greeting={"en": "Hi, I am **Fox**."})
    await desk.house.add(fox)
    menu = await menu_of(desk)
    await desk.tell("to Mira")

    await desk.press(menu, "🎭 Characters")
    shown = next(message for message in await desk.seen() if message["message_id"] == menu["message_id"])
    assert "🦊 Fox – A fox" in shown["text"]
    await desk.press(shown, "🦊 Fox")
    greeted = next(message for message in await desk.seen() if message["message_id"] == menu["message_id"])
    assert (greeted["text"], desk.marked(greeted)) == ("Hi, I am Fox.", [("bold", "Fox")])
    await desk.tell("to the fox")
    assert [message.text for message in desk.model.prompts[-1][1:]] == ["Hi, I am **Fox**.", "to the fox"]

    await desk.press(greeted, "‹ Back")
    await desk.press(menu, "🎭 Characters")
    await desk.press(shown, "🌿 Mira")
    back = next(message for message in await desk.seen() if message["message_id"] == menu["message_id"])
    assert back["text"] == "🌿 Mira is back with you, and remembers where you stopped. Go on whenever you like."
    await desk.tell("again")
    assert [message.text for message in desk.model.prompts[-1][2:]] == ["to Mira", "You said: to Mira", "again"]


async def test_a_character_without_a_greeting_can_be_chosen(desk: Desk) -> None:
    silent = make_character(name="Fox", greeting={})
    await desk.house.add(silent)
    menu = await menu_of(desk)
    await desk.press(menu, "🎭 Characters")
    await desk.press((await desk.seen())[-1], "🦊 Fox")

    assert "Fox" in (await desk.texts())[-1]
    assert set(await desk.statuses()) == {"handled"}
    await desk.tell("/status")
    assert "Character: 🦊 Fox" in (await desk.texts())[-1]


async def test_a_character_that_is_gone_is_told_so_and_the_dialog_stays(desk: Desk) -> None:
    await press_from_elsewhere(desk, PickCharacter(id=uuid4()).pack())

    [answer] = await desk.answered()
    assert (answer["text"], answer["show_alert"]) == ("This character is not here any more. Choose another one from /start.", True)
    assert (await desk.house.speaker()).character_name == "Mira"


async def test_a_press_of_somebody_new_registers_them(desk: Desk) -> None:
    menu = await menu_of(desk)
    chat = await desk.sandbox.sim("chats", {"type": "supergroup", "title": "Club", "members": [ANN_ID, BOB_ID], "bots": [BOT_ID]})
    await desk.run()
    await desk.tell("/help", ANN_ID, chat["id"])
    await desk.press((await desk.seen(chat["id"]))[-1], "‹ Back", BOB_ID, chat["id"])

    assert await desk.house.rows("select telegram_user_id from users order by 1") == [(ANN_ID,), (BOB_ID,)]
    assert (await desk.texts(chat["id"]))[-1].startswith("С вами 🌿 Mira.")
    assert menu["text"] == (await desk.texts())[-1]
