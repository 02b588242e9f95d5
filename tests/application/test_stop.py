"""The registry of replies that can be stopped."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from shared.application.stop import Stop, StoppedError, StopRegistry


async def endless() -> AsyncGenerator[int, None]:
    yield 1
    await asyncio.Event().wait()


async def test_a_press_stops_the_draft_it_stands_under_and_no_other() -> None:
    stops = StopRegistry()
    with stops.watched(7, 1) as first, stops.watched(7, 2) as second, stops.watched(8, 1) as elsewhere:
        assert stops.press(7, 2)
        assert (first.pressed, second.pressed, elsewhere.pressed) == (False, True, False)


async def test_the_command_stops_everything_in_the_chat() -> None:
    stops = StopRegistry()
    with stops.watched(7, 1) as first, stops.watched(7, 2) as second, stops.watched(8, 1) as elsewhere:
        assert stops.press(7)
        assert (first.pressed, second.pressed, elsewhere.pressed) == (True, True, False)


async def test_a_press_for_a_reply_that_runs_elsewhere_or_has_ended_is_told_so() -> None:
    stops = StopRegistry()
    with stops.watched(7, 1):
        assert not stops.press(7, 9)
        assert not stops.press(8)
    assert not stops.press(7)
    assert not stops.press(7, 1)


async def test_waiting_for_a_piece_ends_at_the_press() -> None:
    stop, pieces = Stop(), endless()
    assert await stop.next_of(pieces) == 1
    waiting = asyncio.ensure_future(stop.next_of(pieces))
    await asyncio.sleep(0)
    stop.press()
    with pytest.raises(StoppedError):
        await waiting
    with pytest.raises(StoppedError):
        await stop.next_of(pieces)


async def test_a_timeout_of_the_reply_itself_is_not_taken_for_a_press() -> None:
    async def slow() -> AsyncGenerator[int, None]:
        yield 1
        raise TimeoutError("the provider's own")

    stop, pieces = Stop(), slow()
    assert await stop.next_of(pieces) == 1
    with pytest.raises(TimeoutError, match="the provider's own"):
        await stop.next_of(pieces)
