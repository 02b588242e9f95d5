"""When nobody can answer now: no model, too many people, too much from one person, a token that is gone."""

import asyncio
from datetime import timedelta

import pytest

from services.bot.consumer import Hold
from shared.adapters.llm.scripted import Fault
from shared.application.limits import FLOOD_UPDATES
from shared.domain.inbox import Outcome, Settlement
from tests.factories import ANN_ID, BOB_ID, BOT_ID
from tests.services.bot.desk import Desk
from tests.services.bot.test_bot_groups import join

SORRY = (
    "I cannot think of an answer just now, because the model does not respond. Your message is kept: I will answer as soon as I can, "
    "within ten minutes."
)
GIVEN_UP = "I could not find an answer just now: the model does not respond. This message did not count; please send it again in a minute."
SEND = "sendMessage"


async def model_away(desk: Desk, times: int = 1) -> None:
    for _ in range(times):
        desk.model.break_next(Fault.refused())


async def test_a_message_waits_for_a_model_and_is_answered_when_one_returns(desk: Desk) -> None:
    await model_away(desk)
    await desk.tell("Hi")
    assert await desk.texts() == [SORRY]
    [settled] = desk.ended
    assert settled.outcome is Outcome.RELEASED
    assert 5 <= settled.delay < 6
    assert await desk.house.rows("select used from allowance_usages") == [(0,)]

    await desk.later()
    assert await desk.texts() == [SORRY, "You said: Hi"]
    assert await desk.statuses() == ["handled"]
    assert await desk.house.rows("select used from allowance_usages") == [(1,)]


async def test_who_waits_is_told_once_in_five_minutes_and_answered_to_all_that_was_said(desk: Desk) -> None:
    await model_away(desk, 4)
    await desk.tell("one")
    for number in range(3):
        await desk.sandbox.say(f"and {number}")
        await desk.fetch()
        await desk.later()
    assert await desk.texts() == [SORRY]
    await desk.later()
    assert await desk.texts() == [SORRY, "You said: one\nand 0\nand 1\nand 2"]
    assert await desk.house.rows("select used from allowance_usages") == [(1,)]
    assert await desk.house.rows("select arrivals::int, handled::int from lanes") == [(4, 4)]


async def test_after_ten_minutes_it_is_given_up_and_the_person_is_told(desk: Desk) -> None:
    await model_away(desk, 2)
    await desk.tell("Hi")
    await desk.house.rows("update stored_updates set received_at = received_at - cast(:age as interval)", age=timedelta(seconds=601))
    await desk.later()
    assert await desk.texts() == [SORRY, GIVEN_UP]
    assert await desk.statuses() == ["handled"]
    await desk.tell("Hello again")
    assert (await desk.texts())[-1] == "You said: Hello again"


async def test_commands_pass_words_that_wait_for_a_model(desk: Desk) -> None:
    await model_away(desk, 2)
    await desk.tell("Hi")
    await desk.sandbox.say("/status")
    await desk.sandbox.say("more")
    await desk.fetch()
    await desk.later()
    sorry, status = await desk.texts()
    assert (sorry, status.splitlines()[3]) == (SORRY, "Messages today: 0 of 100 – 100 left")
    assert await desk.statuses() == ["pending", "handled", "pending"]
    assert await desk.house.rows("select arrivals::int, handled::int from lanes where due_at is not null") == [(3, 1)]
    assert await desk.house.rows("select count(*)::int from outbox where status <> 'sent'") == [(0,)]

    await desk.later()
    assert (await desk.texts())[2:] == ["You said: Hi\nmore"]
    assert await desk.statuses() == ["handled"] * 3
    assert await desk.house.rows("select arrivals::int, handled::int, due_at is null from lanes") == [(3, 3, True)]


async def test_a_command_that_passed_and_was_not_settled_is_sent_again_and_not_made_anew(desk: Desk) -> None:
    await model_away(desk, 3)
    await desk.tell("Hi")
    await desk.sandbox.say("/status")
    await desk.fetch()
    await desk.house.rows("update lanes set due_at = clock_timestamp()")
    [lease] = await desk.take()
    await desk.handle(lease)  # the process dies before it settles
    await desk.house.rows("update lanes set due_at = clock_timestamp()")
    await desk.work()
    await desk.later()
    sorry, status, answer, again = await desk.texts()
    assert (sorry, answer, status == again) == (SORRY, "You said: Hi", True)
    assert await desk.house.rows("select count(*)::int from outbox where method = 'sendMessage'") == [(2,)]


