"""A reply as a person sees it: live while it is written, then the final message."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest
from aiogram.types import InlineKeyboardMarkup, Message

from services.bot import keyboards, replies
from services.bot.delivery import Delivery
from services.bot.drafts import DraftPump, TypingPump
from services.bot.drafts.budget import DraftBudgets
from services.bot.replies import Shown
from shared.application.chat import Reply
from shared.application.ports import Piece
from shared.application.stop import Stop, StopRegistry
from shared.application.switches import SwitchService
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


def thread_of(message: Message) -> int:
    """The topic, 0 outside of topics."""
    return (message.message_thread_id or 0) if message.is_topic_message else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What all replies of a process share."""

    bot: Bot
    budgets: DraftBudgets
    stops: StopRegistry
    switches: SwitchService


class ReplyView:
    """Shows one reply to one message. Private chats see a draft with a Stop button, groups see "typing" and one message.

    `shown` is where the reply stands that this one takes the place of. There it grows in the message itself: a draft that no new message
    follows would stay on the person's screen for 30 seconds, and keep them from writing.
    """

    def __init__(self, message: Message, delivery: Delivery, stage: Stage, *, language: str, shown: Shown | None = None) -> None:
        self._message = message
        self._delivery = delivery
        self._stage = stage
        self._language = language
        self._shown = shown
        self._calls: Sequence[Outgoing] = ()
        self._has_ended = False

    @property
    def lease(self) -> Lease:
        return self._delivery.lease

    @property
    def merged(self) -> Sequence[int]:
        return self._delivery.merged

    def wrap(self, reply: Reply, /) -> Sequence[Outgoing]:
        """The reply as calls, with its buttons in a private chat; a stopped one that is empty says so, or leaves the one before it."""
        self._has_ended = True
        parts = replies.parts_of(reply, self._language)
        place, keyboard = place_of(self._message), self._keyboard_of(reply, len(parts))
        if self._shown is not None:
            self._calls = replies.in_place(parts if reply.bubbles else (), place, keyboard, self._shown)
            return self._calls
        if parts and self._in_group:
            parts[0]["reply_parameters"] = {"message_id": self._message.message_id, "allow_sending_without_reply": True}
        self._calls = replies.anew(parts, place, keyboard)
        return self._calls

    def _keyboard_of(self, reply: Reply, parts: int) -> InlineKeyboardMarkup | None:
        if self._in_group or not reply.bubbles:
            return None
        number, count = reply.alternative, reply.alternatives
        return keyboards.under_reply(reply.turn_id, number=number, count=count, parts=parts, language=self._language)

    async def show(self, ask: Ask, *, may_go_on: bool = False) -> bool:
        """Streams the reply and sends the final messages once they are in the outbox.

        With `may_go_on` a reply gives way as long as nothing of it is shown: false then, because the person has said more.
        """
        switches = await self._stage.switches.read()
        with self._stage.stops.watched(self._message.chat.id, self.lease.update_id, thread_of(self._message)) as stop:
            if may_go_on and not self._in_group:
                stop.quiet_seconds = switches.quiet_milliseconds / 1000
                self._delivery.on_going_on(lambda: stop.press("superseded"))
            async with aclosing(ask(self, stop)) as pieces:
                if switches.streaming and not self._in_group:
                    await self._show_draft(pieces)
                else:
                    await self._show_typing(pieces)
        await self._delivery.send(self._calls)
        if self._has_ended:
            return True
        if stop.reason == "superseded":
            return False
        self._delivery.merged = ()  # this message was answered before, together with others; those behind it were not
        return True

    async def _show_draft(self, pieces: AsyncGenerator[Piece, None]) -> None:
        budget = self._stage.budgets.of(self._message.chat.id)
        send = self._send_draft if self._shown is None or not self._shown.is_whole else self._grow_in_place
        text = ""
        async with DraftPump(send, budget, draft_id=self.lease.update_id * DRAFTS_PER_REPLY + 1) as pump:
            async for piece in pieces:
                text += piece.text
                pump.show(text)
            await pump.finish(str(self._calls[0].params["text"]) if self._calls and send == self._send_draft else "")

    async def _send_draft(self, draft: int, text: str) -> None:
        await self._stage.bot.send_message_draft(**place_of(self._message), draft_id=draft, text=text, can_stop=True)

    async def _grow_in_place(self, draft: int, text: str) -> None:
        """What goes on beyond one message is not shown before it is whole."""
        if self._shown is None or draft != self.lease.update_id * DRAFTS_PER_REPLY + 1:
            return
        if not text:
            await self._stage.bot.send_chat_action(**place_of(self._message), action="typing")
            return
        keyboard = keyboards.while_written(self.lease.update_id, self._language)
        with suppress(TelegramBadRequest):  # the same as before, or taken away by the person: the final text is posted all the same
            await self._stage.bot.edit_message_text(
                text, chat_id=self._message.chat.id, message_id=self._shown.message_id, reply_markup=keyboard
            )

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
