"""Who is asked next for one reply: the order of the list, open breakers, the return after a cut, the retry when nobody else is left."""

import asyncio
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from shared.adapters.llm.breaker import BreakerState
from shared.adapters.llm.breakers import Breakers
from shared.adapters.llm.call import Call
from shared.adapters.llm.failures import (
    BAD_REQUEST,
    BREAKER_OPEN,
    CUT,
    EMPTY,
    GARBAGE,
    RATE_LIMITED,
    REFUSED,
    SERVER_ERROR,
    SUSPECTED,
)
from shared.adapters.llm.member import Member
from shared.adapters.llm.metrics import FAILOVERS
from shared.adapters.llm.reply_in_parts import ReplyInParts
from shared.application.ports import ModelUnavailableError

_TOLD_ONCE = frozenset({BREAKER_OPEN, SUSPECTED})
"""By the model, in `breaker_opened` and `model_suspected`, and not for every reply."""
_WORTH_A_RETRY = frozenset({REFUSED, CUT, EMPTY, GARBAGE, RATE_LIMITED, SERVER_ERROR})

log = structlog.get_logger("models")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """Only before the first text, only when no other model is left, and never later than `within` seconds after the reply began."""

    attempts: int = 3
    first_delay: float = 0.5
    longest_delay: float = 4.0
    within: float = 10.0

    def delay(self, attempt: int, retry_after: float | None) -> float:
        """Doubles with each attempt, somewhere between half of it and all; a provider that asks for more time gets it."""
        usual = min(self.longest_delay, self.first_delay * 2.0 ** (attempt - 1))
        return max(retry_after or 0.0, usual * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing


class Line:
    """`next` gives the call to make, then `failed` hears how that went wrong."""

    def __init__(self, members: Iterable[Member], breakers: Breakers, reply: ReplyInParts, retry: RetryRule) -> None:
        self._waiting = deque(members)
        self._breakers, self._reply, self._retry = breakers, reply, retry
        self._failures: list[tuple[Member, ModelUnavailableError]] = []
        self._left: tuple[Member, str] | None = None
        self._shut: list[Member] = []
        self._plain: list[Member] = []
        self._spoke: Member | None = None
        self._attempts = 0
        self._went_on = False

    @property
    def has_more(self) -> bool:
        """Whether a model that is well could be asked after this one."""
        return any(member.breaker.is_closed for member in self._waiting)

    @property
    def has_better(self) -> bool:
        """Whether one of them is not suspected of being silent, so that one that is may be left for it."""
        return any(member.breaker.is_closed and not member.suspicion.is_raised for member in self._waiting)

    async def next(self) -> Call:
        """Raises `ModelUnavailableError` when nobody is left, with what the last one said. When all are shut, one reply in a while is
        the probe, so that the return of a provider is noticed soon."""
        while self._waiting and not self._is_late():
            member = self._waiting.popleft()
            if member.breaker.is_closed and member.suspicion.is_raised and self.has_better:
                self._left = self._left or (member, SUSPECTED)
                self._waiting.append(member)
                continue
            is_probe = member.breaker.state is BreakerState.HALF_OPEN and await self._is_ours_to_probe(member)
            if is_probe or member.breaker.is_closed:
                self._moved_to(member)
                return Call(member, self._reply, is_probe=is_probe, is_plain=member in self._plain)
            self._left = self._left or (member, BREAKER_OPEN)
            self._shut.append(member)
        for member in self._shut if not self._failures else ():
            if await self._breakers.claim(member.breaker, member.limits.first_token_timeout, early=True):
                return Call(member, self._reply, is_probe=True)
        raise self._nobody()

    def lost_race(self, call: Call, winner: Call, reason: str) -> None:
        """It was asked beside another one that spoke first: it may go on where that one breaks off."""
        if reason == SUSPECTED and winner.began > call.began:
            FAILOVERS.labels(call.member.name, winner.member.name, SUSPECTED).inc()
        if call.error is None:
            self._waiting.appendleft(call.member)
        else:
            self._failures.append((call.member, call.error))

    async def failed(self, call: Call) -> None:
        """May wait, when only a retry is left."""
        member, error = call.member, call.error
        if error is None:
            return
        self._failures.append((member, error))
        self._left = (member, error.reason)
        self._spoke = member if error.started else self._spoke
        if error.reason == BAD_REQUEST and call.temperature is not None:
            self._plain.append(member)
            self._waiting.appendleft(member)
        elif self.has_more:
            return
        elif self._reply.started:
            self._go_on_with(self._spoke or member)
        elif error.reason in _WORTH_A_RETRY:
            await self._wait_for(member, error)

    def _is_late(self) -> bool:
        return bool(self._failures) and self._reply.waited > self._waiting[0].limits.total_timeout

    async def _is_ours_to_probe(self, member: Member) -> bool:
        """Nobody waits for a probe while another model can answer: it is made beside the reply."""
        if member.breaker.is_being_probed or (self.has_more and self._breakers.start(self._probe(member))):
            return False
        return await self._breakers.claim(member.breaker, member.limits.first_token_timeout)

    async def _probe(self, member: Member) -> None:
        if await self._breakers.claim(member.breaker, member.limits.first_token_timeout):
            await member.probe()

    def _go_on_with(self, member: Member) -> None:
        """The same one once more: it knows what it wanted to say."""
        if not self._went_on:
            self._went_on = True
            self._waiting.append(member)

    async def _wait_for(self, member: Member, error: ModelUnavailableError) -> None:
        self._attempts += 1
        delay = self._retry.delay(self._attempts, error.retry_after)
        if self._attempts < self._retry.attempts and self._reply.waited + delay <= self._retry.within and member.breaker.is_closed:
            await asyncio.sleep(delay)
            self._waiting.append(member)

    def _moved_to(self, member: Member) -> None:
        if self._left is None or self._left[0] is member:
            return
        left, reason = self._left
        FAILOVERS.labels(left.name, member.name, reason).inc()
        if reason not in _TOLD_ONCE:
            waited = round(self._reply.waited * 1000)
            log.warning("provider_failover", from_model=left.name, to_model=member.name, reason=reason, waited_ms=waited)
        self._left = None

    def _nobody(self) -> ModelUnavailableError:
        """The reason is the last one's; or, when a model was there and could do nothing with the prompt, that."""
        said = [f"{member.name} ({error.reason})" for member, error in self._failures]
        shut = [f"{member.name} ({BREAKER_OPEN})" for member in self._shut]
        waits = [error.retry_after for _, error in self._failures if error.retry_after is not None]
        waits += [member.breaker.opens_in for member in self._shut]
        errors = [error for _, error in self._failures]
        told = next((error for error in errors if error.is_about_prompt), errors[-1] if errors else None)
        return ModelUnavailableError(
            f"no model answered: {', '.join([*said, *shut])}",
            reason=told.reason if told else BREAKER_OPEN,
            started=self._reply.started,
            retry_after=min(waits) if waits else None,
        )
