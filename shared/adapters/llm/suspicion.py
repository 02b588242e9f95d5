"""Whether a model has fallen silent: found out by those who wait for it together, long before the patience of one of them ends."""

import asyncio
from collections.abc import Callable
from itertools import islice
from math import inf
from typing import Protocol

import structlog

from shared.adapters.llm.breaker import Breaker
from shared.adapters.llm.failures import TIMEOUT_FIRST_TEXT
from shared.adapters.llm.metrics import SUSPICIONS

_WITNESSES = 3
_LEAST_DELAY = 0.3
_TICK = 0.001
STALLED = 0.02
"""A timer that comes so much too late comes after the process itself stood still: what was said meanwhile may not have been read yet."""
CATCH_UP = 0.1
"""It is put off by this, once."""

log = structlog.get_logger("models")


class Suspect(Protocol):
    """What of a model is to be known."""

    @property
    def name(self) -> str: ...
    @property
    def breaker(self) -> Breaker: ...
    @property
    def usual(self) -> float | None: ...
    @property
    def patience(self) -> float: ...
    def listen(self) -> bool: ...


class Suspicion:
    """Raised when three calls have each waited for twice the usual p95 (0.3 s at least), and nobody has heard a first text of the model
    since the oldest of them began; or when three in a row were outrun by a model asked beside it, as hedging does. Only where one that
    waits has another model at hand. While it lasts replies turn to a better one.

    It opens nothing. A first text ends it, and the breaker when it opens. Calls that were given up because another model spoke first
    count as failures when their patience would have ended and still nothing was heard; so that there is something to hear by then, the
    model is asked for two words. Once that has refuted a suspicion there is no other before a real reply has begun. A call makes one at
    most, and it ends with the patience of the last call that made it.
    """

    def __init__(self, suspect: Suspect) -> None:
        self.on_raised: set[Callable[[], None]] = set()
        """Called each time; who waits for the model may want to ask another one beside it."""
        self._suspect = suspect
        self._waiting: dict[object, float] = {}
        self._makers: dict[object, asyncio.TimerHandle] = {}
        self._outrun: set[object] = set()
        self._outrun_in_a_row = 0
        self._is_watched = False
        self._is_refuted = False

    @property
    def is_raised(self) -> bool:
        return bool(self._makers)

    def waits(self, call: object) -> None:
        """From now on, until `left`."""
        self._waiting[call] = _now()
        if not self._is_watched and len(self._waiting) >= _WITNESSES:
            self._look_at(_now(), _now())

    def left(self, call: object, *, outrun: bool = False) -> None:
        """It waits no longer; `outrun`: because another model was quicker, so that nothing is known about this one."""
        if outrun and call in self._waiting and not self.is_raised:
            self._outrun_in_a_row += 1
            if self._outrun_in_a_row >= _WITNESSES:
                self._raise()
        if outrun and call in self._makers:
            self._outrun.add(call)
        elif call in self._makers:
            self._decided(call)
        self._waiting.pop(call, None)

    def heard(self, *, by_probe: bool = False) -> None:
        """The model has begun to say something."""
        self._waiting.clear()
        self._outrun_in_a_row = 0
        self._is_refuted = by_probe and (self.is_raised or self._is_refuted)
        self._end("spoke")

    def _look_at(self, when: float, planned: float) -> None:
        self._is_watched = True
        asyncio.get_running_loop().call_at(when, self._look, planned)

    def _look(self, planned: float) -> None:
        now = _now()
        self._is_watched = False
        third = next(islice(self._waiting.values(), _WITNESSES - 1, None), None)
        usual = self._suspect.usual
        if third is None or usual is None or self.is_raised:
            return
        due = third + max(2 * usual, _LEAST_DELAY)
        if due > now + _TICK:
            self._look_at(due, due)
        elif now > planned + STALLED:
            self._look_at(now + CATCH_UP, inf)
        else:
            self._raise()

    def _raise(self) -> None:
        breaker, patience = self._suspect.breaker, self._suspect.patience
        if self._is_refuted or not self.on_raised or not breaker.is_closed or not self._suspect.listen():
            return
        self._makers = {call: self._judged_at(began + patience, call, began + patience) for call, began in self._waiting.items()}
        breaker.on_opening.add(self._shut)
        log.warning("model_suspected", model=self._suspect.name, waiting=len(self._makers))
        for tell in tuple(self.on_raised):
            tell()

    def _judged_at(self, when: float, call: object, planned: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_at(when, self._judge, call, planned)

    def _judge(self, call: object, planned: float) -> None:
        if _now() > planned + STALLED:
            self._makers[call] = self._judged_at(_now() + CATCH_UP, call, inf)
        else:
            self._decided(call)

    def _decided(self, call: object) -> None:
        self._waiting.pop(call, None)
        if call in self._outrun:
            self._outrun.discard(call)
            self._suspect.breaker.failed(TIMEOUT_FIRST_TEXT)
        if call in self._makers:
            self._makers[call].cancel()
            if len(self._makers) == 1:
                self._end("undecided")
            else:
                del self._makers[call]

    def _shut(self) -> None:
        self._end("opened")

    def _end(self, outcome: str) -> None:
        if self.is_raised:
            for timer in self._makers.values():
                timer.cancel()
            self._makers.clear()
            self._outrun.clear()
            self._suspect.breaker.on_opening.discard(self._shut)
            SUSPICIONS.labels(self._suspect.name, outcome).inc()


def _now() -> float:
    return asyncio.get_running_loop().time()
