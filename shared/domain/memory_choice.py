"""What becomes of a fact beside those that are known already: kept, taking another's place, asked about, or nothing new."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.domain.memory_answer import GENERAL_TOPICS, HeardFact, Relation
from shared.domain.memory_rules import CERTAIN
from shared.domain.memory_search import search_words
from shared.domain.memory_words import CHANGED

MOST_SHOWN = 40
"""Known memories that a model is told of while it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A memory as it stands, for comparison. Own words and pinned ones only give way when the user says that something has changed."""

    id: UUID
    topic: str
    fact: str
    confidence: float
    is_pinned: bool
    is_asked: bool
    of: UUID | None = None
    """The memory that an asked one contradicts."""
    source: int | None = None

    @property
    def is_firm(self) -> bool:
        return self.is_pinned or self.confidence >= CERTAIN


class Outcome(StrEnum):
    KEPT = "kept"
    REPLACED = "replaced"
    ASKED = "asked"
    SAME = "same"
    SETTLED = "settled"
    """Said again, it holds, and what contradicts it does not."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`of` is the memory that is replaced or contradicted, or that was said again in the same words. `says_so`: by the user's word that it
    has changed.
    """

    outcome: Outcome
    of: Kept | None = None
    says_so: bool = False


def decide(heard: HeardFact, related: Kept | None, known: Sequence[Kept], sentence: str, *, source: int | None = None) -> Decision:
    """`related` is the memory that the model named. The user's own word, in that sentence, that something has changed replaces; mere
    disagreement asks, and whichever of the two is said again, in another message than `source`, holds.
    """
    says_so = CHANGED.search(sentence) is not None
    alike = next((one for one in known if _alike(heard.fact, one.fact)), None)
    if alike is not None:
        holds = _is_answered(alike, known, source, says_so=says_so)
        return Decision(Outcome.SETTLED, alike, says_so) if holds else Decision(Outcome.SAME, alike)
    rival = _rival(heard, related, known)
    if rival is None:
        return Decision(Outcome.KEPT)
    if heard.relation is Relation.SAME:
        return Decision(Outcome.SAME)
    if says_so or (heard.relation is Relation.CHANGED and not rival.is_firm):
        return Decision(Outcome.REPLACED, rival, says_so)
    return Decision(Outcome.ASKED, rival)


def _is_answered(said_again: Kept, known: Sequence[Kept], source: int | None, *, says_so: bool) -> bool:
    """Whether a question that the memory is part of is answered by saying it again. A firm memory does not give way to mere repetition."""
    if source is None or said_again.source == source:
        return False
    if said_again.is_asked:
        return says_so or not any(one.id == said_again.of and one.is_firm for one in known)
    return any(one.is_asked and one.of == said_again.id and one.source != source for one in known)


def worth_showing(known: Sequence[Kept], said: str) -> list[Kept]:
    """Those that a new fact is likeliest to be about: with shared words first, then general ones, then the newest (last in `known`)."""
    beginnings = tuple(part.strip().removesuffix(":*") for part in search_words(said).split("|") if part.strip())

    def rank(numbered: tuple[int, Kept]) -> tuple[bool, bool, int]:
        place, one = numbered
        words = f"{one.topic.replace('.', ' ')} {one.fact}".casefold().split()
        return any(word.startswith(beginnings) for word in words) if beginnings else False, one.topic in GENERAL_TOPICS, place

    return [one for _, one in sorted(enumerate(known), key=rank, reverse=True)[:MOST_SHOWN]]


def _rival(heard: HeardFact, related: Kept | None, known: Sequence[Kept]) -> Kept | None:
    """What the fact is an answer to as well: the one the model named, or, of what a person has one of, the one that is known. For one
    that is asked about the one that it contradicts stands.
    """
    if related is not None and related in known and heard.relation is not Relation.NEW and _same_head(heard.topic, related.topic):
        return next((one for one in known if related.is_asked and one.id == related.of), related)
    opposite = _opposite_of(heard.topic)
    if opposite and (turned := next((one for one in reversed(known) if one.topic == opposite and not one.is_asked), None)):
        return turned
    has_one = heard.topic in GENERAL_TOPICS and heard.topic != "language"
    if has_one or heard.relation in {Relation.CHANGED, Relation.CONTRADICTS}:
        return next((one for one in reversed(known) if one.topic == heard.topic and not one.is_asked), None)
    return None


def _same_head(one: str, other: str) -> bool:
    heads = {one.partition(".")[0].removeprefix("dis"), other.partition(".")[0].removeprefix("dis")}
    return len(heads) == 1 or "other" in heads


def _opposite_of(topic: str) -> str | None:
    head, _, what = topic.partition(".")
    return {"likes": f"dislikes.{what}", "dislikes": f"likes.{what}"}.get(head) if what else None


def _alike(one: str, other: str) -> bool:
    return _bare(one) == _bare(other)


def _bare(fact: str) -> str:
    return " ".join("".join(character if character.isalnum() else " " for character in fact.casefold()).split())
