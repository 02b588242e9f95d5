"""Reads what people say of themselves, sentence by sentence, and tells which sentences say nothing of the kind."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from services.sandbox.model.memory.patterns import Patterns, Rule, patterns_for

Kind = Literal["plain", "question", "hypothetical"]

_SENTENCE = re.compile(r"[^.!?…\n]+(?:\.(?=\d)[^.!?…\n]+)*[.!?…]*")
_BLANK = "·"
_SLUG = re.compile(r"[^\w]+")
_LITTLE = frozenset(
    [
        "the",
        "a",
        "an",
        "my",
        "to",
        "of",
        "in",
        "on",
        "for",
        "with",
        "and",
        "is",
        "are",
        "very",
        "some",
        "any",
        "в",
        "на",
        "с",
        "и",
        "мой",
        "моя",
    ]
)
_SURE, _LESS_SURE = 0.9, 0.75


@dataclass(frozen=True, slots=True)
class Sentence:
    """`quoted` is what somebody else says in it."""

    text: str
    kind: Kind
    quoted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """`message` is the number of the message; `changed`: it puts something else in the place of what was before."""

    message: int
    topic: str
    fact: str
    quote: str
    confidence: float = _SURE
    changed: bool = False
    private: bool = False


def sentences(text: str) -> Iterator[Sentence]:
    for found in _SENTENCE.finditer(text):
        yield _sentence(found[0].strip())


def facts_of(number: int, text: str) -> list[Found]:
    """What the writer tells of themselves in a message. Each topic once, as it is said last."""
    patterns = patterns_for(text)
    facts: dict[str, Found] = {}
    private = bool(patterns.kinds["private"].search(text))
    for sentence in sentences(text):
        if sentence.kind == "plain":
            changed = bool(patterns.kinds["changed"].search(text))
            for found in read_with(patterns.rules, number, sentence.text):
                facts.pop(found.topic, None)
                facts[found.topic] = replace(found, changed=found.changed or changed, private=private)
    return _without_doubles(list(facts.values()))


def loose_facts(number: int, text: str) -> list[Found]:
    """What a careless reader would take for facts about the writer."""
    return [replace(found, confidence=_LESS_SURE) for found in read_with(patterns_for(text).loose, number, text)]


def moods_of(number: int, text: str) -> Iterator[Found]:
    for found in patterns_for(text).kinds["mood"].finditer(text):
        yield Found(number, "other.mood", found["v"], found[0], _LESS_SURE)


def orders_of(number: int, text: str) -> Iterator[Found]:
    """What somebody wants to have remembered, in those words."""
    for found in patterns_for(text).kinds["order"].finditer(text):
        yield Found(number, "other.note", found["v"].strip(), found[0], _LESS_SURE)


def read_with(rules: Iterable[Rule], number: int, text: str) -> Iterator[Found]:
    for rule in rules:
        for match in rule.matches(text):
            yield _found(rule, number, match)


def _found(rule: Rule, number: int, match: re.Match[str]) -> Found:
    groups = {name: " ".join((value or "").split()) for name, value in match.groupdict().items()}
    english = patterns_for(match.string).topic_word
    topic = rule.topic.format(**{name: english(slug(value)) for name, value in groups.items()}).strip(".")
    if rule.proper and groups["v"].islower():
        groups["v"] = groups["v"][:1].upper() + groups["v"][1:]
    fact = " ".join(rule.fact.format(**groups).split())
    return Found(number, topic, fact[:1].upper() + fact[1:], match[0].strip(" ,"), changed=rule.changed)


def slug(value: str) -> str:
    """The first word that says something."""
    words = [word for word in _SLUG.split(value.lower()) if word and word not in _LITTLE]
    return words[0] if words else "it"


def _sentence(text: str) -> Sentence:
    patterns = patterns_for(text)
    quoted = tuple(found["v"] for found in patterns.kinds["speech"].finditer(text))
    for words in quoted:
        text = text.replace(words, _BLANK * len(words))
    return Sentence(*_kind(text, patterns), quoted)


def _kind(text: str, patterns: Patterns) -> tuple[str, Kind]:
    """A statement that ends in "and you?" is one."""
    without_tail = patterns.kinds["tail"].sub("", text)
    if without_tail == text and text.endswith("?"):
        return text, "question"
    return without_tail, "hypothetical" if patterns.kinds["hypothetical"].search(text) else "plain"


def _without_doubles(facts: list[Found]) -> list[Found]:
    """Of two that say the same words, the first: "I have a cat called Tom" is one fact, not two."""
    kept: list[Found] = []
    for fact in facts:
        if not any(fact.quote in other.quote or (other.quote in fact.quote and fact.topic == other.topic) for other in kept):
            kept.append(fact)
    return kept
