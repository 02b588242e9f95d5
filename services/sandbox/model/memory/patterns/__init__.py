"""The ways of telling about oneself that the model knows, one file for each language, compiled once."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_PLACEHOLDER = re.compile(r"(\(\?!)?(?<!\?P)<(\w+)>")
_GROUP = re.compile(r"\(\?P<\w+>")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rule:
    """`topic` and `fact` are filled with the groups of the pattern that matched; a `proper` value is a name, however it was typed."""

    topic: str
    fact: str
    patterns: tuple[re.Pattern[str], ...]
    changed: bool
    proper: bool

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        for pattern in self.patterns:
            yield from pattern.finditer(text)


@dataclass(frozen=True, slots=True)
class Patterns:
    """`loose` ones match whoever a sentence is about; `kinds` tell what sort of sentence it is, `english` words of topics."""

    rules: tuple[Rule, ...]
    loose: tuple[Rule, ...]
    kinds: Mapping[str, re.Pattern[str]]
    english: Mapping[str, str]

    def topic_word(self, word: str) -> str:
        """One word for all forms of it, the same in all languages, where it is known."""
        return next((english for stem, english in self.english.items() if word.startswith(stem)), word)


def patterns_for(text: str) -> Patterns:
    return _patterns("ru" if _CYRILLIC.search(text) else "en")


@lru_cache(maxsize=2)
def _patterns(language: str) -> Patterns:
    data = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    words: Mapping[str, str] = data["words"]
    kinds = {name: _compiled(pattern, words) for name, pattern in data["kinds"].items()}
    return Patterns(_rules(data["rule"], words), _rules(data["loose"], words), kinds, data["english"])


def _rules(rows: list[dict[str, Any]], words: Mapping[str, str]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            row["topic"],
            row["fact"],
            tuple(_compiled(pattern, words) for pattern in row["patterns"]),
            row.get("changed", False),
            row.get("proper", False),
        )
        for row in rows
    )


def _compiled(pattern: str, words: Mapping[str, str]) -> re.Pattern[str]:
    """A placeholder inside of `(?!…)` captures nothing, or its group would be there twice."""

    def put(found: re.Match[str]) -> str:
        word = words[found[2]]
        return f"(?!{_GROUP.sub('(?:', word)}" if found[1] else word

    return re.compile(_PLACEHOLDER.sub(put, pattern), re.IGNORECASE)
