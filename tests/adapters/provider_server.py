"""A model provider on loopback that behaves and misbehaves as told: one script per request, then the last one again."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Script = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ProviderServer:
    base_url: str = ""
    scripts: list[Script] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    peers: list[Any] = field(default_factory=list)
    open_streams: int = 0
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)

    def script(self, *scripts: Script) -> None:
        self.scripts[:] = scripts

    async def completions(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        self.requests.append(await request.json())
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        self.open_streams += 1
        try:
            return await script(request)
        except (asyncio.CancelledError, ConnectionResetError):
            self.disconnected.set()
            raise
        finally:
            self.open_streams -= 1

    async def models(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        return await self.scripts[0](request) if self.scripts else web.json_response({"object": "list", "data": []})

    def _note(self, request: web.Request) -> None:
        self.headers.append(dict(request.headers))
        self.queries.append(request.query_string)
        assert request.transport is not None
        self.peers.append(request.transport.get_extra_info("peername"))

    def reset(self) -> None:
        for seen in (self.scripts, self.requests, self.headers, self.queries, self.peers):
            seen.clear()
        self.disconnected.clear()


def chunk(text: str | None = None, *, finish: str | None = None, **fields: Any) -> bytes:
    delta = {} if text is None else {"content": text}
    body = {"id": "c1", "object": "chat.completion.chunk", "model": "test-model-2026", "choices": [{"index": 0, "delta": delta}], **fields}
    if finish:
        body["choices"][0]["finish_reason"] = finish
    return event(body)


def usage(prompt: int = 7, completion: int = 3) -> bytes:
    return event({"model": "test-model-2026", "choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion}})


def event(body: Any) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def whole(*pieces: str) -> bytes:
    """A reply as OpenAI streams it."""
    role = event({"model": "test-model-2026", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
    return role + b"".join(map(chunk, pieces)) + chunk(finish="stop") + usage() + DONE


def streams(*parts: bytes | float, content_type: str = "text/event-stream") -> Script:
    """Sends the parts; a number is a pause in seconds, a negative one cuts the connection."""

    async def script(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": content_type})
        await response.prepare(request)
        for part in parts:
            if isinstance(part, bytes):
                await response.write(part)
            elif part < 0:
                assert request.transport is not None
                request.transport.abort()
                raise ConnectionResetError
            else:
                await asyncio.sleep(part)
        await response.write_eof()
        return response

    return script


def answers(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Script:
    async def script(request: web.Request) -> web.StreamResponse:
        return web.json_response(body or {"error": {"message": "a sentence", "code": None}}, status=status, headers=headers)

    return script


def keeps_alive(seconds: float = 30.0) -> Script:
    """Comments every 20 ms and never a word."""
    return streams(*(part for _ in range(int(seconds / 0.02)) for part in (b": keep-alive\n\n", 0.02)))


async def hangs(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    raise AssertionError("nobody hung up")


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionResetError


def in_sizes(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    parts, start = [], 0
    for size in sizes:
        if start >= len(data):
            break
        parts.append(data[start : start + size])
        start += size
    return [*parts, data[start:]] if start < len(data) else parts
