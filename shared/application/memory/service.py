"""Memory: what a user may see and do about it."""

from dataclasses import dataclass
from uuid import UUID

from prometheus_client import Counter

from shared.application.jobs import JobQueue
from shared.application.memory.finding import Finder
from shared.database.database import Database
from shared.domain.memory import KnownMemory, MemoryNotFoundError, MemoryPage
from shared.domain.memory_rules import own_topic, own_words
from shared.domain.memory_search import Sought
from shared.domain.speaker import Speaker

A_PAGE = 6

FACTS = Counter("vitte_memory_facts_total", "Facts about users, by what became of them", ["outcome"])


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryService:
    """Speakers see and change only what is known of themselves, by the character they talk to or by all.

    Anything else is a `MemoryNotFoundError`, and so is what has been replaced or forgotten meanwhile.
    """

    database: Database
    finder: Finder
    jobs: JobQueue

    async def sought(self, text: str) -> Sought:
        """By what memories near this text are found."""
        return await self.finder.sought(text)

    async def after_turn(self, turn_id: int, dialog_id: UUID) -> None:
        """What it brought is read by the worker, when it looks for dialogs that have gone on."""

    async def known(self, speaker: Speaker, *, page: int = 0) -> MemoryPage:
        """What waits for an answer comes first, then what is pinned, then the newest. A page past the end is the last one."""
        async with self.database.statement() as tx:
            return await tx.memories.known(speaker, page, A_PAGE)

    async def find(self, speaker: Speaker, memory_id: UUID) -> KnownMemory:
        async with self.database.statement() as tx:
            return _there(await tx.memories.find(speaker, memory_id))

    async def add(self, speaker: Speaker, fact: str) -> KnownMemory:
        """In the user's own words, for the character they talk to; once, also when said twice.

        Raises `InvalidInputError` for nothing or more than `LONGEST_FACT` characters.
        """
        words = own_words(fact)
        async with self.database.statement() as tx:
            return _there(await tx.memories.add(speaker, own_topic(words), words))

    async def fix(self, speaker: Speaker, memory_id: UUID, fact: str) -> KnownMemory:
        """The user says how it really is: a new memory, with an id of its own, takes the place of the old one and of its rivals.

        Raises `InvalidInputError` as `add` does.
        """
        words = own_words(fact)
        async with self.database.statement() as tx:
            return _there(await tx.memories.fix(speaker, memory_id, words))

    async def forget(self, speaker: Speaker, memory_id: UUID) -> None:
        """Its words are wiped, with those of all that it replaced, and are never learnt from the same messages again."""
        async with self.database.statement() as tx:
            if not await tx.memories.forget(speaker, memory_id):
                raise MemoryNotFoundError("no memory with this id")
        FACTS.labels("forgotten").inc()

    async def pin(self, speaker: Speaker, memory_id: UUID, is_pinned: bool) -> KnownMemory:
        """A pinned memory is in every prompt, and never makes room for others."""
        async with self.database.statement() as tx:
            return _there(await tx.memories.pin(speaker, memory_id, is_pinned=is_pinned))

    async def share(self, speaker: Speaker, memory_id: UUID, is_shared: bool) -> KnownMemory:
        """For all characters, or for the one that the speaker talks to only."""
        async with self.database.statement() as tx:
            return _there(await tx.memories.share(speaker, memory_id, is_shared=is_shared))

    async def settle(self, speaker: Speaker, memory_id: UUID, *, is_true: bool) -> KnownMemory | None:
        """The answer to a contradiction: the memory replaces its rival, or is forgotten (then none is left to answer)."""
        async with self.database.statement() as tx:
            if is_true:
                return _there(await tx.memories.confirm(speaker, memory_id))
            if not await tx.memories.dismiss(speaker, memory_id):
                raise MemoryNotFoundError("no memory waits for an answer under this id")
        FACTS.labels("forgotten").inc()
        return None

    async def forget_everything(self, speaker: Speaker) -> int:
        """All characters' memories and summaries of the user, who begins anew everywhere; answers how many memories there were.

        What was said so far is neither shown to a model nor read for facts any more.
        """
        async with self.database.statement() as tx:
            count = await tx.memories.forget_everything(speaker.user_id)
        FACTS.labels("forgotten").inc(count)
        return count


def _there(memory: KnownMemory | None) -> KnownMemory:
    if memory is None:
        raise MemoryNotFoundError("no memory with this id")
    return memory
