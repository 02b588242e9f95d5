"""What a reply took is gone with it, at once: rings of objects would keep whole prompts until the collector comes by."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.adapters.llm.call import Call
from shared.adapters.llm.patience import Patience
from shared.adapters.llm.reply_in_parts import ReplyInParts
from tests.adapters.pooling import pooled, scripted


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def left_behind() -> list[str]:
    return sorted(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, Call | Patience | ReplyInParts))


@pytest.mark.parametrize("count", [1, 2])
async def test_nothing_of_a_good_reply_waits_for_the_collector(count: int) -> None:
    house = pooled(scripted(count))
    for _ in range(30):
        await house.say()
    with without_collector():
        before = left_behind()
        for _ in range(3):
            assert await house.say() == "You said: hello"
        assert (before, left_behind()) == ([], [])
