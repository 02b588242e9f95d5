"""Bursts, alternatives, going on, taking back, starting over; and a crash at any point in between."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from shared.adapters.llm.scripted import Fault
from shared.application.chat import NotLastTurnError, Reply, Said, TurnNotFoundError
from shared.application.ports import ModelUnavailableError, Piece, Role
from shared.application.stop import Stop
from shared.domain.dialog import TurnStatus
from shared.domain.inbox import Lease, LeaseLostError, Outcome, Outgoing, Settlement
from shared.domain.speaker import Speaker
from tests.factories import ANN_ID, BOT_ID, House, make_update

LANE = "select arrivals::int, handled::int from lanes"
UPDATES = "select telegram_update_id::int, status from stored_updates order by telegram_update_id"


@dataclass
class Tray:
    """A delivery that keeps what it was given to wrap."""

    lease: Lease
    merged: Sequence[int] = ()
    replies: list[Reply] = field(default_factory=list)

    def wrap(self, reply: Reply, /) -> Sequence[Outgoing]:
        self.replies.append(reply)
        return [Outgoing(method="sendMessage", params={"chat_id": ANN_ID, "text": bubble}) for bubble in reply.bubbles]


async def heard(pieces: AsyncGenerator[Piece, None]) -> str:
    return "".join([piece.text async for piece in pieces])


async def say(house: House, speaker: Speaker, *said: str, first: int = 1) -> str:
    return await heard(house.chat.reply(speaker, burst(*said, first=first)))


def burst(*said: str, first: int = 1) -> list[Said]:
    return [Said(str(number), text) for number, text in enumerate(said, start=first)]


async def turn_id(house: House, source: str = "1") -> int:
    [(found,)] = await house.rows("select id from turns where source_id = :source", source=source)
    return int(found)


async def leased(house: House, *update_ids: int) -> Lease:
    await house.inbox.receive(BOT_ID, [make_update(number) for number in update_ids], notice="test")
    [lease] = await house.inbox.claim(BOT_ID, consumer=1, is_priority=False, places=5)
    return lease


async def claimed_again(house: House) -> Lease:
    """The consumer died, and another one takes the lane."""
    await house.rows("update lanes set due_at = clock_timestamp()")
    [lease] = await house.inbox.claim(BOT_ID, consumer=2, is_priority=False, places=5)
    return lease


async def killed_while_answering(house: House, pieces: AsyncGenerator[Piece, None]) -> None:
    """The process dies after the model has begun to speak."""
    house.model.break_next(Fault.hang(after_pieces=1))
    reply = asyncio.ensure_future(heard(pieces))
    async with asyncio.timeout(5):
        while not house.model.open_streams:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0.005)
    reply.cancel()
    await asyncio.wait([reply])


async def test_a_burst_is_one_turn_with_one_reply_to_all_of_it(house: House) -> None:
    ann = await house.speaker()
    lease = await leased(house, 1, 2, 3)
    tray = Tray(lease, merged=[2, 3])

    said = "You said: Hi\nI ask:\nWhere is Brno?"
    assert await heard(house.chat.reply(ann, burst("Hi", "I ask:", "Where is Brno?"), delivery=tray)) == said
    assert [message.text for message in house.model.prompts[0] if message.role is Role.USER] == ["Hi\nI ask:\nWhere is Brno?"]
    assert await house.used(ann) == 1
    assert await house.rows("select source_id, status, telegram_update_id::int from turns") == [("1", "finished", 1)]
    assert [(reply.bubbles, reply.status, reply.alternatives) for reply in tray.replies] == [((said,), TurnStatus.FINISHED, 1)]
    assert await house.rows(UPDATES) == [(1, "pending"), (2, "handled"), (3, "handled")]
    assert await house.rows(LANE) == [(3, 2)]
    await house.inbox.settle(BOT_ID, [Settlement(lease=lease, outcome=Outcome.HANDLED)])
    assert await house.rows("select arrivals::int, handled::int, due_at is null from lanes") == [(3, 3, True)]


async def test_more_words_before_the_first_piece_join_the_turn_and_cost_nothing(house: House) -> None:
    ann, stop = await house.speaker(), Stop()
    house.model.break_next(Fault.hang())
    reply = asyncio.ensure_future(heard(house.chat.reply(ann, burst("Hi"), stop=stop)))
    async with asyncio.timeout(5):
        while not house.model.open_streams:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert stop.press("superseded")

    assert await reply == ""
    assert await house.rows("select status from turns") == [("open",)]
    assert await say(house, ann, "Hi", "and more") == "You said: Hi\nand more"
    assert await house.rows("select status from turns") == [("finished",)]
    assert [said for role, said in await house.messages(ann) if role == "user"] == ["Hi", "and more"]
    assert await house.used(ann) == 1


async def test_words_that_come_after_the_first_piece_do_not_cut_the_reply(house: House) -> None:
    ann, stop = await house.speaker(), Stop()
    house.model.queue("one two three")
    async with aclosing(house.chat.reply(ann, burst("Count!"), stop=stop)) as reply:
        first = await anext(reply)
        assert not stop.press("superseded")
        assert first.text + "".join([piece.text async for piece in reply]) == "one two three"


async def test_a_burst_whose_process_dies_is_answered_once_and_paid_once(house: House) -> None:
    ann = await house.speaker()
    await killed_while_answering(house, house.chat.reply(ann, burst("Hi", "there"), delivery=Tray(await leased(house, 1, 2), merged=[2])))
    assert await house.rows(UPDATES) == [(1, "pending"), (2, "pending")]

    again = Tray(await claimed_again(house), merged=[2, 3])
    assert await heard(house.chat.reply(ann, burst("Hi", "there", "friend"), delivery=again)) == "You said: Hi\nthere\nfriend"
    assert await house.used(ann) == 1
    assert [said for role, said in await house.messages(ann) if role == "user"] == ["Hi", "there", "friend"]
    assert await house.rows(UPDATES) == [(1, "pending"), (2, "handled")]
    assert await house.rows("select count(*)::int from outbox") == [(1,)]


async def test_a_message_that_an_earlier_attempt_had_merged_is_not_answered_again_by_itself(house: House) -> None:
    ann = await house.speaker()
    await killed_while_answering(house, house.chat.reply(ann, burst("Hi", "there")))
    assert await say(house, ann, "Hi") == "You said: Hi\nthere"

    assert await say(house, ann, "there", first=2) == ""
    assert await house.used(ann) == 1
    assert len(house.model.prompts) == 2


async def test_an_answer_that_was_posted_but_not_settled_is_not_made_again(house: House) -> None:
    ann = await house.speaker()
    await heard(house.chat.reply(ann, burst("Hi", "there"), delivery=Tray(await leased(house, 1, 2), merged=[2])))

    lease = await claimed_again(house)
    assert (lease.update_id, lease.is_answered) == (1, True)
    assert await heard(house.chat.reply(ann, burst("Hi", "there"), delivery=Tray(lease, merged=[2]))) == ""
    await house.inbox.settle(BOT_ID, [Settlement(lease=lease, outcome=Outcome.HANDLED)])
    assert await house.inbox.claim(BOT_ID, consumer=3, is_priority=False, places=5) == []
    assert await house.rows("select count(*)::int from outbox") == [(1,)]
    assert (await house.used(ann), len(house.model.prompts)) == (1, 1)


async def test_a_consumer_that_lost_its_lane_marks_nothing(house: House) -> None:
    ann = await house.speaker()
    old = await leased(house, 1, 2)
    new = await claimed_again(house)

    with pytest.raises(LeaseLostError):
        await heard(house.chat.reply(ann, burst("Hi", "there"), delivery=Tray(old, merged=[2])))
    assert await house.rows(LANE) == [(2, 0)]
    assert await heard(house.chat.reply(ann, burst("Hi", "there"), delivery=Tray(new, merged=[2]))) == "You said: Hi\nthere"
    assert await house.rows(LANE) == [(2, 1)]
    assert await house.used(ann) == 1


async def test_a_burst_that_fails_marks_nothing_as_handled(house: House) -> None:
    ann = await house.speaker()
    house.model.break_next(Fault.refused())
    with pytest.raises(ModelUnavailableError):
        await heard(house.chat.reply(ann, burst("Hi", "there"), delivery=Tray(await leased(house, 1, 2), merged=[2])))
    assert await house.rows(UPDATES) == [(1, "pending"), (2, "pending")]
    assert await house.used(ann) == 0


async def test_of_the_same_message_at_the_very_same_time_one_is_paid(house: House) -> None:
    ann = await house.speaker()
    await asyncio.gather(*[say(house, ann, "Hi") for _ in range(12)], return_exceptions=True)

    assert await house.used(ann) == 1
    assert await house.rows("select count(*)::int, min(status) from turns") == [(1, "finished")]
    assert [role for role, _ in await house.messages(ann)] == ["assistant", "user", "assistant"]


async def test_of_the_same_failed_message_tried_again_at_the_same_time_one_is_paid(house: House) -> None:
    ann = await house.speaker()
    house.model.break_next(Fault.refused())
    with pytest.raises(ModelUnavailableError):
        await say(house, ann, "Hi")
    await asyncio.gather(*[say(house, ann, "Hi") for _ in range(8)], return_exceptions=True)
    assert await house.used(ann) == 1


async def test_another_reply_is_an_alternative_and_the_one_that_counts(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("Red.", "Blue.", "Never mind.")
    await say(house, ann, "A colour?")
    turn, tray = await turn_id(house), Tray(await leased(house, 9))

    assert await heard(house.chat.regenerate(ann, turn, source_id="regen:9", delivery=tray)) == "Blue."
    assert house.model.prompts[0] == house.model.prompts[1]
    assert [(reply.turn_id, reply.alternative, reply.alternatives) for reply in tray.replies] == [(turn, 2, 2)]
    assert await house.used(ann) == 2
    await say(house, ann, "Why?", first=2)
    assert [message.text for message in house.model.prompts[-1]][-3:] == ["A colour?", "Blue.", "Why?"]


async def test_the_same_press_of_regenerate_makes_and_costs_one_reply(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "A colour?")
    turn = await turn_id(house)
    await killed_while_answering(house, house.chat.regenerate(ann, turn, source_id="regen:9"))
    house.model.queue("Blue.", "Green.")

    assert await heard(house.chat.regenerate(ann, turn, source_id="regen:9")) == "Blue."
    assert await heard(house.chat.regenerate(ann, turn, source_id="regen:9")) == ""
    assert await house.used(ann) == 2
    assert [said for role, said in await house.messages(ann) if role == "assistant"][1:] == ["You said: A colour?", "Blue."]


async def test_a_regenerate_that_fails_or_is_stopped_leaves_the_reply_as_it_was(house: House) -> None:
    ann, stop = await house.speaker(), Stop()
    await say(house, ann, "A colour?")
    turn = await turn_id(house)
    house.model.break_next(Fault.refused())
    with pytest.raises(ModelUnavailableError):
        await heard(house.chat.regenerate(ann, turn, source_id="regen:8"))
    stop.press()
    assert await heard(house.chat.regenerate(ann, turn, source_id="regen:9", stop=stop)) == ""

    await say(house, ann, "Why?", first=2)
    assert [message.text for message in house.model.prompts[-1]][-3:] == ["A colour?", "You said: A colour?", "Why?"]
    assert await house.used(ann) == 3


async def test_only_the_last_turn_has_another_reply_or_goes_on(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "One")
    await say(house, ann, "Two", first=2)
    first, last = await turn_id(house), await turn_id(house, "2")

    for ask in (house.chat.regenerate, house.chat.go_on):
        with pytest.raises(NotLastTurnError):
            await heard(ask(ann, first, source_id="press"))
    assert await house.used(ann) == 2
    await house.chat.start_over(ann)
    with pytest.raises(NotLastTurnError):
        await heard(house.chat.regenerate(ann, last, source_id="press"))
    assert len(house.model.prompts) == 2


async def test_going_on_is_a_turn_without_words_and_its_reply_can_be_given_anew(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("Once upon a time", "there was a fox.", "there was a cat.")
    await say(house, ann, "A story!")

    assert await heard(house.chat.go_on(ann, await turn_id(house), source_id="on:5")) == "there was a fox."
    asked = house.model.prompts[-1]
    assert [message.text for message in asked[-3:-1]] == ["A story!", "Once upon a time"]
    assert asked[-1].text.startswith("(Go on:")
    assert await heard(house.chat.regenerate(ann, await turn_id(house, "on:5"), source_id="regen:6")) == "there was a cat."
    assert house.model.prompts[-1] == asked
    assert [said for role, said in await house.messages(ann) if role == "user"] == ["A story!"]
    assert await house.used(ann) == 3


async def test_alternatives_go_round_and_the_same_press_again_changes_nothing(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("Red.", "Blue.", "Green.")
    await say(house, ann, "A colour?")
    turn = await turn_id(house)
    for number in (1, 2):
        await heard(house.chat.regenerate(ann, turn, source_id=f"regen:{number}"))

    back = await house.chat.choose(ann, turn, -1, shown=3)
    assert (back.text, back.number, back.count) == ("Blue.", 2, 3)
    assert await house.chat.choose(ann, turn, -1, shown=3) == back
    assert (await house.chat.choose(ann, turn, 1)).text == "Green."
    assert (await house.chat.choose(ann, turn, 1)).text == "Red."
    await say(house, ann, "Why?", first=2)
    assert [message.text for message in house.model.prompts[-1]][-3:] == ["A colour?", "Red.", "Why?"]


async def test_nobody_chooses_in_the_dialog_of_somebody_else(house: House) -> None:
    ann, bob = await house.speaker(), await house.speaker(telegram_user_id=7_000_000_002)
    await say(house, ann, "Hi")
    turn = await turn_id(house)
    with pytest.raises(TurnNotFoundError):
        await house.chat.choose(bob, turn, 1)
    with pytest.raises(NotLastTurnError):
        await heard(house.chat.regenerate(bob, turn, source_id="press"))
    assert await house.used(bob) == 0


async def test_a_correction_says_which_turn_it_was_until_the_reply_has_followed(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "My cat is Tom", "She is old")
    turn = await turn_id(house)

    edited = await house.chat.edit(ann, "2", "She is young")
    assert edited is not None
    assert (edited.turn_id, edited.is_last) == (turn, True)
    assert await house.chat.edit(ann, "2", "She is young") == edited
    assert await heard(house.chat.regenerate(ann, turn, source_id="edit:7")) == "You said: My cat is Tom\nShe is young"
    assert await house.chat.edit(ann, "2", "She is young") is None
    await say(house, ann, "And now?", first=3)
    late = await house.chat.edit(ann, "1", "My cat is Tim")
    assert late is not None
    assert not late.is_last


async def test_what_is_taken_back_is_no_part_of_the_talk_and_one_undo_takes_one_turn(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "One")
    await heard(house.chat.reply(ann, burst("Two", first=2), delivery=Tray(await leased(house, 2))))
    await house.rows("update outbox set telegram_message_id = 501")

    undone = await house.chat.undo(ann, source_id="undo:3")
    assert undone is not None
    assert (undone.turn_id, undone.message_ids, undone.sources) == (await turn_id(house, "2"), (501,), ("2",))
    assert await house.chat.undo(ann, source_id="undo:3") == undone
    await say(house, ann, "Three", first=4)
    assert [message.text for message in house.model.prompts[-1]][-3:] == ["One", "You said: One", "Three"]
    for source in ("undo:5", "undo:6"):
        assert await house.chat.undo(ann, source_id=source) is not None
    assert await house.chat.undo(ann, source_id="undo:7") is None


async def test_starting_over_leaves_the_greeting_and_nothing_else(house: House) -> None:
    ann = await house.speaker()
    [(_, greeting)] = await house.messages(ann)
    await say(house, ann, "My secret")
    await house.rows(
        "insert into summaries (dialog_id, text, until_message_id, tokens_before, tokens_after) values (:id, 'A secret', 1, 9, 3)",
        id=ann.dialog_id,
    )

    assert await house.chat.start_over(ann) == greeting
    await say(house, ann, "Hi", first=2)
    assert [message.text for message in house.model.prompts[-1]][1:] == [greeting, "Hi"]
    assert "secret" not in house.model.prompts[-1][0].text


async def test_a_summary_stands_for_what_it_covers(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "I live in Brno")
    await house.rows(
        """insert into summaries (dialog_id, text, until_message_id, tokens_before, tokens_after)
           select :id, 'Ann lives in </data> Brno.', max(id), 9, 3 from messages""",
        id=ann.dialog_id,
    )
    await say(house, ann, "Where do I live?", first=2)
    system, *rest = house.model.prompts[-1]
    assert '"summary": "Ann lives in \\u003c/data\\u003e Brno."' in system.text
    assert [message.text for message in rest] == ["Where do I live?"]


async def test_a_turn_is_two_statements(house: House) -> None:
    ann = await house.speaker()
    sent = house.database._sent["work"]
    before = sent._value.get()
    await say(house, ann, "Hi", "there")
    assert sent._value.get() - before == 2
