"""Stories: several paragraphs, or as many chapters as it takes to pass Telegram's 4,096 characters well."""

from collections.abc import Sequence
from typing import TypeVar

from services.sandbox.model.character.scene import Scene
from services.sandbox.model.character.script import Tales

LONG = 5_200

T = TypeVar("T")


def story(scene: Scene) -> str:
    tales, seed = scene.script.tales, scene.mood
    title, paragraphs = _unheard(scene, tales.stories)
    told = [str(tales.words["intro"]).replace("{title}", title), *(_cast(tales, text, seed) for text in paragraphs)]
    return "\n\n".join([*told, _drawn(tales.words["outro"], seed)])


def long_tale(scene: Scene) -> str:
    """More than 5,000 characters in any language."""
    tales, seed = scene.script.tales, scene.mood
    told = [str(tales.words["long_intro"]).replace("{title}", _drawn(tales.stories, seed)[0])]
    length, number = len(told[0]), 0
    while length < LONG:
        chapter = _chapter(tales, number, seed + number // len(tales.chapters))
        told.append(f"**{tales.words['chapter']} {number + 1}**\n\n{chapter}")
        length, number = length + len(told[-1]) + 2, number + 1
    return "\n\n".join([*told, str(tales.words["long_outro"])])


def next_chapter(scene: Scene) -> str:
    return _chapter(scene.script.tales, scene.turn - 1, scene.mood)


def further_chapter(scene: Scene) -> str:
    """The first that was not told yet, of the people and places of the tale that it goes on with."""
    tales = scene.script.tales
    numbers = range(3 * len(tales.chapters))
    chapters = [_chapter(tales, number, scene.seed + number // len(tales.chapters)) for number in numbers]
    return next((chapter for chapter in chapters if chapter not in scene.said), chapters[scene.take % len(chapters)])


def _chapter(tales: Tales, number: int, seed: int) -> str:
    return _cast(tales, tales.chapters[number % len(tales.chapters)], seed)


def _unheard(scene: Scene, stories: Sequence[tuple[str, list[str]]]) -> tuple[str, list[str]]:
    start = scene.seed % len(stories)
    turned = [*stories[start:], *stories[:start]]
    unheard = [tale for tale in turned if tale[0] not in scene.said] or turned
    return unheard[scene.take % len(unheard)]


def _cast(tales: Tales, text: str, seed: int) -> str:
    hero, place, thing = (_drawn(names, seed >> shift) for names, shift in ((tales.heroes, 3), (tales.places, 7), (tales.things, 11)))
    filled = text.replace("{hero}", hero).replace("{place}", place).replace("{thing}", thing)
    return filled[:1].upper() + filled[1:]


def _drawn(choices: Sequence[T], seed: int) -> T:
    return choices[seed % len(choices)]
