"""The verbs of a chat."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import structlog
from prometheus_client import Counter, Histogram

from shared.application.chat.parts import Alternative, Delivery, EditedTurn, Reply, Said, UndoneTurn
from shared.application.ports import ChatModel, Clock, FinishReason, ModelUnavailableError, Piece, PromptMessage, Role
from shared.application.stop import Stop, StoppedError
from shared.database.database import Database
from shared.database.dialogs import FinishedTurn, OpenedTurn
from shared.domain.allowance import DailyTurnsSpentError, allowance_day, resets_at
from shared.domain.dialog import TurnStatus, storable
from shared.domain.inbox import LeaseLostError
from shared.domain.prompt import fit, system_text
from shared.domain.speaker import Speaker

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
TURNS = Counter("vitte_chat_turns_total", "Turns by how they ended", ["outcome"])
FIRST_PIECE = Histogram("vitte_chat_first_piece_seconds", "From the question to the first text of the model", buckets=SECONDS)
REPLY = Histogram("vitte_chat_reply_seconds", "From the question to the end of the reply", buckets=SECONDS)

PROMPT_TOKENS = 3000
MAX_SAID_CHARACTERS = 8000

log = structlog.get_logger("chat")


@dataclass(slots=True)
class _Answer:
    """What a model has said so far, and when."""

    began: float
    texts: list[str] = field(default_factory=list)
    first_at: float | None = None
    last: Piece = field(default_factory=Piece)

    def add(self, piece: Piece, now: float) -> None:
        if piece.text:
            self.texts.append(piece.text)
            self.first_at = self.first_at or now
        if piece.finish:
            self.last = piece

    @property
    def text(self) -> str:
        return storable("".join(self.texts)).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatService:
    database: Database
    model: ChatModel
    clock: Clock

    async def reply(
        self, speaker: Speaker, said: Sequence[Said], *, stop: Stop | None = None, delivery: Delivery | None = None
    ) -> AsyncGenerator[Piece, None]:
        """The speaker says something in their dialog; the character answers, piece by piece.

        The turn is paid for before the model is asked and paid back if nothing is said. Stop, closing this generator and a provider that
        breaks off keep what was said, marked `interrupted`; a cancelled task (the process ends) leaves the turn open, and the same call
        resumes it without paying again. A turn that ended already yields nothing.

        Raises `DailyTurnsSpentError`, `DialogNotFoundError`, `ModelUnavailableError` when nothing could be said, `LeaseLostError`.
        """
        source_id, said = said[0].source_id, storable("\n".join(one.text for one in said))[:MAX_SAID_CHARACTERS]  # type: ignore[assignment]
        turn = await self._open(speaker, said, source_id)  # type: ignore[arg-type]
        if turn.turn_id is None or turn.status is not TurnStatus.OPEN:
            return
        answer = _Answer(self.clock.monotonic())
        try:
            async with aclosing(self.model.stream(_prompt(turn, str(said)), temperature=turn.settings.get("temperature"))) as pieces:
                async for piece in _until(stop or Stop(), pieces):
                    answer.add(piece, self.clock.monotonic())
                    if piece.text:
                        yield piece
        except (GeneratorExit, StoppedError) as ended:
            await self._finish(turn.turn_id, answer, TurnStatus.INTERRUPTED, delivery, error_code="stopped")
            if isinstance(ended, GeneratorExit):
                raise
        except ModelUnavailableError as error:
            kept = TurnStatus.INTERRUPTED if answer.text else TurnStatus.FAILED
            await self._finish(turn.turn_id, answer, kept, delivery, error_code=error.reason)
            if kept is TurnStatus.FAILED:
                raise
        else:
            status = TurnStatus.FINISHED if answer.text else TurnStatus.FAILED
            await self._finish(turn.turn_id, answer, status, delivery, error_code=None if answer.text else "empty")
            if not answer.text:
                raise ModelUnavailableError(f"{self.model.name} said nothing", reason="empty")

    def regenerate(
        self, speaker: Speaker, turn_id: int, *, source_id: str, stop: Stop | None = None, delivery: Delivery | None = None
    ) -> AsyncGenerator[Piece, None]:
        """Another reply to the words of the last turn, which is paid for like a turn and never comes from the cache.

        The replies so far are kept as its alternatives. Raises `NotLastTurnError`, and as `reply` does.
        """
        raise NotImplementedError

    def go_on(
        self, speaker: Speaker, turn_id: int, *, source_id: str, stop: Stop | None = None, delivery: Delivery | None = None
    ) -> AsyncGenerator[Piece, None]:
        """The character goes on with what it said last: a turn without words of the user. Raises as `regenerate` does."""
        raise NotImplementedError

    async def choose(self, speaker: Speaker, turn_id: int, step: int, *, shown: int | None = None) -> Alternative:
        """The reply `step` places further round among a turn's alternatives is the one that counts.

        `shown` is the number of the one that the person saw, so that the same press again changes nothing. Raises `TurnNotFoundError`.
        """
        raise NotImplementedError

    async def edit(self, speaker: Speaker, source_id: str, text: str) -> EditedTurn | None:
        """The user corrects what they said: the character remembers the new words. None when that changes nothing in this dialog."""
        async with self.database.statement() as tx:
            edited = await tx.dialogs.edit_message(
                dialog_id=speaker.dialog_id, source_id=source_id, text=storable(text)[:MAX_SAID_CHARACTERS]
            )
        return EditedTurn(turn_id=0, is_last=False) if edited else None

    async def undo(self, speaker: Speaker, *, source_id: str) -> UndoneTurn | None:
        """The last turn leaves the history, with all its alternatives; none when there is none. The same `source_id` undoes it once."""
        raise NotImplementedError

    async def start_over(self, speaker: Speaker) -> str:
        """The history begins anew with the greeting, which is answered; the summary goes, memories stay."""
        raise NotImplementedError

    async def _open(self, speaker: Speaker, said: str, source_id: str) -> OpenedTurn:
        now = self.clock.now()
        async with self.database.statement() as tx:
            turn = await tx.dialogs.open_turn(
                dialog_id=speaker.dialog_id,
                user_id=speaker.user_id,
                source_id=source_id,
                said=said,
                day=allowance_day(now),
                daily_turns=speaker.daily_turns,
            )
        if turn.turn_id is None:
            TURNS.labels("allowance_spent").inc()
            raise DailyTurnsSpentError(limit=speaker.daily_turns or 0, resets_at=resets_at(now))
        return turn

    async def _finish(
        self, turn_id: int, answer: _Answer, status: TurnStatus, delivery: Delivery | None, *, error_code: str | None = None
    ) -> None:
        """One statement ends the turn and posts the reply; an empty one of a failed turn posts nothing."""
        finished = _finished(turn_id, answer, status, now=self.clock.monotonic(), error_code=error_code, model=self.model.name)
        reply = Reply(turn_id=turn_id, bubbles=(finished.reply,) if finished.reply else (), status=status)
        outgoing = delivery.wrap(reply) if delivery and status is not TurnStatus.FAILED else ()
        async with self.database.statement() as tx:
            ours = await tx.dialogs.finish_turn(finished, delivery.lease if delivery else None, outgoing)
        if not ours:
            raise LeaseLostError("the turn was ended by somebody else")
        _report(finished)


async def _until(stop: Stop, pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece, None]:
    while True:
        try:
            piece = await stop.next_of(pieces)
        except StopAsyncIteration:
            return
        yield piece


def _prompt(turn: OpenedTurn, said: str) -> Sequence[PromptMessage]:
    system = system_text(turn.system_prompt, {"user_name": turn.user_name})
    return fit(system, [*turn.history, PromptMessage(Role.USER, said)], PROMPT_TOKENS).messages


def _finished(turn_id: int, answer: _Answer, status: TurnStatus, *, now: float, error_code: str | None, model: str) -> FinishedTurn:
    usage = answer.last.usage
    turn = FinishedTurn(
        turn_id=turn_id,
        status=status,
        reply=answer.text,
        model=model,
        total_ms=_milliseconds(now - answer.began),
        error_code="length" if answer.last.finish is FinishReason.LENGTH and error_code is None else error_code,
    )
    if answer.first_at is not None:
        turn = replace(turn, first_piece_ms=_milliseconds(answer.first_at - answer.began))
    return replace(turn, prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens) if usage else turn


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _report(turn: FinishedTurn) -> None:
    TURNS.labels(turn.status.value).inc()
    REPLY.observe((turn.total_ms or 0) / 1000)
    if turn.first_piece_ms is not None:
        FIRST_PIECE.observe(turn.first_piece_ms / 1000)
    if turn.status is TurnStatus.FAILED:
        log.warning("completion_failed", turn_id=turn.turn_id, model=turn.model, reason=turn.error_code, total_ms=turn.total_ms)
        return
    log.info(
        "completion_success",
        turn_id=turn.turn_id,
        model=turn.model,
        status=turn.status.value,
        prompt_tokens=turn.prompt_tokens,
        completion_tokens=turn.completion_tokens,
        first_piece_ms=turn.first_piece_ms,
        total_ms=turn.total_ms,
    )
