"""What is said again: it settles until it is taken back, and a group knows what was said in it, wherever it was said first."""

import pytest

from shared.domain.speaker import Speaker
from tests.application.memory_talk import fact, learn, memories, say, will_read
from tests.application.test_memory import other_character
from tests.factories import House, make_memory, make_person, make_place

BRNO = fact("Lives in Brno", "I live in Brno")
PLZEN = fact("Lives in Plzen", "I live in Plzen")
ROME = fact("Lives in Rome", "I live in Rome")


async def shown(house: House, speaker: Speaker) -> list[tuple[str, str | None]]:
    """(fact, the rival that it is shown with) as /memory has them."""
    return [(one.fact, one.rival and one.rival.fact) for one in (await house.memory.known(speaker)).memories]


async def take_back(house: House, speaker: Speaker, source: str, way: str) -> None:
    if way == "undo":
        await house.chat.undo(speaker, source_id=f"undo {source}")
    else:
        await house.chat.edit(speaker, source, "I like tea")
        await house.memory.refresh(speaker.dialog_id)


async def say_and_read(house: House, speaker: Speaker, said: str, *facts: dict[str, object]) -> tuple[str, dict[str, int]]:
    source = await say(house, speaker, said)
    will_read(house, *facts)
    return source, (await house.memory.refresh(speaker.dialog_id)).facts


async def in_group(house: House) -> Speaker:
    return await house.accounts.recognise(make_person(), make_place(chat_id=-100))


@pytest.mark.parametrize("way", ["undo", "edit"])
async def test_what_settled_a_question_and_is_taken_back_opens_it_again(house: House, way: str) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", {**BRNO, "scope": "all"})
    [brno] = (await house.memory.known(ann)).memories
    await learn(house, ann, "I live in Plzen", PLZEN)
    await learn(house, ann, "I live in Rome", ROME)
    before = await house.rows("select fact, status, successor_id, character_id, is_pinned from memories order by fact")
    source, read = await say_and_read(house, ann, "Yes, I live in Plzen", PLZEN)
    assert (read, await shown(house, ann)) == ({"settled": 1}, [("Lives in Plzen", None)])
    await take_back(house, ann, source, way)
    assert await house.rows("select fact, status, successor_id, character_id, is_pinned from memories order by fact") == before
    assert await shown(house, ann) == [("Lives in Rome", brno.fact), ("Lives in Plzen", brno.fact), ("Lives in Brno", None)]
    place = 2 if way == "edit" else 1  # what was corrected within seconds is read with the next
    assert await learn(house, ann, "I live in Plzen, as I said", {**PLZEN, "message": place}) == {"settled": 1}


@pytest.mark.parametrize("way", ["undo", "edit"])
async def test_what_confirmed_the_older_one_and_is_taken_back_lets_the_other_be_asked_again(house: House, way: str) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Plzen", PLZEN)
    source, read = await say_and_read(house, ann, "No, I live in Brno", BRNO)
    assert (read, await shown(house, ann)) == ({"settled": 1}, [("Lives in Brno", None)])
    await take_back(house, ann, source, way)
    assert await shown(house, ann) == [("Lives in Plzen", "Lives in Brno"), ("Lives in Brno", None)]


