"""Protocols of what we do not own. Each has at least two implementations under `shared/adapters`."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from shared.domain.errors import UnavailableError


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class PromptMessage:
    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider bills them; `None` fields mean that it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    FILTERED = "filtered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A streamed part of a reply. The last one of a stream carries `finish` (and `usage` if known), with or without text."""

    text: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None
    model: str | None = None


class ModelUnavailableError(UnavailableError):
    """The provider refused, timed out, was cut off or answered nonsense. `started` says whether a piece had been delivered."""

    code = "model_unavailable"

    def __init__(self, what: str, *, reason: str, started: bool = False, retry_after: float | None = None) -> None:
        super().__init__(what, retry_after=retry_after)
        self.reason, self.started = reason, started


class ChatModel(Protocol):
    @property
    def name(self) -> str:
        """`provider:model`, as in settings, logs and metrics."""

    def stream(self, prompt: Sequence[PromptMessage]) -> AsyncIterator[Piece]:
        """Pieces of one reply, in order, ending with a piece that has `finish`.

        Raises `ModelUnavailableError` only. Closing the iterator early closes the connection at once.
        """

    async def check(self) -> None:
        """Raises `ModelUnavailableError` when the provider cannot be reached or refuses the key. Costs no tokens."""

    async def aclose(self) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""

    def monotonic(self) -> float:
        """Seconds; only differences mean something."""
