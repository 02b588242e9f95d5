"""When a dialog's past is condensed, how much of it, and what may stand in for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.dialog import storable
from shared.domain.prompt import ALWAYS_KEPT, estimate_tokens

MOST_MESSAGES = 30
"""A turn reads forty; what is older would be lost."""
NEWEST_MESSAGES = 12
NEWEST_SHARE = 3
"""This part (a third) of the prompt's budget stays as it was said."""
FOLD_TOKENS = 3000
"""At most read at once."""
LONGEST_MESSAGE = 1200
LONGEST_SUMMARY = 900
_SENTENCE_END = re.compile(r"[.!?…。](?=\s|$)")
_WRAPPING = re.compile(r"^\s*(?:```\w*\s*)?(?:summary\s*:\s*)?|(?:\s*```)?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastMessage:
    """Something said that still counts. One that is left out was forgotten by the user: it goes with the past, unread."""

    id: int
    is_user: bool
    text: str
    is_left_out: bool = False

    @property
    def tokens(self) -> int:
        return estimate_tokens(self.text)


def to_fold(past: Sequence[PastMessage], budget: int) -> list[PastMessage]:
    """The oldest messages, as many as are condensed now; none while all fit well. `budget` is the prompt's, in tokens.

    The newest part stays as it was said, at least the last messages that every prompt has, and begins with words of the user.
    """
    if len(past) <= MOST_MESSAGES and sum(one.tokens for one in past) <= budget:
        return []
    stay = _staying(past, budget // NEWEST_SHARE)
    old, tokens = list[PastMessage](), 0
    for one in past[: len(past) - stay]:
        tokens += min(one.tokens, estimate_tokens("x" * LONGEST_MESSAGE))
        if old and tokens > FOLD_TOKENS:
            break
        old.append(one)
    return old


def summary_of(answer: str) -> str | None:
    """A model's summary as one paragraph, cut after a sentence when it is too long; none when it is of no use."""
    visible = "".join(character if character.isprintable() else " " for character in storable(_WRAPPING.sub("", answer)))
    text = " ".join(visible.split())
    if not any(character.isalpha() for character in text) or text[0] in "{[<":
        return None
    if len(text) <= LONGEST_SUMMARY:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, LONGEST_SUMMARY)]
    return text[: ends[-1]] if ends else None


def _staying(past: Sequence[PastMessage], room: int) -> int:
    stay = spent = 0
    for one in reversed(past):
        spent += one.tokens
        if stay >= ALWAYS_KEPT and (spent > room or stay >= NEWEST_MESSAGES):
            break
        stay += 1
    shorter = stay
    while shorter > ALWAYS_KEPT and not past[len(past) - shorter].is_user:
        shorter -= 1
    if past[len(past) - shorter].is_user:
        return shorter
    while stay < len(past) and not past[len(past) - stay].is_user:
        stay += 1
    return stay
