"""Finding memories that have to do with what is said."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from shared.application.ports import Clock, Embedder, ModelUnavailableError
from shared.domain.memory_search import Sought, search_words, sketch_of
from shared.domain.prompt import estimate_tokens

PATIENCE_SECONDS = 0.5
"""A turn waits no longer for an embedding; words do as well."""
AWAY_SECONDS = 30.0
_LONGEST_TEXT = 2000

log = structlog.get_logger("memory")


@dataclass(slots=True)
class Finder:
    """Without an embedder, and for a while after it has failed, memories are found by words alone."""

    clock: Clock
    embedder: Embedder | None = None
    _away_until: float = 0.0

    async def sought(self, text: str) -> Sought:
        """Never raises for an embedder that is away, slow or out of order."""
        words = search_words(text)
        if self.embedder is None or not text.strip() or self.clock.monotonic() < self._away_until:
            return Sought(words=words)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                [vector] = await self.embedder.embed([text[:_LONGEST_TEXT]])
        except (ModelUnavailableError, TimeoutError) as error:
            self._away_until = self.clock.monotonic() + AWAY_SECONDS
            log.warning("embedding_unavailable", error=type(error).__name__)
            return Sought(words=words)
        return Sought(words=words, sketch=sketch_of(vector), embedding_model=self.embedder.name)

    def estimate_micros(self, texts: Sequence[str]) -> int:
        """What embeddings of these cost, in millionths of a US dollar."""
        tokens = sum(estimate_tokens(text[:_LONGEST_TEXT]) for text in texts)
        return self.embedder.estimate_micros(tokens) if self.embedder and tokens else 0

    async def sketches(self, facts: Sequence[str]) -> list[str]:
        """One for each fact. Raises `ModelUnavailableError`; only with an embedder."""
        return [sketch_of(vector) for vector in await self.embedder.embed(facts)] if self.embedder else []
