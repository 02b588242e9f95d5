"""How the model endpoint behaves: its speed, a fixed reply, the fault in force, and a log of what it was asked."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.sandbox.model.memory import KINDS as MISTAKES
from services.sandbox.model.memory import Mistakes
from services.sandbox.model.takes import Takes

_KEPT_CALLS = 1_000
KINDS = ("slow_first_token", "hang", "keep_alive_only", "cut", "status", "garbage", "refuse_connection")
_FAULT_NUMBERS = ("times", "probability", "ms", "after_tokens", "code", "retry_after")
_WHOLE = frozenset({"times", "code", "after_tokens"})
_STATUSES = (429, 500, 503)


class BadControlError(ValueError):
    """Somebody set a speed or fault that means nothing; the text is a sentence for them."""


@dataclass(slots=True)
class Fault:
    """Goes wrong for `times` calls (None: until cleared), spread evenly where `probability` is below one."""

    kind: str
    times: int | None = None
    probability: float = 1.0
    ms: float = 5_000
    after_tokens: int = 5
    code: int = 500
    retry_after: float | None = None
    asked: int = 0

    def strikes(self) -> bool:
        if self.times is not None and self.times <= 0:
            return False
        self.asked += 1
        if int(self.asked * self.probability) == int((self.asked - 1) * self.probability):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def shown(self) -> dict[str, Any]:
        return {"kind": self.kind, **{name: getattr(self, name) for name in _FAULT_NUMBERS}}


@dataclass(slots=True)
class Call:
    """One request to the model. `outcome` is running, completed, abandoned (the caller left), rejected, or the fault's kind.

    The tokens are what a provider would bill: of the prompt, and of the reply as far as it was spoken; none of a call that got no reply.
    """

    n: int
    at: datetime
    model: str
    messages: list[Any]
    outcome: str = "running"
    first_token_ms: float | None = None
    total_ms: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def shown(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"at": self.at.isoformat()}


@dataclass(slots=True)
class ModelControls:
    first_token_ms: float = 350
    tokens_per_second: float = 45
    reply: str | None = None
    fault: Fault | None = None
    mistakes: Mistakes = field(default_factory=Mistakes)
    usual: Mistakes = field(default_factory=Mistakes)
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=_KEPT_CALLS))
    asked: int = 0
    takes: Takes = field(default_factory=Takes)

    def change(self, wanted: Mapping[str, Any]) -> None:
        """Only what is named changes; `reply`, `fault` and `mistakes` are cleared by null. Zero means no delay and no limit of speed.

        `mistakes` of a memory task: a rate from 0 to 1, or rates by kind, with `all` for those that are not named, and a `seed`.
        """
        if unknown := set(wanted) - {"first_token_ms", "tokens_per_second", "reply", "fault", "mistakes"}:
            raise BadControlError(f"unknown control: {', '.join(sorted(unknown))}")
        changed = {name: _number(name, wanted[name]) for name in ("first_token_ms", "tokens_per_second") if name in wanted}
        reply = wanted.get("reply", self.reply)
        if reply is not None and not isinstance(reply, str):
            raise BadControlError("reply must be a text or null")
        fault = _fault(wanted["fault"]) if "fault" in wanted else self.fault
        mistakes = _mistakes(wanted["mistakes"], self.usual) if "mistakes" in wanted else self.mistakes
        self.first_token_ms = changed.get("first_token_ms", self.first_token_ms)
        self.tokens_per_second = changed.get("tokens_per_second", self.tokens_per_second)
        self.reply, self.fault, self.mistakes = reply, fault, mistakes

    def shown(self) -> dict[str, Any]:
        fault = self.fault.shown() if self.fault and self.fault.times != 0 else None
        shown = {"first_token_ms": self.first_token_ms, "tokens_per_second": self.tokens_per_second, "reply": self.reply, "fault": fault}
        return {**shown, "mistakes": {"all": self.mistakes.rate, "seed": self.mistakes.seed, **self.mistakes.single}}

    def striking(self) -> Fault | None:
        return self.fault if self.fault and self.fault.strikes() else None

    def log(self, model: str, messages: list[Any]) -> Call:
        self.asked += 1
        call = Call(self.asked, datetime.now(UTC), model, messages)
        self.calls.append(call)
        return call

    def reset(self) -> None:
        """Back to how the process started, as `/sim/reset` promises."""
        fresh = ModelControls()
        self.first_token_ms, self.tokens_per_second, self.reply, self.fault = fresh.first_token_ms, fresh.tokens_per_second, None, None
        self.mistakes = self.usual
        self.calls.clear()
        self.takes.clear()
        self.asked = 0


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1_000_000:
        raise BadControlError(f"{name} must be a number from 0 to 1000000")
    return value


def _mistakes(wanted: Any, usual: Mistakes) -> Mistakes:
    if wanted is None:
        return usual
    rates: dict[Any, Any] = {**wanted} if isinstance(wanted, Mapping) else {"all": wanted}
    seed = int(_number("mistakes.seed", rates.pop("seed", 0)))
    if unknown := set(rates) - set(MISTAKES) - {"all"}:
        raise BadControlError(f"unknown in mistakes: {', '.join(sorted(map(str, unknown)))}; known: all, seed, {', '.join(MISTAKES)}")
    numbers = {kind: _number(f"mistakes.{kind}", rate) for kind, rate in rates.items()}
    if any(rate > 1 for rate in numbers.values()):
        raise BadControlError("mistakes must be from 0 to 1")
    return Mistakes(numbers.pop("all", usual.rate), numbers or (usual.single if "all" not in rates else {}), seed)


def _fault(wanted: Any) -> Fault | None:
    if wanted is None:
        return None
    if not isinstance(wanted, Mapping) or wanted.get("kind") not in KINDS:
        raise BadControlError(f"fault must have a kind of: {', '.join(KINDS)}")
    if unknown := set(wanted) - set(_FAULT_NUMBERS) - {"kind"}:
        raise BadControlError(f"unknown in fault: {', '.join(sorted(unknown))}")
    numbers = {name: _number(f"fault.{name}", value) for name, value in wanted.items() if name != "kind" and value is not None}
    if wanted["kind"] == "status" and numbers.get("code", 500) not in _STATUSES:
        raise BadControlError("fault.code must be 429, 500 or 503")
    if numbers.get("probability", 1) > 1:
        raise BadControlError("fault.probability must be from 0 to 1")
    fault = Fault(wanted["kind"])
    for name, number in numbers.items():
        setattr(fault, name, int(number) if name in _WHOLE else number)
    return fault
