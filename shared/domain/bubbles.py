"""A reply that a model wrote as JSON, as the messages that it means."""

import json
import re
from typing import Any

MOST_BUBBLES = 10
"""Further ones are joined to the last."""

_FENCE = re.compile(r"^```[ \t]*(?:json|JSON)?[ \t]*\n?(.*?)\n?[ \t]*(?:```[ \t]*)?$", re.DOTALL)
_OPENING = re.compile(r"(?:```[ \t]*(?:json|JSON)?\s*)?(?:\[\s*(?:[\"{\]])|\{\s*[\"}])")
_MAYBE_OPENING = re.compile(r"(?:`{0,3}|```[ \t]*(?:j|js|jso|json|J|JS|JSO|JSON)?\s*)(?:\[\s*|\{\s*)?")
_LISTS = ("messages", "responses", "bubbles", "replies")
_TEXTS = ("response", "message", "text", "content", "reply", "answer")
TOOL_KEYS = frozenset({"tool", "tools", "tool_call", "tool_calls", "tool_name", "function", "function_call", "arguments", "parameters"})


def begins_like_json(text: str) -> bool | None:
    """None while it is too early to say."""
    start = text.lstrip()
    if _OPENING.match(start):
        return True
    return None if _MAYBE_OPENING.fullmatch(start) else False


def bubbles_of(text: str) -> tuple[str, ...]:
    """The messages of a reply, in order. Parsed once; what is no JSON of a known shape is one message, as it stands.

    A call of a tool is no message: nobody here would run it.
    """
    if begins_like_json(text) is not True:
        return _kept([text])
    fenced = _FENCE.match(text.strip())
    try:
        found = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        return _kept([text])
    texts = _texts(found)
    return _kept([text] if texts is None else texts)


def is_tool_call(found: Any) -> bool:
    return isinstance(found, dict) and bool(TOOL_KEYS & found.keys()) and not any(isinstance(found.get(key), str) for key in _TEXTS)


def _texts(found: Any) -> list[str] | None:
    """None when it means nothing to us."""
    if isinstance(found, str):
        return [found]
    if isinstance(found, list):
        parts = [_texts(one) for one in found]
        return None if any(part is None for part in parts) else [text for part in parts if part for text in part]
    if is_tool_call(found):
        return []
    if isinstance(found, dict):
        key = next((key for key in (*_LISTS, *_TEXTS) if isinstance(found.get(key), str | list)), None)
        return None if key is None else _texts(found[key])
    return None


def _kept(texts: list[str]) -> tuple[str, ...]:
    bubbles = [stripped for text in texts if (stripped := text.strip())]
    if len(bubbles) > MOST_BUBBLES:
        bubbles[MOST_BUBBLES - 1 :] = ["\n\n".join(bubbles[MOST_BUBBLES - 1 :])]
    return tuple(bubbles)
