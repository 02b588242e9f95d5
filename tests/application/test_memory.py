"""What users see and do about what is known of them."""

from uuid import UUID, uuid4

import pytest

from shared.domain.errors import InvalidInputError
from shared.domain.memory import MemoryNotFoundError, MemoryStatus
from shared.domain.speaker import Speaker
from tests.application.memory_talk import fact, learn
from tests.factories import BOB_ID, House, make_memory


async def facts(house: House, speaker: Speaker) -> list[str]:
    return [memory.fact for memory in (await house.memory.known(speaker)).memories]


async def other_character(house: House, speaker: Speaker) -> Speaker:
    """The same person, talking to somebody else."""
    [(other,)] = await house.rows("select id from characters where id <> :id order by position limit 1", id=speaker.character_id)
    await house.characters.enter(speaker, other)
    return await house.speaker(telegram_user_id=speaker.telegram_user_id)


async def test_what_i_write_down_is_known_to_this_character_only(house: House) -> None:
    ann = await house.speaker()
    memory = await house.memory.add(ann, "  I am allergic\nto nuts ")
    assert (memory.fact, memory.topic, memory.confidence, memory.is_own_words) == (
        "I am allergic to nuts",
        "other.i_am_allergic",
        1.0,
        True,
    )
    assert (memory.is_shared, memory.is_pinned, memory.is_asked) == (False, False, False)
    assert (memory.rival, memory.said_at) == (None, None)
    assert await house.memory.find(ann, memory.id) == memory
    assert await facts(house, await other_character(house, ann)) == []


async def test_the_same_words_are_written_down_once(house: House) -> None:
    ann = await house.speaker()
    first = await house.memory.add(ann, "I like tea")
    assert await house.memory.add(ann, "i like TEA") == first
    assert (await house.memory.known(ann)).total == 1


@pytest.mark.parametrize("words", ["", " \n", "!?", "x" * 301])
async def test_nothing_or_too_much_is_not_written_down(house: House, words: str) -> None:
    ann = await house.speaker()
    with pytest.raises(InvalidInputError):
        await house.memory.add(ann, words)
    assert await facts(house, ann) == []


async def test_pages_have_six_and_begin_with_what_is_asked_and_pinned(house: House) -> None:
    ann = await house.speaker()
    await house.add(*[make_memory(ann, fact=f"Fact {number}", topic=f"other.{number}") for number in range(8)])
    pinned = make_memory(ann, fact="Pinned", is_pinned=True)
    asked = make_memory(ann, fact="Asked", status=MemoryStatus.ASKED, successor_id=pinned.id)
    await house.add(pinned)
    await house.add(asked, make_memory(ann, fact="Old", status="replaced"), make_memory(ann, fact="", status="forgotten"))
    first, last = await house.memory.known(ann), await house.memory.known(ann, page=9)
    assert [memory.fact for memory in first.memories[:2]] == ["Asked", "Pinned"]
    assert first.memories[0].rival is not None
    assert first.memories[0].rival.fact == "Pinned"
    assert (first.total, first.page, first.pages, len(first.memories), first.character_name) == (10, 0, 2, 6, ann.character_name)
    assert (last.page, len(last.memories)) == (1, 4)


async def test_knowing_nothing_is_one_empty_page(house: House) -> None:
    page = await house.memory.known(await house.speaker())
    assert (page.memories, page.total, page.page, page.pages) == ((), 0, 0, 1)


async def test_a_correction_takes_the_place_of_the_old_words(house: House) -> None:
    ann = await house.speaker()
    old = make_memory(ann, is_pinned=True)
    await house.add(old)
    new = await house.memory.fix(ann, old.id, "Lives in Prague")
    assert (new.fact, new.topic, new.is_pinned, new.is_own_words) == ("Lives in Prague", "city", True, True)
    assert await facts(house, ann) == ["Lives in Prague"]
    assert await house.rows("select status, successor_id from memories where id = :id", id=old.id) == [("replaced", new.id)]
    with pytest.raises(MemoryNotFoundError):
        await house.memory.fix(ann, old.id, "Lives in Rome")


async def test_forgetting_wipes_the_words_and_those_they_replaced(house: House) -> None:
    ann = await house.speaker()
    old = make_memory(ann)
    await house.add(old)
    new = await house.memory.fix(ann, old.id, "Lives in Prague")
    await house.memory.forget(ann, new.id)
    assert await house.rows("select status, fact, topic from memories") == [("forgotten", "", "")] * 2
    with pytest.raises(MemoryNotFoundError):
        await house.memory.forget(ann, new.id)


