"""One turn of a conversation: what is said, what the model hears, what is kept."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from shared.adapters.llm.scripted import Fault
from shared.application.chat import Said
from shared.application.ports import FinishReason, ModelUnavailableError, PromptMessage, Role
from shared.application.stop import Stop
from shared.domain.dialog import DialogNotFoundError
from shared.domain.speaker import Speaker
from tests.factories import BOB_ID, House, make_character, make_speaker

TURN = "select status, error_code from turns order by id"


async def say(house: House, speaker: Speaker, said: str, *, source_id: str = "1", **more: Any) -> str:
    return "".join([piece.text async for piece in house.chat.reply(speaker, [Said(source_id, said)], **more)])


async def test_a_reply_is_streamed_and_kept_with_what_it_cost(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("Hello Ann, how are you?")

    pieces = [piece.text async for piece in house.chat.reply(ann, [Said("7", "Hi")])]

    assert pieces == ["Hello", " Ann,", " how", " are", " you?"]
    assert (await house.messages(ann))[1:] == [("user", "Hi"), ("assistant", "Hello Ann, how are you?")]
    [turn] = await house.rows("select source_id, status, model, completion_tokens, total_ms, first_piece_ms, error_code from turns")
    assert turn == ("7", "finished", "scripted:parrot", 7, 0, 0, None)
    assert await house.rows("select prompt_tokens > 50, finished_at is not null from turns") == [(True, True)]
    assert await house.used(ann) == 1


async def test_the_model_hears_the_character_then_everything_that_was_said_in_order(house: House) -> None:
    ann = await house.speaker()
    [(_, greeting)] = await house.messages(ann)
    house.model.queue("One.", "Two.")
    await say(house, ann, "first", source_id="1")
    await say(house, ann, "second", source_id="2")
    await say(house, ann, "third", source_id="3")

    system, *rest = house.model.prompts[-1]
    assert (system.role, system.text.splitlines()[0][:13], '"user_name": "Ann"' in system.text) == (Role.SYSTEM, "You are Mira,", True)
    assert rest == [
        PromptMessage(Role.ASSISTANT, greeting),
        PromptMessage(Role.USER, "first"),
        PromptMessage(Role.ASSISTANT, "One."),
        PromptMessage(Role.USER, "second"),
        PromptMessage(Role.ASSISTANT, "Two."),
        PromptMessage(Role.USER, "third"),
    ]


async def test_a_characters_own_temperature_reaches_the_model(house: House) -> None:
    ann = await house.speaker()
    cool = make_character(settings={"temperature": 0.1})
    await house.add(cool)
    await house.characters.enter(ann, cool.id)

    await say(house, await house.speaker(), "Hi")
    assert house.model.temperatures == [0.1]


async def test_the_same_message_again_says_nothing_and_costs_nothing(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "Hi", source_id="1")

    assert await say(house, ann, "Hi", source_id="1") == ""
    assert (len(house.model.prompts), await house.used(ann)) == (1, 1)
    assert len(await house.messages(ann)) == 3


async def test_a_turn_that_the_end_of_the_process_cut_is_open_and_resumed_for_one_payment(house: House) -> None:
    ann = await house.speaker()
    house.model.break_next(Fault.hang(after_pieces=2))
    reply = asyncio.ensure_future(say(house, ann, "tell me more", source_id="1"))
    await _until_open(house)
    reply.cancel()
    await asyncio.wait([reply])

    assert reply.cancelled()
    assert await house.rows(TURN) == [("open", None)]
    assert (await house.messages(ann))[1:] == [("user", "tell me more")]
    assert await say(house, ann, "tell me more", source_id="1") == "You said: tell me more"
    assert await house.rows(TURN) == [("finished", None)]
    assert (await house.messages(ann))[1:] == [("user", "tell me more"), ("assistant", "You said: tell me more")]
    assert await house.used(ann) == 1
    assert house.model.prompts[0] == house.model.prompts[1]


async def _until_open(house: House) -> None:
    async with asyncio.timeout(5):
        while not house.model.open_streams:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0.005)


async def test_a_failed_turn_is_paid_back_and_can_be_tried_again(house: House) -> None:
    ann = await house.speaker()
    house.model.break_next(Fault.refused())

    with pytest.raises(ModelUnavailableError):
        await say(house, ann, "Hi", source_id="1")
    assert await house.rows(TURN) == [("failed", "refused")]
    assert await house.used(ann) == 0

    assert await say(house, ann, "Hi", source_id="1") == "You said: Hi"
    assert await house.rows(TURN) == [("finished", None)]
    assert await house.used(ann) == 1
    assert (await house.messages(ann))[1:] == [("user", "Hi"), ("assistant", "You said: Hi")]


async def test_a_question_that_failed_and_was_sent_again_is_heard_once(house: House) -> None:
    ann = await house.speaker()
    house.model.break_next(Fault.refused())
    with pytest.raises(ModelUnavailableError):
        await say(house, ann, "Are you there?", source_id="1")

    assert await say(house, ann, "Are you there?", source_id="2") == "You said: Are you there?"
    assert [message.text for message in house.model.prompts[-1]].count("Are you there?") == 1


async def test_a_provider_that_breaks_off_keeps_what_was_said(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("Once upon a time")
    house.model.break_next(Fault.cut(after_pieces=2))

    assert await say(house, ann, "A story!") == "Once upon"
    assert await house.rows(TURN) == [("interrupted", "cut")]
    assert (await house.messages(ann))[-1] == ("assistant", "Once upon")
    assert await house.used(ann) == 1


async def test_a_reply_at_its_greatest_length_is_finished_and_says_why_it_ends(house: House) -> None:
    ann = await house.speaker()
    house.model.finish = FinishReason.LENGTH

    assert await say(house, ann, "Hi") == "You said: Hi"
    assert await house.rows(TURN) == [("finished", "length")]


async def test_stop_before_the_first_word_ends_the_turn_with_nothing_said(house: House) -> None:
    ann, stop = await house.speaker(), Stop()
    house.model.break_next(Fault.hang())
    reply = asyncio.ensure_future(say(house, ann, "Hi", stop=stop))
    await _until_open(house)
    stop.press()

    assert await reply == ""
    assert (house.model.open_streams, await house.rows(TURN)) == (0, [("interrupted", "stopped")])
    assert (await house.messages(ann))[1:] == [("user", "Hi")]
    assert await house.used(ann) == 1


async def test_stop_that_came_before_the_model_was_asked_says_nothing(house: House) -> None:
    ann, stop = await house.speaker(), Stop()
    stop.press()

    assert await say(house, ann, "Hi", stop=stop) == ""
    assert await house.rows(TURN) == [("interrupted", "stopped")]


async def test_stop_in_the_middle_keeps_what_was_said(house: House) -> None:
    ann, stop = await house.speaker(), Stop()
    house.model.queue("one two three four")
    heard = []
    async for piece in house.chat.reply(ann, [Said("1", "Count!")], stop=stop):
        heard.append(piece.text)
        if len(heard) == 2:
            stop.press()
            stop.press()

    assert heard == ["one", " two"]
    assert (await house.messages(ann))[-1] == ("assistant", "one two")
    assert await house.rows(TURN) == [("interrupted", "stopped")]
    await say(house, ann, "Go on", source_id="2")
    assert house.model.prompts[-1][-2:] == (PromptMessage(Role.ASSISTANT, "one two"), PromptMessage(Role.USER, "Go on"))


async def test_stop_after_the_end_changes_nothing(house: House) -> None:
    ann, stop = await house.speaker(), Stop()
    assert await say(house, ann, "Hi", stop=stop) == "You said: Hi"
    stop.press()
    assert await house.rows(TURN) == [("finished", None)]


async def test_a_listener_who_leaves_interrupts_the_reply_at_once(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("one two three")
    async with aclosing(house.chat.reply(ann, [Said("1", "Count!")])) as reply:
        first = await anext(reply)

    assert first.text == "one"
    assert house.model.open_streams == 0
    assert (await house.messages(ann))[-1] == ("assistant", "one")
    assert await house.rows(TURN) == [("interrupted", "stopped")]


async def test_what_postgresql_cannot_hold_is_left_out_of_what_is_kept_and_heard(house: House) -> None:
    ann = await house.speaker()
    house.model.queue(["A\x00n", "sw\ud83d", "er"])

    await say(house, ann, "He\x00llo \ud800!")
    assert (await house.messages(ann))[1:] == [("user", "Hello ?!"), ("assistant", "Answ?er")]
    assert house.model.prompts[0][-1] == PromptMessage(Role.USER, "Hello ?!")


async def test_of_an_endless_message_the_model_hears_the_beginning_and_the_end_and_how_much_is_missing(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "x" * 9000)
    assert (await house.messages(ann))[1] == ("user", "x" * 8000)
    head, mark, tail = house.model.prompts[0][-1].text.split("\n")
    assert (set(head), set(tail), mark) == ({"x"}, {"x"}, f"[… {8000 - len(head) - len(tail)} characters left out …]")
    assert 3500 < len(head) < 4000


async def test_a_corrected_message_is_what_the_model_remembers(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "My cat is called Tom", source_id="1")

    assert await house.chat.edit(ann, "1", "My cat is called Tim\x00")
    await say(house, ann, "What is her name?", source_id="2")
    assert [message.text for message in house.model.prompts[-1][2:4]] == ["My cat is called Tim", "You said: My cat is called Tom"]
    assert await house.rows("select count(*) from messages where edited_at is not null") == [(1,)]


async def test_a_correction_of_the_same_words_or_of_another_dialog_changes_nothing(house: House) -> None:
    ann, bob = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID)
    await say(house, ann, "Hi", source_id="1")

    assert not await house.chat.edit(ann, "1", "Hi")
    assert not await house.chat.edit(ann, "2", "Hello")
    assert not await house.chat.edit(bob, "1", "Hello")
    assert await house.rows("select count(*) from messages where edited_at is not null") == [(0,)]


async def test_a_dialog_that_does_not_exist_cannot_be_talked_in_and_nothing_is_paid(house: House) -> None:
    ann = await house.speaker()
    nowhere = make_speaker(user_id=ann.user_id)

    with pytest.raises(DialogNotFoundError):
        await say(house, nowhere, "Hi")
    assert house.model.prompts == []
    assert await house.used(ann) == 0


async def test_somebody_who_does_not_exist_cannot_talk_in_anothers_dialog(house: House) -> None:
    ann = await house.speaker()
    stranger = make_speaker(dialog_id=ann.dialog_id)

    with pytest.raises(DialogNotFoundError):
        await say(house, stranger, "Hi")
    assert await house.rows("select count(*) from turns") == [(0,)]


async def test_the_histories_of_two_people_do_not_mix(house: House) -> None:
    ann, bob = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID)
    await say(house, ann, "Ann's secret")
    await say(house, bob, "Hi")
    assert "Ann's secret" not in "".join(message.text for message in house.model.prompts[-1])


async def test_of_a_long_history_the_model_hears_the_newest_forty(house: House) -> None:
    ann = await house.speaker()
    for number in range(25):
        await say(house, ann, f"n{number}", source_id=str(number))
    _, *heard = house.model.prompts[-1]
    assert len(heard) == 41
    assert [message.text for message in (heard[0], heard[-1])] == ["n4", "n24"]
