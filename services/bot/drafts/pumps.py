"""Workers that show a reply growing; see the package."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import structlog
from aiogram.exceptions import AiogramError, TelegramForbiddenError, TelegramRetryAfter
from aiohttp import ClientError

from services.bot.drafts.budget import DraftBudget, Timer
from services.bot.formatting import clean, is_visible, split_point, unmarked

FIRST_FRAME_AFTER = 0.15
"""Seconds: a reply that is finished earlier needs no draft at all."""
QUICK_FRAMES, QUICK_INTERVAL, CALM_INTERVAL = 8, 0.4, 1.0
KEEP_ALIVE = 20.0
"""Seconds; the client hides a draft that has been silent for 30."""
TYPING_INTERVAL = 4.5
"""Seconds; the client shows "typing" for 5."""
FRAME_DEADLINE = 5.0
GRACE = 2.0
"""Seconds that a finished reply waits for a frame in flight."""
MOST_FAILURES = 3

_FAILURES = (AiogramError, ClientError, OSError, RuntimeError, ValueError)
_log = structlog.get_logger(__name__)


class _Pump:
    """One worker that lives exactly as long as the ``async with`` block; leaving it waits for a call in flight, cancellation does not."""

    def __init__(self, budget: DraftBudget, timer: Timer | None) -> None:
        self._budget = budget
        self._timer = timer or Timer()
        self._group = asyncio.TaskGroup()
        self._ending = asyncio.Event()
        self._ended = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._is_on = True
        self._failures = 0

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._worker = self._group.create_task(self._work())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None or not issubclass(kind, asyncio.CancelledError):
                await self._end()
        finally:
            self._cancel()
            # Never given the block's own error: a task group would wrap it, and callers catch product errors by their type.
            await self._group.__aexit__(None, None, None)

    async def _work(self) -> None:
        try:
            await self._timer.wait(self._ending, FIRST_FRAME_AFTER)
            while self._is_on and not self._ending.is_set():
                await self._step(self._timer.monotonic())
        finally:
            self._ended.set()

    async def _step(self, now: float) -> None:
        raise NotImplementedError

    async def _end(self) -> None:
        """No call leaves after this. A call that hangs longer than GRACE is cut off."""
        self._ending.set()
        await self._timer.wait(self._ended, GRACE)
        self._cancel()

    def _cancel(self) -> None:
        if self._worker is not None and not self._ended.is_set():
            self._is_on = False
            self._worker.cancel()

    async def _call(self, call: Callable[[], Awaitable[None]]) -> bool:
        """Spends one call of the budget; whether it arrived. Switches the pump off where going on is pointless."""
        self._budget.spend(self._timer.monotonic())
        try:
            async with asyncio.timeout(FRAME_DEADLINE):
                await call()
        except TelegramRetryAfter as error:
            self._budget.block(self._timer.monotonic(), error.retry_after)
            return False
        except _FAILURES as error:
            self._failures += 1
            if self._is_hopeless(error):
                self._is_on = False
                _log.info("live_reply_switched_off", pump=type(self).__name__, error=type(error).__name__, failures=self._failures)
            return False
        self._failures = 0
        return True

    def _is_hopeless(self, error: Exception) -> bool:
        return isinstance(error, TelegramForbiddenError)


class DraftPump(_Pump):
    """Streams a growing text into a private chat: the newest text wins, one frame is in flight.

    ``send(draft_id, text)`` sends one draft; an empty text is "Thinking…". What no longer fits into one message continues under the next
    draft id. To be used as ``async with`` in one task; ``finish`` before the final message.
    """

    def __init__(
        self, send: Callable[[int, str], Awaitable[None]], budget: DraftBudget, *, draft_id: int, timer: Timer | None = None
    ) -> None:
        super().__init__(budget, timer)
        self._send = send
        self._first_id = self.draft_id = draft_id
        self._changed = asyncio.Event()
        self._text = ""
        self._base = 0
        self._shown: tuple[int, str] | None = None
        self._frames = 0
        self._last_at = 0.0

    @property
    def is_on(self) -> bool:
        """False once Telegram has made clear that drafts lead nowhere in this chat."""
        return self._is_on

    def show(self, text: str) -> None:
        """The whole reply as far as it is known; cheap enough to be called for every token."""
        self._text = text
        self._changed.set()

    async def finish(self, final_text: str = "") -> None:
        """Ends the stream; after it no frame is on its way.

        ``final_text`` is the first final message. Clients turn the draft into it only if both begin alike, so where markup made them differ
        one last frame shows it. Empty: no such frame (stopped by the user, nothing to say).
        """
        await self._end()
        if final_text and self._would_jump(final_text) and self._budget.ready_in(self._timer.monotonic()) == 0:
            await self._show((self.draft_id, final_text))

    def _would_jump(self, final_text: str) -> bool:
        if not self._is_on or self._shown is None or self.draft_id != self._first_id:
            return False
        return not final_text.startswith(self._shown[1])

    async def _end(self) -> None:
        self._changed.set()
        await super()._end()

    async def _step(self, now: float) -> None:
        pause = self._pause(now)
        if pause > 0:
            await self._timer.wait(self._ending, pause)
            return
        self._changed.clear()
        frame = self._frame()
        silence = now - self._last_at
        if frame != self._shown or silence >= KEEP_ALIVE:
            await self._show(frame)
        elif not self._ending.is_set():
            await self._timer.wait(self._changed, KEEP_ALIVE - silence)

    def _pause(self, now: float) -> float:
        allowed_in = self._budget.ready_in(now)
        if self._frames == 0:
            return allowed_in
        interval = QUICK_INTERVAL if self._frames < QUICK_FRAMES else CALM_INTERVAL
        return max(allowed_in, self._last_at + interval - now)

    def _frame(self) -> tuple[int, str]:
        """No entities: half of a markup would make the client redraw what stood before."""
        text = unmarked(clean(self._text))
        while (end := split_point(text, self._base)) < len(text):
            self._base = end
            self.draft_id += 1
        frame = text[self._base :].strip()
        if is_visible(frame):
            return self.draft_id, frame
        return self._shown or (self.draft_id, "")

    async def _show(self, frame: tuple[int, str]) -> None:
        self._last_at = self._timer.monotonic()
        self._frames += 1
        if await self._call(lambda: self._send(*frame)):
            self._shown = frame

    def _is_hopeless(self, error: Exception) -> bool:
        return super()._is_hopeless(error) or self._failures >= MOST_FAILURES or "TEXTDRAFT_PEER_INVALID" in str(error)


class TypingPump(_Pump):
    """Keeps "typing…" up in a group while a reply is written; any failure but being thrown out is tried again at the next beat."""

    def __init__(self, send: Callable[[], Awaitable[None]], budget: DraftBudget, *, timer: Timer | None = None) -> None:
        super().__init__(budget, timer)
        self._send = send

    async def finish(self) -> None:
        """Ends the beat; after it no action is on its way."""
        await self._end()

    async def _step(self, now: float) -> None:
        pause = self._budget.ready_in(now)
        if pause == 0:
            await self._call(self._send)
            pause = TYPING_INTERVAL
        await self._timer.wait(self._ending, pause)
