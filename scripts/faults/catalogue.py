"""The ways in which a provider fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Door = Literal["open", "refuses", "stalls"]


@dataclass(frozen=True, slots=True)
class Fault:
    """`control` is what the first provider's sandbox is told; a `door` that is not open stands before it and lets nobody in."""

    name: str
    title: str
    meaning: str
    control: Mapping[str, Any] | None = field(default=None, hash=False)
    door: Door = "open"


NONE = Fault("none", "no fault", "both providers are well; all other rows are compared with this one")

FAULTS = (
    Fault("refused", "refused connection", "nothing listens at the address: a process is down, a firewall rejects", door="refuses"),
    Fault("500", "500", "every call is answered at once by an internal error", {"kind": "status", "code": 500}),
    Fault("429", "429 storm", "every call is refused with `Retry-After: 2`", {"kind": "status", "code": 429, "retry_after": 2}),
    Fault("tls", "TLS stall", "the connection is accepted, the handshake is never answered", door="stalls"),
    Fault("hang", "hang after connect", "the request is read and never answered", {"kind": "hang"}),
    Fault(
        "keep-alive",
        "keep-alive frames only",
        "the answer begins and brings a comment each half second, never a word; a timeout between bytes would never strike",
        {"kind": "keep_alive_only"},
    ),
    Fault("cut", "cut mid-stream", "each reply breaks off after 20 tokens", {"kind": "cut", "after_tokens": 20}),
)


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` requests a second for `seconds`, at random moments that are the same for every fault, from so many people in turn."""

    seconds: float = 60.0
    rate: float = 20.0
    people: int = 400


@dataclass(frozen=True, slots=True)
class Prices:
    """Micros per token, whole and unlike each other, so that each mistake in a bill shows."""

    prompt: int
    completion: int


FIRST, SECOND = "gemini:gemini-2.5-flash", "openai:gpt-4o-mini"
PRICES = {FIRST: Prices(1, 2), SECOND: Prices(10, 20)}


@dataclass(frozen=True, slots=True)
class Speech:
    """How the providers speak: the time to the first text and tokens a second, and a reply whose every word occurs once in it."""

    first_token_ms: float = 200.0
    tokens_per_second: float = 200.0
    words: tuple[str, ...] = field(default_factory=lambda: tuple(f"w{number:02}" for number in range(1, 41)))

    @property
    def script(self) -> str:
        return f"You said: {{last}} {' '.join(self.words)}"

    def expected(self, said: str) -> str:
        return self.script.replace("{last}", said)
