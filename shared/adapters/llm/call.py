"""One call of one model as a part of a reply: its first text, its verdict for the breaker, its bill."""

import asyncio
from collections.abc import Callable

from shared.adapters.llm.failures import BREAKER_OPEN, EMPTY
from shared.adapters.llm.member import Member
from shared.adapters.llm.patience import Patience
from shared.adapters.llm.reply_in_parts import ReplyInParts
from shared.application.ports import ModelUnavailableError, Piece, Usage

STOPPED = "stopped"


class Call:
    """First `first_piece`, then `next_piece` until the finish; `aclose` in any case, which writes the bill."""

    def __init__(self, member: Member, reply: ReplyInParts, *, is_probe: bool = False, is_plain: bool = False) -> None:
        """`is_plain` leaves the temperature out, as the member has just refused a request that had one."""
        self.member = member
        self.error: ModelUnavailableError | None = None
        self.temperature = None if is_plain or member.refuses_temperature else reply.temperature
        self._reply, self._is_probe, self._is_plain = reply, is_probe, is_plain
        self._prompt = reply.next_prompt()
        self._pieces = member.model.stream(self._prompt, temperature=self.temperature, max_tokens=reply.next_max_tokens())
        self._loop = asyncio.get_running_loop()
        self.began = self._loop.time()
        self._said: list[str] = []
        self._usage: Usage | None = None
        self._outcome: str | None = None
        self._patience: Patience | None = None
        self._is_billed = self._is_closed = self._has_counted = False

    @property
    def has_spoken(self) -> bool:
        return bool(self._said)

    async def first_piece(self, may_leave: Callable[[], bool]) -> Piece:
        """Waits as long as `Patience` does, for which `may_leave` says whether somebody else could answer. Raises as `next_piece` does."""
        patience = self._patience = Patience(self.member, may_leave, is_probe=self._is_probe)
        patience.begin()
        try:
            async with patience.limit:
                return await self.next_piece()
        except TimeoutError:
            raise self.failed(patience.verdict()) from None
        finally:
            patience.end()
            # It knows the task that waited, whose result is this call: such a ring would keep whole prompts until the collector comes.
            self._patience, self._has_counted = None, patience.has_counted

    def outrun(self) -> None:
        """Another one spoke first, this one is about to be cancelled."""
        if self._patience is not None:
            self._patience.is_outrun = True

    async def next_piece(self) -> Piece:
        """Raises `ModelUnavailableError`, of which the breaker knows then."""
        try:
            piece = await anext(self._pieces, None)
        except ModelUnavailableError as error:
            raise self.failed(error) from None
        if piece is None:
            raise self.failed(ModelUnavailableError(f"{self.member.name} ended without a finish", reason=EMPTY, started=self.has_spoken))
        self._take(piece)
        return piece

    def failed(self, error: ModelUnavailableError) -> ModelUnavailableError:
        self.error, self._outcome = error, error.reason
        breaker = self.member.breaker
        if self._is_probe:
            breaker.probed(error.reason, error.retry_after)
            self._is_probe = False
        elif error.reason != BREAKER_OPEN and not (self._patience.has_counted if self._patience else self._has_counted):
            breaker.failed(error.reason, error.retry_after)
        return error

    def bill(self) -> None:
        """A call that never said a word is not billed by providers that we know of, unless it told its usage."""
        if not self._is_billed and (self._said or self._usage):
            self._is_billed = True
            self._reply.bill(self.member.provider, self.member.name, self._prompt, "".join(self._said), self._usage)

    async def settle(self) -> None:
        """After the finish: lets the connection be kept for the next call."""
        await anext(self._pieces, None)

    async def aclose(self) -> None:
        """Somebody who leaves in the middle says nothing about the model; what it said until then is billed. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._pieces.aclose()
        if self._is_probe:
            self.member.breaker.release()
        self.bill()
        self.member.called(self._outcome or STOPPED)

    def _take(self, piece: Piece) -> None:
        if piece.text:
            if not self._said:
                self._spoke()
            self._said.append(piece.text)
        if piece.finish:
            self._usage = piece.usage
            self._outcome = "ok"
            if not self._said:
                self.member.suspicion.heard()
            self._answered()
            if not self._is_probe:
                self.member.breaker.succeeded()

    def _spoke(self) -> None:
        self.member.spoke(self._loop.time() - self.began)
        self.member.refuses_temperature = self.member.refuses_temperature or self._is_plain
        self._answered()

    def _answered(self) -> None:
        if self._is_probe:
            self._is_probe = False
            self.member.breaker.probed(None)
