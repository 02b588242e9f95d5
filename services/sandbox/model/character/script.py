"""The lines of one language: what is understood, what may be said. Read once from the TOML files beside this module."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
LANGUAGES = ("en", "ru", "cs")
_HEARD = 600  # characters of a message that are looked at; the point of a long one is at its beginning


@dataclass(frozen=True, slots=True)
class Tales:
    heroes: list[str]
    places: list[str]
    things: list[str]
    stories: list[tuple[str, list[str]]]
    chapters: list[str]
    words: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Script:
    language: str
    intents: tuple[tuple[str, re.Pattern[str]], ...]
    user: re.Pattern[str]
    like: re.Pattern[str]
    like_ends: re.Pattern[str]
    plain: frozenset[str]
    names: dict[str, str]
    lines: dict[str, dict[str, list[str]]]
    tales: Tales

    def understand(self, text: str) -> tuple[str, re.Match[str] | None]:
        heard = text[:_HEARD]
        for intent, pattern in self.intents:
            if found := pattern.search(heard):
                return intent, found
        return ("short" if len(heard.split()) <= 2 else "statement"), None

    def said_by(self, manner: str, intent: str) -> list[str]:
        """What a character of this manner says; what anybody says where the manner has no lines of its own."""
        own = self.lines.get(manner, {}).get(intent, [])
        return own or self.lines["common"].get(intent, [])


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _tales(language: str) -> Tales:
    data = _read(_FOLDER / "stories" / f"{language}.toml")
    stories = [(story["title"], story["paragraphs"]) for story in data["story"]]
    return Tales(data["heroes"], data["places"], data["things"], stories, [chapter["text"] for chapter in data["chapters"]], data)


@lru_cache(maxsize=len(LANGUAGES))
def script_of(language: str) -> Script:
    data = _read(_FOLDER / "lines" / f"{language}.toml")
    facts = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in data.pop("facts").items()}
    names = data.pop("names", {})
    plain = frozenset(data.pop("plain").split())
    intents = tuple((name, re.compile(pattern, re.IGNORECASE | re.DOTALL)) for name, pattern in data.pop("intents").items())
    return Script(language=language, intents=intents, plain=plain, names=names, lines=data, tales=_tales(language), **facts)


@lru_cache(maxsize=4096)
def facts_of(text: str) -> tuple[str | None, str | None]:
    """The name a person gives themselves and the thing they say they like, where a message has them."""
    user = like = None
    for script in map(script_of, LANGUAGES):
        if user is None and (found := script.user.search(text[:_HEARD])):
            user = found[1][:1].upper() + found[1][1:]
        if like is None and (found := script.like.search(text[:_HEARD])):
            like = script.like_ends.sub("", found[1]).strip()
    return user, like or None


@lru_cache(maxsize=1)
def czech_words() -> dict[str, str]:
    """English and Russian words, lower case, to Czech."""
    words: dict[str, str] = {}
    for czech, others in _read(_FOLDER / "lines" / "czech.toml").items():
        words |= {word: czech for group in others for word in group.split("|")}
    return words


@lru_cache(maxsize=1)
def plain_words() -> frozenset[str]:
    return frozenset().union(*(script_of(language).plain for language in LANGUAGES))
