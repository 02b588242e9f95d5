"""The worker's own small HTTP: health and figures, on the loop that the tasks run on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from prometheus_client import generate_latest

from shared.application.health import HealthReport, HealthService

log = structlog.get_logger("worker")


@asynccontextmanager
async def served_health(health: HealthService, *, host: str, port: int) -> AsyncIterator[None]:
    """`/health` and `/metrics` while the block runs."""

    async def show_health(_: web.Request) -> web.Response:
        report = await health.check()
        return web.json_response(_as_json(report), status=200 if report.is_ok else 503)

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    app = web.Application()
    app.add_routes([web.get("/health", show_health), web.get("/metrics", show_metrics)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        log.info("health_served", host=host, port=port)
        yield
    finally:
        await runner.cleanup()


def _as_json(report: HealthReport) -> dict[str, object]:
    dependencies = {
        one.name: {"status": "ok" if one.is_ok else "failed", "latency_ms": one.latency_ms, **({} if one.is_ok else {"code": one.code})}
        for one in report.dependencies
    }
    return {"status": "ok" if report.is_ok else "unavailable", "dependencies": dependencies}
