"""What is right, what is junk, what was found again: counted, with examples of what went wrong."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.memory.talks import Talk, Truth, has_words

_JSON = re.compile(r"\{.*\}", re.DOTALL)
_DATA = re.compile(r"<data>\n(.*?)\n</data>", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_TELLING = re.compile(
    r"(?:live|mov|work|job|call|nam|lik|lov|enjoy|prefer|hat|dislik|favou|born|birth|year|plan|intend|allerg|learn|stud|speak|origin|stand|"
    r"user|person|marri|child|train|play|want|avoid|eat|drink|food|vegetarian|former|"
    r"жив|переех|работ|зов|имя|возраст|рожд|люб|нрав|знает|родом|план|аллерг|сейчас|устро|кош|кот|соба|больше|пьет|пьёт|муж|жен|дет|"
    r"пользовател|учит)\w*|"
    r"old|age|from|has|have|does|not|can|own|their|they|that|with|who|late|is|of|the|an?|in|at|as|for|and|to|his|her|dog|cat|got|used|"
    r"лет|год|года|день|не|ест|есть|у|на|в|из|и|с",
    re.IGNORECASE,
)
"""Words that a fact may have though the user did not say them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of `memories`. `character` is the slug it is for, none for all."""

    topic: str
    fact: str
    status: str
    character: str | None


@dataclass(slots=True)
class Score:
    """Counts over talks. `junk`, `missed`, `stale` and `leaks` are what to read when a figure is bad."""

    planted: int = 0
    found: int = 0
    kept: int = 0
    right: int = 0
    asked_for: int = 0
    recalled: int = 0
    asked_and_kept: int = 0
    recalled_of_kept: int = 0
    corrections: int = 0
    corrections_read: int = 0
    succeeded: int = 0
    corrections_asked: int = 0
    doubts_read: int = 0
    doubts_asked: int = 0
    raw: int = 0
    raw_right: int = 0
    deaths: int = 0
    junk: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return _share(self.right, self.kept)

    @property
    def raw_precision(self) -> float:
        return _share(self.raw_right, self.raw)

    @property
    def recall(self) -> float:
        return _share(self.found, self.planted)

    @property
    def recall_in_prompt(self) -> float:
        return _share(self.recalled, self.asked_for)

    @property
    def recall_of_kept(self) -> float:
        return _share(self.recalled_of_kept, self.asked_and_kept)

    @property
    def succession(self) -> float:
        """Corrections that took the place of what was before, or about which the user is asked."""
        return _share(self.succeeded + self.corrections_asked, self.corrections_read)

    def __iadd__(self, other: "Score") -> "Score":
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def is_right(talk: Talk, person: str, topic: str, fact: str) -> bool:
    """True of this person, and without a detail that they never told."""
    return any(truth.is_told_by(topic, fact) for truth in talk.true_of(person)) and not invented(fact, talk.said_by(person))


def invented(fact: str, said: str) -> list[str]:
    """Words of a fact that are neither the user's nor how one tells a fact."""
    known = {word[:4] for word in _WORD.findall(said.lower())}
    return [word for word in _WORD.findall(fact) if word.lower()[:4] not in known and not _TELLING.fullmatch(word)]


def judge_kept(talk: Talk, person: str, rows: Sequence[Kept], score: Score) -> None:
    """Precision, recall and succession of what one person's memories are at the end."""
    rows = [row for row in rows if row.status != "forgotten"]
    for row in rows:
        score.kept += 1
        if is_right(talk, person, row.topic, row.fact):
            score.right += 1
        else:
            score.junk.append(f"{talk.id}: {row.topic}: {row.fact} ({row.status})")
    for truth in talk.planted(person):
        score.planted += 1
        if _find(truth, rows):
            score.found += 1
        else:
            score.missed.append(f"{talk.id}: {truth.topic}: {truth.words}")
        if truth.private and any(row.character is None for row in _find(truth, rows)):
            score.leaks.append(f"{talk.id}: told in confidence, known to all: {truth.words}")
    _judge_succession(talk, person, rows, score)


def _judge_succession(talk: Talk, person: str, rows: Sequence[Kept], score: Score) -> None:
    for line in talk.lines:
        for old in (truth for truth in line.ended if truth.person == person):
            score.corrections += 1
            new = [row for truth in line.planted for row in _find(truth, rows)]
            if new and _find(old, rows):
                score.corrections_read += 1
                still = [row.fact for row in _find(old, rows) if row.status == "active" and row not in new]
                if not still and any(row.status in {"active", "replaced"} for row in new):
                    score.succeeded += 1
                elif any(row.status == "asked" for row in new):
                    score.corrections_asked += 1
                else:
                    score.stale.append(f"{talk.id}: {line.text[:50]} – still: {', '.join(still)}")
        for old in (truth for truth in line.doubted if truth.person == person):
            new = [row for truth in line.planted for row in _find(truth, rows)]
            if new and _find(old, rows):
                score.doubts_read += 1
                score.doubts_asked += any(row.status == "asked" for row in new) and any(row.status == "active" for row in _find(old, rows))


def _find(truth: Truth, rows: Iterable[Kept]) -> list[Kept]:
    return [row for row in rows if truth.is_told_by(row.topic, row.fact)]


def remembered(prompt: Sequence[dict[str, Any]]) -> tuple[list[str], str]:
    """Memories and summary in the system prompt."""
    system = "\n".join(str(message["content"]) for message in prompt if message["role"] == "system")
    found = _DATA.search(system)
    data = json.loads(found[1]) if found else {}
    return list(data.get("memories", [])), str(data.get("summary", ""))


def judge_raw(talk: Talk, person: str, answers: Sequence[str], score: Score) -> None:
    """What the model itself takes for facts, before anything is verified. The same fact twice counts once."""
    facts = {(str(fact.get("topic")), str(fact.get("fact"))) for answer in answers for fact in read_answer(answer)}
    score.raw += len(facts)
    score.raw_right += sum(is_right(talk, person, topic, fact) for topic, fact in facts)


def read_answer(answer: str) -> list[dict[str, Any]]:
    """The facts of an answer as the model wrote it, fenced or with words around."""
    found = _JSON.search(answer)
    try:
        return [fact for fact in json.loads(found[0])["facts"] if isinstance(fact, dict)] if found else []
    except (json.JSONDecodeError, KeyError, TypeError):
        return []


def foreign_words(talk: Talk, person: str, character: str, prompt: Sequence[dict[str, Any]]) -> list[str]:
    """What a prompt remembers or lets somebody say that somebody else said, or this person to another character in confidence.

    The card and the replies are the character's own words, and may name a city or a number themselves.
    """
    memories, summary = remembered(prompt)
    heard = [str(message["content"]) for message in prompt if message["role"] == "user"]
    text, own = "\n".join([*memories, summary, *heard]), talk.said_by(person)
    others = [truth for truth in talk.planted() if truth.person != person and not has_words(own, truth.words)]
    secret = [truth for truth in talk.planted(person) if truth.private and truth.character != character]
    return [f"{talk.id}: {truth.words}" for truth in (*others, *secret) if has_words(text, truth.words)]
