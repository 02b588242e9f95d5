"""Models that say the same thing for ever: where the circle begins."""

from dataclasses import dataclass

_SEED = 24
"""Characters that have been said before make a circle possible."""
_WINDOW = 1200
_FEWEST_ROUNDS = 4
_SHORTEST = 160
_SHORT_UNIT, _LONGEST_OF_SHORT = 6, 400
"""A laugh or a line of dashes repeats a few characters and may be this long."""


@dataclass(frozen=True, slots=True)
class Circle:
    """`first_end` is where the first round ends; `is_endless` says that it was said too often to be meant."""

    first_end: int
    is_endless: bool


def find_circle(text: str) -> Circle | None:
    """The circle that the text ends in, if any; it may still turn out to be none when the text goes on."""
    if len(text) < 2 * _SEED:
        return None
    tail = text[-_SEED:]
    before = text.rfind(tail, max(0, len(text) - _WINDOW), len(text) - 1)
    if before < 0:
        return None
    unit = len(text) - _SEED - before
    start = before
    while start > 0 and text[start - 1] == text[start - 1 + unit]:
        start -= 1
    length = len(text) - start
    needed = _LONGEST_OF_SHORT if unit < _SHORT_UNIT else max(_SHORTEST, unit * _FEWEST_ROUNDS)
    return Circle(first_end=start + unit, is_endless=length >= needed)
