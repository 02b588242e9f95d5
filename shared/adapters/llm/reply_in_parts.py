"""One reply that may take several calls: what was said so far, and what all of it cost."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.adapters.llm.metrics import MODEL_COST, MODEL_TOKENS
from shared.adapters.llm.overlap import Seam
from shared.adapters.llm.prices import Prices
from shared.application.ports import FinishReason, Piece, PromptMessage, Role, Usage
from shared.domain.prompt import estimate_tokens, message_tokens

GO_ON = (
    "[The connection broke off in the middle of your last message. Continue it exactly where it stops. "
    "Repeat nothing of it, do not greet again, do not mention this note.]"
)
_LEAST_TOKENS = 32


@dataclass(slots=True, kw_only=True)
class ReplyInParts:
    prompt: Sequence[PromptMessage]
    temperature: float | None
    max_tokens: int | None
    max_chars: int
    prices: Prices
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    texts: list[str] = field(default_factory=list)
    length: int = 0
    _seam: Seam | None = None
    _tokens: list[int] = field(default_factory=lambda: [0, 0])
    _was_told: bool = False
    _cost: int | None = 0

    @property
    def started(self) -> bool:
        return bool(self.texts)

    @property
    def waited(self) -> float:
        return asyncio.get_running_loop().time() - self.began

    def next_prompt(self) -> Sequence[PromptMessage]:
        """What the next model is asked: the prompt, and where another one broke off what it said with the wish to go on."""
        if not self.texts:
            return self.prompt
        said = "".join(self.texts)
        self._seam = Seam(said)
        return [*self.prompt, PromptMessage(Role.ASSISTANT, said), PromptMessage(Role.USER, GO_ON)]

    def next_max_tokens(self) -> int | None:
        if self.max_tokens is None or not self.texts:
            return self.max_tokens
        return max(_LEAST_TOKENS, self.max_tokens - estimate_tokens("".join(self.texts)))

    def add(self, text: str) -> str:
        """What of the text is new, as far as the longest reply allows."""
        return self._keep(self._seam.push(text) if self._seam else text)

    def end(self) -> str:
        """What was held back as a possible repetition and is none."""
        return self._keep(self._seam.close()) if self._seam else ""

    @property
    def is_full(self) -> bool:
        return self.length >= self.max_chars

    def bill(self, provider: str, name: str, prompt: Sequence[PromptMessage], said: str, usage: Usage | None) -> None:
        """A call is over. Where the provider did not tell the tokens, as when it breaks off, they are estimated, not forgotten."""
        told = usage or Usage()
        asked = sum(map(message_tokens, prompt)) if told.prompt_tokens is None else told.prompt_tokens
        answered = estimate_tokens(said) if told.completion_tokens is None else told.completion_tokens
        self._was_told = self._was_told or told.prompt_tokens is not None or told.completion_tokens is not None
        self._tokens = [self._tokens[0] + asked, self._tokens[1] + answered]
        cost = told.cost_micros if told.cost_micros is not None else self.prices.cost(name, asked, answered)
        self._cost = None if cost is None or self._cost is None else self._cost + cost
        MODEL_TOKENS.labels(provider, name, "prompt").inc(asked)
        MODEL_TOKENS.labels(provider, name, "completion").inc(answered)
        MODEL_COST.labels(name).inc(cost or 0)

    def last_piece(self, name: str, finish: FinishReason | None) -> Piece:
        tokens = self._tokens if self._was_told else (None, None)
        return Piece(
            finish=FinishReason.LENGTH if self.is_full else finish,
            usage=Usage(prompt_tokens=tokens[0], completion_tokens=tokens[1], cost_micros=self._cost),
            model=name,
        )

    def _keep(self, text: str) -> str:
        text = text[: self.max_chars - self.length]
        if text:
            self.texts.append(text)
            self.length += len(text)
        return text