@pytest.mark.parametrize("about", ["/undo", "/new"])
async def test_what_is_about_the_talk_waits_behind_words_that_wait(desk: Desk, about: str) -> None:
    await desk.tell("before")
    await model_away(desk, 2)
    await desk.tell("oops")
    await desk.sandbox.say(about)
    await desk.fetch()
    await desk.later()
    assert await desk.texts() == ["You said: before", SORRY]
    await desk.later()
    remembered = await desk.house.rows("select text from messages m left join turns t on t.id = m.turn_id where t.undone_at is null")
    assert ("before",) in remembered
    assert await desk.statuses() == ["handled"] * 3


async def test_in_a_group_words_that_wait_for_a_model_are_asked_for_once_at_a_time_and_answered_in_order(desk: Desk) -> None:
    chat = await join(desk)
    await model_away(desk, 2)
    for text, user in (("@vitte_bot one", ANN_ID), ("@vitte_bot two", BOB_ID), ("hm", ANN_ID)):
        await desk.sandbox.say(text, user, chat)
    await desk.run()
    assert len(desk.model.prompts) == 1
    await desk.later()
    assert len(desk.model.prompts) == 2
    await desk.later()
    assert (await desk.texts(chat))[1:] == [SORRY, "You said: Ann: one", "You said: Bob: two"]


async def test_an_answer_to_one_message_waits_behind_words_that_wait(desk: Desk) -> None:
    await desk.tell("Hi")
    [reply] = await desk.seen()
    await model_away(desk, 2)
    await desk.tell("one")
    await desk.sandbox.say("to that", reply_to=reply["message_id"])
    await desk.fetch()
    await desk.later()
    await desk.later()
    assert (await desk.texts())[1:] == [SORRY, "You said: one", "You said: to that"]


async def test_a_command_that_fails_behind_words_that_wait_stays_and_holds_up_nobody(desk: Desk) -> None:
    await model_away(desk, 2)
    await desk.tell("Hi")
    await desk.house.rows("alter table plans rename column code to another_code")
    await desk.application.switches.next_cache_epoch()
    await desk.sandbox.say("/status")
    await desk.fetch()
    await desk.later()
    assert await desk.statuses() == ["pending", "pending"]
    await desk.house.rows("alter table plans rename column another_code to code")
    await desk.later()
    await desk.later()
    assert await desk.statuses() == ["handled", "handled"]
    assert (await desk.texts())[:2] == [SORRY, "You said: Hi"]


async def test_a_message_that_was_promised_an_answer_is_no_part_of_a_flood(desk: Desk) -> None:
    await model_away(desk)
    await desk.tell("Hi")
    for _ in range(FLOOD_UPDATES + 2):
        await desk.application.limits.flood(ANN_ID)
    await desk.later()
    assert await desk.texts() == [SORRY, "You said: Hi"]


async def test_a_reply_of_no_use_is_told_at_once(desk: Desk) -> None:
    desk.model.queue([" \n "], [" \n "])
    await desk.tell("Hi")
    assert await desk.texts() == [
        "I could not find a good answer to that. This message did not count; please try to say it in other words."
    ]
    assert await desk.statuses() == ["handled"]


@pytest.mark.parametrize("reason", ["no_text", "bad_request"])
async def test_a_prompt_that_models_cannot_answer_is_told_at_once_and_not_asked_again(desk: Desk, reason: str) -> None:
    desk.model.break_next(Fault(reason=reason))
    await desk.tell("Hi")
    assert (await desk.texts())[0].startswith("I could not find a good answer to that.")
    assert (await desk.statuses(), len(desk.model.prompts)) == (["handled"], 1)


async def crowded(desk: Desk, seconds: float) -> None:
    """Works on what is due as a process does that has had no free place for so long."""
    leases = await desk.take()
    settled: list[Settlement] = [await desk.handler(Hold(lease, is_priority=False, seconds=60.0, crowded=seconds)) for lease in leases]
    await desk.application.inbox.settle(BOT_ID, settled)


