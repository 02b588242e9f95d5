"""A model without a network: says what it is told to, breaks when it is told to."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from shared.adapters.llm.failures import CUT, RATE_LIMITED, REFUSED
from shared.application.ports import FinishReason, ModelUnavailableError, Piece, PromptMessage, Role, Usage
from shared.database.database import refuse_inside_transaction
from shared.domain.prompt import estimate_tokens

HANG = "hang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with one reply: a reason of `failures`, or `HANG` (waits until the caller closes or cancels)."""

    reason: str
    after_pieces: int = 0
    retry_after: float | None = None

    @classmethod
    def refused(cls) -> "Fault":
        return cls(reason=REFUSED)

    @classmethod
    def rate_limited(cls, retry_after: float) -> "Fault":
        return cls(reason=RATE_LIMITED, retry_after=retry_after)

    @classmethod
    def cut(cls, after_pieces: int) -> "Fault":
        return cls(reason=CUT, after_pieces=after_pieces)

    @classmethod
    def hang(cls, after_pieces: int = 0) -> "Fault":
        return cls(reason=HANG, after_pieces=after_pieces)


def answer_last_line(prompt: Sequence[PromptMessage]) -> str:
    """The reply of a model that was given no script."""
    said = next((message.text for message in reversed(prompt) if message.role is Role.USER), "")
    return f"You said: {said}"


@dataclass(slots=True, kw_only=True)
class ScriptedModel:
    """A `ChatModel` that is deterministic and in process.

    `replies` are said in turn, then `say` answers. A reply is a string, cut into pieces of a word each, or a list of pieces.
    `faults` befall the next calls in turn (`None` lets one pass); `down` makes every call fail until it is taken away.
    `prompts`, `temperatures` and `longest` (tokens) keep what was asked, `open_streams` counts the replies being read.
    """

    name: str = "scripted:parrot"
    say: Callable[[Sequence[PromptMessage]], str] = answer_last_line
    replies: deque[str | Sequence[str]] = field(default_factory=deque)
    faults: deque[Fault | None] = field(default_factory=deque)
    down: Fault | None = None
    finish: FinishReason = FinishReason.STOP
    first_token_seconds: float = 0.0
    piece_seconds: float = 0.0
    prompts: list[tuple[PromptMessage, ...]] = field(default_factory=list)
    temperatures: list[float | None] = field(default_factory=list)
    longest: list[int | None] = field(default_factory=list)
    open_streams: int = 0
    closed: bool = False

    def queue(self, *replies: str | Sequence[str]) -> None:
        self.replies.extend(replies)

    def break_next(self, *faults: Fault | None) -> None:
        self.faults.extend(faults)

    async def stream(
        self, prompt: Sequence[PromptMessage], *, temperature: float | None = None, max_tokens: int | None = None
    ) -> AsyncGenerator[Piece, None]:
        refuse_inside_transaction()
        self.prompts.append(tuple(prompt))
        self.temperatures.append(temperature)
        self.longest.append(max_tokens)
        fault = self.down or (self.faults.popleft() if self.faults else None)
        pieces = self._pieces(prompt)
        self.open_streams += 1
        try:
            for said, text in enumerate(pieces):
                await self._befall(fault, said)
                await asyncio.sleep(self.piece_seconds if said else self.first_token_seconds)
                yield Piece(text=text)
            await self._befall(fault, len(pieces))
            yield Piece(finish=self.finish, usage=_usage(prompt, pieces), model=self.name.partition(":")[2])
        finally:
            self.open_streams -= 1

    async def check(self) -> None:
        if self.down is not None:
            raise self._failure(self.down, started=False)

    async def aclose(self) -> None:
        self.closed = True

    def _pieces(self, prompt: Sequence[PromptMessage]) -> list[str]:
        reply = self.replies.popleft() if self.replies else self.say(prompt)
        return list(_words(reply)) if isinstance(reply, str) else list(reply)

    async def _befall(self, fault: Fault | None, said: int) -> None:
        if fault is None or said < fault.after_pieces:
            return
        if fault.reason == HANG:
            await asyncio.Event().wait()
        raise self._failure(fault, started=said > 0)

    def _failure(self, fault: Fault, *, started: bool) -> ModelUnavailableError:
        return ModelUnavailableError(f"{self.name}: {fault.reason}", reason=fault.reason, started=started, retry_after=fault.retry_after)


def _words(reply: str) -> Iterable[str]:
    """The words of a reply with the space before each, so that joining them gives the reply back."""
    start = 0
    for end in range(1, len(reply)):
        if reply[end].isspace() and not reply[end - 1].isspace():
            yield reply[start:end]
            start = end
    yield reply[start:]


def _usage(prompt: Sequence[PromptMessage], pieces: Sequence[str]) -> Usage:
    asked = sum(estimate_tokens(message.text) for message in prompt)
    return Usage(prompt_tokens=asked, completion_tokens=estimate_tokens("".join(pieces)))
