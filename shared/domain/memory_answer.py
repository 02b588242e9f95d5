"""What a model answers when it was asked for facts, read with patience."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.domain.memory_rules import LONGEST_FACT, one_line

MOST_CONFIDENCE = 0.99
"""A model is never as certain as the user."""
MOST_FACTS = 40
"""Of one answer."""
LONGEST_TOPIC = 60
LONGEST_ANSWER = 20_000
GENERAL_TOPICS = frozenset({"name", "age", "birthday", "city", "country", "job", "study", "language"})
"""What a person has one of, and all characters may know."""
SHARED_HEADS = GENERAL_TOPICS | {"family", "pet"}
_HEADS = SHARED_HEADS | {"likes", "dislikes", "health", "plan", "event", "other"}
_TOPIC = re.compile(r"[^\w.]+")
_FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)


class Relation(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    CONTRADICTS = "contradicts"
    SAME = "same"


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


def labelled(count: int) -> Iterator[str]:
    """Names of known memories on the wire: k1, k2, …"""
    return (f"k{number}" for number in range(1, count + 1))


def read_answer(answer: str) -> list[HeardFact] | None:
    """The facts of a model's answer; what is not in order is left out. None when the answer is no such list at all."""
    content = _json_in(answer)
    rows = content.get("facts") if isinstance(content, dict) else content
    if not isinstance(rows, list):
        return None
    return [fact for row in rows[:MOST_FACTS] if isinstance(row, dict) and (fact := _heard(row)) is not None]


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
    message, confidence = row.get("message"), _share(row.get("confidence"))
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return None
    if not isinstance(message, int) or confidence is None:
        return None
    topic, fact = topic_of(str(row["topic"])), one_line(str(row["fact"]))
    if topic is None or not fact or len(fact) > LONGEST_FACT:
        return None
    relation, known = row.get("relation"), row.get("known")
    return HeardFact(
        message=message,
        topic=topic,
        fact=fact,
        quote=one_line(str(row["quote"])),
        confidence=confidence,
        is_shared=row.get("scope") == "all" and topic.partition(".")[0] in SHARED_HEADS,
        relation=Relation(relation) if isinstance(relation, str) and relation in set(Relation) else Relation.NEW,
        known=known if isinstance(known, str) else None,
    )


def _share(value: Any) -> float | None:
    """None for what is no number, or JSON's NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    share = float(max(min(value, MOST_CONFIDENCE), 0.0))
    return None if math.isnan(share) else share


def _json_in(answer: str) -> Any:
    fenced = _FENCED.search(answer)
    text = fenced.group(1) if fenced else answer
    start = min((at for sign in "{[" if (at := text.find(sign)) >= 0), default=0)
    try:
        return json.JSONDecoder().raw_decode(text[start:])[0]
    except (ValueError, RecursionError):
        return _rows_in(text[start + 1 : LONGEST_ANSWER]) or None


def _rows_in(text: str) -> list[Any]:
    """The whole facts of an answer that was cut off."""
    rows, at = list[Any](), 0
    while (at := text.find('{"', at)) >= 0:
        try:
            row, length = json.JSONDecoder().raw_decode(text[at:])
        except (ValueError, RecursionError):
            break
        rows, at = [*rows, row], at + length
    return rows
