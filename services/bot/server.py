"""The bot's HTTP: webhook, health and metrics."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.bot.ingest import Intake
from shared.application.health import HealthService
from shared.domain.errors import UnavailableError
from shared.telemetry import REQUEST_SECONDS

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
MAX_BODY = 20 * 1024 * 1024
"""Telegram repeats what is refused for a day and holds that chat's queue meanwhile, so even a monster is taken and kept shortened."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger("server")


class Server:
    """`secret` is none in polling mode; then the webhook's path does not exist."""

    def __init__(self, intake: Intake, health: HealthService, *, bot_id: int, secret: str | None) -> None:
        self._intake = intake
        self._health = health
        self._bot_id = bot_id
        self._secret = secret.encode() if secret else None
        self.is_draining = False

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_measured])
        app.router.add_get("/health", self._show_health)
        app.router.add_get("/metrics", _show_metrics)
        if self._secret:
            app.router.add_post(f"/telegram/webhook/{self._bot_id}", self._receive)
        return app

    async def _receive(self, request: web.Request) -> web.Response:
        """200 once the update is stored; 401 for a wrong secret, 503 with Retry-After when it cannot be stored."""
        given = [value.encode("utf-8", "surrogateescape") for value in request.headers.getall(SECRET_HEADER, [])]
        if len(given) != 1 or self._secret is None or not hmac.compare_digest(given[0], self._secret):
            return _problem(401, "webhook_secret_wrong", "The secret token header is missing or wrong")
        if self.is_draining:
            return _problem(503, "stopping", "This process is stopping", retry_after=1)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            log.error("webhook_body_refused")
            return _problem(413, "body_too_large", "The body is larger than any update can be")
        try:
            await self._intake.store(body)
        except UnavailableError:
            return _problem(503, "database_unavailable", "The update could not be stored", retry_after=2)
        return web.Response()

    async def _show_health(self, _request: web.Request) -> web.Response:
        """503 while PostgreSQL is away or the process stops; Redis is shown, but the bot answers without it."""
        report = await self._health.check("database", "redis")
        dependencies = {found.name: {"ok": found.is_ok, "code": found.code, "ms": found.latency_ms} for found in report.dependencies}
        can_work = not self.is_draining and dependencies["database"]["ok"]
        status = "ok" if can_work and report.is_ok else "degraded" if can_work else "stopping" if self.is_draining else "unavailable"
        return web.json_response({"status": status, "dependencies": dependencies}, status=200 if can_work else 503)


async def _show_metrics(_request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _problem(status: int, code: str, detail: str, *, retry_after: int | None = None) -> web.Response:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    return web.json_response(
        {"type": "about:blank", "status": status, "code": code, "detail": detail},
        status=status,
        headers=headers,
        content_type="application/problem+json",
    )


@web.middleware
async def _measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    began, status = time.monotonic(), 500
    resource = request.match_info.route.resource
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as refused:
        status = refused.status
        return _problem(status, "not_found" if status == 404 else "refused", refused.reason)
    finally:
        route = resource.canonical if resource else "none"
        REQUEST_SECONDS.labels("bot", route, request.method, str(status)).observe(time.monotonic() - began)


@asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[None]:
    """Serves while the block runs. Raises `OSError` when the port is taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, handle_signals=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield
    finally:
        await asyncio.shield(runner.cleanup())
