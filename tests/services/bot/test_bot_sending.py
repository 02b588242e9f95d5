"""Answers reach the person: through floods, refusals, broken lines and crashes; and never twice where it can be helped."""

import asyncio

import pytest

from services.bot.consumer import Hold
from services.bot.delivery import MAYBE_DUPLICATE
from shared.domain.inbox import LeaseLostError, Outcome
from tests.factories import ANN_ID, BOB_ID, BOT_ID, make_prose, make_update
from tests.services.bot.desk import Desk, until

SEND = "sendMessage"


async def test_a_short_flood_wait_is_waited_out_and_the_answer_arrives_once(desk: Desk) -> None:
    await desk.faults({"kind": "flood", "method": SEND, "retry_after": 1, "times": 1})
    await desk.tell("Hi")

    assert await desk.texts() == ["You said: Hi"]
    assert [call["status"] for call in await desk.calls(SEND)] == [429, 200]
    assert len(desk.pauses) == 1
    assert all(1 <= pause < 1.5 for pause in desk.pauses)


async def test_a_long_flood_wait_postpones_the_answer_and_it_is_not_lost(desk: Desk) -> None:
    await desk.faults({"kind": "flood", "method": SEND, "retry_after": 3, "times": 1})
    await desk.tell("Hi")
    assert await desk.texts() == []
    [settled] = desk.ended
    assert (settled.outcome, settled.delay) == (Outcome.RELEASED, 3.0)

    await desk.later()
    assert await desk.texts() == ["You said: Hi"]
    assert (await desk.statuses(), len(desk.model.prompts)) == (["handled"], 1)
    assert await desk.house.rows("select status from outbox") == [("sent",)]


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "error", "code": 502, "description": "Bad Gateway"}])
async def test_an_answer_that_did_not_get_through_is_sent_again(desk: Desk, fault: dict[str, object]) -> None:
    await desk.faults({**fault, "method": SEND, "times": 1})
    await desk.tell("Hi")
    assert await desk.texts() == []
    await desk.later()
    assert await desk.texts() == ["You said: Hi"]
    assert len(desk.model.prompts) == 1


async def test_an_answer_that_arrived_unheard_is_sent_again_and_counted_as_a_possible_double(desk: Desk) -> None:
    before = MAYBE_DUPLICATE._value.get()
    await desk.faults({"kind": "accept_then_timeout", "seconds": 0, "method": SEND, "times": 1})
    await desk.tell("Hi")
    await desk.later()
    assert await desk.texts() == ["You said: Hi"] * 2
    assert (MAYBE_DUPLICATE._value.get() - before, len(desk.model.prompts)) == (1, 1)


async def test_a_flood_wait_for_drafts_costs_drafts_and_not_the_answer(desk: Desk) -> None:
    desk.model.piece_seconds = 0.08
    await desk.faults({"kind": "flood", "method": "sendMessageDraft", "retry_after": 30})
    await desk.tell("one two three four")
    assert await desk.texts() == ["You said: one two three four"]
    assert ([call["status"] for call in await desk.calls("sendMessageDraft")], desk.pauses) == ([429], [])


async def test_of_a_long_answer_only_what_did_not_get_through_is_sent_again(desk: Desk) -> None:
    desk.model.queue([make_prose("a", 4000) + "\n\n" + make_prose("b", 4000)])
    await desk.sandbox.say("Hi")
    await desk.fetch()
    [lease] = await desk.take()
    await desk.faults({"kind": "slow", "ms": 60, "method": SEND, "times": 2})
    working = asyncio.ensure_future(desk.handler(Hold(lease, is_priority=False, seconds=60.0)))
    await until(lambda: desk.calls(SEND))
    await desk.faults({"kind": "flood", "method": SEND, "retry_after": 99, "times": 1})
    settled = await working
    assert (settled.outcome, [step for step, _ in settled.sent]) == (Outcome.RELEASED, [1])
    await desk.application.inbox.settle(BOT_ID, [settled])

    await desk.later()
    assert [text[0] for text in await desk.texts()] == ["a", "b"]
    assert [call["status"] for call in await desk.calls(SEND)] == [200, 429, 200]


