"""Feature switches: what operators change at run time, with the defaults of a new installation."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from shared.domain.errors import InvalidInputError


class UnknownSwitchError(InvalidInputError):
    code = "unknown_switch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    streaming: bool = True
    """Show a reply while it is being written (drafts in private chats)."""
    answer_in_groups: bool = True
    """Answer in groups when mentioned or replied to."""
    registration_open: bool = True
    """Let people in who have not written before."""
    keep_messages_days: int = 90
    """Days that dialogs' messages are kept; 0 keeps them for ever."""
    only_simple_models: bool = False
    """The simple models answer everybody whose plan leaves the choice to us."""
    bot_daily_micros: int = 0
    """What all replies of a bot may cost on a UTC day, in millionths of a US dollar; 0 is without limit."""
    soft_limit_percent: int = 80
    """From this share of a money budget on, the simple model answers and less of the past is read; 100 never."""
    quiet_milliseconds: int = 250
    """A reply that is ready sooner waits this long for more words, and then answers all of them; those from the cache never wait."""
    shed_after_seconds: int = 120
    """A message that has waited this long for a free place is answered with an apology instead; 0 never."""
    semantic_cache_percent: int = 0
    """A kept reply also answers a question that means the same, from this cosine between their embeddings on; 0 never."""


LARGEST = {
    "keep_messages_days": 36_500,
    "bot_daily_micros": 10**12,
    "soft_limit_percent": 100,
    "quiet_milliseconds": 10_000,
    "shed_after_seconds": 86_400,
    "semantic_cache_percent": 100,
}
SMALLEST = {"semantic_cache_percent": 80}
"""What is not 0 is at least this."""


def parse_switch(key: str, value: Any) -> bool | int:
    """The value in the switch's own type.

    Raises `UnknownSwitchError` for a key that is no switch, `InvalidInputError` for a value of another type or one out of bounds.
    """
    kinds = {field.name: field.type for field in fields(Switches)}
    if key not in kinds:
        raise UnknownSwitchError(f"there is no switch named {key!r}")
    if kinds[key] is bool and isinstance(value, bool):
        return value
    if kinds[key] is int and isinstance(value, int) and not isinstance(value, bool) and _is_within_bounds(key, value):
        return value
    raise InvalidInputError(f"{key} does not take this value")


def _is_within_bounds(key: str, value: int) -> bool:
    return value == 0 or SMALLEST.get(key, 1) <= value <= LARGEST[key]


def read_switches(rows: Mapping[str, Any]) -> Switches:
    """Switches from stored rows; rows that no longer name a switch or hold a wrong value are passed over."""
    known: dict[str, Any] = {}
    for key, value in rows.items():
        try:
            known[key] = parse_switch(key, value)
        except InvalidInputError:
            continue
    return Switches(**known)
