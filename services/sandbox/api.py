"""The Bot API over HTTP: finds the bot and the method, answers in Telegram's envelope, keeps the raw log, breaks on demand."""

import asyncio
import time
from typing import Any

import orjson
from aiohttp import web

from services.sandbox.body import read_params
from services.sandbox.errors import ApiError, too_many_requests
from services.sandbox.faults import Fault
from services.sandbox.methods import callbacks, chats, copying, editing, media, profile, sending, updating, webhook
from services.sandbox.methods.registry import Context, Described, Encoded, invoke
from services.sandbox.params import Params
from services.sandbox.world import WORLD, Bot, World

SUBJECTS = (callbacks, chats, copying, editing, media, profile, sending, updating, webhook)

_SLOW = frozenset({"slow"})
_BEFORE = frozenset({"flood", "error", "hang", "drop"})
_AFTER = frozenset({"accept_then_timeout"})

Answer = tuple[int, bytes]


class _HungUpError(Exception):
    """The connection is to be closed without a word, after `seconds`."""

    def __init__(self, seconds: float, answer: Answer = (0, b"")) -> None:
        super().__init__()
        self.seconds, self.answer = seconds, answer


async def handle(request: web.Request) -> web.Response:
    world, started = request.app[WORLD], time.perf_counter()
    name = request.match_info["method"]
    bot: Bot | None = None
    params = Params({})
    hang: float | None = None
    try:
        bot = world.bot_of(request.match_info["token"])
        params = await read_params(request)
        status, body = await _answer(world, bot, name, params)
    except ApiError as error:
        status, body = refusal(error)
    except _HungUpError as hung_up:
        hang, (status, body) = hung_up.seconds, hung_up.answer
    row = world.calls.add(
        bot.id if bot else 0, name, params.shown(), status=status, response=body, ms=(time.perf_counter() - started) * 1000
    )
    world.events.emit("call", call=row)
    if hang is not None:
        return await _hang_up(request, hang)
    return web.Response(body=body, status=status, content_type="application/json")


async def _answer(world: World, bot: Bot, name: str, params: Params) -> Answer:
    faults, key = world.faults, name.lower()
    if not faults.active:
        return await perform(world, bot, key, params)
    if slow := faults.take(_SLOW, bot.id, key):
        await asyncio.sleep(slow.numbers["ms"] / 1000)
    if before := faults.take(_BEFORE, bot.id, key):
        raise _broken(before)
    after = faults.take(_AFTER, bot.id, key)
    answer = await perform(world, bot, key, params)
    if after:
        raise _HungUpError(after.numbers["seconds"], answer)
    return answer


def _broken(fault: Fault) -> Exception:
    if fault.kind == "flood":
        return too_many_requests(int(fault.numbers["retry_after"]))
    if fault.kind == "error":
        return ApiError(int(fault.numbers["code"]), fault.description)
    return _HungUpError(fault.numbers["seconds"] if fault.kind == "hang" else 0.0)


async def perform(world: World, bot: Bot, key: str, params: Params) -> Answer:
    """Runs one method; refusals come back as Telegram's envelope."""
    try:
        result = await invoke(Context(world, bot, params), key)
    except ApiError as error:
        return refusal(error)
    return 200, _envelope(result)


def _envelope(result: Any) -> bytes:
    if isinstance(result, Encoded):
        return b'{"ok":true,"result":' + result.raw + b"}"
    if isinstance(result, Described):
        return orjson.dumps({"ok": True, "result": result.result, "description": result.description})
    return orjson.dumps({"ok": True, "result": result})


def refusal(error: ApiError) -> Answer:
    body: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return error.code, orjson.dumps(body)


async def _hang_up(request: web.Request, seconds: float) -> web.Response:
    await asyncio.sleep(seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def not_found(_: web.Request) -> web.Response:
    status, body = refusal(ApiError(404, "Not Found"))
    return web.Response(body=body, status=status, content_type="application/json")


def add_routes(app: web.Application) -> None:
    app.router.add_route("*", "/bot{token:[^/]+}/{method:[^/]+}", handle)
    app.router.add_route("*", "/bot{rest:.*}", not_found)
