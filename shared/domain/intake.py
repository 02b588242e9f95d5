"""Reading just enough of a raw update to put it in its lane. Never raises: what cannot be understood is kept as it is."""

import hashlib
import json
import re
from typing import Any

from shared.domain.inbox import IncomingUpdate

MAX_BODY_BYTES = 1_000_000
"""Telegram's own updates stay far below; a larger body is kept shortened, as a dead letter."""
KEPT_OF_OVERSIZED = 65_536
TURN_BUTTON = "turn:"
"""The data of every button under a reply begins so."""

_UPDATE_ID = re.compile(rb'"update_id"\s*:\s*(\d{1,18})')
_ABOUT_THE_TALK = re.compile(r"/(undo|new)\b", re.IGNORECASE)
_TURNS_PAGE = re.compile(rf"{TURN_BUTTON}\d+:(previous|next|none):")
_STOP_COMMAND = re.compile(r"/stop(@\w+)?\s*$", re.IGNORECASE)


def read_update(body: bytes) -> IncomingUpdate:
    """Sort a raw update into its lane.

    Chats keep their order, with the buttons under replies; other buttons and reactions go by user, as Telegram delivers them; payments
    and Stop get lanes of their own that no chat can block. A body without a readable `update_id` gets a negative id made from its bytes,
    so that repeats are still one.
    """
    if len(body) > MAX_BODY_BYTES:
        return _broken(body, "oversized")
    try:
        update = json.loads(body)
    except (ValueError, RecursionError) as error:
        return _broken(body, f"not JSON: {type(error).__name__}")
    if not isinstance(update, dict) or not _is_id(update.get("update_id")):
        return _broken(body, "no update_id")
    kind = next((key for key in update if key != "update_id"), "")
    content = update.get(kind)
    if not isinstance(content, dict):
        return IncomingUpdate(update_id=update["update_id"], lane="unknown", kind=_storable(kind), is_priority=False, body=body)
    lane, is_priority = _lane(kind, content)
    goes_on = kind == "message" and not is_priority and _goes_on(content)
    kind = _storable(kind)
    return IncomingUpdate(update_id=update["update_id"], lane=lane, kind=kind, is_priority=is_priority, body=body, goes_on=goes_on)


def _lane(kind: str, content: dict[str, Any]) -> tuple[str, bool]:
    chat, user = _id_in(content, "chat"), _id_in(content, "from") or _id_in(content, "user")
    if kind in {"pre_checkout_query", "shipping_query"}:
        return f"checkout:{user}", True
    if kind == "stopped_message_generation":
        return f"stop:{chat}", True
    if kind == "callback_query":
        return _lane_of_press(content, user)
    if kind == "message":
        if "successful_payment" in content or "refunded_payment" in content:
            return f"payment:{user}", True
        text = content.get("text")
        if isinstance(text, str) and _STOP_COMMAND.match(text):
            return f"stop:{chat}", True
    if chat is not None:
        return f"chat:{chat}", False
    return (f"user:{user}", False) if user is not None else ("unknown", False)


def _goes_on(message: dict[str, Any]) -> bool:
    """In private only: in a group the next words are somebody else's as a rule. An answer to one message stands by itself."""
    text, chat = message.get("text"), message.get("chat")
    is_private = isinstance(chat, dict) and chat.get("type") == "private"
    return is_private and isinstance(text, str) and text != "" and not text.startswith("/") and "reply_to_message" not in message


def needs_no_model(update: IncomingUpdate) -> bool:
    """Commands and turned pages are answered by us alone. `/undo` and `/new` are about what was said before them, and wait their turn."""
    content = json.loads(update.body)[update.kind] if update.kind in {"message", "callback_query"} else {}
    if update.kind == "callback_query":
        return _TURNS_PAGE.match(str(content.get("data"))) is not None
    text = content.get("text")
    return isinstance(text, str) and text.startswith("/") and _ABOUT_THE_TALK.match(text) is None


def _lane_of_press(content: dict[str, Any], user: int | None) -> tuple[str, bool]:
    """A button under a reply begins or changes a turn: it waits for the turn before it, like a message."""
    data, message = content.get("data"), content.get("message")
    chat = _id_in(message, "chat") if isinstance(message, dict) else None
    if isinstance(data, str) and data.startswith(TURN_BUTTON) and chat is not None:
        return f"chat:{chat}", False
    return f"press:{user}", True


def _id_in(content: dict[str, Any], key: str) -> int | None:
    holder = content.get(key)
    found = holder.get("id") if isinstance(holder, dict) else None
    return found if _is_id(found) else None


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**62) < value < 2**62


def _storable(kind: str) -> str:
    return re.sub(r"[^a-z_]", "?", kind)[:64] or "none"


def _broken(body: bytes, why: str) -> IncomingUpdate:
    found = _UPDATE_ID.search(body[:KEPT_OF_OVERSIZED])
    made_up = -int.from_bytes(hashlib.sha256(body).digest()[:7], "big") - 1
    return IncomingUpdate(
        update_id=int(found[1]) if found else made_up,
        lane="broken",
        kind="broken",
        is_priority=False,
        body=body[:KEPT_OF_OVERSIZED],
        broken=why,
    )
