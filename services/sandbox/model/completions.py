"""`POST /llm/v1/chat/completions`: speaks at the speed that is set, and fails in the way that is set."""

import asyncio
import time

import orjson
from aiohttp import ClientConnectionResetError, web

from services.sandbox.model.controls import Call, Fault, ModelControls
from services.sandbox.model.reply import Reply, compose
from services.sandbox.model.wire import Asked, WireError, check_key, error_response, json_response, read_asked, read_object

CONTROLS: web.AppKey[ModelControls] = web.AppKey("model_controls", ModelControls)

_TICK = 0.01  # pieces due within a tick travel in one write
_LOOK = 0.1  # how often a silent connection is looked at: has the caller left?
_LONGEST_SILENCE = 600.0
_KEEP_ALIVE_EVERY = 0.5
_EVENT_STREAM = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


async def complete(request: web.Request) -> web.StreamResponse:
    try:
        check_key(request)
        asked = read_asked(await read_object(request))
    except WireError as error:
        return error_response(error)
    controls = request.app[CONTROLS]
    call, started = controls.log(asked.model, asked.messages), time.monotonic()
    fault = controls.striking()
    try:
        response = await _answer(request, asked, controls, fault, call)
    except ConnectionError:
        call.outcome, response = "abandoned", web.Response()
    except asyncio.CancelledError:
        call.outcome = "abandoned"
        raise
    finally:
        call.total_ms = round((time.monotonic() - started) * 1000, 1)
    if call.outcome == "running":
        call.outcome = fault.kind if fault else "completed"
    return response


async def _answer(request: web.Request, asked: Asked, controls: ModelControls, fault: Fault | None, call: Call) -> web.StreamResponse:
    if fault and fault.kind in {"refuse_connection", "hang", "status", "keep_alive_only", "garbage"}:
        return await _misbehave(request, asked.stream, fault)
    reply = compose(asked, controls.reply, controls.mistakes, controls.takes)
    delay = controls.first_token_ms + (fault.ms if fault and fault.kind == "slow_first_token" else 0)
    cut = fault.after_tokens if fault and fault.kind == "cut" else None
    call.prompt_tokens = reply.usage["prompt_tokens"]
    if asked.stream:
        call.first_token_ms = round(delay, 1)
        ending = reply.ending(include_usage=asked.include_usage) if cut is None else None
        last = len(reply.pieces) if cut is None else min(cut, len(reply.pieces))
        return await _stream(request, reply, _Pace(delay / 1000, controls.tokens_per_second, last), ending, call)
    spoken = len(reply.pieces) / controls.tokens_per_second if controls.tokens_per_second else 0
    await _silence(request, delay / 1000 + spoken)
    call.first_token_ms, call.completion_tokens = round(delay, 1), len(reply.pieces)
    if cut is None:
        return json_response(reply.completion())
    return await _cut_short(request, orjson.dumps(reply.completion()))


class _Pace:
    """`last`: how many pieces are said in all."""

    def __init__(self, delay: float, rate: float, last: int) -> None:
        self.delay, self.rate, self.last = delay, rate, last
        self.began = time.monotonic() + delay

    def due(self) -> int:
        """How many pieces should be out by now."""
        return self.last if not self.rate else min(self.last, 1 + int((time.monotonic() - self.began) * self.rate))

    def until(self, piece: int) -> float:
        return max(_TICK, self.began + piece / self.rate - time.monotonic())


async def _stream(request: web.Request, reply: Reply, pace: _Pace, ending: bytes | None, call: Call) -> web.StreamResponse:
    response = web.StreamResponse(headers=_EVENT_STREAM)
    await response.prepare(request)
    await _silence(request, pace.delay)
    sent, ready = 0, reply.opening()
    while True:
        due = pace.due()
        ready += reply.spoken(sent, due)
        sent = call.completion_tokens = due
        if sent >= pace.last:
            break
        await response.write(ready)
        ready = b""
        await asyncio.sleep(pace.until(sent))
    await response.write(ready + (ending or b""))
    if ending is None:
        await asyncio.sleep(_TICK)  # what was said gets out before the connection breaks
        _abort(request)
    return response


async def _misbehave(request: web.Request, stream: bool, fault: Fault) -> web.StreamResponse:
    if fault.kind == "status":
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        message = {429: "Rate limit reached, please try again later.", 503: "The engine is currently overloaded."}
        return error_response(WireError(message.get(fault.code, "The server had an error."), status=fault.code), headers=headers)
    if fault.kind == "garbage":
        nonsense = b'data: {"choices": [{"delta": {"content": \xff\xfe <html>not json\n\n' if stream else b"<html>\xff\xfe not json</html>"
        return web.Response(body=nonsense, headers=_EVENT_STREAM if stream else {"Content-Type": "application/json"})
    if fault.kind == "keep_alive_only":
        return await _keep_alive(request)
    if fault.kind == "hang":
        await _silence(request, _LONGEST_SILENCE)
    _abort(request)
    return web.Response()


async def _keep_alive(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=_EVENT_STREAM)
    await response.prepare(request)
    for _ in range(int(_LONGEST_SILENCE / _KEEP_ALIVE_EVERY)):
        await response.write(b": keep-alive\n\n")
        await _silence(request, _KEEP_ALIVE_EVERY)
    _abort(request)
    return response


async def _cut_short(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await asyncio.sleep(_TICK)
    _abort(request)
    return response


async def _silence(request: web.Request, seconds: float) -> None:
    """Says nothing for so long, unless the caller leaves first: aiohttp tells a handler only when it writes."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if request.transport is None or request.transport.is_closing():
            raise ClientConnectionResetError("the caller left")
        await asyncio.sleep(min(left, _LOOK))


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
