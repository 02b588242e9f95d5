"""Stop: a person ends a reply that is being generated."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

T = TypeVar("T")

Reason = Literal["stopped", "superseded"]
"""`stopped`: the person has read enough, what was said is kept. `superseded`: they say more, and one reply to all of it shall come."""


class StoppedError(Exception):
    """Raised by `Stop.next_of` when Stop is pressed; never leaves the chat service."""


class Stop:
    """One generation's Stop button. Pressing it twice, or after the end, does nothing."""

    def __init__(self) -> None:
        self.reason: Reason | None = None
        self.quiet_seconds = 0.0
        """How long a reply that is ready waits for more words of the person before it begins."""
        self._has_begun = False
        self._made_at = time.monotonic()
        self._waiting: asyncio.Timeout | None = None

    @property
    def pressed(self) -> bool:
        return self.reason is not None

    def begin(self) -> None:
        """The first words are shown: from now on nothing supersedes them."""
        self._has_begun = True

    def press(self, reason: Reason = "stopped") -> bool:
        """False when it changes nothing: pressed before, or superseding a reply that has begun."""
        if self.pressed or (reason == "superseded" and self._has_begun):
            return False
        self.reason = reason
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())
        return True

    async def next_of(self, pieces: AsyncGenerator[T, None]) -> T:
        """The next piece. Raises `StoppedError` once Stop is pressed, also while waiting, and `StopAsyncIteration` at the end."""
        return await self._unless_pressed(lambda: anext(pieces))

    async def quiet(self) -> None:
        """Returns when the person has said nothing for long enough. Raises `StoppedError` as `next_of` does."""
        if self._has_begun:
            return
        missing = self._made_at + self.quiet_seconds - time.monotonic()
        await self._unless_pressed(lambda: asyncio.sleep(max(missing, 0.0)))

    async def _unless_pressed(self, begin: Callable[[], Awaitable[T]]) -> T:
        if self.pressed:
            raise StoppedError
        try:
            async with asyncio.timeout(None) as self._waiting:
                return await begin()
        except TimeoutError:
            if self.pressed:
                raise StoppedError from None
            raise
        finally:
            self._waiting = None


class StopRegistry:
    """The replies that are being generated in this process, by chat and by what is answered there, each with its topic (0: none)."""

    def __init__(self) -> None:
        self._running: dict[int, dict[int, tuple[int, Stop]]] = {}

    @contextmanager
    def watched(self, chat_id: int, reply: int, thread_id: int = 0) -> Iterator[Stop]:
        stop = Stop()
        self._running.setdefault(chat_id, {})[reply] = thread_id, stop
        try:
            yield stop
        finally:
            replies = self._running.get(chat_id, {})
            if reply in replies and replies[reply][1] is stop:  # the same update may be worked on once more, after its lane was lost
                del replies[reply]
            if not replies:
                self._running.pop(chat_id, None)

    def press(self, chat_id: int, reply: int | None = None, thread_id: int | None = None) -> bool:
        """Stops one reply, those of a topic, or all of the chat. False when none of them runs here."""
        running = self._running.get(chat_id, {})
        stops = [stop for key, (thread, stop) in running.items() if reply in {None, key} and thread_id in {None, thread}]
        for stop in stops:
            stop.press()
        return bool(stops)
