"""A reply as a person sees it: live while it is written, then the final message."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.types import Message

from services.bot.delivery import Delivery
from services.bot.drafts import DraftPump, TypingPump
from services.bot.drafts.budget import DraftBudgets
from services.bot.formatting import render
from services.bot.sentences import say
from shared.application.chat import Reply
from shared.application.ports import Piece
from shared.application.stop import Stop, StopRegistry
from shared.application.switches import SwitchService
from shared.domain.dialog import TurnStatus
from shared.domain.inbox import Lease, Outgoing

DRAFTS_PER_REPLY = 256
"""A long reply goes on under the next draft id; all of them lead back to the update that is answered."""

Ask = Callable[["ReplyView", Stop], AsyncGenerator[Piece, None]]
"""Starts the reply, given how it is delivered and how it is stopped."""


def place_of(message: Message) -> dict[str, Any]:
    """Where an answer to this message goes, as Bot API parameters."""
    place: dict[str, Any] = {"chat_id": message.chat.id}
    if message.is_topic_message and message.message_thread_id is not None:
        place["message_thread_id"] = message.message_thread_id
    return place


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What all replies of a process share."""

    bot: Bot
    budgets: DraftBudgets
    stops: StopRegistry
    switches: SwitchService


class ReplyView:
    """Shows one reply to one message. Private chats see a draft with a Stop button, groups see "typing" and one message."""

    def __init__(self, message: Message, delivery: Delivery, stage: Stage, *, language: str) -> None:
        self._message = message
        self._delivery = delivery
        self._stage = stage
        self._language = language
        self._calls: Sequence[Outgoing] = ()

    @property
    def lease(self) -> Lease:
        return self._delivery.lease

    def wrap(self, reply: Reply, /) -> Sequence[Outgoing]:
        """The reply as messages of at most 4096 UTF-16 units; a stopped one that is empty says so."""
        place = place_of(self._message)
        parts: list[dict[str, Any]] = [
            {"text": part.text, "entities": part.entities} if part.entities else {"text": part.text} for part in render(reply.text)
        ]
        if not parts and reply.status is TurnStatus.INTERRUPTED:
            parts = [{"text": say("stopped-before-first-word", self._language)}]
        if parts and self._in_group:
            parts[0]["reply_parameters"] = {"message_id": self._message.message_id, "allow_sending_without_reply": True}
        self._calls = [Outgoing(method="sendMessage", params={**place, **part}) for part in parts]
        return self._calls

    async def show(self, ask: Ask) -> None:
        """Streams the reply and sends the final messages once they are in the outbox."""
        live = (await self._stage.switches.read()).streaming
        with self._stage.stops.watched(self._message.chat.id, self.lease.update_id) as stop:
            async with aclosing(ask(self, stop)) as pieces:
                if live and not self._in_group:
                    await self._show_draft(pieces)
                else:
                    await self._show_typing(pieces)
        await self._delivery.send(self._calls)

    async def _show_draft(self, pieces: AsyncGenerator[Piece, None]) -> None:
        place = place_of(self._message)
        budget = self._stage.budgets.of(self._message.chat.id)

        async def send(draft: int, text: str) -> None:
            await self._stage.bot.send_message_draft(**place, draft_id=draft, text=text, can_stop=True)

        text = ""
        async with DraftPump(send, budget, draft_id=self.lease.update_id * DRAFTS_PER_REPLY + 1) as pump:
            async for piece in pieces:
                text += piece.text
                pump.show(text)
            await pump.finish(str(self._calls[0].params["text"]) if self._calls else "")

    async def _show_typing(self, pieces: AsyncGenerator[Piece, None]) -> None:
        place = place_of(self._message)

        async def send() -> None:
            await self._stage.bot.send_chat_action(**place, action="typing")

        async with TypingPump(send, self._stage.budgets.of(self._message.chat.id)) as typing:
            async for _ in pieces:
                pass
            await typing.finish()

    @property
    def _in_group(self) -> bool:
        return self._message.chat.type != "private"
