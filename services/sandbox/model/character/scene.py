"""What a conversation tells: who the character is, who the person is, which language is spoken, what was said before."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from services.sandbox.model.character.persona import Part, read_part
from services.sandbox.model.character.script import Script, facts_of, script_of


class Said(NamedTuple):
    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Scene:
    part: Part
    script: Script
    last: str
    before: str | None
    said: str
    mine: str | None
    user: str | None
    likes: tuple[str, ...]
    turn: int
    earlier: tuple[str, ...]
    goes_on: bool
    take: int

    @property
    def seed(self) -> int:
        """The same for all takes: it tells where they begin."""
        return zlib.crc32(f"{self.part.name}{self.turn}{self.last}".encode("utf-8", "replace"))

    @property
    def mood(self) -> int:
        """Another for each take: for what is drawn without being looked for in what was said."""
        return self.seed ^ self.take * 0x9E3779B1 & 0xFFFFFFFF


_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_CZECH = re.compile(r"[ěščřžůťďň]|\b(?:ahoj|dobr[ýé]|jsem|jsi|jak se|prosím|díky|děkuju|čau|jmenuj[iu]|mám|já)\b", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]{2}", re.IGNORECASE)


_WISH = re.compile(r"\s*(?:\(Go on: continue your last message\b[^\n]*\)|\[The connection broke off\b[^\n]*\])\s*\Z")


_UNSEEN = re.compile(r"\A\([\w ]{1,30} that you cannot see\) ")


def without_wish(text: str) -> str:
    """What the person said: the end of a message may be the platform's wish to go on, its beginning what it says of a picture."""
    return _WISH.sub("", _UNSEEN.sub("", text))


@lru_cache(maxsize=4096)
def language_of(text: str) -> str | None:
    """None where a text shows no language: numbers, emoji, one letter."""
    sample = text[:400]
    if _CYRILLIC.search(sample):
        return "ru"
    if _CZECH.search(sample):
        return "cs"
    return "en" if _LATIN.search(sample) else None


def read_scene(messages: Sequence[Said], take: int = 0) -> Scene:
    part = read_part("\n".join(said.text for said in messages if said.role in {"system", "developer"}))
    people = [words for said in messages if said.role == "user" and ((words := without_wish(said.text)) or not said.text)]
    own = [said.text for said in messages if said.role == "assistant"]
    last = people[-1] if people else ""
    spoken = next((found for text in reversed(people) if (found := language_of(text))), part.language or "en")
    user, likes = _remembered(people)
    return Scene(
        part=part,
        script=script_of(spoken),
        last=last,
        before=people[-2] if len(people) > 1 else None,
        said="\n".join(own),
        mine=own[-1] if own else None,
        user=user or part.user,
        likes=likes,
        turn=len(people),
        earlier=tuple(people[:-1]),
        goes_on=bool(own) and messages[-1].role == "user" and bool(messages[-1].text) and not without_wish(messages[-1].text),
        take=take,
    )


def _remembered(people: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    user: str | None = None
    likes: dict[str, None] = {}
    for text in people:
        name, like = facts_of(text)
        user = name or user
        if like:
            likes.pop(like, None)
            likes[like] = None
    return user, tuple(likes)
