"""What the turns of a chat need, and what one turn is asked for."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from shared.application.chat.parts import Delivery
from shared.application.chat.prompting import TokenScales
from shared.application.ports import AlikeReplies, ChatModel, Clock, Meanings, Models, Recall, ReplyCache, TurnLimits
from shared.application.stop import Stop
from shared.application.switches import SwitchService
from shared.database.database import Database
from shared.domain.speaker import Speaker

_REMEMBERED = 4096


@dataclass(slots=True)
class Admitted:
    """The turns that have passed the limits of speed: one that is taken up again is not counted again."""

    _turns: OrderedDict[tuple[UUID, str], None] = field(default_factory=OrderedDict)

    def __contains__(self, turn: tuple[UUID, str]) -> bool:
        return turn in self._turns

    def add(self, turn: tuple[UUID, str]) -> None:
        self._turns[turn] = None
        if len(self._turns) > _REMEMBERED:
            self._turns.popitem(last=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`model` answers where there are no `models` to choose from. What is none is off.

    `prompt_tokens` is the budget for the history in a prompt, `max_tokens` the longest reply, for what a turn may cost at most.
    """

    database: Database
    model: ChatModel
    clock: Clock
    models: Models | None = None
    recall: Recall | None = None
    reply_cache: ReplyCache | None = None
    alike_replies: AlikeReplies | None = None
    meanings: Meanings | None = None
    limits: TurnLimits | None = None
    switches: SwitchService | None = None
    prompt_tokens: int = 1500
    max_tokens: int = 800
    scales: TokenScales = field(default_factory=TokenScales, init=False, repr=False)
    admitted: Admitted = field(default_factory=Admitted, init=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """`said` are (source id, text). `of_turn_id` asks for another reply to that turn, of which the person sees `shown`; `goes_on` for a
    turn without words of the user.
    """

    speaker: Speaker
    source_id: str
    said: Sequence[tuple[str, str]] = ()
    merged: Sequence[int] = ()
    of_turn_id: int | None = None
    last_turn_id: int | None = None
    shown: int | None = None
    goes_on: bool = False
    stop: Stop = field(default_factory=Stop)
    delivery: Delivery | None = None

    @property
    def words(self) -> str:
        return "\n".join(text for _, text in self.said)
