"""Several models that answer as one: the next goes on where one fails."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress

from shared.adapters.llm.breakers import Breakers
from shared.adapters.llm.call import Call
from shared.adapters.llm.line import Line, RetryRule
from shared.adapters.llm.member import Member
from shared.adapters.llm.metrics import FAILOVER_ADDED, HEDGES
from shared.adapters.llm.prices import Prices
from shared.adapters.llm.race import cue, first_to_speak
from shared.adapters.llm.reply_in_parts import ReplyInParts
from shared.application.ports import ModelUnavailableError, Piece, PromptMessage
from shared.database.database import refuse_inside_transaction
from shared.domain.errors import InvalidInputError


class ModelPool:
    """A `ChatModel` over an ordered list of them.

    A failure before the first text moves on to the next model at once. A reply that is cut in the middle is continued by the next one,
    or by the same one once, from what was said on, without doubled text. A model whose breaker is open is passed over. The last piece
    has the tokens and the cost of all calls that began, and as `model` the `provider:model` that ended the reply.
    """

    def __init__(
        self,
        members: Sequence[Member],
        breakers: Breakers,
        prices: Prices,
        *,
        hedging: bool = False,
        retry: RetryRule | None = None,
        max_reply_chars: int = 65_536,
    ) -> None:
        if not members:
            raise InvalidInputError("a pool of models needs at least one")
        self.members = tuple(members)
        self._breakers, self._prices = breakers, prices
        self._hedging, self._retry, self._max_chars = hedging, retry or RetryRule(), max_reply_chars

    @property
    def name(self) -> str:
        """Of the first model; the last piece of a reply says which one it was."""
        return self.members[0].name

    async def stream(
        self, prompt: Sequence[PromptMessage], *, temperature: float | None = None, max_tokens: int | None = None
    ) -> AsyncGenerator[Piece, None]:
        """See `ChatModel.stream`. The error of a reply that nobody could give or go on with has the reason of the last failure."""
        refuse_inside_transaction()
        self._breakers.touch()
        reply = ReplyInParts(prompt=prompt, temperature=temperature, max_tokens=max_tokens, max_chars=self._max_chars, prices=self._prices)
        line = Line(self.members, self._breakers, reply, self._retry)
        while True:
            calls: list[Call] = []
            try:
                async with aclosing(self._part(calls, line, reply)) as pieces:
                    async for piece in pieces:
                        yield piece
            except ModelUnavailableError:
                if not calls:
                    raise
                for call in calls:
                    await line.failed(call)
            else:
                return

    async def check(self) -> None:
        """One model that can be reached is enough. Raises the error of the last that cannot."""
        async with asyncio.TaskGroup() as group:
            running = {group.create_task(_checked(member)) for member in self.members}
            failure: ModelUnavailableError | None = None
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                results = [task.result() for task in done]
                if None in results:
                    failure = None
                    break
                failure = results[-1]
            for task in running:
                task.cancel()
        if failure is not None:
            raise failure

    async def aclose(self) -> None:
        for member in self.members:
            await member.model.aclose()

    async def _part(self, calls: list[Call], line: Line, reply: ReplyInParts) -> AsyncGenerator[Piece, None]:
        """What one model adds to the reply. Raises `ModelUnavailableError` with no calls when nobody is left to ask."""
        try:
            calls.append(await line.next())
            call, piece = await self._opened(calls, line)
            if not reply.started and call.member is not self.members[0]:
                FAILOVER_ADDED.observe(call.began - reply.began)
            while True:
                if text := reply.add(piece.text):
                    yield Piece(text=text)
                if piece.finish or reply.is_full:
                    break
                piece = await call.next_piece()
            if text := reply.end():
                yield Piece(text=text)
            call.bill()
            yield reply.last_piece(call.member.name, piece.finish)
            await call.settle()
        finally:
            for call in calls:
                await call.aclose()

    async def _opened(self, calls: list[Call], line: Line) -> tuple[Call, Piece]:
        """The call that speaks first, with its first piece. Another one is asked beside it only when its model is suspected, or when
        hedging is on."""
        first = calls[0]
        usual = first.member.usual

        def may_leave(one: Call) -> bool:
            return line.has_more or any(other.error is None for other in calls if other is not one)

        if usual is None or not line.has_more:
            return first, await first.first_piece(lambda: may_leave(first))

        async def second() -> Call | None:
            with suppress(ModelUnavailableError):
                calls.append(await line.next())
            return calls[-1] if len(calls) > 1 else None

        with cue(first.member.suspicion, lambda: line.has_better, usual if self._hedging else None) as given:
            call, piece = await first_to_speak(first, lambda one: one.first_piece(lambda: may_leave(one)), given, second)
            if len(calls) > 1:
                HEDGES.labels(given.result(), "first" if call is first else "second").inc()
                loser = calls.pop(1 if call is first else 0)
                await loser.aclose()
                line.lost_race(loser, call, given.result())
        return call, piece


async def _checked(member: Member) -> ModelUnavailableError | None:
    try:
        await member.model.check()
    except ModelUnavailableError as error:
        return error
    return None
