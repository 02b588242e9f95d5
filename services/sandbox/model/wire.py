"""OpenAI's wire format: what a request must look like, and the bytes of answers, pieces and errors."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from services.sandbox.model.character.scene import Said

MODELS = ("scripted-strong", "scripted-simple", "scripted-embedding")
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_TOKEN = re.compile(r"\s*\S{1,5}|\s+")


class WireError(Exception):
    """A request that OpenAI would refuse; carries what its error object says."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code


@dataclass(frozen=True, slots=True)
class Asked:
    model: str
    messages: list[Any]
    said: list[Said]
    stream: bool
    include_usage: bool
    max_tokens: int | None
    stops: tuple[str, ...]
    json: bool


def error_response(error: WireError, *, headers: Mapping[str, str] | None = None) -> web.Response:
    kinds = {401: "invalid_request_error", 429: "rate_limit_error", 500: "server_error", 503: "server_error"}
    kind = kinds.get(error.status, "invalid_request_error")
    body = {"error": {"message": str(error), "type": kind, "param": error.param, "code": error.code}}
    return json_response(body, status=error.status, headers=headers)


def json_response(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def check_key(request: web.Request) -> None:
    """Any key will do, but there must be one, as with every provider."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        message = "You didn't provide an API key. Send it in an Authorization header using Bearer auth."
        raise WireError(message, status=401, code="invalid_api_key")


async def read_object(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise WireError(f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(body, dict):
        raise WireError("The JSON body of a request must be an object.")
    return body


def read_asked(body: Mapping[str, Any]) -> Asked:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise WireError("'messages' must be a non-empty array.", param="messages", code="missing_required_parameter")
    options, wanted_format = body.get("stream_options") or {}, body.get("response_format") or {}
    if not isinstance(options, dict) or not isinstance(wanted_format, dict):
        raise WireError("'stream_options' and 'response_format' must be objects.", param="stream_options")
    _check_numbers(body)
    return Asked(
        model=read_model(body),
        messages=messages,
        said=[_said(message, f"messages[{index}]") for index, message in enumerate(messages)],
        stream=_flag(body, "stream"),
        include_usage=bool(options.get("include_usage")),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stops=_stops(body.get("stop")),
        json=wanted_format.get("type") in {"json_object", "json_schema"},
    )


def read_model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise WireError("you must provide a model parameter", param="model", code="missing_required_parameter")
    return model


def tokens(text: str) -> list[str]:
    """Cut into pieces about as long as a model's; joined again they are the text."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    return math.ceil(len(text) / 4)


def usage(asked: Asked, spoken: int) -> dict[str, int]:
    prompt = 3 + sum(4 + count_tokens(said.text) for said in asked.said)
    return {"prompt_tokens": prompt, "completion_tokens": spoken, "total_tokens": prompt + spoken}


def _said(message: Any, where: str) -> Said:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise WireError(f"Invalid value: '{where}.role' must be one of {', '.join(sorted(_ROLES))}.", param=f"{where}.role")
    content = message.get("content")
    if isinstance(content, str):
        return Said(message["role"], content)
    if content is None and message["role"] == "assistant":
        return Said("assistant", "")
    if isinstance(content, list) and content:
        return Said(message["role"], " ".join(_part(part, where) for part in content))
    raise WireError(f"Invalid type for '{where}.content': expected a string or an array of parts.", param=f"{where}.content")


def _part(part: Any, where: str) -> str:
    """The words of a part; a picture or a sound has none."""
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise WireError(f"Invalid part in '{where}.content'.", param=f"{where}.content")
    text = part.get("text", "")
    return text if isinstance(text, str) else ""


def _check_numbers(body: Mapping[str, Any]) -> None:
    limits = {"temperature": (0, 2), "top_p": (0, 1), "max_tokens": (1, 10**6), "max_completion_tokens": (1, 10**6), "n": (1, 1)}
    for name, (low, high) in limits.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise WireError(f"Invalid '{name}': expected a number from {low} to {high}.", param=name)
        if name.startswith("max_") and not isinstance(value, int):
            raise WireError(f"Invalid type for '{name}': expected an integer.", param=name)


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise WireError(f"Invalid type for '{name}': expected a boolean.", param=name)
    return bool(value)


def _stops(value: Any) -> tuple[str, ...]:
    stops: Sequence[Any] = [value] if isinstance(value, str) else value or ()
    if not isinstance(stops, list | tuple) or not all(isinstance(stop, str) and stop for stop in stops):
        raise WireError("Invalid type for 'stop': expected a string or an array of strings.", param="stop")
    return tuple(stops)
