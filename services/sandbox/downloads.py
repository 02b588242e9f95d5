"""Files over HTTP: `/file/bot…` for bots, `/sim/files/…` for the page."""

from aiohttp import web

from services.sandbox.errors import ApiError
from services.sandbox.world import WORLD

_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/")


async def for_bots(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    try:
        world.bot_of(request.match_info["token"])
    except ApiError as error:
        return web.json_response({"ok": False, "error_code": error.code, "description": error.description}, status=error.code)
    stored = world.files.at(request.match_info["path"])
    if stored is None:
        return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
    return web.Response(body=stored.data, content_type="application/octet-stream")


async def for_people(request: web.Request) -> web.Response:
    """Shown in the page when it is a picture, sound or film; everything else only as a download."""
    stored = request.app[WORLD].files.find(request.match_info["file_id"])
    if stored is None:
        return web.json_response({"error": "this file is forgotten"}, status=404)
    shown = stored.mime.startswith(_SHOWN)
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox", "Cache-Control": "private, max-age=3600"}
    headers["Content-Disposition"] = "inline" if shown else "attachment"
    return web.Response(body=stored.data, headers=headers, content_type=stored.mime if shown else "application/octet-stream")


def add_routes(app: web.Application) -> None:
    app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", for_bots)
    app.router.add_get("/sim/files/{file_id}", for_people)
