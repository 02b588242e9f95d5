"""The buttons under a reply: another answer, go on, ‹ ›, as the person sees them; and what a crash or a second press leaves."""

import asyncio

import pytest

from services.bot.consumer import Hold
from shared.adapters.llm.scripted import Fault
from tests.factories import ANN_ID, BOB_ID, BOT_ID, make_prose
from tests.services.bot.desk import Desk, until
from tests.services.bot.test_bot_chat import working
from tests.services.bot.test_bot_groups import join

AGAIN, ON, STOP = "🔄 Another answer", "▶ Continue", "⏹ Stop"
TURNED = ["‹", "2/2", "›", AGAIN, ON]


def labels(message: dict[str, object]) -> list[str]:
    return [label for label, _ in Desk.buttons(message)]


async def two_answers(desk: Desk) -> None:
    desk.model.queue("First.")
    desk.model.queue("Second.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    await desk.press(reply, AGAIN)


async def test_a_reply_has_its_buttons_under_it_and_in_the_persons_language(desk: Desk) -> None:
    await desk.tell("Hi")
    await desk.tell("Привет", BOB_ID)
    assert [labels(message) for message in await desk.seen()] == [[AGAIN, ON]]
    assert [labels(message) for message in await desk.seen(BOB_ID)] == [["🔄 Другой ответ", "▶ Продолжить"]]


async def test_in_a_group_a_reply_has_no_buttons(desk: Desk) -> None:
    chat = await join(desk)
    await desk.tell("@vitte_bot Hi", ANN_ID, chat)
    assert labels((await desk.seen(chat))[-1]) == []


async def test_of_several_messages_the_last_one_has_the_buttons(desk: Desk) -> None:
    desk.model.queue(['["One.", "Two.", "Three."]'])
    await desk.tell("Hi")
    assert [(message["text"], labels(message)) for message in await desk.seen()] == [("One.", []), ("Two.", []), ("Three.", [AGAIN, ON])]


async def test_another_answer_takes_the_place_of_the_first_and_both_can_be_turned_to(desk: Desk) -> None:
    await two_answers(desk)
    [reply] = await desk.seen()
    assert (reply["text"], labels(reply)) == ("Second.", TURNED)
    assert await desk.answered() == [{"callback_query_id": (await desk.answered())[0]["callback_query_id"]}]

    await desk.press(reply, "‹")
    [reply] = await desk.seen()
    assert (reply["text"], labels(reply)) == ("First.", ["‹", "1/2", "›", AGAIN, ON])
    await desk.press(reply, "1/2")
    await desk.press(reply, "‹")
    assert await desk.texts() == ["Second."]
    await desk.press((await desk.seen())[0], "›")
    await desk.tell("Well?")
    assert [message.text for message in desk.model.prompts[-1]][2:] == ["Hi", "First.", "Well?"]


async def test_once_the_person_is_known_turning_costs_one_statement_and_another_answer_two(desk: Desk) -> None:
    await two_answers(desk)
    await desk.tell("/status")
    await desk.press((await desk.seen())[0], "‹")
    assert desk.statements[-1] == ("callback_query", 1)
    await desk.press((await desk.seen())[0], AGAIN)
    assert desk.statements[-1] == ("callback_query", 2)


async def test_turning_to_the_same_answer_twice_changes_nothing(desk: Desk) -> None:
    await two_answers(desk)
    [reply] = await desk.seen()
    for _ in range(2):
        pressed = {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": reply["message_id"]}
        await desk.sandbox.sim("press", {**pressed, "data": dict(desk.buttons(reply))["‹"]})
    await desk.run()
    assert await desk.texts() == ["First."]
    assert [call["status"] for call in await desk.calls("editMessageText")] == [200, 200, 400]
    assert set(await desk.statuses()) == {"handled"}


async def test_two_impatient_presses_make_and_cost_one_answer(desk: Desk) -> None:
    desk.model.queue("First.", "Second.", "Third.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    data = dict(desk.buttons(reply))[AGAIN]
    for _ in range(2):
        pressed = {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": reply["message_id"], "data": data}
        await desk.sandbox.sim("press", pressed)
    await desk.run()

    assert await desk.texts() == ["Second."]
    assert await desk.house.rows("select used from allowance_usages") == [(2,)]
    assert [answered.get("text") for answered in await desk.answered()] == [None, "Another answer is there already; look at it first."]
    await desk.press((await desk.seen())[0], AGAIN)
    assert await desk.texts() == ["Third."]


async def test_an_answer_given_anew_grows_in_its_message_and_can_be_stopped_there(desk: Desk) -> None:
    desk.model.queue("First.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    desk.model.queue(["Once ", "upon ", "a time"])
    desk.model.break_next(Fault.hang(after_pieces=2))
    data = dict(desk.buttons(reply))[AGAIN]
    await desk.sandbox.sim(
        "press", {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": reply["message_id"], "data": data}
    )
    async with working(desk):
        growing = await until(lambda: _written(desk, "Once upon"))
        assert labels(growing) == [STOP]
        await desk.press(growing, STOP)
    [reply] = await desk.seen()
    assert (reply["text"], labels(reply)) == ("Once upon", TURNED)
    assert (await desk.sandbox.transcript())["drafts"] == []
    assert await desk.calls("sendMessageDraft") == []


async def _written(desk: Desk, text: str) -> dict[str, object] | None:
    return next((message for message in await desk.seen() if message["text"] == text), None)


async def test_stopped_before_its_first_word_another_answer_leaves_the_one_before_as_it_was(desk: Desk) -> None:
    desk.model.queue("First.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    desk.model.break_next(Fault.hang())
    data = dict(desk.buttons(reply))[AGAIN]
    await desk.sandbox.sim(
        "press", {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": reply["message_id"], "data": data}
    )
    async with working(desk):
        await until(lambda: desk.model.open_streams)
        await desk.tell("/stop")
    [reply] = await desk.seen()
    assert (reply["text"], labels(reply)) == ("First.", [AGAIN, ON])

    await desk.press(reply, AGAIN)
    assert await desk.texts() == ["You said: Hi"]


async def test_an_answer_longer_than_one_message_goes_on_below_and_turning_back_shows_the_first_again(desk: Desk) -> None:
    desk.model.queue("First.")
    desk.model.queue([make_prose("a", 4000) + "\n\n" + make_prose("b", 4000)])
    await desk.tell("Hi")
    await desk.press((await desk.seen())[0], AGAIN)
    one, two = await desk.seen()
    assert (one["text"][0], labels(one), two["text"][0], labels(two)) == ("a", [], "b", TURNED)

    await desk.press(two, "‹")
    messages = await desk.seen()
    assert [(message["text"][:6], labels(message)) for message in messages] == [
        (one["text"][:6], []),
        (two["text"][:6], []),
        ("First.", ["‹", "1/2", "›", AGAIN, ON]),
    ]


async def test_instead_of_several_messages_another_answer_is_sent_anew(desk: Desk) -> None:
    desk.model.queue(['["One.", "Two."]'])
    desk.model.queue("Second.")
    await desk.tell("Hi")
    await desk.press((await desk.seen())[1], AGAIN)
    assert [(message["text"], labels(message)) for message in await desk.seen()] == [("One.", []), ("Two.", []), ("Second.", TURNED)]


async def test_a_crash_after_the_reply_was_kept_edits_it_in_without_asking_the_model_again(desk: Desk) -> None:
    desk.model.queue("First.")
    desk.model.queue("Second.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    data = dict(desk.buttons(reply))[AGAIN]
    await desk.sandbox.sim(
        "press", {"bot_id": BOT_ID, "chat_id": ANN_ID, "user_id": ANN_ID, "message_id": reply["message_id"], "data": data}
    )
    await desk.fetch()
    [lease] = await desk.take()
    await desk.faults({"kind": "hang", "method": "editMessageText", "seconds": 0.2, "times": 1})
    handling = asyncio.ensure_future(desk.handler(Hold(lease, is_priority=False, seconds=60.0)))
    await until(lambda: desk.sandbox.world.faults.active[0].left == 0)
    handling.cancel()
    settled = await handling
    assert await desk.texts() == ["First."]
    await desk.application.inbox.settle(BOT_ID, [settled])
    await desk.work()

    assert await desk.texts() == ["Second."]
    assert len(desk.model.prompts) == 2
    assert await desk.house.rows("select used from allowance_usages") == [(2,)]
    assert set(await desk.statuses()) == {"handled"}


async def test_a_crash_after_telegram_took_the_edit_leaves_it_as_it_is(desk: Desk) -> None:
    desk.model.queue("First.")
    desk.model.queue("Second.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    await desk.faults({"kind": "accept_then_timeout", "seconds": 0, "method": "editMessageText", "times": 1})
    await desk.press(reply, AGAIN)
    await desk.later()
    assert ([message["text"] for message in await desk.seen()], len(desk.model.prompts)) == (["Second."], 2)
    assert await desk.house.rows("select method, status, telegram_message_id from outbox order by telegram_update_id") == [
        ("sendMessage", "sent", reply["message_id"]),
        ("editMessageText", "sent", reply["message_id"]),
    ]


async def test_going_on_is_a_message_of_its_own_with_its_own_buttons(desk: Desk) -> None:
    desk.model.queue("Once upon a time")
    desk.model.queue("there was a fox.")
    await desk.tell("A story!")
    await desk.press((await desk.seen())[0], ON)
    assert [(message["text"], labels(message)) for message in await desk.seen()] == [
        ("Once upon a time", [AGAIN, ON]),
        ("there was a fox.", [AGAIN, ON]),
    ]


async def test_under_an_old_reply_the_buttons_say_that_the_talk_has_moved_on(desk: Desk) -> None:
    await desk.tell("one")
    await desk.tell("two")
    old = (await desk.seen())[0]
    await desk.press(old, AGAIN)
    await desk.press(old, ON)
    alert = {"text": "The conversation has moved on: this works only under the last reply.", "show_alert": True}
    assert [{name: value for name, value in given.items() if name != "callback_query_id"} for given in await desk.answered()] == [alert] * 2
    assert await desk.texts() == ["You said: one", "You said: two"]
    assert len(desk.model.prompts) == 2


async def test_a_spent_allowance_is_told_in_an_alert(desk: Desk) -> None:
    await desk.house.rows("update plans set daily_turns = 1")
    await desk.tell("one")
    await desk.press((await desk.seen())[0], AGAIN)
    [given] = await desk.answered()
    assert given["text"] == "You have used all 1 messages of today. It goes on at 00:00 UTC – see you then!"
    assert await desk.texts() == ["You said: one"]


async def test_what_goes_wrong_after_the_spinner_has_ended_is_said_in_a_message(desk: Desk) -> None:
    desk.model.queue("First.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    desk.model.first_token_seconds = 0.5
    desk.model.queue([" ", "never said"])
    desk.model.break_next(Fault(reason="refused", after_pieces=1))
    await desk.press(reply, AGAIN)
    first, sentence = await desk.seen()
    assert (first["text"], labels(first)) == ("First.", [AGAIN, ON])
    assert sentence["text"].startswith("I could not find an answer just now")
    assert [given.get("text") for given in await desk.answered()] == [None]


async def test_a_press_waits_for_the_reply_before_it(desk: Desk) -> None:
    desk.model.queue("First.")
    await desk.tell("Hi")
    [reply] = await desk.seen()
    desk.model.break_next(Fault.hang())
    await desk.sandbox.say("slow")
    async with working(desk):
        await until(lambda: desk.model.open_streams)
        data = dict(desk.buttons(reply))[AGAIN]
        await desk.press_data(reply, data)
        assert (len(desk.model.prompts), await desk.answered()) == (2, [])
        await desk.tell("/stop")
    await desk.work()
    assert len(desk.model.prompts) == 2 + (await desk.texts()).count("You said: Hi")


async def test_near_the_end_of_the_budget_a_small_line_says_so_once(desk: Desk) -> None:
    await desk.tell("Hi")
    await desk.house.rows("update plans set daily_micros = 1000")
    await desk.house.rows(
        "insert into spendings (scope, scope_id, day, reserved_micros, spent_micros)"
        " select 'user', user_id::text, allowance_day, 0, 850 from turns"
    )
    await desk.tell("two")
    note = "Today's budget is nearly used up, so for now a simpler model answers."
    message = (await desk.seen())[-1]
    assert (message["text"], desk.marked(message)) == (f"You said: two\n\n{note}", [("italic", note)])
    await desk.tell("three")
    assert (await desk.texts())[-1] == "You said: three"


@pytest.mark.parametrize(
    ("may_choose", "offer"), [(True, "with /settings a simpler model makes it last longer."), (False, "/status shows your plan.")]
)
async def test_past_a_budget_only_those_are_offered_another_model_who_may_choose_one(desk: Desk, may_choose: bool, offer: str) -> None:
    await desk.house.rows(f"update plans set daily_micros = 0, may_choose_model = {may_choose} returning code")
    await desk.tell("Hi")
    assert (await desk.texts())[-1] == f"Your answers have used up today's budget. It begins anew at 00:00 UTC; {offer}"
    await desk.tell("/status")
    assert "Today's budget: 100 % used" in (await desk.texts())[-1]
