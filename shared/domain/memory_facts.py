"""Which of what a model has read in a user's words may become a memory: only what was really said, lasts, and is about the user."""

import re
from enum import StrEnum

from shared.domain.memory_answer import GENERAL_TOPICS, SHARED_HEADS, HeardFact
from shared.domain.memory_rules import one_line
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
LONGEST_NAME = 3
"""Words of a message that is nothing but a name."""
_LASTING_HEADS = SHARED_HEADS | {"likes", "dislikes"}
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_MISSING_SHARE = 4
"""Of the words of a fact that are neither names nor numbers nor mere frame, so many must be said for one that is not."""


class Flaw(StrEnum):
    """Why something never becomes a memory."""

    UNVERIFIED = "unverified"
    """It was not said, or not in these words."""
    JUNK = "junk"
    """It was said, and is nothing to remember."""


def is_worth_reading(text: str) -> bool:
    """Whether there may be a fact in it at all, so that no model is asked about a "hello"."""
    return any(character.isalnum() for character in text) and not GREETING.fullmatch(text) and not text.lstrip().startswith("/")


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


def _place(quote: str, said: str) -> tuple[str, int, int] | None:
    """The message as one line, and where in it the quote begins and ends."""
    line, sought = _plain(said), _plain(quote).strip(" .,;:!…\"'«»“”")
    at = line.find(sought) if sought else -1
    return None if at < 0 else (line, at, at + len(sought))


def _plain(text: str) -> str:
    return one_line(text).casefold().replace("’", "'").replace("ё", "е")


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
    for place, word in enumerate(_WORD.findall(one_line(fact))):
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
