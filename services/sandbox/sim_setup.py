"""The controls that make people, bots, groups and topics."""

from typing import Any

from aiohttp import web

from services.sandbox.errors import SimError
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


def add_routes(app: web.Application) -> None:
    app.router.add_post("/sim/users", add_user)
    app.router.add_post("/sim/bots", add_bot)
