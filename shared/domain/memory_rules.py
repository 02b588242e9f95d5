"""What may be kept of a person, and how much."""

import re
import string

from shared.domain.dialog import storable
from shared.domain.errors import InvalidInputError

LONGEST_FACT = 300
MOST_MEMORIES = 300
"""Of one user, over all characters; the oldest unpinned and least certain ones make room."""
CERTAIN = 1.0
"""Only what a user wrote or confirmed themselves; what a model has read is always a little less."""

_TOPIC_WORDS = 3
_WORD = re.compile(r"\w+")


def one_line(text: str) -> str:
    visible = "".join(character if character.isprintable() else " " for character in storable(text))
    return " ".join(visible.split())


def own_words(text: str) -> str:
    """What a user writes down themselves, as one line. Raises `InvalidInputError` when nothing is left or it is too long."""
    fact = one_line(text)
    if not fact or not any(character.isalnum() for character in fact):
        raise InvalidInputError("nothing to remember")
    if len(fact) > LONGEST_FACT:
        raise InvalidInputError(f"longer than {LONGEST_FACT} characters")
    return fact


def own_topic(fact: str) -> str:
    """A topic that two differing facts of a user's own words seldom share."""
    words = [word.strip(string.punctuation).lower() for word in _WORD.findall(fact)]
    return "other." + "_".join(words[:_TOPIC_WORDS])[:60]
