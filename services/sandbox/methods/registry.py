"""Which function answers which method."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.sandbox.params import Params
from services.sandbox.world import Bot, World


@dataclass(slots=True)
class Context:
    """One call: whose it is and what it carries."""

    world: World
    bot: Bot
    params: Params


@dataclass(slots=True, frozen=True)
class Described:
    """A result that Telegram explains with a sentence."""

    result: Any
    description: str


@dataclass(slots=True, frozen=True)
class Encoded:
    """A result that is JSON already."""

    raw: bytes


Handler = Callable[[Context], Any | Awaitable[Any]]

METHODS: dict[str, Handler] = {}


def method(*names: str) -> Callable[[Handler], Handler]:
    """Registers a handler; names match in any case, as Telegram's do."""

    def register(handler: Handler) -> Handler:
        for name in names:
            METHODS[name.lower()] = handler
        return handler

    return register
