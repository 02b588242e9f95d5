"""Which function answers which method."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from services.sandbox.errors import ApiError
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

Named = TypeVar("Named", bound=Handler)

METHODS: dict[str, Handler] = {}


async def invoke(context: Context, name: str) -> Any:
    """Runs the method of that name; raises what Telegram would refuse."""
    handler = METHODS.get(name)
    if handler is None:
        raise ApiError(404, "Not Found: method not found")
    result = handler(context)
    return await result if asyncio.iscoroutine(result) else result


def method(*names: str) -> Callable[[Named], Named]:
    """Registers a handler; names match in any case, as Telegram's do."""

    def register(handler: Named) -> Named:
        for name in names:
            METHODS[name.lower()] = handler
        return handler

    return register
