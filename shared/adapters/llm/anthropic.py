"""Anthropic's own Messages API."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

import orjson

from shared.adapters.llm.deltas import Delta, GarbageError
from shared.adapters.llm.http_model import HttpModel, request_body
from shared.application.ports import FinishReason, PromptMessage, Role, Usage

VERSION: Final = "2023-06-01"
_USUAL_MAX_TOKENS = 1024
"""The API wants a limit with every request."""
_HOTTEST = 1.0
_BEGINNING = {"role": "user", "content": "(The conversation begins.)"}
_FINISHES = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.FILTERED,
}
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class AnthropicModel(HttpModel):
    reply_path = ("messages",)

    def _authorization(self) -> dict[str, str]:
        return {"anthropic-version": VERSION, **({"x-api-key": self._key} if self._key else {})}

    def _body(self, prompt: Sequence[PromptMessage], temperature: float | None, max_tokens: int | None) -> bytes:
        system = "\n\n".join(message.text for message in prompt if message.role is Role.SYSTEM and message.text.strip())
        request: dict[str, Any] = {
            "model": self._model,
            "max_tokens": max_tokens or _USUAL_MAX_TOKENS,
            "messages": _turns(prompt),
            "stream": True,
        }
        if system:
            request["system"] = system
        if temperature is not None:
            request["temperature"] = min(temperature, _HOTTEST)
        return request_body(request)

    def _reader(self) -> Callable[[bytes], Delta]:
        return _Events().read


def _turns(prompt: Sequence[PromptMessage]) -> list[dict[str, str]]:
    """User and assistant in turn, the user first, nothing empty: anything else is refused."""
    spoken = [message for message in prompt if message.role is not Role.SYSTEM and message.text.strip()]
    turns = [
        {"role": role.value, "content": "\n\n".join(message.text for message in group)}
        for role, group in groupby(spoken, key=lambda message: message.role)
    ]
    return turns if turns and turns[0]["role"] == "user" else [_BEGINNING, *turns]


class _Events:
    """The events of one reply. The tokens of the prompt come with the first, those of the answer with the last but one."""

    def __init__(self) -> None:
        self._prompt_tokens: int | None = None
        self._model: str | None = None

    def read(self, data: bytes) -> Delta:
        try:
            event: Any = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise GarbageError from None
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            raise GarbageError
        match event["type"]:
            case "message_start":
                return self._start(_object(event, "message"))
            case "content_block_start":
                return Delta(_text(event.get("content_block"), "text"))
            case "content_block_delta":
                return Delta(_text(event.get("delta"), "text_delta"))
            case "message_delta":
                return self._end(_object(event, "delta"), event.get("usage"))
            case "message":
                return self._whole(event)
            case "error":
                return Delta(error=_error(event.get("error")))
        return Delta()  # a ping, the end of a block, the end of the message, whatever comes to be

    def _start(self, message: dict[str, Any]) -> Delta:
        usage = message.get("usage")
        if isinstance(usage, dict):
            self._prompt_tokens = _prompt_tokens(usage)
        model = message.get("model")
        return Delta(model=model if isinstance(model, str) and model else None)

    def _end(self, delta: dict[str, Any], usage: Any) -> Delta:
        reason = delta.get("stop_reason")
        finish = _FINISHES.get(reason, FinishReason.STOP) if isinstance(reason, str) else None
        spent = _count(usage.get("output_tokens")) if isinstance(usage, dict) else None
        return Delta(finish=finish, usage=Usage(prompt_tokens=self._prompt_tokens, completion_tokens=spent))

    def _whole(self, message: dict[str, Any]) -> Delta:
        """A gateway that does not stream."""
        started, ended = self._start(message), self._end(message, message.get("usage"))
        blocks = message.get("content")
        if not isinstance(blocks, list):
            raise GarbageError
        return Delta("".join(_text(block, "text") for block in blocks), ended.finish, ended.usage, started.model)


def _object(event: dict[str, Any], name: str) -> dict[str, Any]:
    found = event.get(name)
    if not isinstance(found, dict):
        raise GarbageError
    return found


def _text(block: Any, kind: str) -> str:
    """Thoughts and tool calls are not for the reader. NUL is dropped, as in every reply."""
    if not isinstance(block, dict) or block.get("type") != kind:
        return ""
    text = block.get("text")
    if not isinstance(text, str):
        raise GarbageError
    return text.replace("\x00", "")


def _prompt_tokens(usage: dict[str, Any]) -> int | None:
    """What was read from or written to their cache is part of the prompt, too."""
    counts = [_count(usage.get(name)) for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]
    return None if counts[0] is None else sum(count or 0 for count in counts)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _error(error: Any) -> dict[str, Any]:
    kind = error.get("type") if isinstance(error, dict) else None
    return {"code": _STATUSES.get(kind, 500) if isinstance(kind, str) else 500}
