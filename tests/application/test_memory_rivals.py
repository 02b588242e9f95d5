"""Facts that contradict each other: which of them give way, to what, and who knows the one that holds."""

import asyncio
import json

from shared.domain.speaker import Speaker
from tests.application.memory_talk import fact, learn, memories, reading_model, say, will_read
from tests.factories import House, make_memory

BRNO = fact("Lives in Brno", "I live in Brno")
PLZEN = fact("Lives in Plzen", "I live in Plzen")
ROME = fact("Lives in Rome", "I live in Rome")
MOVED = fact("Lives in Plzen", "I moved to Plzen", relation="changed", known="k1")


async def with_another(house: House, speaker: Speaker) -> Speaker:
    """The same person, who has gone on to another character."""
    [(other,)] = await house.rows("select id from characters where id <> :id order by id limit 1", id=speaker.character_id)
    await house.characters.enter(speaker, other)
    return await house.speaker()


async def shown(house: House, speaker: Speaker) -> list[tuple[str, str | None]]:
    """(fact, the rival that it is shown with) as /memory has them."""
    return [(one.fact, one.rival and one.rival.fact) for one in (await house.memory.known(speaker)).memories]


async def test_what_is_pinned_for_one_character_is_neither_shown_nor_overridden_by_another(house: House) -> None:
    ann = await house.speaker()
    await house.add(make_memory(ann, confidence=1.0, is_pinned=True))
    everywhere = {**PLZEN, "scope": "all"}
    assert await learn(house, ann, "I live in Plzen", everywhere) == {"asked": 1}
    assert await learn(house, ann, "I live in Plzen, yes", everywhere) == {"same": 1}
    elsewhere = await with_another(house, ann)
    assert await shown(house, elsewhere) == []
    assert await learn(house, elsewhere, "I live in Plzen", everywhere) == {"kept": 1}
    assert await shown(house, elsewhere) == [("Lives in Plzen", None)]
    assert (await memories(house, ann))[:2] == [("active", "Lives in Brno"), ("asked", "Lives in Plzen")]


