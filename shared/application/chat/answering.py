"""A reply while it is being said: pieces of a model, cleaned, counted and put together."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from shared.application.ports import ChatModel, FinishReason, Models, Piece, PromptMessage
from shared.application.stop import Stop
from shared.domain.dialog import TurnStatus
from shared.domain.hygiene import Expectations, Problem, ReplyFilter
from shared.domain.prompt import estimate_tokens, message_tokens


@dataclass(slots=True)
class Answer:
    """What has been said so far, by whom, when, and what it took. Milliseconds are counted from `began`."""

    began: float
    model: str = ""
    tier: str | None = None
    words: ReplyFilter = field(default_factory=lambda: ReplyFilter(Expectations()))
    first_at: float | None = None
    finish: FinishReason | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_micros: int | None = None
    counted_prompt: int | None = None
    """Tokens of the last call alone, as the provider counted them."""
    is_cached: bool = False
    note: str | None = None
    bubbles: tuple[str, ...] = ()
    has_ended: bool = False

    def begin(self, expected: Expectations) -> None:
        """A call of a model begins, the first or another one in its place."""
        self.words, self.finish, self.bubbles, self.has_ended = ReplyFilter(expected), None, (), False

    def show(self, text: str, now: float) -> Piece:
        if self.first_at is None:
            self.first_at = now
        return Piece(text=text)

    def end(self) -> str:
        """What was still held back, once; from now on `bubbles` are the reply."""
        if self.has_ended:
            return ""
        self.has_ended = True
        rest = self.words.end()
        self.bubbles = self.words.bubbles
        return rest

    def say_from_cache(self, text: str, model: str | None) -> None:
        self.bubbles, self.tier, self.is_cached, self.has_ended = (text,), "cache", True, True
        self.model = model or self.model

    def count(self, prompt_tokens: int | None, completion_tokens: int | None, cost_micros: int | None) -> None:
        self.prompt_tokens = _sum(self.prompt_tokens, prompt_tokens)
        self.completion_tokens = _sum(self.completion_tokens, completion_tokens)
        self.cost_micros = _sum(self.cost_micros, cost_micros)

    def outcome(self) -> tuple[TurnStatus, str | None]:
        """How a turn ends whose model has said all it would."""
        filtered = self.finish is FinishReason.FILTERED
        if not self.bubbles:
            return TurnStatus.FAILED, "filtered" if filtered else self.words.problem or "empty"
        if self.words.problem in {Problem.REPETITION, Problem.GARBAGE} or filtered:
            return TurnStatus.INTERRUPTED, self.words.problem or "filtered"
        return TurnStatus.FINISHED, self.words.problem or ("length" if self.finish is FinishReason.LENGTH else None)

    def milliseconds(self, until: float | None) -> int | None:
        return None if until is None else round((until - self.began) * 1000)


@dataclass(slots=True)
class Call:
    """One call of a model, for an answer. `models` knows the prices, where there are any."""

    model: ChatModel
    prompt: Sequence[PromptMessage]
    temperature: float | None
    models: Models | None = None
    _heard: list[str] = field(default_factory=list)
    _is_counted: bool = False

    async def pieces(self, answer: Answer, stop: Stop) -> AsyncGenerator[str, None]:
        """What may be shown. Ends early when a rule ends the reply; what it took is counted however it ends."""
        try:
            async with aclosing(self.model.stream(self.prompt, temperature=self.temperature)) as pieces:
                async for piece in _until(stop, pieces):
                    self._note(piece, answer)
                    shown = answer.words.feed(piece.text) if piece.text else ""
                    if shown:
                        yield shown
                    if answer.words.problem is not None:
                        return
        finally:
            self._estimate(answer)

    def _note(self, piece: Piece, answer: Answer) -> None:
        if piece.text:
            self._heard.append(piece.text)
        if piece.finish is None:
            return
        answer.finish = piece.finish
        answer.model = piece.model if piece.model and ":" in piece.model else answer.model
        if piece.usage is not None:
            self._is_counted = True
            answer.counted_prompt = piece.usage.prompt_tokens
            answer.count(piece.usage.prompt_tokens, piece.usage.completion_tokens, piece.usage.cost_micros)

    def _estimate(self, answer: Answer) -> None:
        """A call that was left early is billed all the same, but nobody says how much."""
        if self._is_counted or not self._heard:
            return
        asked, said = sum(map(message_tokens, self.prompt)), estimate_tokens("".join(self._heard))
        cost = self.models.estimate_micros(answer.model, asked, said) if self.models else None
        answer.count(asked, said, cost)


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)


async def _until(stop: Stop, pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece, None]:
    while True:
        try:
            piece = await stop.next_of(pieces)
        except StopAsyncIteration:
            return
        yield piece
