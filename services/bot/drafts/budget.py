"""Telegram's allowance for live signs in one chat, and the time it is measured in."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

_SHORT, _SHORT_WINDOW = 20, 5.0
_LONG, _LONG_WINDOW = 40, 30.0
_MARGIN = 0.05


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


@dataclass(frozen=True, slots=True)
class Timer:
    """Time as the pumps see it; ``wait`` returns when the event is set or the seconds have passed."""

    monotonic: Callable[[], float] = time.monotonic
    wait: Callable[[asyncio.Event, float], Awaitable[None]] = _wait


class DraftBudget:
    """What Telegram allows in one chat: 20 calls in 5 s and 40 in 30 s, drafts and chat actions together."""

    __slots__ = ("_blocked_until", "_calls")

    def __init__(self) -> None:
        self._calls: deque[float] = deque(maxlen=_LONG)
        self._blocked_until = 0.0

    def ready_in(self, now: float) -> float:
        """Seconds until the next call is allowed; 0 is now."""
        free_at = self._blocked_until
        if len(self._calls) >= _SHORT:
            free_at = max(free_at, self._calls[-_SHORT] + _SHORT_WINDOW + _MARGIN)
        if len(self._calls) == _LONG:
            free_at = max(free_at, self._calls[0] + _LONG_WINDOW + _MARGIN)
        return max(0.0, free_at - now)

    def spend(self, now: float) -> None:
        self._calls.append(now)

    def block(self, now: float, seconds: float) -> None:
        """Telegram has asked for silence in this chat."""
        self._blocked_until = max(self._blocked_until, now + seconds)

    def is_idle(self, now: float) -> bool:
        """Forgetting it changes nothing: all windows are empty."""
        return self._blocked_until <= now and (not self._calls or self._calls[-1] + 2 * _LONG_WINDOW < now)


class DraftBudgets:
    """The budgets of all chats that one process talks in; idle ones are forgotten."""

    def __init__(self, timer: Timer | None = None) -> None:
        self._timer = timer or Timer()
        self._budgets: dict[Hashable, DraftBudget] = {}
        self._swept_at = self._timer.monotonic()

    def __len__(self) -> int:
        return len(self._budgets)

    def of(self, *chat: Hashable) -> DraftBudget:
        """The budget of a chat, named by bot and chat id: two bots in one chat do not share."""
        now = self._timer.monotonic()
        if now - self._swept_at > _LONG_WINDOW:
            self._swept_at = now
            self._budgets = {key: budget for key, budget in self._budgets.items() if not budget.is_idle(now)}
        return self._budgets.setdefault(chat, DraftBudget())