async def test_pinning_and_sharing_go_both_ways(house: House) -> None:
    ann = await house.speaker()
    memory = await house.memory.add(ann, "I like tea")
    assert (await house.memory.pin(ann, memory.id, True)).is_pinned
    assert not (await house.memory.pin(ann, memory.id, False)).is_pinned
    assert (await house.memory.share(ann, memory.id, True)).is_shared
    elsewhere = await other_character(house, ann)
    assert await facts(house, elsewhere) == ["I like tea"]
    assert not (await house.memory.share(elsewhere, memory.id, False)).is_shared
    assert await facts(house, ann) == []


async def two_sides(house: House, speaker: Speaker) -> tuple[UUID, UUID]:
    holds = make_memory(speaker)
    await house.add(holds)
    asked = make_memory(speaker, fact="Lives in Prague", status=MemoryStatus.ASKED, successor_id=holds.id)
    await house.add(asked)
    return holds.id, asked.id


@pytest.mark.parametrize(("is_true", "left"), [(True, "Lives in Prague"), (False, "Lives in Brno")])
async def test_the_answer_to_a_contradiction_leaves_one_of_the_two(house: House, is_true: bool, left: str) -> None:
    ann = await house.speaker()
    _, asked = await two_sides(house, ann)
    settled = await house.memory.settle(ann, asked, is_true=is_true)
    assert (settled.fact if settled else None) == (left if is_true else None)
    assert await facts(house, ann) == [left]
    with pytest.raises(MemoryNotFoundError):
        await house.memory.settle(ann, asked, is_true=is_true)


async def test_when_one_of_two_is_forgotten_nothing_is_asked_any_more(house: House) -> None:
    ann = await house.speaker()
    holds, _ = await two_sides(house, ann)
    await house.memory.forget(ann, holds)
    [left] = (await house.memory.known(ann)).memories
    assert (left.fact, left.is_asked) == ("Lives in Prague", False)


async def test_forgetting_everything_is_for_all_characters_and_begins_anew(house: House) -> None:
    ann, bob = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID)
    await house.memory.add(ann, "I like tea")
    await house.memory.add(bob, "I like coffee")
    elsewhere = await other_character(house, ann)
    await house.memory.add(elsewhere, "I like milk")
    assert await house.memory.forget_everything(elsewhere) == 2
    assert await facts(house, ann) == await facts(house, elsewhere) == []
    assert await facts(house, bob) == ["I like coffee"]
    [(last,)] = await house.rows("select max(id) from messages where dialog_id = :id", id=ann.dialog_id)
    mark = "select k.until_message_id, d.history_from from memory_marks k join dialogs d on d.id = k.dialog_id where d.id = :id"
    assert await house.rows(mark, id=ann.dialog_id) == [(last, last + 1)]
    assert await house.rows(mark, id=bob.dialog_id) == []


async def test_nobody_sees_or_changes_what_is_known_of_somebody_else(house: House) -> None:
    ann, bob = await house.speaker(), await house.speaker(telegram_user_id=BOB_ID)
    memory = await house.memory.share(ann, (await house.memory.add(ann, "I like tea")).id, True)
    assert await facts(house, bob) == []
    for attempt in (
        house.memory.find(bob, memory.id),
        house.memory.fix(bob, memory.id, "Likes coffee"),
        house.memory.forget(bob, memory.id),
        house.memory.pin(bob, memory.id, True),
        house.memory.share(bob, memory.id, False),
        house.memory.settle(bob, memory.id, is_true=True),
        house.memory.find(ann, uuid4()),
    ):
        with pytest.raises(MemoryNotFoundError):
            await attempt
    assert await house.memory.find(ann, memory.id) == memory


async def test_memory_number_301_makes_room(house: House) -> None:
    ann = await house.speaker()
    weak = make_memory(ann, fact="Weak", confidence=0.6)
    pinned = make_memory(ann, fact="Pinned", confidence=0.6, is_pinned=True)
    await house.add(weak, pinned, *[make_memory(ann, fact=f"Fact {number}") for number in range(298)])
    await house.memory.add(ann, "I like tea")
    kept = {fact for (fact,) in await house.rows("select fact from memories")}
    assert (len(kept), "Weak" in kept, {"Pinned", "I like tea"} <= kept) == (300, False, True)


async def test_what_is_pinned_never_makes_room(house: House) -> None:
    ann = await house.speaker()
    await house.add(*[make_memory(ann, fact=f"Fact {number}", is_pinned=True) for number in range(299)])
    tea = await house.memory.add(ann, "I like tea")
    assert not (await house.memory.pin(ann, tea.id, True)).is_pinned
    coffee = await house.memory.add(ann, "I like coffee")
    assert await house.rows("select count(*), count(*) filter (where is_pinned) from memories") == [(300, 299)]
    assert (await house.memory.find(ann, coffee.id)).fact == "I like coffee"
    await house.rows("update memories set is_pinned = true returning 1")
    await house.memory.add(ann, "I like milk")
    await learn(house, ann, "I live in Brno", fact("Lives in Brno", "I live in Brno"))
    assert await house.rows("select count(*) filter (where is_pinned) from memories") == [(300,)]
