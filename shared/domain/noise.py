"""What models write for machines: thoughts, calls of tools, control tokens. Taken out while the reply is being streamed."""

import json
import re

from shared.domain.bubbles import TOOL_KEYS, is_tool_call

_CLOSING = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<tool_call>": "</tool_call>",
    "<tool_calls>": "</tool_calls>",
    "<function_call>": "</function_call>",
    "<tool_response>": "</tool_response>",
    "[TOOL_CALLS]": "]",
}
_STRAY = ("</think>", "</thinking>", "</tool_call>", "</tool_calls>", "</function_call>", "</tool_response>")
_OPENINGS = (*_CLOSING, *_STRAY)
_TOKEN, _MAYBE_TOKEN = re.compile(r"<\|[a-z_]{1,30}\|>"), re.compile(r"<(?:\|(?:[a-z_]{1,30}\|?)?)?")
_KEY, _MAYBE_KEY = re.compile(r'\{\s*"(\w{1,20})"'), re.compile(r'\{\s*(?:"\w{0,20})?')
_SUSPECT = re.compile(r"[<{\[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DECODER = json.JSONDecoder()


class NoiseFilter:
    """Lets everything else through at once, and holds back what may be the beginning of noise."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        if not self._held and not _SUSPECT.search(piece):
            return piece
        self._held += _storable(piece)
        return self._taken(ended=False)

    def end(self) -> str:
        return self._taken(ended=True)

    def _taken(self, *, ended: bool) -> str:
        clean: list[str] = []
        text = self._held
        while text:
            suspect = re.search(r"[<{\[]", text)
            place = suspect.start() if suspect else len(text)
            clean.append(text[:place])
            text = text[place:]
            length = _noise_length(text, ended=ended) if text else None
            if length is None:
                break
            if length == 0:
                clean.append(text[0])
            text = text[length or 1 :]
        self._held = text
        return "".join(clean)


def _storable(piece: str) -> str:
    return _CONTROL.sub("", piece).encode("utf-8", "replace").decode()


def _noise_length(text: str, *, ended: bool) -> int | None:
    """Of the noise that the text begins with, 0 for none, none while it is too early to say."""
    if text[0] == "{":
        return _object_length(text, ended=ended)
    token = _TOKEN.match(text)
    if token:
        return token.end()
    found = next((opening for opening in _OPENINGS if text.startswith(opening)), None)
    if found is not None:
        return len(found) if found in _STRAY else _closed_length(text, found, ended=ended)
    is_open = any(opening.startswith(text) for opening in _OPENINGS) or _MAYBE_TOKEN.fullmatch(text)
    return None if is_open and not ended else 0


def _closed_length(text: str, opening: str, *, ended: bool) -> int | None:
    closing = _CLOSING[opening]
    place = text.find(closing, len(opening))
    if place < 0:
        return len(text) if ended else None
    return place + len(closing)


def _object_length(text: str, *, ended: bool) -> int | None:
    key = _KEY.match(text)
    if key is None:
        return None if _MAYBE_KEY.fullmatch(text) and not ended else 0
    if key[1] not in TOOL_KEYS and key[1] != "name":
        return 0
    try:
        found, length = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return (len(text) if key[1] in TOOL_KEYS else 0) if ended else None
    return length if is_tool_call(found) else 0
