"""Two calls at once, the first to speak wins."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from shared.adapters.llm.call import Call
from shared.adapters.llm.failures import SUSPECTED
from shared.adapters.llm.suspicion import Suspicion
from shared.application.ports import ModelUnavailableError, Piece

SLOW: Final = "slow"
Opened = tuple[Call, Piece]
Cue = asyncio.Future[str]


@contextmanager
def cue(suspicion: Suspicion, has_better: Callable[[], bool], slow_after: float | None) -> Iterator[Cue]:
    """Says when another model should be asked, and why: `SLOW` when that many seconds have passed, `SUSPECTED` when the first one is and a
    better one is at hand."""
    loop = asyncio.get_running_loop()
    given: Cue = loop.create_future()

    def give(why: str) -> None:
        if not given.done():
            given.set_result(why)

    def suspected() -> None:
        if has_better():
            give(SUSPECTED)

    timer = loop.call_later(slow_after, give, SLOW) if slow_after is not None else None
    suspicion.on_raised.add(suspected)
    try:
        yield given
    finally:
        suspicion.on_raised.discard(suspected)
        given.cancel()
        if timer is not None:
            timer.cancel()


async def first_to_speak(
    first: Call, listen: Callable[[Call], Awaitable[Piece]], given: Cue, second: Callable[[], Awaitable[Call | None]]
) -> Opened:
    """`second` is called at the cue, when the first has said nothing by then; `None` from it leaves the first alone.

    Raises `ModelUnavailableError` of the one that failed last. The caller closes both calls.
    """
    async with asyncio.TaskGroup() as group:
        running = {group.create_task(_heard(first, listen)): first}
        either: list[asyncio.Future[Any]] = [*running, given]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        silent = not any(task.done() for task in running)
        if silent and (other := await second()) is not None:
            running[group.create_task(_heard(other, listen))] = other
        while True:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            outcome = next((task.result() for task in done if not isinstance(task.result(), ModelUnavailableError)), None)
            for task in done:
                del running[task]
            if outcome is not None or not running:
                break
        for task, call in running.items():
            call.outrun()
            task.cancel()
    outcome = outcome or done.pop().result()
    if isinstance(outcome, ModelUnavailableError):
        raise outcome
    return outcome


async def _heard(call: Call, listen: Callable[[Call], Awaitable[Piece]]) -> Opened | ModelUnavailableError:
    try:
        return call, await listen(call)
    except ModelUnavailableError as error:
        return error