async def test_a_process_that_ends_between_posting_and_sending_leaves_nothing_unsent(desk: Desk) -> None:
    await desk.sandbox.say("Hi")
    await desk.fetch()
    await desk.faults({"kind": "hang", "method": SEND, "seconds": 0.2, "times": 1})
    [lease] = await desk.take()
    working = asyncio.ensure_future(desk.handler(Hold(lease, is_priority=False, seconds=60.0)))
    await until(lambda: desk.sandbox.world.faults.active[0].left == 0)
    working.cancel()
    settled = await working
    assert settled.outcome is Outcome.RELEASED
    await desk.application.inbox.settle(BOT_ID, [settled])

    await desk.later()
    assert await desk.texts() == ["You said: Hi"]
    assert len(desk.model.prompts) == 1


async def test_an_answer_to_start_that_was_given_back_is_sent_once(desk: Desk) -> None:
    await desk.faults({"kind": "drop", "method": SEND, "times": 1})
    await desk.tell("/start")
    await desk.later()
    assert [text[:10] for text in await desk.texts()] == ["Oh good, a", "You are ta"]
    assert await desk.statuses() == ["handled"]


async def test_entities_that_are_refused_leave_plain_text(desk: Desk) -> None:
    desk.model.queue("I am **glad**.")
    await desk.faults({"kind": "error", "method": SEND, "code": 400, "times": 1, "description": "Bad Request: can't parse entities"})
    await desk.tell("Hi")
    [reply] = await desk.seen()
    assert (reply["text"], reply.get("entities")) == ("I am glad.", None)


async def test_a_message_that_is_refused_in_every_form_fails_alone(desk: Desk) -> None:
    desk.model.queue([make_prose("a", 4000) + "\n\n" + make_prose("b", 4000)])
    await desk.faults({"kind": "error", "method": SEND, "code": 400, "times": 2, "description": "Bad Request: something new"})
    await desk.tell("Hi")

    assert [text[0] for text in await desk.texts()] == ["b"]
    assert await desk.house.rows("select status from outbox order by step") == [("failed",), ("sent",)]
    assert await desk.house.rows("select blocked_at from users") == [(None,)]
    assert await desk.statuses() == ["handled"]


async def test_whoever_blocked_the_bot_is_marked_and_not_tried_again(desk: Desk) -> None:
    await desk.sandbox.say("Hi")
    await desk.fetch()
    desk.sandbox.world.bots[BOT_ID].blocked_by.add(ANN_ID)
    await desk.work()

    assert [call["status"] for call in await desk.calls(SEND)] == [403]
    assert await desk.house.rows("select status, error like '%blocked%' from outbox") == [("failed", True)]
    assert await desk.house.rows("select blocked_at is not null from users") == [(True,)]
    assert await desk.statuses() == ["handled"]
    await desk.later()
    assert len(await desk.calls(SEND)) == 1


async def test_blocking_and_letting_in_again_is_noted_at_once(desk: Desk) -> None:
    await desk.tell("/start")
    await desk.sandbox.sim("block", {"bot_id": BOT_ID, "user_id": ANN_ID, "blocked": True})
    await desk.run()
    assert await desk.house.rows("select blocked_at is not null from users") == [(True,)]

    await desk.sandbox.sim("block", {"bot_id": BOT_ID, "user_id": ANN_ID, "blocked": False})
    await desk.run()
    assert await desk.house.rows("select blocked_at is not null from users") == [(False,)]
    await desk.tell("Hi again")
    assert (await desk.texts())[-1] == "You said: Hi again"


async def test_a_chat_that_is_gone_is_not_tried_again(desk: Desk) -> None:
    await desk.faults({"kind": "error", "method": SEND, "code": 400, "times": 1, "description": "Bad Request: chat not found"})
    await desk.tell("Hi")
    await desk.later()
    assert [call["status"] for call in await desk.calls(SEND)] == [400]
    assert await desk.statuses() == ["handled"]


