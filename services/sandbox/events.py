"""What happened, in order, for pages and tests that watch. Nothing is turned into text until somebody listens."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import orjson

KEPT_EVENTS = 5_000

Event = tuple[int, str, dict[str, Any]]


def viewed(value: Any) -> Any:
    """Objects of the world show themselves as documented in docs/sandbox.md."""
    return value.view()


def to_json(value: Any) -> bytes:
    return orjson.dumps(value, default=viewed, option=orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_NON_STR_KEYS)


class Events:
    """A numbered stream. Fields may be live objects: a late reader sees them as they are by then."""

    def __init__(self) -> None:
        self.last = 0
        self._kept: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._changed: asyncio.Future[None] | None = None

    def emit(self, kind: str, **fields: Any) -> None:
        self.last += 1
        self._kept.append((self.last, kind, fields))
        if self._changed is not None:
            if not self._changed.done():
                self._changed.set_result(None)
            self._changed = None

    def after(self, number: int) -> list[Event]:
        """Events past `number`; opens with a `reset` when some of them are forgotten, so that the reader starts over."""
        missed = min(self.last - number, len(self._kept))
        found = [self._kept[index] for index in range(len(self._kept) - missed, len(self._kept))] if missed > 0 else []
        if self.last - number > len(self._kept):
            first = found[0][0] - 1 if found else self.last
            found.insert(0, (first, "reset", {}))
        return found

    async def listen(self, number: int | None) -> AsyncIterator[list[Event]]:
        """Batches of events for ever, an empty one after 15 s of silence."""
        position = self.last if number is None or number > self.last else number
        while True:
            batch = self.after(position)
            if batch:
                position = batch[-1][0]
                yield batch
            elif not await self._wait(15.0):
                yield []

    async def _wait(self, seconds: float) -> bool:
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([self._changed], timeout=seconds)
        return bool(done)


def as_sse(event: Event) -> bytes:
    number, kind, fields = event
    return b"id: %d\ndata: %b\n\n" % (number, to_json({"type": kind, **fields}))
