"""Two calls at once, the first to speak wins."""

import asyncio
from collections.abc import Awaitable, Callable

from shared.adapters.llm.call import Call
from shared.application.ports import ModelUnavailableError, Piece

Opened = tuple[Call, Piece]


async def first_to_speak(
    first: Call, listen: Callable[[Call], Awaitable[Piece]], after: float, second: Callable[[], Awaitable[Call | None]]
) -> Opened:
    """`second` is called when the first has said nothing for `after` seconds; `None` from it leaves the first alone.

    Raises `ModelUnavailableError` of the one that failed last. The caller closes both calls.
    """
    async with asyncio.TaskGroup() as group:
        running = {group.create_task(_heard(first, listen))}
        await asyncio.wait(running, timeout=after)
        silent = not any(task.done() for task in running)
        if silent and (other := await second()) is not None:
            running.add(group.create_task(_heard(other, listen)))
        while True:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            outcome = next((task.result() for task in done if not isinstance(task.result(), ModelUnavailableError)), None)
            if outcome is not None or not running:
                break
        for task in running:
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
