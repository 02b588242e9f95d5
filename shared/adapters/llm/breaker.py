"""One model's circuit breaker as this process sees it: pure state and time, no I/O."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import structlog

from shared.adapters.llm.failures import BAD_REQUEST, NO_TEXT, TIMEOUT_FIRST_TEXT, TIMEOUT_TOTAL, UNAUTHORIZED
from shared.adapters.llm.metrics import BREAKER_OPENINGS, BREAKER_PROBES, BREAKER_STATE

LONGEST_OPEN = 300.0
"""Seconds; a provider that asks for more in `Retry-After` is probed earlier."""
EARLY_AFTER = 5.0
"""Seconds; where no other model could answer there is nothing to gain from waiting longer between probes."""
_BUCKET = 10.0
_SILENT = frozenset({TIMEOUT_FIRST_TEXT, TIMEOUT_TOTAL})

log = structlog.get_logger("models")


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRule:
    """Opens after `failures` in a row, or when `error_rate` of at least `rate_calls` calls within `window` seconds failed."""

    failures: int = 5
    open_seconds: float = 60.0
    error_rate: float = 0.5
    rate_calls: int = 20
    window: float = 60.0


RULES = {"gemini": BreakerRule(failures=3, open_seconds=30.0)}
USUAL_RULE = BreakerRule()


def rule_of(provider: str) -> BreakerRule:
    return RULES.get(provider, USUAL_RULE)


class BreakerState(IntEnum):
    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(slots=True, kw_only=True)
class News:
    """What happened here since the replicas were last told."""

    calls: int = 0
    failures: int = 0
    in_a_row: int = 0
    had_success: bool = False
    closed: bool = False
    opened_until: float | None = None
    probe_ended: bool = False

    @property
    def is_urgent(self) -> bool:
        return bool(self.failures or self.closed or self.opened_until or self.probe_ended)

    def failures_after(self, told: int) -> int:
        return self.in_a_row if self.had_success else told + self.in_a_row


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedState:
    """What all replicas know together; `open_seconds` none: closed, 0: open until a probe succeeds."""

    failures: int = 0
    open_seconds: float | None = None
    probe_seconds: float = 0.0


class Breaker:
    """Decides from what is known here; `merge` brings in what other replicas saw. Times are on the clock given, in seconds."""

    def __init__(self, name: str, rule: BreakerRule, clock: Callable[[], float], changed: Callable[[], None], setting: str = "") -> None:
        self.name, self.rule, self.setting = name, rule, setting
        self._clock, self._changed = clock, changed
        self.failures = 0
        self._until: float | None = None
        self._probe_until = self._early_from = 0.0
        self._shown = BreakerState.CLOSED
        self._window: deque[tuple[float, int, int]] = deque()
        self.news = News()
        self.on_opening: set[Callable[[], None]] = set()
        """Called each time it opens; who waits for the model may want to leave."""
        self.is_silent = False
        """It opened because the model said nothing, so that who waits for it waits in vain."""
        BREAKER_STATE.labels(name).set(0)

    @property
    def state(self) -> BreakerState:
        if self._until is None:
            return BreakerState.CLOSED
        state = BreakerState.OPEN if self._clock() < self._until else BreakerState.HALF_OPEN
        if state is not self._shown:
            self._show(state)
        return state

    @property
    def is_closed(self) -> bool:
        return self._until is None

    @property
    def is_being_probed(self) -> bool:
        return self._clock() < self._probe_until

    @property
    def opens_in(self) -> float:
        """Seconds until it may be tried again."""
        return max(0.0, (self._until or 0.0) - self._clock(), self._probe_until - self._clock())

    def claim(self, seconds: float, *, early: bool = False) -> bool:
        """Takes the one probe of a half-open breaker, for at most so long; false when somebody has it. `early` takes it of an open one,
        unless that has just opened or the provider has asked for more time."""
        now = self._clock()
        is_due = self.state is BreakerState.HALF_OPEN or (early and self._until is not None and now >= self._early_from)
        if not is_due or self.is_being_probed:
            return False
        self._probe_until = now + seconds
        return True

    def release(self) -> None:
        """The probe ended without a verdict."""
        self._probe_until = 0.0
        self.news.probe_ended = True
        self._changed()

    def succeeded(self) -> None:
        self._count(failed=False)
        if self.failures or self.news.in_a_row:
            self.failures, self.news.in_a_row, self.news.had_success = 0, 0, True
            self._changed()

    def failed(self, reason: str, retry_after: float | None = None) -> None:
        """A refused request says nothing about the provider's health; a refused key will not be taken the next time either. Prompts that
        are answered with nothing count for the rate only: three of one person must not shut a model for everybody.
        """
        if reason == BAD_REQUEST:
            return
        self._count(failed=True)
        if reason != NO_TEXT:
            self.failures += 1
            self.news.in_a_row += 1
        if self._until is None and (reason == UNAUTHORIZED or self._is_too_much()):
            BREAKER_OPENINGS.labels(self.name, reason).inc()
            self._open(reason, retry_after)
        self._changed()

    def probed(self, reason: str | None, retry_after: float | None = None) -> None:
        """The verdict of the probe: none for an answer, else why there was none."""
        self._probe_until = 0.0
        self.news.probe_ended = True
        BREAKER_PROBES.labels(self.name, reason or "ok").inc()
        if reason is None or reason in {BAD_REQUEST, NO_TEXT}:
            self._close()
            self.news = News(closed=True)
        else:
            self._open(reason, retry_after)
        self._changed()

    def take_news(self) -> News:
        news, self.news = self.news, News()
        return news

    def give_back(self, news: News) -> None:
        """The replicas could not be told."""
        later = self.news
        later.calls, later.failures = later.calls + news.calls, later.failures + news.failures
        later.in_a_row = later.failures_after(news.in_a_row)
        later.had_success = later.had_success or news.had_success
        if not later.closed:
            later.opened_until = later.opened_until or news.opened_until
            later.closed = news.closed and later.opened_until is None
        later.probe_ended = later.probe_ended or news.probe_ended

    def merge(self, shared: SharedState) -> None:
        """What happened here since `take_news` counts on top."""
        now = self._clock()
        self.failures = self.news.failures_after(shared.failures)
        self._probe_until = self._probe_until if self.news.probe_ended else now + shared.probe_seconds
        if self.news.opened_until or self.news.closed:
            return
        if shared.open_seconds is None:
            if self._until is not None:
                self._close()
        else:
            self._until = now + shared.open_seconds
            if self._shown is BreakerState.CLOSED:
                self._early_from = now + EARLY_AFTER
                self._tell_opened("told_by_replica", shared.open_seconds)

    def _is_too_much(self) -> bool:
        if self.failures >= self.rule.failures:
            return True
        calls = sum(entry[1] for entry in self._window)
        failures = sum(entry[2] for entry in self._window)
        return calls >= self.rule.rate_calls and failures >= self.rule.error_rate * calls

    def _count(self, *, failed: bool) -> None:
        self.news.calls += 1
        self.news.failures += failed
        now = self._clock()
        while self._window and self._window[0][0] <= now - self.rule.window:
            self._window.popleft()
        if self._window and now - self._window[-1][0] < _BUCKET:
            began, calls, failures = self._window[-1]
            self._window[-1] = (began, calls + 1, failures + failed)
        else:
            self._window.append((now, 1, int(failed)))

    def _open(self, reason: str, retry_after: float | None) -> None:
        seconds = max(self.rule.open_seconds, min(retry_after or 0.0, LONGEST_OPEN))
        self._until = self.news.opened_until = self._clock() + seconds
        self._early_from = self._clock() + max(EARLY_AFTER, retry_after or 0.0)
        self.news.closed = False
        self._tell_opened(reason, seconds)

    def _tell_opened(self, reason: str, seconds: float) -> None:
        self._show(BreakerState.OPEN)
        self.is_silent = reason in _SILENT
        more = {"setting": self.setting} if reason == UNAUTHORIZED and self.setting else {}
        log.warning("breaker_opened", model=self.name, reason=reason, failures=self.failures, seconds=round(seconds, 1), **more)
        for tell in tuple(self.on_opening):
            tell()

    def _close(self) -> None:
        self._until, self.failures, self._probe_until = None, 0, 0.0
        self._window.clear()
        self._show(BreakerState.CLOSED)
        log.info("breaker_closed", model=self.name)

    def _show(self, state: BreakerState) -> None:
        self._shown = state
        BREAKER_STATE.labels(self.name).set(int(state))
