"""The characters: which are shown, who talks with whom, what their files bring."""

from dataclasses import replace
from uuid import uuid4

import pytest

from shared.application.chat import Said
from shared.domain.character import CharacterNotFoundError
from shared.domain.character_files import character_seeds
from tests.factories import NOON, House, make_character, make_place


async def test_the_shipped_characters_are_listed_in_their_order(house: House) -> None:
    found = await house.characters.list()
    assert [(character.slug, character.is_default) for character in found] == [("mira", True), ("lumen", False), ("honzik", False)]


async def test_a_new_character_greets_and_remembers_the_greeting(house: House) -> None:
    ann = await house.speaker()
    fox = make_character(greeting={"en": "Hi, fox here.", "ru": "Привет."})
    await house.add(fox)

    character, is_new = await house.characters.enter(ann, fox.id)
    assert (character.name, is_new) == (fox.name, True)
    now = await house.speaker()
    assert (now.character_name, now.dialog_id == ann.dialog_id) == (fox.name, False)
    assert await house.messages(now) == [("assistant", "Hi, fox here.")]


async def test_coming_back_resumes_the_dialog_and_histories_stay_apart(house: House) -> None:
    ann = await house.speaker()
    fox = make_character()
    await house.add(fox)
    [_ async for _ in house.chat.reply(ann, [Said("1", "to Mira")])]
    await house.characters.enter(ann, fox.id)
    [_ async for _ in house.chat.reply(await house.speaker(), [Said("2", "to the fox")])]

    _, is_new = await house.characters.enter(ann, ann.character_id)
    assert not is_new
    assert await house.speaker() == ann
    assert [said for role, said in await house.messages(ann) if role == "user"] == ["to Mira"]
    [_ async for _ in house.chat.reply(ann, [Said("3", "again")])]
    assert "to the fox" not in [message.text for message in house.model.prompts[-1]]


async def test_entering_twice_greets_once(house: House) -> None:
    ann = await house.speaker()
    fox = make_character()
    await house.add(fox)
    assert [(await house.characters.enter(ann, fox.id))[1] for _ in range(3)] == [True, False, False]
    assert len(await house.messages(await house.speaker())) == 1


async def test_a_character_is_entered_in_one_place_only(house: House) -> None:
    ann = await house.speaker()
    fox = make_character()
    await house.add(fox)
    await house.characters.enter(ann, fox.id)
    in_group = replace(ann, place=make_place(chat_id=-100))
    assert (await house.characters.enter(in_group, fox.id))[1]
    assert await house.rows("select count(*) from dialogs") == [(3,)]


async def test_a_character_that_is_gone_cannot_be_entered_and_the_dialog_stays(house: House) -> None:
    ann = await house.speaker()
    with pytest.raises(CharacterNotFoundError):
        await house.characters.enter(ann, uuid4())
    assert await house.speaker() == ann


async def test_the_greeting_falls_back_to_english_and_to_nothing(house: House) -> None:
    ann = await house.speaker(language_code="ru")
    only_english, silent = make_character(greeting={"en": "Hello."}), make_character(greeting={})
    await house.add(only_english, silent)
    for character, greeting in ((only_english, "Hello."), (silent, "")):
        await house.characters.enter(ann, character.id)
        speaker = await house.speaker()
        assert await house.characters.greeting(speaker) == greeting


async def test_seeding_again_changes_nothing(house: House) -> None:
    before = await house.rows("select * from characters order by slug")
    assert await house.characters.seed(character_seeds()) == []
    assert await house.rows("select * from characters order by slug") == before


async def test_a_new_version_of_a_file_arrives_but_never_over_an_operators_edit(house: House) -> None:
    await house.rows("update characters set name = 'Edited', edited_at = :at where slug = 'lumen'", at=NOON)
    newer = [replace(seed, tagline={"en": "New"}) for seed in character_seeds()]

    assert await house.characters.seed(newer) == ["mira", "honzik"]
    assert await house.rows("select slug, name, tagline ->> 'en' = 'New' from characters order by position") == [
        ("mira", "Mira", True),
        ("lumen", "Edited", False),
        ("honzik", "Honzík", True),
    ]


async def test_the_default_that_an_operator_chose_stays_the_only_one(house: House) -> None:
    await house.rows("update characters set is_default = false")
    await house.rows("update characters set is_default = true where slug = 'lumen'")
    await house.rows("delete from characters where slug = 'mira'")

    assert await house.characters.seed(character_seeds()) == ["mira"]
    assert await house.rows("select slug from characters where is_default") == [("lumen",)]
