"""The controls that make people, bots, groups and topics."""

from typing import Any

from aiohttp import web

from services.sandbox import groups
from services.sandbox.chats import Chat
from services.sandbox.errors import SimError
from services.sandbox.params import Params
from services.sandbox.sim import answer, control, find_int, need_int, need_text, read_control
from services.sandbox.world import WORLD


@control
async def add_user(request: web.Request) -> web.Response:
    """Naming an `id` that exists answers the user that has it."""
    world, params = request.app[WORLD], await read_control(request)
    user_id = find_int(params, "id")
    if user_id is not None and user_id in world.users:
        return answer(world.users[user_id])
    if user_id is not None and (user_id <= 0 or user_id in world.bots):
        raise SimError("id is a positive number that no bot has")
    username, language = params.text("username").removeprefix("@") or None, params.text("language_code", "en") or None
    return answer(world.add_user(need_text(params, "first_name"), username, language, user_id))


@control
async def add_bot(request: web.Request) -> web.Response:
    """Makes a bot before its first call, or changes one."""
    world, params = request.app[WORLD], await read_control(request)
    bot_id, reads_all = need_int(params, "id"), params.flag("can_read_all_group_messages")
    bot = world.bots.get(bot_id) or world.add_bot(bot_id)
    bot.username = params.text("username").removeprefix("@") or bot.username
    bot.reads_all = reads_all
    bot.rename(params.text("name") or bot.name)
    world.events.emit("bot", bot=bot)
    return answer(bot)


def _ids(value: Any, what: str) -> list[int]:
    if value is None:
        return []
    if not isinstance(value, list) or any(not isinstance(item, int) for item in value):
        raise SimError(f"{what} is a list of ids")
    return value


@control
async def add_group(request: web.Request) -> web.Response:
    world, params = request.app[WORLD], await read_control(request)
    members, bots = _ids(params.values.get("members"), "members"), _ids(params.values.get("bots"), "bots")
    title, kind = need_text(params, "title"), params.text("type", "group")
    return answer(groups.add_group(world, kind, title, members, bots, is_forum=params.flag("is_forum")))


def _group(request: web.Request) -> Chat:
    chat_id = find_int(Params(dict(request.match_info)), "chat_id")
    chat = request.app[WORLD].find_chat(None, chat_id or 0)
    if chat.private:
        raise SimError("this is no group")
    return chat


@control
async def add_topic(request: web.Request) -> web.Response:
    world, params, chat = request.app[WORLD], await read_control(request), _group(request)
    by = world.get_user(find_int(params, "user_id") or next(iter(chat.members)))
    topic = groups.add_topic(world, chat, by.card, need_text(params, "name"))
    return answer({"message_thread_id": topic.id, "name": topic.name})


@control
async def set_member(request: web.Request) -> web.Response:
    """`bot_id` or `user_id` with the status they have from now on."""
    world, params, chat = request.app[WORLD], await read_control(request), _group(request)
    status, bot_id = need_text(params, "status"), find_int(params, "bot_id")
    if bot_id is None:
        groups.set_user_status(world, chat, world.get_user(need_int(params, "user_id")), status)
    else:
        groups.set_bot_status(world, chat, bot_id, status, world.get_user(next(iter(chat.members))))
    return answer(chat)


def add_routes(app: web.Application) -> None:
    app.router.add_post("/sim/chats", add_group)
    app.router.add_post("/sim/chats/{chat_id}/topics", add_topic)
    app.router.add_post("/sim/chats/{chat_id}/members", set_member)
    app.router.add_post("/sim/users", add_user)
    app.router.add_post("/sim/bots", add_bot)
