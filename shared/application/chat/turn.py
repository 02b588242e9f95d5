"""One turn from its beginning to its end: paid for, answered, finished in one statement."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from shared.application.chat.answering import Answer, Call
from shared.application.chat.desk import Ask, Desk
from shared.application.chat.kept import KeptReplies
from shared.application.chat.opening import choice_for, model_for, open_turn
from shared.application.chat.parts import CUT_NOTE, SOFT_LIMIT_NOTE, Reply, UselessReplyError
from shared.application.chat.prompting import cache_key, prompt_of, system_of, without_names, words_of
from shared.application.chat.reporting import report_cached, report_choice, report_problem, report_prompt, report_turn
from shared.application.ports import CachedReply, ModelUnavailableError, Piece
from shared.application.stop import StoppedError
from shared.database.turns import FinishedTurn, OpenedTurn
from shared.domain.dialog import TurnStatus, storable
from shared.domain.errors import ContentRejectedError
from shared.domain.hygiene import REPAIRS, Expectations, Problem
from shared.domain.inbox import LeaseLostError, Outgoing
from shared.domain.prompt import message_tokens
from shared.domain.reply_languages import Talk, is_about_language, languages_for, written_in
from shared.domain.scripts import script_of
from shared.domain.switches import Switches

DAY_SECONDS = 86_400.0


async def take_turn(desk: Desk, ask: Ask) -> AsyncGenerator[Piece, None]:
    """Pieces of the reply. See `ChatService.reply`."""
    opened, switches = await open_turn(desk, ask)
    if opened.status is not TurnStatus.OPEN or opened.turn_id is None:
        return
    turn = _Turn(desk, ask, opened, switches)
    answer = turn.answer
    try:
        async with aclosing(turn.speak()) as pieces:
            async for piece in pieces:
                yield piece
    except GeneratorExit:
        answer.end()
        await turn.finish(TurnStatus.INTERRUPTED, "stopped")
        raise
    except StoppedError:
        if ask.stop.reason == "superseded":
            await turn.note_usage()
            return
        answer.end()
        await turn.finish(TurnStatus.INTERRUPTED, "stopped")
    except ModelUnavailableError as error:
        rest = answer.end()
        await turn.finish(TurnStatus.INTERRUPTED if answer.bubbles else TurnStatus.FAILED, error.reason)
        if not answer.bubbles and error.is_about_prompt:
            raise UselessReplyError(str(error), reason=error.reason) from None
        if not answer.bubbles:
            raise
        if rest:
            yield Piece(text=rest)
    else:
        await turn.end()


class _Turn:
    """An open turn that is being answered."""

    def __init__(self, desk: Desk, ask: Ask, opened: OpenedTurn, switches: Switches) -> None:
        self.desk, self.ask, self.opened = desk, ask, opened
        self.turn_id = opened.turn_id or 0
        self.words = words_of(opened, ask.said)
        self.model, self.choice = model_for(desk, choice_for(desk, ask, "\n".join(self.words), switches, is_soft=opened.is_soft))
        self.answer = Answer(began=desk.clock.monotonic(), model=self.model.name, tier=self.choice.tier if desk.models else None)
        is_cacheable = desk.reply_cache is not None and ask.of_turn_id is None and not ask.goes_on
        key = cache_key(opened, ask.speaker, self.choice.model or self.choice.tier, self.words) if is_cacheable else None
        self.kept = KeptReplies(desk, key, least_percent=switches.semantic_cache_percent)

    async def speak(self) -> AsyncGenerator[Piece, None]:
        """What is to be shown, from the cache or from a model; one whose first words are of no use is asked once more."""
        if (found := await self.kept.find()) is not None:
            self.answer.say_from_cache(found.reply.text, found.reply.model)
            report_cached(self.turn_id, found.kind)
            self.ask.stop.begin()
            yield self.answer.show(found.reply.text, self.desk.clock.monotonic())
            return
        if self.desk.models is not None:
            report_choice(self.turn_id, self.choice, self.model.name)
        problem: Problem | None = None
        for _ in range(2):
            async with aclosing(self._attempt(problem)) as pieces:
                async for text in pieces:
                    await self.ask.stop.quiet()
                    self.ask.stop.begin()
                    yield self.answer.show(text, self.desk.clock.monotonic())
            if not self.answer.words.may_be_repaired:
                return
            problem = self.answer.words.problem

    async def _attempt(self, before: Problem | None) -> AsyncGenerator[str, None]:
        """One call of the model. `before` is what was wrong with the one before it."""
        desk, name = self.desk, self.model.name
        system = system_of(self.opened, self.ask.speaker, named=self.kept.key is None, repair=REPAIRS[before] if before else None)
        goes_on = self.ask.goes_on or not self.words
        prompt = prompt_of(self.opened, self.words, system, budget=desk.prompt_tokens, scale=desk.scales.of(name), goes_on=goes_on)
        report_prompt(self.turn_id, prompt, memories=len(self.opened.memories))
        self.answer.begin(self._expectations(system, is_last_attempt=before is not None))
        call = Call(self.model, prompt.messages, self.opened.settings.get("temperature"), desk.models)
        async with aclosing(call.pieces(self.answer, self.ask.stop)) as pieces:
            async for text in pieces:
                yield text
        rest = self.answer.end()
        if self.answer.words.problem is not None:
            report_problem(self.turn_id, self.answer.words.problem, name)
        desk.scales.learn(self.answer.model or name, sum(map(message_tokens, prompt.messages)), self.answer.counted_prompt)
        if rest:
            yield rest

    def _expectations(self, system: str, *, is_last_attempt: bool) -> Expectations:
        """A tutor may speak another language than the person, and so may anybody who was asked about one."""
        opened, is_tutor = self.opened, self.ask.speaker.character_task == "tutor"
        words = without_names(self.words, in_group=self.ask.speaker.place.is_group)
        script = None if is_tutor or is_about_language(words) else script_of("\n".join(words))
        known = (*opened.memories, opened.summary or "")
        talk = Talk(words=words, history=opened.history, card=opened.system_prompt, known=known)
        return Expectations(
            system=system,
            names=(opened.character_name,),
            script=script,
            languages=None if is_tutor else partial(languages_for, talk),
            written=written_in(words),
            is_last_attempt=is_last_attempt,
        )

    async def end(self) -> None:
        """The model has said all it would. Raises `ContentRejectedError`, `ModelUnavailableError` when that is nothing."""
        status, code = self.answer.outcome()
        await self.finish(status, code)
        if status is TurnStatus.FAILED and code == "filtered":
            raise ContentRejectedError(verdict="model")
        if status is TurnStatus.FAILED:
            raise UselessReplyError(f"{self.model.name} said nothing of use", reason=str(code))
        if status is TurnStatus.FINISHED and code is None:
            await self._keep_in_cache()

    async def finish(self, status: TurnStatus, code: str | None) -> None:
        """One statement ends the turn and posts the reply; a failed one posts nothing. Raises `LeaseLostError`."""
        delivery = self.ask.delivery
        reply = await self._reply(status)
        finished = self._finished(reply, status, code)
        outgoing: list[Outgoing] = list(delivery.wrap(reply)) if delivery and status is not TurnStatus.FAILED else []
        async with self.desk.database.statement() as tx:
            ours = await tx.turns.finish(finished, delivery.lease if delivery else None, outgoing)
        if not ours:
            raise LeaseLostError("the turn was ended by somebody else")
        report_turn(finished)

    async def note_usage(self) -> None:
        """What a reply took that nobody will see; the turn goes on."""
        answer = self.answer
        if not answer.completion_tokens and not answer.cost_micros:
            return
        async with self.desk.database.statement() as tx:
            await tx.turns.note_usage(self.turn_id, answer.prompt_tokens, answer.completion_tokens, answer.cost_micros)

    async def _reply(self, status: TurnStatus) -> Reply:
        bubbles = tuple(storable(bubble) for bubble in self.answer.bubbles)
        count = self.opened.alternatives + bool(bubbles)
        return Reply(
            turn_id=self.opened.subject_id or self.turn_id,
            bubbles=bubbles,
            status=status,
            alternative=max(count, 1),
            alternatives=max(count, 1),
            note=await self._note(status),
            is_cached=self.answer.is_cached,
        )

    async def _note(self, status: TurnStatus) -> str | None:
        if self.answer.words.problem is Problem.TOO_LONG:
            return CUT_NOTE
        if not self.opened.is_soft or self.desk.limits is None or status is TurnStatus.FAILED:
            return None
        first = await self.desk.limits.first(f"{SOFT_LIMIT_NOTE}:{self.ask.speaker.user_id}", DAY_SECONDS)
        return SOFT_LIMIT_NOTE if first else None

    def _finished(self, reply: Reply, status: TurnStatus, code: str | None) -> FinishedTurn:
        answer = self.answer
        cost = 0 if answer.is_cached else answer.cost_micros
        return FinishedTurn(
            turn_id=self.turn_id,
            status=status,
            reply=reply.text,
            tier=answer.tier,
            model=answer.model,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            cost_micros=None if cost is None else cost + self.kept.cost_micros,
            first_piece_ms=answer.milliseconds(answer.first_at),
            total_ms=answer.milliseconds(self.desk.clock.monotonic()),
            error_code=code,
            merged=self.ask.merged,
        )

    async def _keep_in_cache(self) -> None:
        if len(self.answer.bubbles) == 1 and not self.answer.is_cached:
            await self.kept.keep(CachedReply(text=self.answer.bubbles[0], model=self.answer.model))
