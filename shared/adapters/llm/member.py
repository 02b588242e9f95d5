"""One model of a pool, with what is known about it."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.llm.breaker import Breaker
from shared.adapters.llm.exchange import CallLimits
from shared.adapters.llm.failures import TIMEOUT_FIRST_TEXT
from shared.adapters.llm.metrics import FIRST_TOKEN, MODEL_CALLS
from shared.adapters.llm.suspicion import Suspicion
from shared.application.ports import ChatModel, ModelUnavailableError, PromptMessage, Role

_PROBE = (PromptMessage(Role.USER, "Say OK."),)
_ENOUGH = 10
_LEAST_PATIENCE = 1.5


def _nowhere(work: Coroutine[Any, Any, None]) -> bool:
    work.close()
    return False


class FirstTokens:
    """How long a model's last hundred first texts took, in seconds."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=100)
        self._p95: float | None = None

    def add(self, seconds: float) -> None:
        self._seen.append(seconds)
        self._p95 = None

    @property
    def p95(self) -> float | None:
        """None until enough were seen to speak of one."""
        if self._p95 is None and len(self._seen) >= _ENOUGH:
            self._p95 = sorted(self._seen)[int(len(self._seen) * 0.95)]
        return self._p95


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    model: ChatModel
    breaker: Breaker
    limits: CallLimits = field(default_factory=CallLimits)
    first_tokens: FirstTokens = field(default_factory=FirstTokens)
    refuses_temperature: bool = False
    """Some reasoning models answer 400 to any; learnt from them."""
    beside: Callable[[Coroutine[Any, Any, None]], bool] = _nowhere
    """Does something beside the replies, as `Breakers.start`. Where nothing is done there the model is never suspected."""
    suspicion: Suspicion = field(init=False)

    def __post_init__(self) -> None:
        self.suspicion = Suspicion(self)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def provider(self) -> str:
        return self.model.name.partition(":")[0]

    @property
    def usual(self) -> float | None:
        """Seconds that its first text takes at most as a rule; none until enough is known."""
        return self.first_tokens.p95

    @property
    def patience(self) -> float:
        """Seconds without a text after which a call counts as a failure while others could answer; the deadline comes later."""
        longest = self.limits.first_token_timeout
        return min(longest, longest / 4 if self.usual is None else max(_LEAST_PATIENCE, 3 * self.usual))

    @property
    def patience_when_shut(self) -> float:
        """Seconds without a text after which a call is given up whose breaker opens meanwhile: one that was accepted before the refusals
        began may still be answered, as fast as usual."""
        return 0.0 if self.breaker.is_silent else self.usual or 0.0

    def spoke(self, seconds: float) -> None:
        self.first_tokens.add(seconds)
        FIRST_TOKEN.labels(self.name).observe(seconds)
        self.suspicion.heard()

    def listen(self) -> bool:
        """Asks it for two words while it is suspected; false when that cannot be done."""
        return self.beside(self._listen())

    def called(self, outcome: str) -> None:
        MODEL_CALLS.labels(self.provider, self.name, outcome).inc()

    async def probe(self) -> None:
        """Asks for two words, to learn whether the model speaks again. The breaker gets the verdict; never raises."""
        began = asyncio.get_running_loop().time()
        try:
            await self._say_something()
        except ModelUnavailableError as error:
            self.called(error.reason)
            self.breaker.probed(error.reason, error.retry_after)
        except asyncio.CancelledError:
            self.breaker.release()
            raise
        else:
            self.called("ok")
            self.spoke(asyncio.get_running_loop().time() - began)
            self.breaker.probed(None)

    async def _listen(self) -> None:
        """For as long as a reply would be waited for. Only an answer says something."""
        outcome = TIMEOUT_FIRST_TEXT
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience):
                try:
                    await self._say_something()
                except ModelUnavailableError as error:
                    outcome = error.reason
                else:
                    outcome = "ok"
                    self.suspicion.heard(by_probe=True)
        self.called(outcome)

    async def _say_something(self) -> None:
        async with aclosing(self.model.stream(_PROBE)) as pieces:
            await anext(pieces, None)
