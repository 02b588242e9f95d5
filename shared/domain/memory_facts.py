"""What a model has read in a user's words, and which of it may become a memory: only what was really said, lasts, and is about the user."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain.dialog import storable
from shared.domain.memory_rules import LONGEST_FACT
from shared.domain.memory_words import (
    ABOUT_ME,
    BEFORE_LIKING,
    CLAUSE_END,
    DENIED,
    DICTATED,
    FORGED,
    FRAME,
    GREETING,
    INSTRUCTING,
    JOKED,
    LIVES,
    LIVING,
    MARKS,
    NAMED,
    ORDERED,
    OTHER_PEOPLE,
    OTHERS_WORDS,
    PASSING,
    PASSING_TOPICS,
    QUESTION_ENDS,
    SENTENCE_START,
    SUPPOSED,
)

LEAST_CONFIDENCE = 0.6
MOST_CONFIDENCE = 0.99
"""A model is never as certain as the user."""
LONGEST_TOPIC = 60
LONGEST_NAME = 3
"""Words of a message that is nothing but a name."""
MOST_FACTS = 40
"""Of one answer."""
GENERAL_TOPICS = frozenset({"name", "age", "birthday", "city", "country", "job", "study", "language"})
"""What a person has one of, and all characters may know."""
_SHARED_HEADS = GENERAL_TOPICS | {"family", "pet"}
_HEADS = _SHARED_HEADS | {"likes", "dislikes", "health", "plan", "event", "other"}
_LASTING_HEADS = _HEADS - {"other", "health", "event", "plan"}
_TOPIC = re.compile(r"[^\w.]+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_MISSING_SHARE = 4
"""Of the words of a fact that are neither names nor numbers nor mere frame, so many must be said for one that is not."""


class Relation(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    CONTRADICTS = "contradicts"
    SAME = "same"


class Flaw(StrEnum):
    """Why something never becomes a memory."""

    UNVERIFIED = "unverified"
    """It was not said, or not in these words."""
    JUNK = "junk"
    """It was said, and is nothing to remember."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFact:
    """`message` counts the messages that were given from 1. `known` is the label of the memory that the relation is to."""

    message: int
    topic: str
    fact: str
    quote: str
    confidence: float
    is_shared: bool
    relation: Relation
    known: str | None = None


def is_worth_reading(text: str) -> bool:
    """Whether there may be a fact in it at all, so that no model is asked about a "hello"."""
    return any(character.isalnum() for character in text) and not GREETING.fullmatch(text) and not text.lstrip().startswith("/")


def read_answer(answer: str) -> list[HeardFact] | None:
    """The facts of a model's answer; what is not in order is left out. None when the answer is no such list at all."""
    content = _json_in(answer)
    rows = content.get("facts") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        return None
    return [fact for row in rows[:MOST_FACTS] if isinstance(row, dict) and (fact := _heard(row)) is not None]


def flaw_of(heard: HeardFact, said: str) -> Flaw | None:
    """What keeps it from being remembered, given the message that it is said to come from."""
    place = _place(heard.quote, said)
    if place is None or heard.confidence < LEAST_CONFIDENCE:
        return Flaw.UNVERIFIED
    if _is_junk(heard, *place):
        return Flaw.JUNK
    if _is_other_than_said(heard, *place):
        return Flaw.UNVERIFIED
    return None if _is_said(heard.fact, said) else Flaw.UNVERIFIED


def sentence_of(quote: str, said: str) -> str:
    """The whole sentence that the quote stands in; the quote itself when it does not."""
    place = _place(quote, said)
    if place is None:
        return quote
    line, start, end = place
    closes = SENTENCE_START.search(line, end)
    return line[_last(SENTENCE_START, line, start) : closes.end() if closes else len(line)]


def topic_of(text: str) -> str | None:
    """One of the known kinds, in its usual form; none for an unknown kind."""
    parts = [part.strip("_") for part in _TOPIC.sub("_", text.lower()).split(".")]
    cleaned = ".".join(part for part in parts if part)[:LONGEST_TOPIC]
    head, _, rest = cleaned.partition(".")
    if head not in _HEADS:
        return None
    return head if head in GENERAL_TOPICS or not rest else f"{head}.{rest}"


def _heard(row: dict[str, Any]) -> HeardFact | None:
    texts = [row.get(name) for name in ("topic", "fact", "quote")]
    message, confidence = row.get("message"), row.get("confidence")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return None
    if not isinstance(message, int) or isinstance(confidence, bool) or not isinstance(confidence, int | float):
        return None
    topic, fact = topic_of(str(row["topic"])), _line(str(row["fact"]))
    if topic is None or not fact or len(fact) > LONGEST_FACT:
        return None
    relation, known = row.get("relation"), row.get("known")
    return HeardFact(
        message=message,
        topic=topic,
        fact=fact,
        quote=_line(str(row["quote"])),
        confidence=min(max(float(confidence), 0.0), MOST_CONFIDENCE),
        is_shared=row.get("scope") == "all" and topic.partition(".")[0] in _SHARED_HEADS,
        relation=Relation(relation) if relation in set(Relation) else Relation.NEW,
        known=known if isinstance(known, str) else None,
    )