async def test_turns_are_undone_one_after_another_until_nothing_is_known(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Plzen", PLZEN)
    await learn(house, ann, "Yes, I live in Plzen", PLZEN)
    await learn(house, ann, "I live in Rome", ROME)
    await learn(house, ann, "Yes, I live in Rome", ROME)
    seen = list[list[tuple[str, str | None]]]()
    for number in range(5):
        await house.chat.undo(ann, source_id=f"undo{number}")
        seen.append(await shown(house, ann))
    plzen, brno = ("Lives in Plzen", None), ("Lives in Brno", None)
    assert seen == [[("Lives in Rome", "Lives in Plzen"), plzen], [plzen], [("Lives in Plzen", "Lives in Brno"), brno], [brno], []]


async def test_a_question_that_came_later_stays_beside_what_holds_again(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Plzen", PLZEN)
    source, _ = await say_and_read(house, ann, "Yes, I live in Plzen", PLZEN)
    await learn(house, ann, "I live in Rome", ROME)
    await take_back(house, ann, source, "edit")
    assert await shown(house, ann) == [("Lives in Rome", "Lives in Brno"), ("Lives in Plzen", "Lives in Brno"), ("Lives in Brno", None)]


@pytest.mark.parametrize("way", ["fixed", "changed", "forgotten"])
async def test_what_was_answered_since_then_is_not_asked_again(house: House, way: str) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Plzen", PLZEN)
    source, _ = await say_and_read(house, ann, "Yes, I live in Plzen", PLZEN)
    [plzen] = (await house.memory.known(ann)).memories
    if way == "fixed":
        await house.memory.fix(ann, plzen.id, "Lives in Ostrava")
    elif way == "changed":
        await learn(house, ann, "I moved to Ostrava", fact("Lives in Ostrava", "I moved to Ostrava", relation="changed", known="k1"))
    else:
        await house.memory.forget(ann, plzen.id)
    after = await shown(house, ann)
    await take_back(house, ann, source, "edit")
    assert (await shown(house, ann), after) == (after, [] if way == "forgotten" else [("Lives in Ostrava", None)])


@pytest.mark.parametrize("first", ["I live in Brno", "I moved to Plzen"])
async def test_of_a_row_of_changes_the_newest_stays_when_an_older_one_is_corrected(house: House, first: str) -> None:
    ann = await house.speaker()
    sources = dict[str, str]()
    for said, heard in (
        ("I live in Brno", BRNO),
        ("I moved to Plzen", fact("Lives in Plzen", "I moved to Plzen", relation="changed", known="k1")),
        ("I moved to Rome", fact("Lives in Rome", "I moved to Rome", relation="changed", known="k1")),
    ):
        sources[said], _ = await say_and_read(house, ann, said, heard)
    await house.chat.edit(ann, sources[first], "I like tea")
    assert await shown(house, ann) == [("Lives in Rome", None)]
    await house.chat.undo(ann, source_id="undo")
    assert await shown(house, ann) == [("Lives in Plzen" if first == "I live in Brno" else "Lives in Brno", None)]


async def test_of_three_the_one_that_holds_stays_alone_when_the_first_is_corrected(house: House) -> None:
    ann = await house.speaker()
    first, _ = await say_and_read(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "I live in Plzen", PLZEN)
    await learn(house, ann, "I live in Rome", ROME)
    await learn(house, ann, "I live in Plzen, yes", PLZEN)
    await house.chat.edit(ann, first, "I like tea")
    assert await shown(house, ann) == [("Lives in Plzen", None)]


async def test_what_was_said_again_after_a_fresh_start_stays_when_the_first_words_are_corrected(house: House) -> None:
    ann = await house.speaker()
    first, _ = await say_and_read(house, ann, "I live in Brno", BRNO)
    [known] = (await house.memory.known(ann)).memories
    await house.memory.pin(ann, known.id, is_pinned=True)
    await house.chat.start_over(ann)
    again, _ = await say_and_read(house, ann, "As I said I live in Brno", BRNO)
    last, _ = await say_and_read(house, ann, "Yes, I live in Brno", BRNO)
    for corrected in (first, again):
        await house.chat.edit(ann, corrected, "I live in Brno!")
        [kept] = (await house.memory.known(ann)).memories
        assert (kept.id, kept.fact, kept.is_pinned) == (known.id, "Lives in Brno", True)
    await house.chat.edit(ann, last, "I like tea")
    assert await shown(house, ann) == []


async def test_what_was_told_to_another_character_too_stays_when_it_is_undone_here(house: House) -> None:
    ann = await house.speaker()
    await learn(house, ann, "I live in Brno", {**BRNO, "scope": "all"})
    other = await other_character(house, ann)
    await learn(house, other, "You know, I live in Brno", {**BRNO, "scope": "all"})
    await house.chat.undo(ann, source_id="undo")
    assert (await shown(house, ann), await shown(house, other)) == ([("Lives in Brno", None)], [("Lives in Brno", None)])
    await house.chat.undo(other, source_id="undo")
    assert await shown(house, other) == []


async def test_what_was_said_again_and_forgotten_stays_forgotten_when_its_words_are_corrected(house: House) -> None:
    ann = await house.speaker()
    first, _ = await say_and_read(house, ann, "I live in Brno", BRNO)
    await learn(house, ann, "As I said I live in Brno", BRNO)
    [known] = (await house.memory.known(ann)).memories
    await house.memory.forget(ann, known.id)
    await house.chat.edit(ann, first, "I live in Brno!")
    assert (await shown(house, ann), {status for status, _ in await memories(house, ann)}) == ([], {"forgotten"})


async def recalled(house: House, speaker: Speaker) -> set[str]:
    """Which cities stand in the prompt of a turn."""
    await say(house, speaker, "Where do I live?")
    instructions = house.model.prompts[-1][0].text
    await house.memory.refresh(speaker.dialog_id)
    return {city for city in ("Brno", "Plzen", "Rome") if city in instructions}


async def test_a_group_knows_what_was_said_in_it_again(house: House) -> None:
    ann, group = await house.speaker(), await in_group(house)
    await learn(house, ann, "I live in Brno", {**BRNO, "scope": "all"})
    assert await recalled(house, group) == set()
    source, read = await say_and_read(house, group, "You know, I live in Brno", {**BRNO, "scope": "all"})
    assert (read, await recalled(house, group), await recalled(house, ann)) == ({"same": 1}, {"Brno"}, {"Brno"})
    await take_back(house, group, source, "edit")
    assert (await recalled(house, group), await recalled(house, ann)) == (set(), {"Brno"})


async def test_what_is_settled_in_a_group_is_known_there_and_what_it_denied_is_not(house: House) -> None:
    ann, group = await house.speaker(), await in_group(house)
    await learn(house, ann, "I live in Brno", {**BRNO, "scope": "all"})
    second, _ = await say_and_read(house, ann, "I live in Plzen", {**PLZEN, "scope": "all"})
    again, read = await say_and_read(house, group, "I live in Plzen, yes", {**PLZEN, "scope": "all"})
    assert (read, await recalled(house, group), await recalled(house, ann)) == ({"settled": 1}, {"Plzen"}, {"Plzen"})
    await house.chat.edit(ann, second, "I like tea")
    assert (await recalled(house, group), await recalled(house, ann)) == ({"Plzen"}, {"Plzen"})
    await house.chat.edit(group, again, "I like tea")
    assert (await recalled(house, group), await recalled(house, ann)) == (set(), {"Brno"})


async def test_more_than_was_said_in_a_group_is_not_known_there(house: House) -> None:
    ann, group = await house.speaker(), await in_group(house)
    await house.add(make_memory(ann, fact="Lives in Brno, where nobody shall find her", character_id=None))
    assert await learn(house, group, "I live in Brno", {**BRNO, "relation": "same", "known": "k1"}) == {"same": 1}
    assert await recalled(house, group) == set()


async def test_what_was_said_again_is_forgotten_in_every_place(house: House) -> None:
    ann, group = await house.speaker(), await in_group(house)
    await learn(house, ann, "I live in Brno", {**BRNO, "scope": "all"})
    await learn(house, group, "I live in Brno", {**BRNO, "scope": "all"})
    [brno] = (await house.memory.known(ann)).memories
    await house.memory.forget(ann, brno.id)
    assert await memories(house, ann) == [("forgotten", "")] * len(await memories(house, ann))
    assert (await recalled(house, group), await house.rows("select * from memory_sayings")) == (set(), [])
