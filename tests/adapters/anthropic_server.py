"""Anthropic's words for `ProviderServer`: the events of its Messages API, as documented."""

from typing import Any

from tests.adapters.provider_server import Script, answers, event

PING = b"event: ping\n" + event({"type": "ping"})


def start(*, prompt: int = 7) -> bytes:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "test-model-2026", "content": [], "stop_reason": None}
    usage = {"input_tokens": prompt, "output_tokens": 1}
    began = _named({"type": "message_start", "message": {**message, "usage": usage}})
    return began + _named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}) + PING


def delta(text: str) -> bytes:
    return _named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})


def thought(text: str) -> bytes:
    return _named({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": text}})


def end(*, reason: str = "end_turn", completion: int = 3) -> bytes:
    usage = {"output_tokens": completion}
    return (
        _named({"type": "content_block_stop", "index": 0})
        + _named({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage})
        + _named({"type": "message_stop"})
    )


def whole(*pieces: str, reason: str = "end_turn") -> bytes:
    return start() + b"".join(map(delta, pieces)) + end(reason=reason)


def error(kind: str) -> bytes:
    return _named({"type": "error", "error": {"type": kind, "message": "a sentence"}})


def refuses(status: int, kind: str, headers: dict[str, str] | None = None) -> Script:
    return answers(status, {"type": "error", "error": {"type": kind, "message": "a sentence"}, "request_id": "req_1"}, headers)


def _named(body: dict[str, Any]) -> bytes:
    return f"event: {body['type']}\n".encode() + event(body)
