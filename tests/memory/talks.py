"""The talks with planted facts, as `dialogs/README.md` explains them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "dialogs"

FAMILIES = {
    "city": {"city", "country", "address"},
    "origin": {"origin", "country", "birthplace", "other"},
    "job": {"job", "work", "study"},
    "study": {"study", "job"},
    "pet": {"pet", "family"},
    "plan": {"plan", "event"},
    "event": {"event", "plan", "study"},
    "birthday": {"birthday", "event"},
    "dislikes": {"dislikes", "health"},
    "health": {"health", "dislikes"},
    "language": {"language", "study"},
    "speaks": {"language", "speaks"},
    "likes": {"likes", "hobby"},
}
"""Topics under which a fact may be filed; `other` is right for all that are not a person's name, age or city."""
_STRICT = frozenset({"name", "age", "city", "birthday"})


@dataclass(frozen=True, slots=True)
class Truth:
    """Something that is so: the topic, beginnings of words that a fact must have (alternatives joined by `/`), and who said it."""

    topic: str
    words: str
    person: str
    character: str
    line: int
    private: bool = False

    def is_told_by(self, topic: str, fact: str) -> bool:
        family, _, rest = topic.lower().partition(".")
        allowed = FAMILIES.get(self.topic, {self.topic}) | (set() if self.topic in _STRICT else {"other"})
        fits = self.topic == "other" or family in allowed or (family == "other" and rest.startswith(self.topic))
        return fits and has_words(fact, self.words)


@dataclass(frozen=True, slots=True)
class Line:
    """One step of a talk. `needs` and `never` are checked in what the character remembers in the prompt for it."""

    number: int
    person: str
    character: str
    text: str = ""
    reply: str | None = None
    planted: tuple[Truth, ...] = ()
    also: tuple[Truth, ...] = ()
    ended: tuple[Truth, ...] = ()
    doubted: tuple[Truth, ...] = ()
    needs: tuple[Truth, ...] = ()
    never: tuple[str, ...] = ()
    restart: bool = False
    dies: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """`group` is the name of its file."""

    id: str
    language: str
    group: str
    lines: tuple[Line, ...]

    @property
    def people(self) -> list[str]:
        return sorted({line.person for line in self.lines})

    def planted(self, person: str | None = None) -> list[Truth]:
        return [truth for line in self.lines for truth in line.planted if person in (None, truth.person)]

    def true_of(self, person: str) -> list[Truth]:
        return [truth for line in self.lines for truth in (*line.planted, *line.also) if truth.person == person]

    def said_by(self, person: str) -> str:
        return " ".join(line.text for line in self.lines if line.person == person)


def has_words(text: str, words: str) -> bool:
    return all(any(re.search(rf"\b{re.escape(one)}", text.lower()) for one in word.split("/")) for word in words.lower().split())


@lru_cache(maxsize=1)
def read_talks() -> tuple[Talk, ...]:
    rows = [(path.stem, row) for path in sorted(FOLDER.glob("*.yaml")) for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    return tuple(
        Talk(row["id"], row.get("language", "en"), group, tuple(_line(*one) for one in enumerate(row["talk"]))) for group, row in rows
    )


def _line(number: int, row: Mapping[str, Any]) -> Line:
    person, character = row.get("who", "a"), row.get("as", "mira")

    def truths(key: str) -> tuple[Truth, ...]:
        found: Mapping[str, str] = row.get(key, {})
        return tuple(Truth(topic, words, person, character, number, row.get("private", False)) for topic, words in found.items())

    return Line(
        number=number,
        person=person,
        character=character,
        text=row.get("say", row.get("ask", "")),
        reply=row.get("reply"),
        planted=truths("facts"),
        also=truths("also"),
        ended=truths("ends"),
        doubted=truths("doubts"),
        needs=truths("needs"),
        never=tuple(row.get("never", ())),
        restart=row.get("restart", False),
        dies=row.get("dies", False),
    )