@pytest.mark.parametrize(("seconds", "is_paid", "is_shed"), [(121.0, False, True), (119.0, False, False), (121.0, True, False)])
async def test_who_waited_too_long_in_a_crowd_is_told_so_unless_they_pay(desk: Desk, seconds: float, is_paid: bool, is_shed: bool) -> None:
    if is_paid:
        await desk.house.rows("update plans set is_paid = true")
    for text in ("one", "two"):
        await desk.sandbox.say(text)
    await desk.fetch()
    await crowded(desk, seconds)
    [told] = await desk.texts()
    assert told.startswith("Too many people") if is_shed else told == "You said: one\ntwo"
    assert len(desk.model.prompts) == (not is_shed)
    assert await desk.statuses() == ["handled"] * 2


async def test_words_that_a_dead_process_had_paid_for_are_answered_however_long_they_waited(desk: Desk) -> None:
    await desk.sandbox.say("one")
    await desk.fetch()
    await desk.house.rows("update lanes set attempts = 1")
    await crowded(desk, 1_000.0)
    assert await desk.texts() == ["You said: one"]


async def test_commands_are_never_shed(desk: Desk) -> None:
    await desk.sandbox.say("/status")
    await desk.fetch()
    await crowded(desk, 1_000.0)
    [told] = await desk.texts()
    assert "Messages today" in told


async def test_who_pays_is_taken_first_then_who_has_waited_longest(desk: Desk) -> None:
    await desk.tell("Hi", BOB_ID)
    await desk.house.rows("update lanes set is_paid = true where lane = :lane", lane=f"chat:{BOB_ID}")
    for text, user in (("first", ANN_ID), ("second", BOB_ID)):
        await desk.sandbox.say(text, user)
        await desk.fetch()
    claim = desk.application.inbox.claim
    taken = [await claim(BOT_ID, consumer=number, is_priority=False, places=1) for number in (1, 2)]
    assert [lease.lane for [lease] in taken] == [f"chat:{BOB_ID}", f"chat:{ANN_ID}"]


async def test_a_lane_learns_whether_its_person_pays(desk: Desk) -> None:
    await desk.tell("Hi")
    assert await desk.house.rows("select is_paid from lanes") == [(False,)]
    await desk.house.rows("update plans set is_paid = true")
    await desk.application.switches.next_cache_epoch()
    await desk.tell("Hi")
    assert await desk.house.rows("select is_paid from lanes") == [(True,)]


async def test_a_flood_is_told_once_and_costs_nothing(desk: Desk) -> None:
    for _ in range(FLOOD_UPDATES + 5):
        await desk.sandbox.say("/status")
    await desk.run()
    texts = await desk.texts()
    assert len([text for text in texts if "Messages today" in text]) == FLOOD_UPDATES
    assert texts[FLOOD_UPDATES:] == ["That is a lot at once. Give me a few seconds, then go on."]
    assert set(await desk.statuses()) == {"handled"}
    await desk.tell("Hi", BOB_ID)
    assert await desk.texts(BOB_ID) == ["You said: Hi"]


async def test_fifty_forwarded_messages_are_no_flood(desk: Desk) -> None:
    for number in range(50):
        await desk.sandbox.say(f"f{number}")
    await desk.run()
    assert await desk.texts() == ["You said: " + "\n".join(f"f{number}" for number in range(50))]


async def test_answers_are_kept_while_telegram_does_not_know_our_token(desk: Desk) -> None:
    await desk.faults({"kind": "error", "method": SEND, "code": 401, "times": 3, "description": "Unauthorized"})
    await desk.tell("Hi")
    for _ in range(3):
        await desk.later()
    assert await desk.texts() == ["You said: Hi"]
    assert [settled.outcome for settled in desk.ended] == [Outcome.RELEASED] * 3 + [Outcome.HANDLED]


async def test_an_apology_that_telegram_answers_with_nonsense_ends_nothing(desk: Desk) -> None:
    await desk.tell("Hi")
    await desk.house.rows("alter table turns rename column source_id to another_id")
    await desk.sandbox.say("broken")
    await desk.faults({"kind": "error", "method": SEND, "code": 418, "times": 9, "description": "I am a teapot"})
    await desk.run()
    for _ in range(3):
        await desk.later()
    assert await desk.statuses() == ["handled", "dead"]
    await desk.house.rows("alter table turns rename column another_id to source_id")
    await asyncio.sleep(0)
