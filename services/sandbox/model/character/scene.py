"""What a conversation tells: who the character is, who the person is, which language is spoken, what was said before."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from services.sandbox.model.character.script import Script, facts_of, script_of


class Said(NamedTuple):
    role: str
    text: str


class Part(NamedTuple):
    """The character as the system prompt describes it. `user` and `language` are known where the prompt names them."""

    name: str
    manner: str
    user: str | None
    language: str | None


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

    @property
    def seed(self) -> int:
        return zlib.crc32(f"{self.part.name}{self.turn}{self.last}".encode("utf-8", "replace"))


_NAME = re.compile(r"\b(?:You are|Your name is|Ты|Тебя зовут|Jsi|Jmenuješ se)\s*[—–-]?\s+([^\W\d_a-zа-яё][\w'’-]*)")
_USER = re.compile(
    r"\b(?:user(?:['’]s)? (?:first )?name(?: is|:)|talking (?:to|with)|имя пользователя:?|пользователя зовут)\s+"
    r"[\"“«*]*([^\W\d_a-zа-яё][\w'’-]*)"
)
_TUTOR = re.compile(
    r"\bczech\b.{0,80}\b(?:tutor|teacher|teach)|\b(?:tutor|teach\w*)\b.{0,80}\bczech\b|чешск|češtin", re.IGNORECASE | re.DOTALL
)
_LISTENER = re.compile(r"\breflect\w*|\blisten(?:er|ing|s)\b|слушател|выслуш", re.IGNORECASE)
_ORDERED = re.compile(
    r"\b(?:answer|reply|respond|speak|write|language|отвечай|говори|язык)\b[^.\n]{0,40}?\b(english|russian|czech|en|ru|cs|по-русски|русск\w+|английск\w+|чешск\w+)\b",
    re.IGNORECASE,
)
_ORDERS = {"e": "en", "а": "en", "r": "ru", "р": "ru", "п": "ru", "c": "cs", "ч": "cs"}
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_CZECH = re.compile(r"[ěščřžůťďň]|\b(?:ahoj|dobr[ýé]|jsem|jsi|jak se|prosím|díky|děkuju|čau|jmenuj[iu]|mám|já)\b", re.IGNORECASE)
_LATIN = re.compile(r"[a-z]{2}", re.IGNORECASE)


@lru_cache(maxsize=256)
def read_part(prompt: str) -> Part:
    name, user, ordered = _NAME.search(prompt), _USER.search(prompt), _ORDERED.search(prompt)
    manner = "tutor" if _TUTOR.search(prompt) else "listener" if _LISTENER.search(prompt) else "companion"
    return Part(
        name[1] if name else "Vitte",
        manner,
        user[1] if user else None,
        _ORDERS[ordered[1][0].lower()] if ordered else None,
    )


@lru_cache(maxsize=4096)
def language_of(text: str) -> str | None:
    """None where a text shows no language: numbers, emoji, one letter."""
    sample = text[:400]
    if _CYRILLIC.search(sample):
        return "ru"
    if _CZECH.search(sample):
        return "cs"
    return "en" if _LATIN.search(sample) else None


def read_scene(messages: Sequence[Said]) -> Scene:
    part = read_part("\n".join(said.text for said in messages if said.role in {"system", "developer"}))
    people = [said.text for said in messages if said.role == "user"]
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