def _json_in(answer: str) -> Any:
    fenced = _FENCED.search(answer)
    text = fenced.group(1) if fenced else answer
    start = min((at for sign in "{[" if (at := text.find(sign)) >= 0), default=0)
    try:
        return json.JSONDecoder().raw_decode(text[start:])[0]
    except (ValueError, RecursionError):
        return None


def _line(text: str) -> str:
    visible = "".join(character if character.isprintable() else " " for character in storable(text))
    return " ".join(visible.split())


def _place(quote: str, said: str) -> tuple[str, int, int] | None:
    """The message as one line, and where in it the quote begins and ends."""
    line, sought = _plain(said), _plain(quote).strip(" .,;:!…\"'«»“”")
    at = line.find(sought) if sought else -1
    return None if at < 0 else (line, at, at + len(sought))


def _plain(text: str) -> str:
    return _line(text).casefold().replace("’", "'").replace("ё", "е")


def _is_junk(heard: HeardFact, line: str, start: int, end: int) -> bool:
    quote = line[start:end]
    after = CLAUSE_END.search(line, end - 1 if line[end - 1] in QUESTION_ENDS else end)
    sentence = line[_last(SENTENCE_START, line, start) : end]
    head, _, rest = heard.topic.partition(".")
    is_of_others = OTHER_PEOPLE.search(sentence) or (head in GENERAL_TOPICS and OTHERS_WORDS.search(sentence))
    return bool(
        (after and after.group() in QUESTION_ENDS)
        or GREETING.fullmatch(quote)
        or ORDERED.match(quote)
        or SUPPOSED.search(sentence)
        or JOKED.search(f"{sentence}{_next_sentence(line, end)}")
        or INSTRUCTING.search(heard.fact)
        or INSTRUCTING.search(sentence)
        or MARKS.search(heard.fact)
        or FORGED.search(sentence)
        or DICTATED.search(sentence)
        or rest in PASSING_TOPICS
        or (head not in _LASTING_HEADS and (PASSING.search(heard.fact) or PASSING.search(quote)))
        or (head == "likes" and quote.startswith("like ") and not BEFORE_LIKING.search(line[:start]))
        or (head not in {"family", "event"} and is_of_others and not ABOUT_ME.search(sentence))
    )


def _next_sentence(line: str, end: int) -> str:
    """With the rest of the one before it."""
    ends = [match.end() for match in SENTENCE_START.finditer(line, end)]
    return line[end : ends[1]] if len(ends) > 1 else line[end:]


def _is_other_than_said(heard: HeardFact, line: str, start: int, end: int) -> bool:
    """The fact turns round what was said, or makes a home of a place that was only named."""
    sentence = line[_last(SENTENCE_START, line, start) : end]
    clause, head = line[_last(CLAUSE_END, line, start) : end], heard.topic.partition(".")[0]
    if head == "name" and not NAMED.search(clause) and len(line.split()) > LONGEST_NAME:
        return True
    if head == "city" and LIVES.search(heard.fact) and not LIVING.search(sentence):
        return True
    return head in {"likes", "dislikes"} and bool(DENIED.search(_plain(heard.fact))) is not bool(DENIED.search(clause))


def _last(mark: re.Pattern[str], line: str, until: int) -> int:
    """Where the part of the line begins that goes on at `until`."""
    return max((match.end() for match in mark.finditer(line, 0, until)), default=0)


def _is_said(fact: str, said: str) -> bool:
    """All names and numbers of the fact stand in the message, and most of its other words in some form."""
    spoken = set(_WORD.findall(_plain(said)))
    others = missing = 0
    for place, word in enumerate(_WORD.findall(_line(fact))):
        plain = _plain(word).removesuffix("'s")
        if plain in FRAME:
            continue
        is_there = _occurs(plain, spoken)
        is_name = word[0].isupper() and place > 0
        if not is_there and (is_name or any(character.isdigit() for character in plain)):
            return False
        others, missing = others + 1, missing + (not is_there)
    return others > 0 and missing * _MISSING_SHARE <= others


def _occurs(word: str, spoken: set[str]) -> bool:
    if word in spoken or any(character.isdigit() for character in word):
        return word in spoken
    return any(_share_stem(word, other) for other in spoken)


def _share_stem(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    return shorter >= 3 and one[: max(3, shorter - 2)] == other[: max(3, shorter - 2)] and abs(len(one) - len(other)) <= 4


def labelled(count: int) -> Iterator[str]:
    """Names of known memories on the wire: k1, k2, …"""
    return (f"k{number}" for number in range(1, count + 1))
