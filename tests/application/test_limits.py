"""How fast somebody may go: windows that move, counted by all processes together, and never wide open."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import perf_counter
from typing import cast

import pytest
from redis import Redis
from structlog.testing import capture_logs

from shared.adapters.clock import SystemClock
from shared.adapters.limits import MOST_KEYS, LocalWindows, SharedWindows
from shared.adapters.redis_door import RedisDoor
from shared.application.limits import FLOOD_UPDATES, LimitService, Windows
from shared.domain.allowance import TooManyTurnsError
from tests.factories import ANN_ID, BOB_ID, NOON, SteppedClock, make_speaker

NOWHERE = "redis://127.0.0.1:1/0"


@asynccontextmanager
async def process(url: str) -> AsyncIterator[SharedWindows]:
    door = RedisDoor(url, name="limits")
    yield SharedWindows(door, LocalWindows(SystemClock()))
    await door.aclose()


@pytest.fixture(params=["local", "shared", "away"])
async def windows(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Windows]:
    """Every implementation keeps the same promise."""
    if request.param == "local":
        yield LocalWindows(SystemClock())
        return
    async with process(redis_url if request.param == "shared" else NOWHERE) as shared:
        yield shared


async def test_a_window_takes_its_limit_and_says_when_the_next_one_fits(windows: Windows) -> None:
    assert [await windows.hit("a", 3, 0.3) for _ in range(3)] == [None, None, None]
    wait = await windows.hit("a", 3, 0.3)
    assert wait is not None
    assert 0.1 < wait <= 0.3
    assert await windows.hit("b", 3, 0.3) is None
    await asyncio.sleep(wait + 0.01)
    assert await windows.hit("a", 3, 0.3) is None


async def test_refused_ones_are_not_counted(windows: Windows) -> None:
    assert await windows.hit("a", 1, 0.2) is None
    for _ in range(20):
        assert await windows.hit("a", 1, 0.2) is not None
    await asyncio.sleep(0.21)
    assert await windows.hit("a", 1, 0.2) is None


async def test_what_each_process_lets_pass_unasked_comes_on_top_for_all_but_the_first(redis_url: str) -> None:
    async with process(redis_url) as one, process(redis_url) as other:
        alone = [await one.hit("a", 5, 5.0, unasked=2) for _ in range(7)]
        assert [wait is None for wait in alone] == [True] * 5 + [False] * 2
        both = [await other.hit("a", 5, 5.0, unasked=2) for _ in range(4)]
        assert [wait is None for wait in both] == [True] * 2 + [False] * 2


async def test_two_processes_and_many_at_once_let_exactly_the_limit_through(redis_url: str) -> None:
    async with process(redis_url) as one, process(redis_url) as two:
        answers = await asyncio.gather(*[windows.hit("crowd", 20, 60.0) for windows in (one, two) for _ in range(100)])
    assert answers.count(None) == 20
    assert all(59 < wait <= 60 for wait in answers if wait is not None)


async def test_without_redis_each_process_still_holds_the_limit_and_nobody_waits(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        pid = int(cast("dict[str, str]", redis.info("server"))["process_id"])
    async with process(redis_url) as windows:
        assert [await windows.hit("a", 5, 60.0) for _ in range(2)] == [None, None]
        os.kill(pid, signal.SIGSTOP)
        try:
            began = perf_counter()
            answers = [await windows.hit("a", 5, 60.0) for _ in range(10)]
            assert perf_counter() - began < 0.2
        finally:
            os.kill(pid, signal.SIGCONT)
    assert answers[:3] == [None, None, None]
    assert None not in answers[3:]


async def test_an_emptied_redis_opens_nothing(redis_url: str) -> None:
    async with process(redis_url) as windows:
        assert [await windows.hit("a", 2, 60.0) for _ in range(2)] == [None, None]
        with Redis.from_url(redis_url) as redis:
            redis.flushall()
        assert await windows.hit("a", 2, 60.0) is not None


async def test_windows_of_very_many_people_stay_bounded() -> None:
    windows = LocalWindows(SteppedClock())
    for number in range(MOST_KEYS + 500):
        windows.take(str(number), 1, 60.0)
    assert len(windows._windows) == MOST_KEYS


async def test_a_plan_says_how_many_turns_fit_into_a_minute() -> None:
    clock = SteppedClock()
    limits = LimitService(windows=LocalWindows(clock), clock=clock)
    ann = make_speaker(turns_per_minute=2)
    await limits.check(ann)
    clock.go_on(seconds=20)
    await limits.check(ann)
    with capture_logs() as logs, pytest.raises(TooManyTurnsError) as refused:
        await limits.check(ann)
    assert logs == [{"event": "rate_limit_exceeded", "log_level": "info", "what": "turns_per_minute"}]
    assert (refused.value.limit, refused.value.resets_at, refused.value.seconds) == (2, NOON + timedelta(seconds=60), 40)
    await limits.check(make_speaker(turns_per_minute=2))
    clock.go_on(seconds=40)
    await limits.check(ann)

    free = make_speaker(turns_per_minute=None)
    for _ in range(200):
        await limits.check(free)


async def test_a_flood_is_stopped_for_the_one_who_makes_it_and_answered_once() -> None:
    clock = SteppedClock()
    limits = LimitService(windows=LocalWindows(clock), clock=clock)
    with capture_logs() as logs:
        assert [await limits.flood(ANN_ID) for _ in range(FLOOD_UPDATES + 5)] == [False] * FLOOD_UPDATES + [True] * 5
    assert logs == [{"event": "rate_limit_exceeded", "log_level": "info", "what": "flood"}] * 5
    assert not await limits.flood(BOB_ID)
    assert [await limits.first(f"flood:{ANN_ID}", 10) for _ in range(3)] == [True, False, False]
    clock.go_on(seconds=10)
    assert not await limits.flood(ANN_ID)
    assert await limits.first(f"flood:{ANN_ID}", 10)
