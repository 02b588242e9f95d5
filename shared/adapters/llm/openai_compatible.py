"""Any server that speaks OpenAI's chat completions: OpenAI, Gemini's OpenAI endpoint, OpenRouter, Ollama, vLLM, the sandbox."""

from collections.abc import Callable, Sequence
from typing import Any

from shared.adapters.llm.deltas import Delta, read_delta
from shared.adapters.llm.http_model import CallOptions, HttpModel, request_body
from shared.application.ports import PromptMessage

__all__ = ["CallOptions", "OpenAICompatibleModel"]


class OpenAICompatibleModel(HttpModel):
    reply_path = ("chat", "completions")

    def _body(self, prompt: Sequence[PromptMessage], temperature: float | None, max_tokens: int | None) -> bytes:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": message.role.value, "content": message.text} for message in prompt],
            "stream": True,
        }
        if temperature is not None:
            request["temperature"] = temperature
        if max_tokens is not None:
            request[self._options.max_tokens_field] = max_tokens
        if self._options.include_usage:
            request["stream_options"] = {"include_usage": True}
        return request_body(request)

    def _reader(self) -> Callable[[bytes], Delta]:
        return read_delta
