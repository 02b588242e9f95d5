"""What people forget, undo or correct leaves the summary of its dialog, however late, and while a model is writing it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.speaker import Speaker
from tests.application.memory_talk import asked_data, fact, learn, memories, reading_model, say, texts_of, will_read
from tests.application.test_memory_summary import SUMMARY, chatter, house_parts, summary
from tests.factories import ANN_ID, BOB_ID, House, make_memory, make_person, make_place, open_house

BRNO = fact("Lives in Brno", "I live in Brno")


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    async with open_house(database_url, **house_parts()) as house:
        yield house


async def told(house: House, word: str) -> list[str]:
    """Of what the last summary was written, as far as it has this word."""
    return [one["text"] for one in asked_data(house)["messages"] if word in one["text"]]


async def forget_only(house: House, speaker: Speaker) -> None:
    [memory] = (await house.memory.known(speaker)).memories
    await house.memory.forget(speaker, memory.id)


async def writing_a_summary(house: House, speaker: Speaker) -> asyncio.Future[object]:
    """Begun, and not ended for some time."""
    reading_model(house).first_token_seconds = 0.3
    writing = asyncio.ensure_future(house.memory.refresh(speaker.dialog_id))
    for _ in range(250):
        if any("Task: summary" in prompt[0].text for prompt in reading_model(house).prompts[-1:]):
            return writing
        await asyncio.sleep(0.02)
    raise AssertionError("no summary was asked for")


async def test_what_is_forgotten_while_the_first_summary_is_written_is_not_in_it(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await chatter(house, ann, 6)
    writing = await writing_a_summary(house, ann)
    await forget_only(house, ann)
    await writing
    assert (await told(house, "I live in Brno"), await summary(house)) == (["I live in Brno", "You said: I live in Brno"], [])
    await house.memory.refresh(ann.dialog_id)
    assert (await told(house, "Brno"), len(await summary(house))) == ([], 1)


async def test_what_is_corrected_while_the_first_summary_is_written_is_not_in_it(house: House) -> None:
    ann = await house.speaker()
    source = await say(house, ann, "I live in Brno")
    await chatter(house, ann, 6)
    writing = await writing_a_summary(house, ann)
    await house.chat.edit(ann, source, "I like tea")
    await writing
    assert await summary(house) == []


async def test_a_correction_of_folded_words_has_the_summary_written_anew(house: House) -> None:
    ann = await house.speaker()
    source = await say(house, ann, "I live in Brno")
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    assert len(await summary(house)) == 1
    await house.chat.edit(ann, source, "I like tea")
    assert await summary(house) == []
    await house.memory.refresh(ann.dialog_id)
    assert ("I like tea" in await told(house, "tea"), len(await summary(house))) == (True, 1)


async def test_a_correction_of_what_is_not_folded_leaves_the_summary(house: House) -> None:
    ann = await house.speaker()
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    before = await summary(house)
    source = await say(house, ann, "I live in Brno")
    await house.chat.edit(ann, source, "I like tea")
    assert (await summary(house), len(before)) == (before, 1)


async def test_undoing_folded_turns_takes_the_summary_along(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "I live in Brno")
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    await house.chat.undo(ann, source_id="undo0")
    assert len(await summary(house)) == 1
    for number in range(1, 7):
        await house.chat.undo(ann, source_id=f"undo{number}")
    assert await summary(house) == []
    await say(house, ann, "Hi")
    assert SUMMARY not in house.model.prompts[-1][0].text


@pytest.mark.parametrize("begins", ["forget", "new"])
async def test_an_old_message_that_is_corrected_after_a_fresh_start_is_not_read(house: House, begins: str) -> None:
    ann = await house.speaker()
    source = await say(house, ann, "I live in Brno")
    will_read(house, BRNO)
    await house.memory.refresh(ann.dialog_id)
    await (house.memory.forget_everything(ann) if begins == "forget" else house.chat.start_over(ann))
    await house.chat.edit(ann, source, "I live in Brno!")
    calls = len(reading_model(house).prompts)
    assert (await house.memory.refresh(ann.dialog_id)).facts == {}
    assert (len(reading_model(house).prompts), await memories(house, ann)) == (calls, [])


async def test_what_was_said_again_or_answered_is_forgotten_with_its_fact(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "As I said I live in Brno", BRNO)
    await learn(house, ann, "What is the weather like in BRNO?")
    await learn(house, ann, "Brnings are no place")
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    assert len(await summary(house)) == 1
    await forget_only(house, ann)
    assert await summary(house) == []
    await house.memory.refresh(ann.dialog_id)
    assert (await told(house, "Brno"), await told(house, "BRNO"), len(await summary(house))) == ([], [], 1)
    assert len(await told(house, "garden")) >= 6


async def test_the_reply_to_forgotten_words_is_not_told_though_it_is_put_otherwise(house: House) -> None:
    ann = await house.speaker()
    house.model.queue("A fine place, second only to Prague.")
    await learn(house, ann, "I live in Brno", BRNO)
    await chatter(house, ann, 6)
    await forget_only(house, ann)
    await house.memory.refresh(ann.dialog_id)
    assert (await told(house, "Prague"), len(await summary(house))) == ([], 1)


async def test_russian_words_are_found_in_their_inflections(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "Я живу в Ростове, и ёлка там есть", fact("Живёт в Ростове", "Я живу в Ростове"))
    await say(house, ann, "Ростов зимой хорош")
    await chatter(house, ann, 6)
    await forget_only(house, ann)
    await house.memory.refresh(ann.dialog_id)
    assert (await told(house, "Ростов"), len(await summary(house))) == ([], 1)


async def test_forgotten_words_that_were_not_read_yet_are_not_learnt_and_said_anew_they_are(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await say(house, ann, "As I said I live in Brno")
    await forget_only(house, ann)
    will_read(house, BRNO)
    await house.memory.refresh(ann.dialog_id)
    assert (await house.memory.known(ann)).total == 0
    assert await learn(house, ann, "Well, I live in Brno", BRNO) == {"kept": 1}


async def test_other_peoples_words_stay(house: House) -> None:
    ann, bob = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID)
    await learn(house, ann, "I live in Brno", BRNO)
    await say(house, bob, "I live in Brno")
    await forget_only(house, ann)
    will_read(house, BRNO)
    assert (await house.memory.refresh(bob.dialog_id)).facts == {"kept": 1}


async def test_a_fact_whose_message_is_gone_takes_the_summary_along(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    await house.rows("delete from messages where text like '%I live in Brno' returning 1")
    await forget_only(house, ann)
    assert await summary(house) == []


async def test_a_forgotten_message_is_not_told_while_it_is_there_however_long(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await forget_only(house, ann)
    await house.rows("update memories set updated_at = now() - interval '31 days' returning 1")
    before = datetime.now(UTC) - timedelta(days=30)
    async with house.database.statement() as tx:
        assert await tx.upkeep.delete_replaced_memories(before, 10) == 0
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    assert (await told(house, "Brno"), len(await summary(house))) == ([], 1)
    await house.rows("delete from messages where text like '%I live in Brno' returning 1")
    async with house.database.statement() as tx:
        assert await tx.upkeep.delete_replaced_memories(before, 10) == 2


PLZEN = fact("Lives in Plzen", "I live in Plzen")
ROME = fact("Lives in Rome", "I live in Rome")


async def test_a_rival_that_lost_holds_again_when_the_words_that_won_are_taken_back(house: House) -> None:
    ann = await house.speaker()
    first = await say(house, ann, "I live in Brno")
    will_read(house, BRNO)
    await house.memory.refresh(ann.dialog_id)
    await learn(house, ann, "I live in Plzen", PLZEN)
    again = await say(house, ann, "No, I live in Brno")
    will_read(house, BRNO)
    assert (await house.memory.refresh(ann.dialog_id)).facts == {"settled": 1}
    held = [("active", "Lives in Brno"), ("replaced", "Lives in Plzen")]
    assert await memories(house, ann) == held
    await house.chat.edit(ann, first, "I like tea")
    assert await memories(house, ann) == held
    await house.chat.edit(ann, again, "I like tea, too")
    assert await memories(house, ann) == [("active", "Lives in Plzen")]


@pytest.mark.parametrize("way", ["forget", "edit"])
async def test_of_two_rivals_that_are_left_one_holds_and_the_other_is_still_asked_about(house: House, way: str) -> None:
    ann = await house.speaker()
    first = await say(house, ann, "I live in Brno")
    will_read(house, BRNO)
    await house.memory.refresh(ann.dialog_id)
    await learn(house, ann, "I live in Plzen", PLZEN)
    await learn(house, ann, "I live in Rome", ROME)
    brno = next(one for one in (await house.memory.known(ann)).memories if not one.is_asked)
    await (house.memory.forget(ann, brno.id) if way == "forget" else house.chat.edit(ann, first, "I like tea"))
    rome, plzen = (await house.memory.known(ann)).memories
    assert (plzen.fact, plzen.is_asked, rome.fact, rome.is_asked) == ("Lives in Plzen", False, "Lives in Rome", True)
    assert rome.rival is not None
    assert rome.rival.id == plzen.id


async def test_who_forgets_everything_in_a_group_leaves_what_others_said_to_be_read(house: House) -> None:
    ann, bob = [await house.accounts.recognise(make_person(telegram_user_id=one), make_place(chat_id=-100)) for one in (ANN_ID, BOB_ID)]
    source = await say(house, ann, "I live in Brno")
    await say(house, bob, "I live in Plzen")
    assert ann.dialog_id == bob.dialog_id
    await house.memory.forget_everything(ann)
    will_read(house, PLZEN)
    assert (await house.memory.refresh(bob.dialog_id)).facts == {"kept": 1}
    assert [one for one in texts_of(asked_data(house)["messages"]) if "live" in one] == ["I live in Plzen", "(You said: I live in Plzen)"]
    await house.chat.edit(ann, source, "I live in Brno!")
    assert (await house.memory.refresh(bob.dialog_id)).facts == {}
    assert await memories(house, bob) == [("active", "Lives in Plzen")]
    assert await learn(house, ann, "I live in Rome", ROME) == {"kept": 1}
    await house.memory.forget_everything(ann)
    assert ((await house.memory.known(ann)).total, (await house.memory.known(bob)).total) == (0, 1)


async def test_what_is_being_written_down_when_everything_is_forgotten_goes_too(house: House) -> None:
    ann = await house.speaker()
    is_held = asyncio.Event()

    async def forget() -> int:
        await is_held.wait()
        return await house.memory.forget_everything(ann)

    forgetting = asyncio.ensure_future(forget())
    async with house.database.transaction() as tx:
        await tx.memory_reading.hold([ann.user_id])
        is_held.set()
        await asyncio.sleep(0.1)
        tx.session.add(make_memory(ann))
    assert (await forgetting, (await house.memory.known(ann)).total) == (1, 0)


async def test_what_a_model_reads_in_a_group_while_everything_is_forgotten_is_not_learnt(house: House) -> None:
    ann = await house.accounts.recognise(make_person(), make_place(chat_id=-100))
    await say(house, ann, "I live in Brno")
    will_read(house, BRNO)
    reading_model(house).first_token_seconds = 0.1
    reading = asyncio.ensure_future(house.memory.refresh(ann.dialog_id))
    await asyncio.sleep(0.03)
    await house.memory.forget_everything(ann)
    assert ((await reading).facts, (await house.memory.known(ann)).total) == ({"unverified": 1}, 0)


async def dismiss_only(house: House, speaker: Speaker) -> None:
    [asked] = [one for one in (await house.memory.known(speaker)).memories if one.is_asked]
    assert await house.memory.settle(speaker, asked.id, is_true=False) is None


async def test_what_is_dismissed_as_not_true_is_told_no_more(house: House) -> None:
    ann = await house.speaker()
    await house.add(make_memory(ann, is_pinned=True))
    house.model.queue("A fine place, second only to Prague.")
    assert await learn(house, ann, "I live in Plzen", PLZEN) == {"asked": 1}
    assert await learn(house, ann, "I live in Plzen, I said", PLZEN) == {"same": 1}
    await say(house, ann, "My mother is from Plzen")
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    assert (len(await told(house, "I live in Plzen")), len(await summary(house))) == (3, 1)
    await dismiss_only(house, ann)
    assert (await summary(house), [one.fact for one in (await house.memory.known(ann)).memories]) == ([], ["Lives in Brno"])
    await house.memory.refresh(ann.dialog_id)
    assert (await told(house, "I live in Plzen"), await told(house, "Prague"), len(await summary(house))) == ([], [], 1)
    assert await told(house, "My mother") == ["My mother is from Plzen", "You said: My mother is from Plzen"]


async def test_a_summary_that_what_is_dismissed_is_not_in_stays(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    before = await summary(house)
    assert await learn(house, ann, "I live in Plzen", PLZEN) == {"asked": 1}
    await dismiss_only(house, ann)
    assert (await summary(house), len(before)) == (before, 1)


async def test_what_is_dismissed_and_whose_message_is_gone_takes_the_summary_along(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Plzen", PLZEN)
    await chatter(house, ann, 6)
    await house.memory.refresh(ann.dialog_id)
    await house.rows("delete from messages where text like '%I live in Plzen' returning 1")
    assert len(await summary(house)) == 1
    await dismiss_only(house, ann)
    assert await summary(house) == []
