"""The controls that do something: people writing and pressing, faults, a new start."""

import base64
import binascii
from typing import Any

import orjson
from aiohttp import web

from services.sandbox import media, people
from services.sandbox.chats import Card
from services.sandbox.errors import SimError
from services.sandbox.params import Params
from services.sandbox.sim import answer, control, find_int, need_int, need_text, read_control
from services.sandbox.world import WORLD, World


async def _place(request: web.Request, *, begin: bool = False) -> tuple[World, Params, people.Place]:
    world, params = request.app[WORLD], await read_control(request)
    place = people.find_place(world, find_int(params, "bot_id"), need_int(params, "chat_id"), need_int(params, "user_id"), begin=begin)
    return world, params, place


@control
async def send(request: web.Request) -> web.Response:
    world, params, place = await _place(request, begin=True)
    content = _content(world, params)
    reply_to, thread = find_int(params, "reply_to"), find_int(params, "message_thread_id")
    message, update_id = people.say(world, place, content, reply_to=reply_to, thread=thread)
    return answer({"message_id": message.id, "update_id": update_id})


def _content(world: World, params: Params) -> Card:
    """A text, or a file with its caption."""
    for kind in media.FOLDERS:
        if upload := params.files.get(kind):
            caption = params.text("caption").strip()
            return {
                **media.received(world.files, kind, upload, duration=find_int(params, "duration")),
                **(people.text_content(caption, "caption") if caption else {}),
            }
    return people.text_content(need_text(params, "text"))


@control
async def edit(request: web.Request) -> web.Response:
    world, params, place = await _place(request)
    return answer({"update_id": people.edit(world, place, need_int(params, "message_id"), need_text(params, "text"))})


@control
async def press(request: web.Request) -> web.Response:
    world, params, place = await _place(request)
    return answer({"callback_query_id": people.press(world, place, need_int(params, "message_id"), params.text("data"))})


@control
async def stop(request: web.Request) -> web.Response:
    world, params = request.app[WORLD], await read_control(request)
    bot = world.get_bot(need_int(params, "bot_id"))
    chat = world.find_chat(bot.id, need_int(params, "chat_id"))
    return answer({"update_id": people.press_stop(world, bot, chat, need_int(params, "draft_id"))})


@control
async def react(request: web.Request) -> web.Response:
    world, params, place = await _place(request)
    people.react(world, place, need_int(params, "message_id"), params.text("emoji") or None)
    return answer({})


@control
async def block(request: web.Request) -> web.Response:
    world, params = request.app[WORLD], await read_control(request)
    bot, user = world.get_bot(need_int(params, "bot_id")), world.get_user(need_int(params, "user_id"))
    return answer({"update_id": people.block(world, bot, user, blocked=params.flag("blocked"))})


@control
async def inject(request: web.Request) -> web.Response:
    """An update as it is. JSON without an `update_id` gets the next one; raw bytes are not touched."""
    world, params = request.app[WORLD], await read_control(request)
    queue = world.get_bot(need_int(params, "bot_id")).queue
    raw, update = _injected(params, queue.next_id)
    update_id = update.get("update_id") if isinstance(update, dict) else None
    number = update_id if isinstance(update_id, int) and not isinstance(update_id, bool) else queue.next_id
    kind, chat_id = _nature(update)
    lane = f"chat:{chat_id}" if chat_id is not None else f"update:{number}"
    return answer({"update_id": queue.put(number, kind, raw, chat_id=chat_id, lane=lane)})


def _injected(params: Params, next_id: int) -> tuple[bytes, Any]:
    if "update" in params.values:
        update = params.values["update"]
        if isinstance(update, dict) and "update_id" not in update:
            update = {"update_id": next_id, **update}
        return orjson.dumps(update), update
    try:
        raw = base64.b64decode(need_text(params, "raw_base64"), validate=True)
    except binascii.Error as error:
        raise SimError("raw_base64 is no base64") from error
    try:
        return raw, orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw, None


def _nature(update: Any) -> tuple[str, int | None]:
    """Kind and chat of a foreign update, as far as it has any."""
    if not isinstance(update, dict):
        return "unknown", None
    kind = next((key for key in update if key != "update_id"), "unknown")
    payload = update.get(kind)
    chat = payload.get("chat") if isinstance(payload, dict) else None
    chat_id = chat.get("id") if isinstance(chat, dict) else None
    return kind, chat_id if isinstance(chat_id, int) else None


@control
async def break_things(request: web.Request) -> web.Response:
    world, params = request.app[WORLD], await read_control(request)
    world.faults.add(params.values.get("faults"), find_int(params, "bot_id"))
    return answer({"faults": world.faults.active})


@control
async def mend_things(request: web.Request) -> web.Response:
    request.app[WORLD].faults.clear()
    return answer({"faults": []})


@control
async def reset(request: web.Request) -> web.Response:
    await request.app[WORLD].reset()
    return answer({})


def add_routes(app: web.Application) -> None:
    for name, route in {
        "send": send,
        "edit": edit,
        "press": press,
        "stop": stop,
        "react": react,
        "block": block,
        "inject": inject,
        "reset": reset,
    }.items():
        app.router.add_post(f"/sim/{name}", route)
    app.router.add_post("/sim/faults", break_things)
    app.router.add_delete("/sim/faults", mend_things)
