"""Turns: the hot path of a chat. Opening and ending one is a statement each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from sqlalchemy import text

from shared.database.lines import Connection
from shared.database.turn_statements import FINISH_TURN, NOTE_USAGE, OPEN_TURN
from shared.domain.budget import Purse
from shared.domain.dialog import DialogNotFoundError, TurnStatus
from shared.domain.inbox import Lease, Outgoing
from shared.domain.memory_search import Sought
from shared.domain.prompt import PromptMessage, Role

HISTORY_MESSAGES = 40
"""Read per turn; the prompt's token budget takes what fits of them."""
_MOST_RACES = 6
"""Rows that two first ones may create at the same time: the turn itself and its purses. Each can be lost once."""

_ROLES = {role.value: role for role in Role}


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """What a turn begins with. `of_turn_id`: another reply to that turn's words; `last_turn_id`: only while that turn is the last one;
    `shown`: only while it has no more alternatives than that.

    `reserve_micros` is held back in each of the `purses`, `soft_reserve_micros` where one of them has passed its soft limit.
    """

    dialog_id: UUID
    user_id: UUID
    character_id: UUID
    source_id: str
    said: Sequence[tuple[str, str]] = ()
    """(source id, text)"""
    day: date
    daily_turns: int | None
    of_turn_id: int | None = None
    last_turn_id: int | None = None
    shown: int | None = None
    purses: Sequence[Purse] = ()
    reserve_micros: int = 0
    soft_reserve_micros: int = 0
    sought: Sought | None = None
    """By what memories are found; none for a prompt without any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTurn:
    """`turn_id` is none when the turn was refused: `over_budget` names the scope of the purse, `is_outdated` says it is not the last one
    any more, and else the allowance is spent. A turn that was known and is not open any more needs no answer.

    `subject_id` is the turn whose words are answered. `words` are (source id, text) that were kept before this call.
    """

    turn_id: int | None
    subject_id: int | None
    status: TurnStatus
    over_budget: str | None
    is_outdated: bool
    is_soft: bool
    character_name: str
    system_prompt: str
    settings: dict[str, Any]
    user_name: str
    summary: str | None
    memories: list[str]
    history: list[PromptMessage]
    words: list[tuple[str | None, str]]
    alternatives: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedTurn:
    """Tokens and cost are added to what the turn has taken before. `merged` are updates that this reply answers too."""

    turn_id: int
    status: TurnStatus
    reply: str
    tier: str | None = None
    model: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_micros: int | None = None
    first_piece_ms: int | None = None
    total_ms: int | None = None
    error_code: str | None = None
    merged: Sequence[int] = field(default=())


class TurnRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def open(self, request: TurnRequest) -> OpenedTurn:
        """Takes one from the allowance and what it may cost from the purses, saves what was said, reads what the model needs.

        A turn that is known already costs nothing, and words it did not know yet are added while it is open. Of two calls at the very same
        time one breaks on a unique key, its payment with it, and finds the other's turn. Raises `DialogNotFoundError`.
        """
        row = await self._open(_opening(request))
        if row is None:
            raise DialogNotFoundError("no dialog with this id")
        return _opened(row)

    async def _open(self, values: dict[str, Any]) -> Any:
        for _ in range(_MOST_RACES):
            try:
                return (await self.connection.execute(OPEN_TURN, values)).mappings().first()
            except asyncpg.UniqueViolationError:
                continue
        return (await self.connection.execute(OPEN_TURN, values)).mappings().first()

    async def is_any_open(self, dialog_id: UUID) -> bool:
        statement = text("select exists (select from turns where dialog_id = cast(:dialog_id as uuid) and status = 'open')")
        return bool((await self.connection.execute(statement, {"dialog_id": dialog_id})).scalar_one())

    async def note_usage(self, turn_id: int, prompt_tokens: int | None, completion_tokens: int | None, cost_micros: int | None) -> None:
        """Adds what a call took to an open turn and to the purses that pay for it."""
        values = {"turn_id": turn_id, "prompt": prompt_tokens, "completion": completion_tokens, "cost": cost_micros}
        await self.connection.execute(NOTE_USAGE, values)

    async def finish(self, turn: FinishedTurn, lease: Lease | None, outgoing: Sequence[Outgoing]) -> bool:
        """Ends an open turn, settles its purses, puts its reply in the outbox and marks merged updates as handled; a failed one is given
        back and marks nothing. False when it was not ours to end any more.
        """
        values = {
            **{name: getattr(turn, name) for name in FinishedTurn.__slots__},
            "merged": list(turn.merged),
            "bot_id": lease.bot_id if lease else None,
            "lane": lease.lane if lease else None,
            "token": lease.token if lease else None,
            "update_id": lease.update_id if lease else None,
            "methods": [call.method for call in outgoing],
            "params": [orjson.dumps(call.params).decode() for call in outgoing],
        }
        return bool((await self.connection.execute(FINISH_TURN, values)).scalar_one())


def _opening(request: TurnRequest) -> dict[str, Any]:
    return {
        "dialog_id": request.dialog_id,
        "user_id": request.user_id,
        "character_id": request.character_id,
        "source_id": request.source_id,
        "sources": [source for source, _ in request.said],
        "texts": [text for _, text in request.said],
        "sought": request.sought.words if request.sought else None,
        "sketch": request.sought.sketch if request.sought else None,
        "embedding_model": request.sought.embedding_model if request.sought else None,
        "day": request.day,
        "daily_turns": request.daily_turns,
        "of_turn_id": request.of_turn_id,
        "last_turn_id": request.last_turn_id,
        "shown": request.shown,
        "scopes": [purse.scope for purse in request.purses],
        "owners": [purse.id for purse in request.purses],
        "hard": [purse.limit_micros for purse in request.purses],
        "soft": [purse.soft_micros for purse in request.purses],
        "reserve": request.reserve_micros,
        "soft_reserve": request.soft_reserve_micros,
        "history": HISTORY_MESSAGES,
    }


def _opened(row: Any) -> OpenedTurn:
    begun = row["begun_id"]
    known = row["known_id"] if row["known_status"] != TurnStatus.FAILED else None
    turn_id = begun if begun is not None else known
    return OpenedTurn(
        turn_id=turn_id,
        subject_id=row["subject_id"] if row["subject_id"] is not None else turn_id,
        status=TurnStatus.OPEN if begun is not None or known is None else TurnStatus(row["known_status"]),
        over_budget=row["over_budget"],
        is_outdated=row["is_outdated"],
        is_soft=row["is_soft"],
        character_name=row["name"],
        system_prompt=row["system_prompt"],
        settings=row["settings"],
        user_name=row["first_name"],
        summary=row["summary"],
        memories=row["memories"],
        history=[PromptMessage(_ROLES[role], said) for role, said in zip(row["roles"], row["texts"], strict=True) if said],
        words=list(zip(row["word_sources"], row["words"], strict=True)),
        alternatives=row["alternatives"],
    )