async def test_a_telegram_that_answers_nonsense_ends_as_a_dead_letter_and_the_next_message_goes_on(desk: Desk) -> None:
    await desk.faults({"kind": "error", "method": SEND, "code": 418, "times": 3, "description": "I am a teapot"})
    await desk.tell("one")
    await desk.sandbox.say("two")
    await desk.fetch()
    for _ in range(3):
        await desk.later()
    assert await desk.statuses() == ["dead", "handled"]
    assert (await desk.texts())[-1] == "You said: two"


async def test_a_handler_that_fails_is_tried_three_times_and_then_the_person_is_told(desk: Desk) -> None:
    await desk.tell("/start", BOB_ID)
    await desk.house.rows("alter table turns rename column source_id to another_id")
    await desk.sandbox.say("Hi", BOB_ID)
    await desk.run()
    for _ in range(3):
        await desk.later()

    assert [settled.outcome for settled in desk.ended[1:]] == [Outcome.FAILED, Outcome.FAILED, Outcome.DEAD]
    assert [settled.delay for settled in desk.ended[1:3]] == [1.0, 5.0]
    assert (await desk.texts(BOB_ID))[-1] == "Что-то сломалось у нас. Сообщение сохранено; попробуйте ещё раз через минуту."
    assert await desk.statuses() == ["handled", "dead"]


async def test_an_update_that_telegram_library_cannot_read_is_dead_at_once_and_the_next_goes_on(desk: Desk) -> None:
    bad = make_update(900, text=["not", "a", "text"])
    await desk.application.inbox.receive(BOT_ID, [bad, make_update(901, text="Hi")], notice="desk")
    await desk.sandbox.say("/start")
    await desk.work()
    assert await desk.statuses() == ["dead", "handled"]
    assert desk.ended[0].error == "message.text: string_type"


async def test_an_update_that_kills_the_process_again_and_again_is_given_up(desk: Desk) -> None:
    await desk.sandbox.say("Hi")
    await desk.fetch()
    for _ in range(8):
        await desk.take()
        await desk.house.rows("update lanes set due_at = clock_timestamp()")
    await desk.work()
    assert await desk.statuses() == ["dead"]
    assert await desk.texts() == ["Something went wrong on our side. Your message is kept; please try again in a minute."]
    assert desk.model.prompts == []


async def test_a_process_that_slept_too_long_sends_nothing_under_its_old_lease(desk: Desk) -> None:
    await desk.sandbox.say("Hi")
    await desk.fetch()
    [lease] = await desk.take()
    stale = Hold(lease, is_priority=False, seconds=0.0)
    with pytest.raises(LeaseLostError):
        await desk.handler(stale)
    assert await desk.texts() == []

    await desk.later()
    assert await desk.texts() == ["You said: Hi"]


async def test_a_lane_taken_by_somebody_else_answers_nothing(desk: Desk) -> None:
    await desk.sandbox.say("Hi")
    await desk.fetch()
    [old] = await desk.take()
    await desk.house.rows("update lanes set due_at = clock_timestamp()")
    [new] = await desk.take()
    with pytest.raises(LeaseLostError):
        await desk.handler(Hold(old, is_priority=False, seconds=60.0))
    assert await desk.calls(SEND) == []

    settled = await desk.handler(Hold(new, is_priority=False, seconds=60.0))
    await desk.application.inbox.settle(BOT_ID, [settled])
    assert await desk.texts() == ["You said: Hi"]
    assert await desk.house.used(await desk.house.speaker()) == 1


async def test_answers_that_upkeep_finds_unsent_are_sent(desk: Desk) -> None:
    await desk.tell("Hi")
    await desk.house.rows("update outbox set status = 'pending', created_at = now() - interval '10 minutes'")
    await desk.house.rows("update stored_updates set handled_at = now() - interval '10 minutes'")
    await desk.application.upkeep.resend_pending()
    await desk.work()
    assert await desk.texts() == ["You said: Hi"] * 2
