"""A finished reply as calls to Telegram: new messages, or the text of the message that showed the reply before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any, Self

from aiogram.types import InlineKeyboardMarkup

from services.bot import keyboards
from services.bot.formatting import LIMIT, render, utf16_len
from services.bot.sentences import say
from shared.application.chat import Reply
from shared.domain.dialog import TurnStatus
from shared.domain.inbox import Outgoing

Part = dict[str, Any]
"""`text` and, where there are any, `entities` of one message."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The message under which the buttons of the reply before stand. `is_whole`: it is all of that reply."""

    message_id: int
    is_whole: bool

    @classmethod
    def among(cls, message_ids: Sequence[int]) -> Self | None:
        """Of the messages that show a reply, in order."""
        return cls(message_ids[-1], is_whole=len(message_ids) == 1) if message_ids else None


def parts_of(reply: Reply, language: str) -> list[Part]:
    """Messages of at most 4096 UTF-16 units, every bubble in its own; what the person should know stands below the last, in italics."""
    parts = [part for bubble in reply.bubbles for part in written(bubble)]
    if not parts and reply.status is TurnStatus.INTERRUPTED:
        return [{"text": say("stopped-before-first-word", language)}]
    return _with_note(parts, unescape(say(reply.note, language))) if reply.note else parts


def written(markdown: str) -> list[Part]:
    return [{"text": part.text, "entities": part.entities} if part.entities else {"text": part.text} for part in render(markdown)]


def _with_note(parts: list[Part], note: str) -> list[Part]:
    if parts:
        *before, last = parts
        text = f"{last['text']}\n\n{note}"
        if utf16_len(text) <= LIMIT:
            return [*before, {"text": text, "entities": [*last.get("entities", ()), _italic(text, note)]}]
    return [*parts, {"text": note, "entities": [_italic(note, note)]}]


def _italic(text: str, end: str) -> dict[str, Any]:
    length = utf16_len(end)
    return {"type": "italic", "offset": utf16_len(text) - length, "length": length}


def anew(parts: Sequence[Part], place: dict[str, Any], keyboard: InlineKeyboardMarkup | None) -> list[Outgoing]:
    """New messages; the keyboard stands under the last."""
    calls = [Outgoing(method="sendMessage", params={**place, **part}) for part in parts]
    return _with_keyboard(calls, keyboard)


def in_place(parts: Sequence[Part], place: dict[str, Any], keyboard: InlineKeyboardMarkup | None, shown: Shown) -> list[Outgoing]:
    """The reply takes the place of one that was a single message; what does not fit there follows below.

    One that took several messages is left as it stands, without its buttons, and the reply is sent anew.
    """
    if not parts:
        return []
    message = {"chat_id": place["chat_id"], "message_id": shown.message_id}
    if not shown.is_whole:
        return [*anew(parts, place, keyboard), Outgoing(method="editMessageReplyMarkup", params=message)]
    first, *rest = parts
    edited = Outgoing(method="editMessageText", params={**message, **first})
    return _with_keyboard([edited, *anew(rest, place, None)], keyboard)


def _with_keyboard(calls: list[Outgoing], keyboard: InlineKeyboardMarkup | None) -> list[Outgoing]:
    if not calls or keyboard is None:
        return calls
    *before, last = calls
    return [*before, Outgoing(method=last.method, params={**last.params, "reply_markup": keyboards.as_json(keyboard)})]
