"""Condenses a talk into two or three sentences of what the person told, in their language."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.sandbox.model.memory.reading import facts_of, sentences

_LONGEST = {"en": 380, "ru": 285}
"""Characters: about 95 tokens of a real model."""
_SHORTEST = {"en": 200, "ru": 150}
_OPENINGS = {"en": ("Known: ", "Also said: "), "ru": ("Известно: ", "Ещё говорилось: ")}
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_NAME_OR_NUMBER = re.compile(r"(?<!^)(?<![.!?] )\b[A-ZА-ЯЁ][a-zа-яё]{2,}|\d")
_CLAUSE = re.compile(r"[;.](?:\s+|$)")


def summarise(earlier: Any, messages: Sequence[Mapping[str, Any]]) -> str:
    """What was in the earlier summary goes first, and is the first to go when there is more than fits."""
    said = [str(row.get("text", "")) for row in messages if row.get("who") == "user"]
    language = "ru" if _CYRILLIC.search(" ".join([*said, str(earlier or "")])) else "en"
    known, others = _earlier(str(earlier or ""), _OPENINGS[language])
    for text in said:
        known += [_lowered(fact.fact) for fact in facts_of(0, text)]
        others += _telling(text)
    return _written(_once(known), _once(others), language)


def _earlier(summary: str, openings: tuple[str, str]) -> tuple[list[str], list[str]]:
    """Clauses of a summary of ours; of another one all sentences are what was said."""
    first, _, second = summary.partition(openings[1])
    if first.startswith(openings[0]):
        return _clauses(first.removeprefix(openings[0])), _clauses(second)
    return ([], _clauses(second)) if second else ([], _clauses(first))


def _clauses(text: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE.split(text) if clause.strip()]


def _telling(text: str) -> Iterator[str]:
    """Statements with a name or number in them, that no fact was read from."""
    for sentence in sentences(text):
        if sentence.kind == "plain" and _NAME_OR_NUMBER.search(sentence.text) and not facts_of(0, sentence.text):
            yield " ".join(sentence.text.split()).rstrip(".!… ")[:90]


def _once(clauses: Sequence[str]) -> list[str]:
    """Each once, where it was said last: what came later holds."""
    return list(reversed(dict.fromkeys(reversed(clauses))))


def _written(known: list[str], others: list[str], language: str) -> str:
    openings, longest = _OPENINGS[language], _LONGEST[language]
    facts = _newest(known, longest)
    room = max(_SHORTEST[language], longest - 40) - len("; ".join(facts))
    spoken = _newest(others, room - len(openings[1])) if room > len(openings[1]) + 20 else []
    parts = [f"{opening}{'; '.join(clauses)}." for opening, clauses in zip(openings, (facts, spoken), strict=True) if clauses]
    nothing = {"en": "They exchanged small talk and nothing to remember.", "ru": "Они поболтали ни о чём особенном."}
    return " ".join(parts) or nothing[language]


def _newest(clauses: Sequence[str], room: int) -> list[str]:
    kept: list[str] = []
    for clause in reversed(clauses):
        if sum(map(len, kept)) + 2 * len(kept) + len(clause) > room:
            break
        kept.insert(0, clause)
    return kept


def _lowered(fact: str) -> str:
    return fact if fact[:2].isupper() else fact[:1].lower() + fact[1:]
