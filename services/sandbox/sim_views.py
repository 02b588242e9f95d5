"""The controls that look: state, transcripts, events, the raw log, the fate of updates."""

import itertools
from typing import Any

from aiohttp import ClientConnectionResetError, web

from services.sandbox import drafts
from services.sandbox.errors import SimError
from services.sandbox.events import as_sse
from services.sandbox.params import Params
from services.sandbox.sim import answer, control, find_int
from services.sandbox.world import WORLD


def _query(request: web.Request) -> Params:
    return Params(dict(request.query))


@control
async def state(request: web.Request) -> web.Response:
    """`event` is the number to give to `/sim/events?after=` so that nothing is missed."""
    world = request.app[WORLD]
    private = [chat for bot in world.bots.values() for chat in bot.private.values()]
    return answer(
        {
            "bots": list(world.bots.values()),
            "users": list(world.users.values()),
            "chats": [*world.groups.values(), *private],
            "event": world.events.last,
        }
    )


def _chat_id(request: web.Request) -> int:
    try:
        return int(request.match_info["chat_id"])
    except ValueError:
        raise SimError("chat_id is a whole number") from None


@control
async def transcript(request: web.Request) -> web.Response:
    world, query = request.app[WORLD], _query(request)
    bot_id, chat_id = find_int(query, "bot_id"), _chat_id(request)
    if chat_id > 0 and bot_id is None:
        raise SimError("bot_id is missing: a private chat belongs to one bot")
    chat = world.find_chat(bot_id, chat_id)
    limit = find_int(query, "limit")
    shown = {
        "messages": list(chat.messages.values())[-limit if limit else None :],
        "drafts": drafts.living(chat, None),
        "typing": drafts.is_typing(chat, None),
        "event": world.events.last,
    }
    return answer(shown)


@control
async def calls(request: web.Request) -> web.Response:
    world, query = request.app[WORLD], _query(request)
    found = world.calls.after(
        find_int(query, "after") or 0, bot_id=find_int(query, "bot_id"), method=query.text("method") or None, limit=find_int(query, "limit")
    )
    return answer(found)


@control
async def updates(request: web.Request) -> web.Response:
    """Oldest first; without a bot those of all bots, one bot after the other."""
    world, query = request.app[WORLD], _query(request)
    bot_id, after = find_int(query, "bot_id"), find_int(query, "after")
    bots = [world.get_bot(bot_id)] if bot_id is not None else list(world.bots.values())
    records = itertools.chain.from_iterable(bot.queue.records for bot in bots)
    return answer([record for record in records if after is None or record.id > after])


@control
async def events(request: web.Request) -> web.StreamResponse:
    world = request.app[WORLD]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
    await response.prepare(request)
    try:
        await response.write(b"retry: 1000\n\n")
        async for batch in world.events.listen(_position(request)):
            await response.write(b"".join(map(as_sse, batch)) or b": still here\n\n")
    except (ClientConnectionResetError, ConnectionResetError):
        return response
    return response


def _position(request: web.Request) -> int | None:
    """Where a reader stands: a reconnecting browser says so by header."""
    last = request.headers.get("Last-Event-ID", "")
    given: dict[str, Any] = {"after": last if last.isdecimal() else request.query.get("after")}
    return find_int(Params(given), "after")


def add_routes(app: web.Application) -> None:
    app.router.add_get("/sim/state", state)
    app.router.add_get("/sim/chats/{chat_id}/transcript", transcript)
    app.router.add_get("/sim/calls", calls)
    app.router.add_get("/sim/updates", updates)
    app.router.add_get("/sim/events", events)
