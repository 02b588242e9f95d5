"""What a chat takes and gives: words of the user, replies, and what became of a turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.application.ports import ModelUnavailableError
from shared.domain.dialog import TurnStatus
from shared.domain.errors import ConflictError, NotFoundError
from shared.domain.inbox import Lease, Outgoing

SOFT_LIMIT_NOTE = "soft-limit"
CUT_NOTE = "reply-cut"


class NotLastTurnError(ConflictError):
    """Something was said, undone or begun anew since: what is asked for goes with the last turn only."""

    code = "not_last_turn"


class AnsweredAnewError(NotLastTurnError):
    """The button was pressed under replies to which another one was added meanwhile: a second press must not cost a second time."""

    code = "answered_anew"


class UselessReplyError(ModelUnavailableError):
    """A model answered, twice, and nothing of it could be shown: asking again would cost money and bring the same."""

    code = "useless_reply"


class TurnNotFoundError(NotFoundError):
    code = "turn_not_found"


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the user. `source_id` is unique in the dialog: later, a correction names the message by it."""

    source_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply that has ended. `bubbles` are messages in order, none when it was stopped before its first word.

    `turn_id` is the turn that the buttons under it name. `alternative` counts from 1 to `alternatives`. `note` is the key of a sentence
    that the person should read with it: `soft-limit`, `reply-cut`.
    """

    turn_id: int
    bubbles: tuple[str, ...]
    status: TurnStatus
    alternative: int = 1
    alternatives: int = 1
    note: str | None = None
    is_cached: bool = False

    @property
    def text(self) -> str:
        return "\n\n".join(self.bubbles)


class Delivery(Protocol):
    """How a finished reply leaves the house: it is put in the outbox by the statement that ends the turn."""

    @property
    def lease(self) -> Lease: ...

    @property
    def merged(self) -> Sequence[int]:
        """Updates that the reply answers besides the leased one."""

    def wrap(self, reply: Reply, /) -> Sequence[Outgoing]:
        """The calls that bring this reply to the person; a stopped reply may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """The reply that the character now remembers having given, the `number`th of `count` to the same words."""

    turn_id: int
    text: str
    number: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedTurn:
    """`is_last`: the reply to the corrected words is the newest one and may be given anew. `message_ids` show it in Telegram, in order."""

    turn_id: int
    is_last: bool
    message_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneTurn:
    """`message_ids` are the Telegram messages that showed the replies, `sources` the source ids of what the user had said."""

    turn_id: int
    message_ids: tuple[int, ...]
    sources: tuple[str, ...]
