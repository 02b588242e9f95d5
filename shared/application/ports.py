"""Protocols of what we do not own. Each has at least two implementations under `shared/adapters`."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from shared.domain.errors import NotFoundError, UnavailableError
from shared.domain.memory_search import Sought
from shared.domain.prompt import PromptMessage, Role
from shared.domain.speaker import Speaker

__all__ = [
    "AlikeQuestion",
    "AlikeReplies",
    "CachedReply",
    "ChatModel",
    "Clock",
    "Embedder",
    "FinishReason",
    "Meanings",
    "ModelUnavailableError",
    "Models",
    "ObjectNotFoundError",
    "ObjectStore",
    "Piece",
    "PromptMessage",
    "Recall",
    "ReplyCache",
    "Role",
    "StoreUnavailableError",
    "TurnLimits",
    "Usage",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider bills them, and what they cost in millionths of a US dollar; `None` fields mean that nobody said.

    Of a pool it is the sum over all calls that one reply took, those that failed after they began included.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_micros: int | None = None


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


REFUSED_PROMPT, NOTHING_SAID = "bad_request", "no_text"
"""Reasons that are about the prompt: a model is there, and refuses this request or answers it with nothing."""


class ModelUnavailableError(UnavailableError):
    """The provider refused, timed out, was cut off or answered nonsense. `started` says whether a piece had been delivered."""

    code = "model_unavailable"

    def __init__(self, what: str, *, reason: str, started: bool = False, retry_after: float | None = None) -> None:
        super().__init__(what, retry_after=retry_after)
        self.reason, self.started = reason, started

    @property
    def is_about_prompt(self) -> bool:
        """Asking the same again later is of no use."""
        return self.reason in {REFUSED_PROMPT, NOTHING_SAID}


class ChatModel(Protocol):
    @property
    def name(self) -> str:
        """`provider:model`, as in settings, logs and metrics."""

    def stream(
        self, prompt: Sequence[PromptMessage], *, temperature: float | None = None, max_tokens: int | None = None
    ) -> AsyncGenerator[Piece, None]:
        """Pieces of one reply, in order, ending with a piece that has `finish`.

        `temperature` is the character's, `max_tokens` the longest reply wanted; `None` leaves either to the adapter's settings.
        Raises `ModelUnavailableError` only.
        Closing the generator early (`contextlib.aclosing`) closes the connection at once.
        """

    async def check(self) -> None:
        """Raises `ModelUnavailableError` when the provider cannot be reached or refuses the key. Costs no tokens."""

    async def aclose(self) -> None: ...


class Models(Protocol):
    """The models that the operator has configured."""

    def pool(self, tier: Literal["strong", "simple"]) -> ChatModel:
        """The simple one is the strong one where none is configured."""

    def find(self, name: str) -> ChatModel | None:
        """A configured `provider:model` as the first in line, the rest of its pool behind it."""

    def tier_of(self, name: str) -> Literal["strong", "simple"] | None:
        """Where a `provider:model` belongs: strong if it is in both lists, `None` when it is not configured."""

    def names(self) -> Sequence[str]:
        """Each `provider:model` once, the strong ones first."""

    def estimate_micros(self, tier_or_model: str, prompt_tokens: int, completion_tokens: int) -> int | None:
        """What a reply may cost at most, whoever of the pool gives it, in millionths of a US dollar; `None` when no price is known."""


class Embedder(Protocol):
    """Texts as points: near ones mean the like."""

    @property
    def name(self) -> str:
        """`provider:model`; vectors of differing names are never compared."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text, all of the same length. Raises `ModelUnavailableError`."""

    def estimate_micros(self, tokens: int) -> int:
        """What so many tokens cost, in millionths of a US dollar; 0 also where nobody knows."""

    async def aclose(self) -> None: ...


class ObjectNotFoundError(NotFoundError):
    code = "object_not_found"


class StoreUnavailableError(UnavailableError):
    """The store cannot be reached, is full or refuses our key. Nothing half-written is ever readable."""

    code = "store_unavailable"


class ObjectStore(Protocol):
    """Pictures, voice and exports by key.

    A key is 1 to 8 parts joined by `/`, each 1 to 128 of `A-Z a-z 0-9 . _ -` and not starting with a dot; anything else
    is an `InvalidInputError`. Every method may raise `StoreUnavailableError`.
    """

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        """Replaces what was there; a reader sees the old or the new content, never a mixture."""

    async def get(self, key: str) -> bytes:
        """Raises `ObjectNotFoundError`."""

    async def delete(self, key: str) -> None:
        """Deleting what is not there succeeds."""

    async def exists(self, key: str) -> bool: ...

    async def check(self) -> None:
        """Raises `StoreUnavailableError` when nothing could be stored now."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""

    def monotonic(self) -> float:
        """Seconds; only differences mean something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedReply:
    """What a model said to the very same prompt before, and which one it was."""

    text: str
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlikeQuestion:
    """Where a question lies among those that may share a reply with it, without its words.

    `group` names all that must be the same, `key` its own reply in the cache of the very same words; `order` as in `domain/alike.py`.
    """

    group: str
    key: str
    sketch: bytes
    vector: bytes
    order: tuple[bytes, bytes]


class Recall(Protocol):
    """What a chat needs of long-term memory; the memories themselves are read by the statement that opens a turn."""

    async def sought(self, text: str) -> Sought:
        """By what memories near this text are found; by words alone without an embeddings endpoint, or while it is away. Never raises."""


class TurnLimits(Protocol):
    async def check(self, speaker: Speaker) -> None:
        """Counts a new turn of the speaker. Raises `TooManyTurnsError`."""

    async def first(self, key: str, seconds: float) -> bool:
        """True for the first who asks within that time. Never raises."""


class ReplyCache(Protocol):
    """Replies to prompts without anything personal, for a day. Keys are digests. Neither method ever raises."""

    async def find(self, key: str) -> CachedReply | None: ...

    async def keep(self, key: str, reply: CachedReply) -> None: ...


class AlikeReplies(Protocol):
    """Which kept replies were given to questions that mean the same. Neither method ever raises."""

    async def find(self, question: AlikeQuestion, least: float) -> CachedReply | None:
        """The reply to the nearest one whose cosine is `least` at least."""

    async def keep(self, question: AlikeQuestion) -> None:
        """The question has a reply in the cache that others may be given."""


class Meanings(Protocol):
    async def vector_of(self, text: str, *, within: float) -> Sequence[float] | None:
        """Where a text lies among meanings; none without an embeddings endpoint, or while it is away or takes longer. Never raises."""

    @property
    def space(self) -> str | None:
        """Vectors of the same one can be compared."""

    def estimate_micros(self, texts: Sequence[str]) -> int:
        """What embeddings of these cost, in millionths of a US dollar."""
