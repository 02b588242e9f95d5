"""One chat completion object, whole or a streamed chunk of it, reduced to the fields that are needed."""

from typing import Any, NamedTuple

import orjson

from shared.application.ports import FinishReason, Usage

_FINISHES = {
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTERED,
    "safety": FinishReason.FILTERED,
    "recitation": FinishReason.FILTERED,
    "prohibited_content": FinishReason.FILTERED,
    "blocklist": FinishReason.FILTERED,
    "refusal": FinishReason.FILTERED,
}


class GarbageError(ValueError):
    """Not the JSON of a chat completion."""


class Delta(NamedTuple):
    text: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None
    model: str | None = None
    error: object = None


def read_delta(data: bytes) -> Delta:
    """Raises `GarbageError`. A chunk without choices is in order: the usage comes in one, and some servers ping with another."""
    try:
        parsed: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise GarbageError from None
    if not isinstance(parsed, dict):
        raise GarbageError
    if parsed.get("error"):
        return Delta(error=parsed["error"])
    choices = parsed.get("choices")
    if not choices:
        return Delta(usage=_usage(parsed.get("usage")), model=_model(parsed))
    return _choice(choices, parsed)


def _choice(choices: Any, parsed: dict[str, Any]) -> Delta:
    choice = choices[0] if isinstance(choices, list) else None
    if not isinstance(choice, dict):
        raise GarbageError
    said = choice.get("delta") or choice.get("message") or {}
    if not isinstance(said, dict):
        raise GarbageError
    finish = choice.get("finish_reason")
    if finish == "error":
        return Delta(error=choice.get("error") or "error")
    usage = parsed.get("usage")
    if said.get("refusal"):
        return Delta(finish=FinishReason.FILTERED, usage=_usage(usage) if usage else None, model=_model(parsed))
    return Delta(_text(said.get("content")), _finish(finish), _usage(usage) if usage else None, _model(parsed))


def _text(content: Any) -> str:
    """NUL is dropped here: no database of ours can hold it and no reader can see it."""
    if content is None:
        return ""
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text")
        content = "".join(part for part in parts if isinstance(part, str))
    if not isinstance(content, str):
        raise GarbageError
    return content.replace("\x00", "") if "\x00" in content else content


def _finish(reason: Any) -> FinishReason | None:
    if not reason:
        return None
    return _FINISHES.get(str(reason).lower(), FinishReason.STOP)


def _usage(usage: Any) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    return Usage(prompt_tokens=_count(usage.get("prompt_tokens")), completion_tokens=_count(usage.get("completion_tokens")))


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _model(parsed: dict[str, Any]) -> str | None:
    model = parsed.get("model")
    return model if isinstance(model, str) and model else None
