"""How long a reply waits for the first text of one model while others could answer."""

import asyncio
from collections.abc import Callable
from math import inf

from shared.adapters.llm.failures import BREAKER_OPEN, TIMEOUT_FIRST_TEXT
from shared.adapters.llm.member import Member
from shared.adapters.llm.suspicion import CATCH_UP, STALLED
from shared.application.ports import ModelUnavailableError

_LOOK_AGAIN = 0.1


class Patience:
    """A call that is silent for too long counts as a failure while it goes on waiting. Where `may_leave` says that somebody else could
    answer, it is given up when it is not the first in a row, and when its breaker opens meanwhile. Else the model's own deadline holds.

    `limit` raises `TimeoutError` in what waits inside it; `begin` before it and `end` in any case.
    """

    def __init__(self, member: Member, may_leave: Callable[[], bool], *, is_probe: bool) -> None:
        self.limit = asyncio.timeout(None)
        self.has_counted = False
        """Whether the breaker has heard of this call; of a probe it hears at its end."""
        self.is_outrun = False
        """Another model, asked beside this one, was quicker."""
        self._member, self._may_leave, self._is_probe = member, may_leave, is_probe
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._watch: asyncio.TimerHandle | None = None
        self._leaves_because: str | None = None

    def begin(self) -> None:
        self._look_in(self._member.patience)
        if not self._is_probe:
            self._member.breaker.on_opening.add(self._shut)
            self._member.suspicion.waits(self)

    def end(self) -> None:
        self._member.breaker.on_opening.discard(self._shut)
        self._member.suspicion.left(self, outrun=self.is_outrun and not self.has_counted)
        if self._watch is not None:
            self._watch.cancel()

    def verdict(self) -> ModelUnavailableError:
        """Why it was given up."""
        reason = self._leaves_because or TIMEOUT_FIRST_TEXT
        what = "and its breaker opened" if reason == BREAKER_OPEN else "and calls before it failed"
        return ModelUnavailableError(f"{self._member.name}: no text within {self._waited:.1f} s, {what}", reason=reason)

    @property
    def _waited(self) -> float:
        return self._loop.time() - self._began

    def _look_in(self, seconds: float) -> None:
        if self._watch is not None:
            self._watch.cancel()
        when = self._loop.time() + max(0.0, seconds)
        self._watch = self._loop.call_at(when, self._look, when)

    def _look(self, planned: float) -> None:
        if self._loop.time() > planned + STALLED:
            self._watch = self._loop.call_later(CATCH_UP, self._look, inf)
        elif self._may_leave() and self._is_hopeless():
            self._leave(TIMEOUT_FIRST_TEXT if self.has_counted or self._is_probe else BREAKER_OPEN)
        elif self._leaves_because is None:
            self._look_in(_LOOK_AGAIN)

    def _is_hopeless(self) -> bool:
        """A single silent call is waited for to its deadline: it may be a long thought. The second in a row is not."""
        breaker = self._member.breaker
        if breaker.is_closed and not self.has_counted:
            self.has_counted = True
            breaker.failed(TIMEOUT_FIRST_TEXT)
        return not breaker.is_closed or breaker.failures > 1

    def _shut(self) -> None:
        """The breaker has opened: those who are behind this one in a silent row need not find out for themselves."""
        self._look_in(self._member.patience_when_shut - self._waited)

    def _leave(self, reason: str) -> None:
        if self._leaves_because is None:
            self._leaves_because = reason
            self.limit.reschedule(self._loop.time())