async def test_a_fact_that_is_taken_from_other_characters_takes_its_question_along(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", {**BRNO, "scope": "all"})
    [brno] = (await house.memory.known(ann)).memories
    await learn(house, ann, "I live in Plzen", {**PLZEN, "scope": "all"})
    await house.memory.share(ann, brno.id, is_shared=False)
    assert await shown(house, ann) == [("Lives in Plzen", "Lives in Brno"), ("Lives in Brno", None)]
    assert await shown(house, await with_another(house, ann)) == []


async def test_what_another_character_alone_knows_gives_way_to_nothing_said_here(house: House) -> None:
    ann = await house.speaker()
    brno = make_memory(ann)
    await house.add(brno)
    await house.add(make_memory(ann, fact="Lives in Plzen", status="asked", successor_id=brno.id, character_id=None))
    elsewhere = await with_another(house, ann)
    assert await shown(house, elsewhere) == [("Lives in Plzen", None)]
    assert await learn(house, elsewhere, "I live in Plzen", PLZEN) == {"same": 1}
    assert await memories(house, ann) == [("active", "Lives in Brno"), ("asked", "Lives in Plzen")]


async def test_what_is_pinned_while_the_model_reads_is_not_replaced_by_what_it_read(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Plzen", PLZEN)
    [brno] = [one for one in (await house.memory.known(ann)).memories if not one.is_asked]
    for said, heard, outcome in (
        ("Well, I live in Plzen", PLZEN, {"same": 1}),
        ("I live in Rome", {**ROME, "relation": "changed", "known": "k1"}, {"asked": 1}),
    ):
        await house.memory.pin(ann, brno.id, is_pinned=False)
        await say(house, ann, said)
        will_read(house, heard)
        reading_model(house).first_token_seconds = 0.1
        reading = asyncio.ensure_future(house.memory.refresh(ann.dialog_id))
        await asyncio.sleep(0.05)
        await house.memory.pin(ann, brno.id, is_pinned=True)
        assert (await reading).facts == outcome
    assert await memories(house, ann) == [("active", "Lives in Brno"), ("asked", "Lives in Plzen"), ("asked", "Lives in Rome")]


async def test_of_three_that_contradict_each_other_one_is_left(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Plzen", PLZEN)
    assert await learn(house, ann, "I live in Rome", ROME) == {"asked": 1}
    assert await learn(house, ann, "I live in Plzen, really", PLZEN) == {"settled": 1}
    assert await memories(house, ann) == [("replaced", "Lives in Brno"), ("active", "Lives in Plzen"), ("replaced", "Lives in Rome")]
    assert await learn(house, ann, "I live in Rome, mind you", ROME) == {"asked": 1}
    assert await shown(house, ann) == [("Lives in Rome", "Lives in Plzen"), ("Lives in Plzen", None)]


async def test_three_of_one_answer_are_weighed_as_they_will_be_written(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await say(house, ann, "I live in Plzen", "I live in Rome", "Oh, I live in Plzen", "I live in Rome again")
    will_read(house, *({**heard, "message": number} for number, heard in enumerate((PLZEN, ROME, PLZEN, ROME), 1)))
    assert (await house.memory.refresh(ann.dialog_id)).facts == {"asked": 3, "settled": 1}
    held = [one for one in await memories(house, ann) if one[0] != "replaced"]
    assert held == [("active", "Lives in Plzen"), ("asked", "Lives in Rome")]


async def test_of_three_the_user_chooses_one_in_memory(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    [brno] = (await house.memory.known(ann)).memories
    await house.memory.share(ann, brno.id, is_shared=True)
    await house.memory.pin(ann, brno.id, is_pinned=True)
    await learn(house, ann, "I live in Plzen", PLZEN)
    await learn(house, ann, "I live in Rome", ROME)
    [plzen] = [one for one in (await house.memory.known(ann)).memories if one.fact == "Lives in Plzen"]
    holds = await house.memory.settle(ann, plzen.id, is_true=True)
    assert holds is not None
    assert (holds.is_pinned, holds.is_shared) == (True, True)
    assert await shown(house, ann) == [("Lives in Plzen", None)]


async def test_undoing_the_one_that_replaced_brings_one_back(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Rome", ROME)
    assert await learn(house, ann, "I moved to Plzen", MOVED) == {"replaced": 1}
    await house.chat.undo(ann, source_id="undo")
    assert await shown(house, ann) == [("Lives in Brno", None)]


async def test_a_question_about_what_is_pinned_is_answered_by_the_word_that_it_has_changed(house: House) -> None:
    ann = await house.speaker()
    await house.add(make_memory(ann, confidence=1.0, is_pinned=True))
    assert await learn(house, ann, "I live in Plzen", PLZEN) == {"asked": 1}
    assert await learn(house, ann, "I have moved to Plzen now", fact("Lives in Plzen", "I have moved to Plzen")) == {"settled": 1}
    [plzen] = (await house.memory.known(ann)).memories
    assert (plzen.fact, plzen.is_pinned, plzen.is_asked) == ("Lives in Plzen", True, False)


async def test_two_dialogs_of_a_person_that_are_read_at_once_weigh_their_facts_against_each_other(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "My name is Ann")
    elsewhere = await with_another(house, ann)
    await say(house, elsewhere, "My name is Anna")
    reading_model(house).first_token_seconds = 0.1
    for name in ("Ann", "Anna"):
        will_read(house, fact(f"Is called {name}", f"My name is {name}", topic="name", scope="all"))
    first = asyncio.ensure_future(house.memory.refresh(ann.dialog_id))
    await asyncio.sleep(0.02)
    read = await asyncio.gather(first, house.memory.refresh(elsewhere.dialog_id))
    assert sorted(outcome for one in read for outcome in one.facts) == ["asked", "kept"]
    assert sorted(status for status, _ in await memories(house, ann)) == ["active", "asked"]


async def test_what_another_dialog_is_writing_is_waited_for(house: House) -> None:
    ann = await house.speaker()
    await say(house, ann, "My name is Anna")
    will_read(house, fact("Is called Anna", "My name is Anna", topic="name", scope="all"))
    reading_model(house).first_token_seconds = 0.1
    reading = asyncio.ensure_future(house.memory.refresh(ann.dialog_id))
    await asyncio.sleep(0.02)
    async with house.database.transaction() as tx:
        await tx.memory_reading.hold([ann.user_id])
        await asyncio.sleep(0.25)
        tx.session.add(make_memory(ann, topic="name", fact="Is called Ann", character_id=None))
    assert (await reading).facts == {"asked": 1}


async def test_the_longest_facts_that_contradict_each_other_are_both_heard_of(house: House) -> None:
    ann = await house.speaker()
    brno = make_memory(ann, fact="Lives in Brno " + "by the river " * 22)
    plzen = make_memory(ann, fact="Lives in Plzen " + "on the hill " * 23, status="asked", successor_id=brno.id)
    await house.add(brno)
    await house.add(plzen)
    await say(house, ann, "Where do I live?")
    instructions, data = house.model.prompts[-1][0].text.split("<data>")
    assert "not certain, do not rely on it" in instructions
    [told] = json.loads(data.removesuffix("</data>"))["memories"]
    assert told == f'{brno.fact[:149]}… (not certain: they have also said "{plzen.fact[:99]}…")'


async def test_of_what_is_certain_nothing_is_asked(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await say(house, ann, "Where do I live?")
    prompt = house.model.prompts[-1][0].text
    assert ("Lives in Brno" in prompt, "not certain" in prompt) == (True, False)


async def test_who_knew_the_old_one_knows_the_new_one(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", {**BRNO, "scope": "all"})
    assert await learn(house, ann, "I moved to Plzen", MOVED) == {"replaced": 1}
    elsewhere = await with_another(house, ann)
    assert await shown(house, elsewhere) == [("Lives in Plzen", None)]
    [plzen] = (await house.memory.known(elsewhere)).memories
    await house.memory.share(elsewhere, plzen.id, is_shared=False)
    home = fact("Lives in Rome", "I moved to Rome", relation="changed", known="k1", scope="all")
    assert await learn(house, elsewhere, "I moved to Rome", home) == {"replaced": 1}
    assert await shown(house, elsewhere) == [("Lives in Rome", None)]
    await house.characters.enter(elsewhere, ann.character_id)
    assert await shown(house, await house.speaker()) == []


async def test_who_knew_what_is_settled_knows_what_holds(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", {**BRNO, "scope": "all"})
    await learn(house, ann, "I live in Plzen", PLZEN)
    assert await shown(house, await with_another(house, ann)) == [("Lives in Brno", None)]
    await house.characters.enter(ann, ann.character_id)
    assert await learn(house, ann, "I live in Plzen, yes", PLZEN) == {"settled": 1}
    assert await shown(house, await with_another(house, ann)) == [("Lives in Plzen", None)]
