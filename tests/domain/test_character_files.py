"""The characters that come with the house, and what an author of a new one is told."""

from pathlib import Path

import pytest

from shared.domain.character_files import CharacterSeed, character_seeds, parse_character
from shared.domain.errors import InvalidInputError
from shared.domain.prompt import PromptMessage, Role

GOOD = """
slug = "vera"
name = "Vera"
emoji = "🌊"
position = 4
is_default = false
tagline = {en = "Sails", ru = "Ходит под парусом", cs = "Plachtí"}
description = {en = "A sailor.", ru = "Моряк."}
greeting = {en = "Ahoy!", ru = "Привет!"}
prompt = {text = "You are Vera, a sailor."}
example_dialog = [{role = "user", text = "hi"}, {role = "assistant", text = "Ahoy there."}]
settings = {temperature = 1}
"""


def test_the_house_has_a_companion_a_listener_and_a_tutor() -> None:
    seeds = character_seeds()

    assert [(seed.slug, seed.name, seed.is_default) for seed in seeds] == [
        ("mira", "Mira", True),
        ("lumen", "Lumen", False),
        ("honzik", "Honzík", False),
    ]


@pytest.mark.parametrize("seed", character_seeds(), ids=lambda seed: seed.slug)
def test_a_seeded_character_is_fit_to_be_shown(seed: CharacterSeed) -> None:
    assert seed.system_prompt.startswith(f"You are {seed.name}, ")
    for texts in (seed.tagline, seed.description, seed.greeting):
        assert sorted(texts) == ["en", "ru"]
        assert any("а" <= letter <= "я" for letter in texts["ru"])
        assert not any("а" <= letter <= "я" for letter in texts["en"])
    for greeting in seed.greeting.values():
        assert greeting.count("**") % 2 == 0
        assert greeting.replace("**", "").count("*") % 2 == 0
        assert seed.name in greeting or "Мира" in greeting or "Люмен" in greeting
    assert len(seed.example_dialog) >= 4


@pytest.mark.parametrize("seed", character_seeds(), ids=lambda seed: seed.slug)
def test_every_character_knows_what_to_do_in_an_emergency_and_that_it_is_an_ai(seed: CharacterSeed) -> None:
    assert "emergency number" in seed.system_prompt
    assert "played by an AI" in seed.system_prompt


def test_a_file_becomes_a_character() -> None:
    assert parse_character(GOOD, file="vera.toml") == CharacterSeed(
        slug="vera",
        name="Vera",
        emoji="🌊",
        tagline={"en": "Sails", "ru": "Ходит под парусом", "cs": "Plachtí"},
        description={"en": "A sailor.", "ru": "Моряк."},
        greeting={"en": "Ahoy!", "ru": "Привет!"},
        system_prompt=(
            "You are Vera, a sailor.\n\n# Examples of how you sound (for the tone; never repeat them word for word)\n"
            "They: hi\nYou: Ahoy there."
        ),
        example_dialog=(PromptMessage(Role.USER, "hi"), PromptMessage(Role.ASSISTANT, "Ahoy there.")),
        settings={"temperature": 1.0},
        position=4,
        is_default=False,
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('slug = "vera"', "", "vera.toml: slug is missing"),
        ('slug = "vera"', 'slug = "Vera"', "vera.toml: slug must be the file's name without .toml"),
        ('slug = "vera"', 'slug = "mira"', "vera.toml: slug must be the file's name without .toml"),
        ('name = "Vera"', 'name = " "', "vera.toml: name must be a text with something in it"),
        ("position = 4", 'position = "4"', "vera.toml: position must be of type int"),
        ("is_default = false", "is_default = 0", "vera.toml: is_default must be of type bool"),
        (', ru = "Моряк."', "", "vera.toml: description.ru is missing"),
        ('"Ahoy!"', '""', "vera.toml: greeting.en must be a text with something in it"),
        ('"Sails"', f'"{"s" * 81}"', "vera.toml: tagline.en has 81 characters; at most 80 fit"),
        ("You are Vera, a", "Vera is a", "vera.toml: prompt.text must begin with 'You are Vera,'"),
        ('prompt = {text = "You are Vera, a sailor."}', "prompt = {}", "vera.toml: prompt.text must be a text with something in it"),
        (', {role = "assistant", text = "Ahoy there."}', "", "vera.toml: example_dialog must be pairs of user and assistant"),
        ('{role = "user"', '{role = "system"', "vera.toml: example_dialog[0] must have role user"),
        ('"Ahoy there."', "7", "vera.toml: example_dialog[1].text must be a text with something in it"),
        ("temperature = 1", "temperature = 3", "vera.toml: settings.temperature must be a number from 0 to 2"),
        ("temperature = 1", "temperature = nan", "vera.toml: settings.temperature must be a number from 0 to 2"),
        ("temperature = 1", "temperature = 1, top_p = 1", "vera.toml: settings knows only temperature"),
        ("emoji", "emojy", "vera.toml: emojy is not a field of a character"),
        ("position = 4", "position = = 4", "vera.toml: Invalid value (at line 5"),
    ],
)
def test_an_author_is_told_the_file_the_field_and_what_is_wrong(old: str, new: str, sentence: str) -> None:
    assert old in GOOD

    with pytest.raises(InvalidInputError) as refusal:
        parse_character(GOOD.replace(old, new, 1), file="vera.toml")

    assert str(refusal.value).startswith(sentence)


def test_a_folder_of_ones_own_has_exactly_one_default(tmp_path: Path) -> None:
    (tmp_path / "vera.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(InvalidInputError, match="exactly one character file must have is_default = true"):
        character_seeds(tmp_path)

    (tmp_path / "vera.toml").write_text(GOOD.replace("false", "true"), encoding="utf-8")
    assert [seed.slug for seed in character_seeds(tmp_path)] == ["vera"]


def test_two_characters_cannot_share_a_place(tmp_path: Path) -> None:
    (tmp_path / "vera.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "nora.toml").write_text(GOOD.replace("vera", "nora"), encoding="utf-8")

    with pytest.raises(InvalidInputError, match="two character files have the same position"):
        character_seeds(tmp_path)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "vera.toml").write_bytes(GOOD.encode("cp1251", "replace"))

    with pytest.raises(InvalidInputError) as refusal:
        character_seeds(tmp_path)

    assert str(refusal.value) == "vera.toml: is not UTF-8"
