"""Finding memories that have to do with what is said."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from shared.application.ports import Clock, Embedder, ModelUnavailableError
from shared.domain.memory_search import Sought, search_words, sketch_of
from shared.domain.prompt import estimate_tokens

PATIENCE_SECONDS = 0.5
"""A turn waits no longer for an embedding; words do as well."""
AWAY_SECONDS = 30.0
LATEST = 32
"""Vectors at hand: a turn may ask for that of its words twice, and pays once."""
_LONGEST_TEXT = 2000

log = structlog.get_logger("memory")


@dataclass(slots=True)
class Finder:
    """Without an embedder, and for a while after it has failed, memories are found by words alone.

    What else looks for meanings asks here too, so that a text is embedded once and an endpoint that is away is left alone by all.
    """

    clock: Clock
    embedder: Embedder | None = None
    _away_until: float = 0.0
    _latest: OrderedDict[str, list[float]] = field(default_factory=OrderedDict, init=False, repr=False)

    @property
    def space(self) -> str | None:
        return self.embedder.name if self.embedder is not None else None

    async def sought(self, text: str) -> Sought:
        """Never raises for an embedder that is away, slow or out of order."""
        words = search_words(text)
        vector = await self.vector_of(text)
        return Sought(words=words, sketch=sketch_of(vector), embedding_model=self.space) if vector else Sought(words=words)

    async def vector_of(self, text: str, *, within: float = PATIENCE_SECONDS) -> Sequence[float] | None:
        said = " ".join(text.split())
        if self.embedder is None or not said:
            return None
        if (known := self._latest.get(said)) is not None:
            return known
        if self.clock.monotonic() < self._away_until:
            return None
        try:
            async with asyncio.timeout(within):
                [vector] = await self.embedder.embed([text[:_LONGEST_TEXT]])
        except (ModelUnavailableError, TimeoutError) as error:
            self._away_until = self.clock.monotonic() + AWAY_SECONDS
            log.warning("embedding_unavailable", error=type(error).__name__)
            return None
        self._latest[said] = vector
        if len(self._latest) > LATEST:
            self._latest.popitem(last=False)
        return vector

    def estimate_micros(self, texts: Sequence[str]) -> int:
        """What embeddings of these cost, in millionths of a US dollar."""
        tokens = sum(estimate_tokens(text[:_LONGEST_TEXT]) for text in texts)
        return self.embedder.estimate_micros(tokens) if self.embedder and tokens else 0

    async def sketches(self, facts: Sequence[str]) -> list[str]:
        """One for each fact. Raises `ModelUnavailableError`; only with an embedder."""
        return [sketch_of(vector) for vector in await self.embedder.embed(facts)] if self.embedder else []
