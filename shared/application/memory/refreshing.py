"""What the worker does for a dialog's memory: reads it for facts, condenses its past, sketches what is new."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog
from prometheus_client import Counter, Histogram

from shared.application.memory.asking import FACTS_TASK, FACTS_TOKENS, SUMMARY_TASK, SUMMARY_TOKENS, Reader, facts_data, summary_data
from shared.application.memory.finding import Finder
from shared.application.ports import ModelUnavailableError
from shared.database.database import Database, Transaction
from shared.database.memory_reading import NewMemory, Past, Reading, ReadMessage
from shared.domain.memory_answer import HeardFact, labelled, read_answer
from shared.domain.memory_choice import Decision, Kept, Outcome, decide, worth_showing
from shared.domain.memory_facts import flaw_of, is_worth_reading, sentence_of
from shared.domain.prompt import estimate_tokens
from shared.domain.summary_rules import PastMessage, summary_of, to_fold

BATCH_MESSAGES = 40
"""Messages of both sides that are read at once."""
MOST_BATCHES = 10
MOST_PAST = 400
MOST_SKETCHES = 90
_LONGEST_SAID = 2000

FACTS = Counter("vitte_memory_facts_total", "Facts about users, by what became of them", ["outcome"])
REFRESHES = Counter("vitte_memory_refreshes_total", "Dialogs looked at for memory, by how it ended", ["outcome"])
REFRESH_SECONDS = Histogram(
    "vitte_memory_refresh_seconds", "Looking at one dialog for memory", buckets=(0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 120)
)
SUMMARIES = Counter("vitte_memory_summaries_total", "Summaries written")
SUMMARY_SIZES = Counter("vitte_memory_summary_tokens_total", "Tokens of what was condensed and of the summaries, by estimate", ["when"])

log = structlog.get_logger("memory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """`facts` counts by outcome; `messages` were read, `folded` ones went into the summary."""

    facts: dict[str, int]
    messages: int = 0
    folded: int = 0
    sketched: int = 0

    @property
    def is_nothing(self) -> bool:
        return not (self.facts or self.messages or self.folded or self.sketched)


@dataclass(frozen=True, slots=True)
class Found:
    """A fact beside the message that it comes from, and the known one that the model says it is about."""

    heard: HeardFact
    source: ReadMessage
    related: UUID | None

    def beside(self, known: Sequence[Kept]) -> Decision:
        related = next((one for one in known if one.id == self.related), None)
        return decide(self.heard, related, known, sentence_of(self.heard.quote, self.source.text), source=self.source.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """May run for the same dialog in several places at once: whoever is first writes, the others find it done."""

    database: Database
    reader: Reader
    finder: Finder
    prompt_tokens: int = 1500

    async def refresh(self, dialog_id: UUID) -> Refreshed:
        """Raises `ModelUnavailableError`; what was written until then stays."""
        outcome = "failed"
        with REFRESH_SECONDS.time():
            try:
                done = await self._refresh(dialog_id)
                outcome = "nothing" if done.is_nothing else "done"
            finally:
                REFRESHES.labels(outcome).inc()
        if not done.is_nothing:
            log.info("memory_refreshed", facts=done.facts, messages=done.messages, folded=done.folded, sketched=done.sketched)
        return done

    async def _refresh(self, dialog_id: UUID) -> Refreshed:
        facts, messages, reading = dict[str, int](), 0, None
        async with self.database.statement() as tx:
            await tx.memory_reading.unfold(dialog_id)
        for batch in range(MOST_BATCHES):
            async with self.database.statement() as tx:
                reading = await tx.memory_reading.read(dialog_id, BATCH_MESSAGES)
            is_due = reading is not None and (reading.fresh or (batch == 0 and any(one.is_edited for one in reading.messages)))
            if reading is None or not is_due:
                break  # an edit of the last seconds stands after the mark still, and has been read with the first batch
            if not await self.reader.may_ask(reading.bot_id):
                return Refreshed(facts=facts, messages=messages)
            found = await self._read(reading)
            if found is None:
                break
            messages += sum(one.user_id is not None for one in reading.messages)
            for name, count in found.items():
                facts[name] = facts.get(name, 0) + count
        folded = await self._fold(dialog_id)
        sketched = await self._sketch(reading.bot_id, dialog_id) if reading else 0
        return Refreshed(facts=facts, messages=messages, folded=folded, sketched=sketched)

    async def _read(self, reading: Reading) -> dict[str, int] | None:
        """Counts by outcome; none when somebody else has read the same meanwhile."""
        facts, counts = list[Found](), dict[str, int]()
        for user_id in dict.fromkeys(one.user_id for one in reading.messages if one.user_id is not None):
            facts += await self._listen(reading, user_id, counts)
        async with self.database.transaction() as tx:
            await tx.memory_reading.hold({one.source.user_id for one in facts if one.source.user_id is not None})
            if not await tx.memory_reading.move_mark(reading):
                return None
            for outcome in await _write(tx, reading, facts):
                counts[outcome] = counts.get(outcome, 0) + 1
        for name, count in counts.items():
            FACTS.labels(name).inc(count)
        # Each was looked for among the memories when it was said; a turn has no time to book that.
        sought = [one.text for one in reading.messages if one.user_id is not None and not one.is_edited]
        await self.reader.pay(reading.bot_id, self.finder.estimate_micros(sought))
        return counts

    async def _listen(self, reading: Reading, user_id: UUID, counts: dict[str, int]) -> list[Found]:
        """What one of the people in a dialog said of themselves. Raises `ModelUnavailableError`."""
        said = [one for one in reading.messages if one.user_id == user_id and is_worth_reading(one.text)]
        if not said:
            return []
        async with self.database.statement() as tx:
            known = await tx.memory_reading.known(user_id, reading.character_id)
        shown = worth_showing(known, " ".join(one.text for one in said))
        numbers = {one.id: number for number, one in enumerate(said, start=1)}
        is_alone = all(one.user_id in {user_id, None} for one in reading.messages)
        heard_too = [one for one in reading.messages if one.id in numbers or (one.user_id is None and is_alone)]
        lines = [(numbers.get(one.id), one.text[:_LONGEST_SAID]) for one in heard_too]
        heard = await self._hear(reading.bot_id, facts_data(shown, lines))
        found = list[Found]()
        labels = dict(zip(labelled(len(shown)), shown, strict=True))
        for fact in sorted(heard, key=lambda one: one.message):
            source = said[fact.message - 1] if 0 < fact.message <= len(said) else None
            flaw = flaw_of(fact, source.text[:_LONGEST_SAID]) if source else "unverified"
            if flaw or source is None:
                counts[str(flaw)] = counts.get(str(flaw), 0) + 1
                continue
            related = labels.get(fact.known or "")
            found.append(Found(fact, source, related.id if related else None))
        return found

    async def _hear(self, bot_id: int, data: dict[str, object]) -> list[HeardFact]:
        """An answer that cannot be read is asked for once more, and then passed over: the same words would come to the same end."""
        for _ in range(2):
            heard = read_answer((await self.reader.ask(bot_id, FACTS_TASK, data, FACTS_TOKENS)).text)
            if heard is not None:
                return heard
        log.warning("memory_answer_unreadable")
        return []

    async def _fold(self, dialog_id: UUID) -> int:
        folded = 0
        for _ in range(MOST_BATCHES):
            async with self.database.statement() as tx:
                past = await tx.memory_reading.past(dialog_id, MOST_PAST)
            old = to_fold(past.messages, self.prompt_tokens) if past else []
            if past is None or not old or not await self.reader.may_ask(past.bot_id) or not await self._condense(past, old):
                break
            folded += len(old)
        return folded

    async def _condense(self, past: Past, old: Sequence[PastMessage]) -> bool:
        heard = await self.reader.ask(past.bot_id, SUMMARY_TASK, summary_data(past.summary, old), SUMMARY_TOKENS)
        summary = summary_of(heard.text)
        if summary is None:
            log.warning("summary_unusable", model=heard.model)
            return False
        before, after = sum(one.tokens for one in old), estimate_tokens(summary)
        total = past.tokens_before + before
        async with self.database.statement() as tx:
            is_ours = await tx.memory_reading.summarise(
                past, text=summary, until=old[-1].id, tokens_before=total, tokens_after=after, model=heard.model
            )
        if is_ours:
            SUMMARIES.inc()
            SUMMARY_SIZES.labels("before").inc(before + (estimate_tokens(past.summary) if past.summary else 0))
            SUMMARY_SIZES.labels("after").inc(after)
        return is_ours

    async def _sketch(self, bot_id: int, dialog_id: UUID) -> int:
        """Without the endpoint facts are found by their words; the next refresh tries again."""
        if self.finder.embedder is None:
            return 0
        model = self.finder.embedder.name
        async with self.database.statement() as tx:
            facts = await tx.memory_reading.unsketched(dialog_id, model, MOST_SKETCHES)
        if not facts:
            return 0
        try:
            sketches = await self.finder.sketches([fact for _, fact in facts])
        except ModelUnavailableError as error:
            log.warning("embedding_unavailable", error=error.reason)
            return 0
        await self.reader.pay(bot_id, self.finder.estimate_micros([fact for _, fact in facts]))
        async with self.database.statement() as tx:
            await tx.memory_reading.sketch(facts, sketches, model)
        return len(facts)


async def _write(tx: Transaction, reading: Reading, found: Sequence[Found]) -> list[str]:
    """What is written of it, as far as the messages still say so; outcomes of what became of each.

    Each is judged beside what is known by then: what was known before the model read may be otherwise, and another dialog of the same
    person may be written meanwhile, which is waited for.
    """
    rows, outcomes = tx.memory_reading, list[str]()
    words = await rows.still_said([one.source.id for one in found]) if found else {}
    for one in found:
        user_id = one.source.user_id
        if user_id is None or words.get(one.source.id) != one.source.text:
            outcomes.append("unverified")
        else:
            decision = one.beside(await rows.known(user_id, reading.character_id))
            outcomes.append(await _keep(tx, _memory(one, user_id, decision, reading.character_id), decision, reading.character_id))
    for user_id in {one.source.user_id for one in found if one.source.user_id is not None}:
        await rows.make_room(user_id)
    return outcomes


async def _keep(tx: Transaction, memory: NewMemory, decision: Decision, character_id: UUID) -> Outcome:
    """What became of it: nothing new where somebody has changed meanwhile what it is about."""
    rows, known = tx.memory_reading, decision.of
    if decision.outcome in {Outcome.KEPT, Outcome.REPLACED, Outcome.ASKED}:
        return decision.outcome if await rows.remember(memory, character_id) else Outcome.SAME
    if known is None:
        return Outcome.SAME
    if decision.outcome is Outcome.SETTLED and await rows.settle(known.id, character_id, memory.source, says_so=decision.says_so):
        return Outcome.SETTLED
    await rows.say_again(known.id, memory.source)
    return Outcome.SAME


def _memory(found: Found, user_id: UUID, decision: Decision, character_id: UUID) -> NewMemory:
    return NewMemory(
        id=uuid4(),
        user_id=user_id,
        owner=None if found.heard.is_shared else character_id,
        topic=found.heard.topic,
        fact=found.heard.fact,
        confidence=found.heard.confidence,
        source=found.source.id,
        of=decision.of.id if decision.of else None,
        asks=decision.outcome is Outcome.ASKED,
        says_so=decision.says_so,
    )
