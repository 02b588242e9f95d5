"""The whole sandbox as one aiohttp application."""

from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from services.sandbox import api, crowd, downloads, model, page, sim_actions, sim_setup, sim_views
from services.sandbox.body import LARGEST_BODY
from services.sandbox.sim import answer
from services.sandbox.world import WORLD, World

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def hostname(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


OPEN = ("/bot", "/file/bot", "/llm/", "/health")


def only_hosts(allowed: frozenset[str]) -> Middleware:
    """A foreign page must not reach the controls, neither through a name of its own that points here nor by a form that it posts.

    What servers call (the Bot API, the model, health) asks for a token, a key or nothing worth having, and is open.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(OPEN):
            origin = request.headers.get("Origin", "")
            if hostname(request.host) not in allowed or (origin and hostname(origin.rpartition("://")[2]) not in allowed):
                return answer({"error": "this host name is not allowed: add it to SANDBOX_ALLOWED_HOSTS"}, status=403)
        return await handler(request)

    return guard


async def health(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    return answer({"status": "ok", "bots": len(world.bots), "users": len(world.users), "calls": world.calls.last})


async def _end(app: web.Application) -> None:
    await app[WORLD].close()


def create_app(allowed_hosts: frozenset[str] = frozenset(), *, mistakes: float | None = None) -> web.Application:
    """`mistakes`: how often the model misreads unless `/sim/model` says otherwise, 0 to 1; None: as small models do."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[only_hosts(LOOPBACK | allowed_hosts)])
    app[WORLD] = World()
    app.on_shutdown.append(_end)
    app.router.add_get("/health", health)
    for part in (api, downloads, sim_setup, sim_actions, sim_views, crowd, model, page):
        part.add_routes(app)
    model.set_usual_mistakes(app, mistakes)
    app[WORLD].reset_hooks.append(partial(model.reset, app))
    return app
