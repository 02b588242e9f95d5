"""What somebody else was told before: to the very same words, or to words that mean the same."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Literal

from shared.application.chat.desk import Desk
from shared.application.chat.prompting import CacheKey
from shared.application.ports import AlikeQuestion, CachedReply
from shared.domain.alike import marks_of, order_of, sketch_bytes, small_vector

DEADLINE_SECONDS = 0.3
"""A reply is begun no later than this for questions that mean the same."""
EMBEDDING_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Found:
    reply: CachedReply
    kind: Literal["exact", "semantic"]


@dataclass(slots=True)
class KeptReplies:
    """Of one turn. Without a `key` nothing is found and nothing kept; with `least_percent` 0 only for the very same words.

    A reply to a question that only means the same is not kept once more under the words it answered: so questions cannot drift away from
    their reply step by step, nothing lives longer than a day, and switched off none is given any more.
    """

    desk: Desk
    key: CacheKey | None
    least_percent: int = 0
    cost_micros: int = field(default=0, init=False)
    """Of an embedding that was made for this alone; where memory embeds all words, it also books them."""
    _question: AlikeQuestion | None = field(default=None, init=False)

    async def find(self) -> Found | None:
        if self.desk.reply_cache is None or self.key is None:
            return None
        if (exact := await self.desk.reply_cache.find(self.key.exact)) is not None:
            return Found(exact, "exact")
        alike = await self._find_alike(self.key) if self.least_percent else None
        return Found(alike, "semantic") if alike is not None else None

    async def keep(self, reply: CachedReply) -> None:
        """After `find` has found nothing."""
        if self.desk.reply_cache is None or self.key is None:
            return
        await self.desk.reply_cache.keep(self.key.exact, reply)
        if self.desk.alike_replies is not None and self._question is not None:
            await self.desk.alike_replies.keep(self._question)

    async def _find_alike(self, key: CacheKey) -> CachedReply | None:
        """Whatever is away or slow, the model is asked within the deadline."""
        if self.desk.alike_replies is None:
            return None
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                self._question = await self._asked(key)
                if self._question is None:
                    return None
                return await self.desk.alike_replies.find(self._question, self.least_percent / 100)
        except TimeoutError:
            return None

    async def _asked(self, key: CacheKey) -> AlikeQuestion | None:
        meanings = self.desk.meanings
        marks = marks_of(key.said)
        if meanings is None or meanings.space is None or marks is None:
            return None
        vector = await meanings.vector_of(key.said, within=EMBEDDING_SECONDS)
        if not vector or not (small := small_vector(vector)):
            return None
        self.cost_micros = meanings.estimate_micros([key.said]) if self.desk.recall is None else 0
        return AlikeQuestion(
            group=hashlib.sha256("\n".join([key.scope, meanings.space, *marks.all]).encode()).hexdigest(),
            key=key.exact,
            sketch=sketch_bytes(vector),
            vector=small,
            order=order_of(marks, key.scope),
        )
