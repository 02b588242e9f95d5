"""Memory: what a user may see and do about it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from prometheus_client import Gauge

from shared.application.jobs import JobQueue, RefreshMemory
from shared.application.memory.finding import Finder
from shared.application.memory.refreshing import FACTS, Refreshed, Refresher
from shared.application.ports import Clock
from shared.database.database import Database
from shared.database.memory_reading import Due
from shared.domain.memory import KnownMemory, MemoryNotFoundError, MemoryPage, MemoryStatus
from shared.domain.memory_rules import own_topic, own_words
from shared.domain.memory_search import Sought
from shared.domain.speaker import Speaker

A_PAGE = 6
DUE_TURNS = 4
"""A dialog is refreshed after so many turns; what comes after the last of them is read when the dialog rests."""
RESTED_AFTER = timedelta(minutes=3)
NEW_RESTED_AFTER = timedelta(seconds=20)
"""A dialog that was never read: people look soon whether the first thing they told was understood."""
LAGGING_SINCE = timedelta(hours=2)
"""A dialog that nobody could read for so long is read when it goes on."""
MOST_LAGGING = 200
"""Dialogs that are asked for at once."""
AGAIN_SECONDS = 120.0
"""A dialog that has not got on by then is asked for again; after that in twice the time, and so on up to eight times it."""

MEMORIES = Gauge("vitte_memories", "Facts about users that are kept", ["status"])


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryService:
    """Speakers see and change only what is known of themselves, by the character they talk to or by all.

    Anything else is a `MemoryNotFoundError`, and so is what has been replaced or forgotten meanwhile.
    """

    database: Database
    finder: Finder
    refresher: Refresher
    jobs: JobQueue
    clock: Clock
    is_enabled: bool = True
    """Switched off nothing is learnt, recalled or condensed; users still see and change what is known."""

    async def sought(self, text: str) -> Sought:
        """By what memories near this text are found."""
        return await self.finder.sought(text)

    async def refresh(self, dialog_id: UUID) -> Refreshed:
        """Reads what is new in a dialog for facts, each message once, and condenses its past when that is due.

        Run twice or by two at once it does no harm. Raises `ModelUnavailableError`: what was written until then stays.
        """
        return await self.refresher.refresh(dialog_id) if self.is_enabled else Refreshed(facts={})

    async def catch_up(self) -> int:
        """Dialogs that have gone on for some turns, or that rest, are refreshed, each by a job of its own; answers how many.

        The database says which they are, so nothing is lost with the broker. One that is asked for already is not asked for again soon.
        """
        async with self.database.statement() as tx:
            counts = await tx.memory_reading.count()
        for status in MemoryStatus:
            MEMORIES.labels(status.value).set(counts.get(status, 0))
        if not self.is_enabled:
            return 0
        now = self.clock.now()
        rested, new_rested = now - RESTED_AFTER, now - NEW_RESTED_AFTER
        due = Due(since=now - LAGGING_SINCE, before=rested, new_before=new_rested, turns=DUE_TURNS, again=AGAIN_SECONDS)
        async with self.database.statement() as tx:
            lagging = await tx.memory_reading.ask_for(now, due, MOST_LAGGING)
        for asked, dialog_id in enumerate(lagging):
            if not await self.jobs.enqueue(RefreshMemory(dialog_id=str(dialog_id))):
                async with self.database.statement() as tx:
                    await tx.memory_reading.give_back(lagging[asked:])
                return asked
        return len(lagging)

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
        """A pinned memory is in every prompt, and never makes room for others; the last place of `MOST_MEMORIES` stays unpinned."""
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

        What was said so far is neither shown to a model nor read for facts any more; in a group others' unread words still are.
        """
        async with self.database.transaction() as tx:
            count = await tx.memories.forget_everything(speaker.user_id)
        FACTS.labels("forgotten").inc(count)
        return count


def _there(memory: KnownMemory | None) -> KnownMemory:
    if memory is None:
        raise MemoryNotFoundError("no memory with this id")
    return memory
