"""The chat page: static files beside this module, sent with a policy that lets nothing foreign in."""

from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_routes(app: web.Application) -> None:
    """`/` and `/static/…`. A file is looked up by name in a list made at start, never by a path that was asked for."""
    files = {file.name: file for file in _FOLDER.iterdir() if file.suffix in _TYPES}

    async def index(_: web.Request) -> web.Response:
        return _sent(files["index.html"])

    async def static(request: web.Request) -> web.Response:
        file = files.get(request.match_info["name"])
        if file is None:
            raise web.HTTPNotFound(text="there is no such file")
        return _sent(file)

    async def icon(_: web.Request) -> web.Response:
        return _sent(files["icon.svg"])

    app.router.add_get("/", index)
    app.router.add_get("/static/{name}", static)
    app.router.add_get("/favicon.ico", icon)


def _sent(file: Path) -> web.Response:
    return web.Response(body=file.read_bytes(), content_type=_TYPES[file.suffix], charset="utf-8", headers=_HEADERS)
