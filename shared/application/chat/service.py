"""The verbs of a chat."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from shared.application.chat.desk import Ask, Desk
from shared.application.chat.parts import Alternative, Delivery, EditedTurn, Said, TurnNotFoundError, UndoneTurn
from shared.application.chat.turn import take_turn
from shared.application.ports import Piece
from shared.application.stop import Stop
from shared.domain.dialog import storable
from shared.domain.speaker import Speaker

MAX_SAID_CHARACTERS = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatService(Desk):
    """The speaker talks in their dialog. Whatever begins a turn has a `source_id`, unique in the dialog: asked for again with it, a turn
    that ended yields nothing, and one that is open goes on without being paid for again.
    """

    def reply(
        self, speaker: Speaker, said: Sequence[Said], *, stop: Stop | None = None, delivery: Delivery | None = None
    ) -> AsyncGenerator[Piece, None]:
        """The speaker says something, in one message or several (at least one); the character answers all of it, piece by piece.

        The turn, named by the first message, is paid for before the model is asked and paid back if nothing is said. While it is open it
        may be called again with more messages. The updates that `delivery` merges are marked handled by the statement that ends it.

        Stop, closing this generator and a provider that breaks off keep what was said, marked `interrupted`. A stop that supersedes, and
        a cancelled task (the process ends), leave the turn open.

        Raises `TooManyTurnsError`, `DailyTurnsSpentError`, `BudgetSpentError`, `DialogNotFoundError`; when nothing could be said
        `ModelUnavailableError` or `ContentRejectedError`; `LeaseLostError`.
        """
        words = [(one.source_id, storable(one.text)[:MAX_SAID_CHARACTERS]) for one in said]
        merged = delivery.merged if delivery else ()
        return take_turn(
            self,
            Ask(speaker=speaker, source_id=said[0].source_id, said=words, merged=merged, stop=stop or Stop(), delivery=delivery),
        )

    def regenerate(
        self,
        speaker: Speaker,
        turn_id: int,
        *,
        source_id: str,
        shown: int | None = None,
        stop: Stop | None = None,
        delivery: Delivery | None = None,
    ) -> AsyncGenerator[Piece, None]:
        """Another reply to the words of the last turn, which is paid for like a turn and never comes from the cache.

        The replies so far are kept as its alternatives, of which the person sees `shown`; one that fails or is stopped before its first
        word changes nothing. Raises `NotLastTurnError`, `AnsweredAnewError` when there are more than they see, and as `reply` does.
        """
        return take_turn(
            self,
            Ask(
                speaker=speaker,
                source_id=source_id,
                of_turn_id=turn_id,
                last_turn_id=turn_id,
                shown=shown,
                stop=stop or Stop(),
                delivery=delivery,
            ),
        )

    def go_on(
        self, speaker: Speaker, turn_id: int, *, source_id: str, stop: Stop | None = None, delivery: Delivery | None = None
    ) -> AsyncGenerator[Piece, None]:
        """The character goes on with what it said last: a turn without words of the user. Raises as `regenerate` does."""
        return take_turn(
            self,
            Ask(speaker=speaker, source_id=source_id, last_turn_id=turn_id, goes_on=True, stop=stop or Stop(), delivery=delivery),
        )

    async def choose(self, speaker: Speaker, turn_id: int, step: int, *, shown: int | None = None) -> Alternative:
        """The reply `step` places further round among a turn's alternatives is the one that counts.

        `shown` is the number of the one that the person saw, so that the same press again changes nothing. Raises `TurnNotFoundError`.
        """
        async with self.database.statement() as tx:
            chosen = await tx.dialogs.choose(speaker.dialog_id, turn_id, step, shown)
        if chosen is None:
            raise TurnNotFoundError("this dialog has no such turn with a reply")
        text, number, count = chosen
        return Alternative(turn_id=turn_id, text=text, number=number, count=count)

    async def edit(self, speaker: Speaker, source_id: str, text: str) -> EditedTurn | None:
        """The user corrects what they said: the character remembers the new words. None when that changes nothing in this dialog.

        Asked for again it answers the same until a reply to the new words is there.
        """
        async with self.database.statement() as tx:
            edited = await tx.dialogs.edit(speaker.dialog_id, source_id, storable(text)[:MAX_SAID_CHARACTERS])
        return None if edited is None else EditedTurn(turn_id=edited[0], is_last=edited[1], message_ids=tuple(edited[2]))

    async def undo(self, speaker: Speaker, *, source_id: str) -> UndoneTurn | None:
        """The last turn leaves the history, with all its alternatives; none when there is none. The same `source_id` undoes it once."""
        async with self.database.statement() as tx:
            undone = await tx.dialogs.undo(speaker.dialog_id, source_id)
        return None if undone is None else UndoneTurn(turn_id=undone[0], message_ids=tuple(undone[1]), sources=tuple(undone[2]))

    async def is_replying(self, speaker: Speaker) -> bool:
        """Whether a reply is being written in the speaker's dialog, by any process."""
        async with self.database.statement() as tx:
            return await tx.turns.is_any_open(speaker.dialog_id)

    async def start_over(self, speaker: Speaker) -> str:
        """The history begins anew with the greeting, which is answered; the summary goes, memories stay. Raises `DialogNotFoundError`."""
        async with self.database.transaction() as tx:
            return await tx.dialogs.start_over(speaker.dialog_id, speaker.language)
