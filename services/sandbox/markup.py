"""reply_markup as a call gives it, refused where Telegram refuses it."""

from typing import Any
from urllib.parse import urlsplit

from services.sandbox.chats import Card
from services.sandbox.errors import bad_request
from services.sandbox.params import Params

MOST_BUTTONS = 100
LONGEST_DATA = 64
_ACTIONS = (
    "url", "callback_data", "web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat", "copy_text", "callback_game", "pay",
)  # fmt: skip
_LOOKS = ("style", "icon_custom_emoji_id", "disabled", "force_reply")


def read_markup(params: Params) -> tuple[Card | None, Card | None]:
    """(what stays on the message, what changes the user's keyboard); at most one is given."""
    markup = params.json("reply_markup", "reply keyboard markup")
    if markup is None or markup == {}:
        return None, None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = _rows(markup["inline_keyboard"], "inline keyboard button", _inline_button)
        return ({"inline_keyboard": rows} if rows else None), None
    if "keyboard" in markup:
        rows = _rows(markup["keyboard"], "keyboard button", _reply_button)
        if not rows:
            raise bad_request("keyboard can't be empty")
        return None, {**markup, "keyboard": rows}
    if markup.get("remove_keyboard") or markup.get("force_reply"):
        return None, markup
    return None, None


def read_inline(params: Params) -> Card | None:
    """For edits: only an inline keyboard may stand under an existing message."""
    inline, other = read_markup(params)
    if other is not None:
        raise bad_request("inline keyboard expected")
    return inline


def _rows(rows: Any, what: str, read: Any) -> list[list[Card]]:
    if not isinstance(rows, list) or any(not isinstance(row, list) for row in rows):
        raise bad_request("can't parse reply keyboard markup JSON object: field must be an Array of Array")
    kept = []
    for row in rows:
        try:
            kept.append([read(button) for button in row])
        except _Refused as refused:
            raise bad_request(f"can't parse {what}: {refused}") from refused
    if sum(map(len, kept)) > MOST_BUTTONS:
        raise bad_request("REPLY_MARKUP_TOO_LONG")
    return [row for row in kept if row]


class _Refused(Exception):
    """Why one button is no button."""


def _inline_button(button: Any) -> Card:
    if not isinstance(button, dict):
        raise _Refused("Object expected as InlineKeyboardButton")
    text = button.get("text")
    if not isinstance(text, str):
        raise _Refused('Can\'t find field "text"')
    if not text.strip():
        raise bad_request("inline keyboard button text must be non-empty")
    action = next((name for name in _ACTIONS if button.get(name) is not None and button[name] is not False), None)
    if action is None:
        raise _Refused("Text buttons are unallowed in the inline keyboard")
    _CHECKS.get(action, _accept)(button[action])
    return {"text": text, action: button[action], **{name: button[name] for name in _LOOKS if button.get(name)}}


def _accept(_: Any) -> None:
    """Nothing to check in this kind of button."""


def _check_data(data: Any) -> None:
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= LONGEST_DATA:
        raise bad_request("BUTTON_DATA_INVALID")


def _check_url(url: Any) -> None:
    if refusal := _bad_url(url, {"http", "https", "tg", "ton"}):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: {refusal}")


def _check_web_app(web_app: Any) -> None:
    if not isinstance(web_app, dict):
        raise _Refused('Field "web_app" must be of type Object')
    url = web_app.get("url")
    if _bad_url(url, {"https"}):
        raise bad_request(f"inline keyboard button Web App URL '{url}' is invalid: Only HTTPS links are allowed")


def _check_copy(copied: Any) -> None:
    text = copied.get("text") if isinstance(copied, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= 256:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")


_CHECKS = {"callback_data": _check_data, "url": _check_url, "web_app": _check_web_app, "copy_text": _check_copy}


def _bad_url(url: Any, schemes: set[str]) -> str | None:
    try:
        parts = urlsplit(url if isinstance(url, str) and "://" in url else f"http://{url}")
    except ValueError:
        return "Wrong HTTP URL"
    if parts.scheme not in schemes:
        return "Unsupported URL protocol"
    host = parts.hostname or ""
    return None if parts.scheme in {"tg", "ton"} or "." in host or ":" in host else "Wrong HTTP URL"


def _reply_button(button: Any) -> Card:
    if isinstance(button, str):
        return {"text": button}
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise _Refused('Can\'t find field "text"')
    if not button["text"].strip():
        raise bad_request("keyboard button text must be non-empty")
    return button


def same_markup(one: Card | None, other: Card | None) -> bool:
    return (one or None) == (other or None)
