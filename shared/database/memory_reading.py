"""What the worker reads of a dialog to remember it, and writes down when a model has answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.database.lines import Connection
from shared.database.memory_requests import ASK_FOR, GIVE_BACK
from shared.database.memory_statements import (
    HOLD,
    INSERT,
    KNOWN,
    MAKE_ROOM,
    MOVE_MARK,
    PAST,
    READ,
    SAY_AGAIN,
    SETTLE,
    SKETCH,
    SPEND,
    SPENT,
    STILL_SAID,
    SUMMARISE,
    UNSKETCHED,
)
from shared.database.memory_taken_back import UNFOLD
from shared.domain.memory_choice import Kept
from shared.domain.summary_rules import PastMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMessage:
    """`user_id` is who said it, none for the character. `is_edited`: it was read before, in other words."""

    id: int
    text: str
    user_id: UUID | None
    is_edited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A dialog from its mark on. `seen_until` and `seen_at` are the mark, `read_until` and `read_at` become it; `fresh` counts messages."""

    dialog_id: UUID
    character_id: UUID
    bot_id: int
    seen_until: int | None
    seen_at: datetime | None
    read_until: int
    read_at: datetime
    fresh: int
    messages: list[ReadMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a prompt would have of a dialog but for its budget."""

    dialog_id: UUID
    bot_id: int
    history_from: int
    summary: str | None
    until: int | None
    tokens_before: int
    messages: list[PastMessage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A dialog is due whose last turn began after `since`: before `before` (`new_before` where nothing was ever read), or as the last of
    so many `turns`. One that does not get on is asked for again after `again` seconds, and then less and less often.
    """

    since: datetime
    before: datetime
    new_before: datetime
    turns: int
    again: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMemory:
    """`of` is the active memory that it replaces, or contradicts when it `asks`."""

    id: UUID
    user_id: UUID
    owner: UUID | None
    """The only character to know it; none for all."""
    topic: str
    fact: str
    confidence: float
    source: int
    of: UUID | None = None
    asks: bool = False
    says_so: bool = False
    """The user said themselves that something has changed; what is firm gives way to nothing less."""


class MemoryReadingRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def read(self, dialog_id: UUID, most: int) -> Reading | None:
        """At most so many messages; none when there is no such dialog."""
        rows = (await self.connection.execute(READ, {"dialog_id": dialog_id, "most": most})).mappings().all()
        return _reading(dialog_id, rows) if rows else None

    async def known(self, user_id: UUID, character_id: UUID) -> list[Kept]:
        rows = await self.connection.execute(KNOWN, {"user_id": user_id, "character_id": character_id})
        return [Kept(**dict(row)) for row in rows.mappings()]

    async def move_mark(self, reading: Reading) -> bool:
        """False when somebody else has moved it since it was read."""
        names = ("dialog_id", "seen_until", "seen_at", "read_until", "read_at")
        values = {name: getattr(reading, name) for name in names}
        return (await self.connection.execute(MOVE_MARK, values)).scalar() is not None

    async def hold(self, user_ids: Collection[UUID]) -> None:
        """Nobody else writes what they learn of these people before the transaction ends."""
        if user_ids:
            await self.connection.execute(HOLD, {"ids": list(user_ids)})

    async def still_said(self, ids: Sequence[int]) -> dict[int, str]:
        """The words of those that still count; they stay so until the transaction ends."""
        rows = await self.connection.execute(STILL_SAID, {"ids": list(ids)})
        return {row[0]: row[1] for row in rows.all()}

    async def remember(self, memory: NewMemory, character_id: UUID) -> bool:
        """False when the character knows just this already."""
        values = {name: getattr(memory, name) for name in NewMemory.__slots__}
        return bool((await self.connection.execute(INSERT, {**values, "character_id": character_id})).scalar_one())

    async def settle(self, memory_id: UUID, character_id: UUID, source: int, *, says_so: bool) -> bool:
        """Of those that contradict each other this one holds, by the message `source`. False when it is gone, or what it contradicts does
        not give way.
        """
        values = {"id": memory_id, "character_id": character_id, "source": source, "says_so": says_so}
        return (await self.connection.execute(SETTLE, values)).scalar() is not None

    async def say_again(self, memory_id: UUID, source: int) -> None:
        """Nothing changes by it but where the memory may be used."""
        await self.connection.execute(SAY_AGAIN, {"id": memory_id, "source": source})

    async def make_room(self, user_id: UUID) -> None:
        await self.connection.execute(MAKE_ROOM, {"user_id": user_id})

    async def past(self, dialog_id: UUID, most: int) -> Past | None:
        rows = (await self.connection.execute(PAST, {"dialog_id": dialog_id, "most": most})).mappings().all()
        return _past(dialog_id, rows) if rows else None

    async def summarise(self, past: Past, *, text: str, until: int, tokens_before: int, tokens_after: int, model: str) -> bool:
        """False when the past is not what it was any more."""
        values = {"dialog_id": past.dialog_id, "history_from": past.history_from, "seen_until": past.until, "text": text, "until": until}
        told = [one for one in past.messages if one.id <= until and not one.is_left_out]
        heard = {"told": [one.id for one in told], "words": [one.text for one in told]}
        counted = {"tokens_before": tokens_before, "tokens_after": tokens_after, "model": model}
        return bool((await self.connection.execute(SUMMARISE, values | heard | counted)).scalar_one())

    async def unfold(self, dialog_id: UUID) -> None:
        """A summary goes that was committed while some of its words were taken back."""
        await self.connection.execute(UNFOLD, {"dialog_id": dialog_id})

    async def unsketched(self, dialog_id: UUID, model: str, most: int) -> list[tuple[UUID, str]]:
        """Memories of the people of a dialog that this embedding model has not seen."""
        rows = await self.connection.execute(UNSKETCHED, {"dialog_id": dialog_id, "model": model, "most": most})
        return [(row[0], row[1]) for row in rows.all()]

    async def sketch(self, facts: Sequence[tuple[UUID, str]], sketches: Sequence[str], model: str) -> None:
        values = {
            "ids": [memory_id for memory_id, _ in facts],
            "facts": [fact for _, fact in facts],
            "sketches": list(sketches),
            "model": model,
        }
        await self.connection.execute(SKETCH, values)

    async def spend(self, bot_id: int, day: date, micros: int, *, is_limited: bool) -> None:
        """By the bot's purse, too, where it has one."""
        await self.connection.execute(SPEND, {"bot_id": str(bot_id), "day": day, "micros": micros, "is_limited": is_limited})

    async def spent(self, bot_id: int, day: date) -> int:
        """What the bot has spent that day, and holds back, in millionths of a US dollar."""
        return int((await self.connection.execute(SPENT, {"bot_id": str(bot_id), "day": day})).scalar() or 0)

    async def ask_for(self, now: datetime, due: Due, most: int) -> list[UUID]:
        """Dialogs with something unread that are due and were not asked for lately; they count as asked for from now on. Those that were
        asked for least often from where they are, and of these the longest unread first; one of each bot in turn.
        """
        values = {name: getattr(due, name) for name in Due.__slots__}
        rows = await self.connection.execute(ASK_FOR, {**values, "now": now, "most": most})
        return [row[0] for row in rows.all()]

    async def give_back(self, dialog_ids: Sequence[UUID]) -> None:
        """They were not asked for after all."""
        await self.connection.execute(GIVE_BACK, {"ids": list(dialog_ids)})

    async def count(self) -> dict[str, int]:
        rows = await self.connection.execute(text("select status, count(*) from memories group by status"))
        return {row[0]: row[1] for row in rows.all()}


def _reading(dialog_id: UUID, rows: Sequence[Any]) -> Reading:
    first = rows[0]
    return Reading(
        dialog_id=dialog_id,
        character_id=first["character_id"],
        bot_id=first["telegram_bot_id"],
        seen_until=first["seen_until"],
        seen_at=first["seen_at"],
        read_until=first["read_until"],
        read_at=first["read_at"],
        fresh=first["fresh"],
        messages=[
            ReadMessage(
                id=row["id"], text=row["text"], user_id=row["user_id"] if row["role"] == "user" else None, is_edited=row["is_edited"]
            )
            for row in rows
            if row["id"] is not None
        ],
    )


def _past(dialog_id: UUID, rows: Sequence[Any]) -> Past:
    first = rows[0]
    return Past(
        dialog_id=dialog_id,
        bot_id=first["telegram_bot_id"],
        history_from=first["history_from"],
        summary=first["summary"],
        until=first["until_message_id"],
        tokens_before=first["tokens_before"] or 0,
        messages=[
            PastMessage(id=row["id"], is_user=row["role"] == "user", text=row["text"], is_left_out=row["is_left_out"])
            for row in rows
            if row["id"] is not None
        ],
    )
