"""The API as an ASGI application."""

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp

from services.api import docs
from services.api.errors import answer_errors
from services.api.routes import characters, health
from shared.adapters.asgi import around
from shared.bootstrap import Application

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Api(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        return around(super().build_middleware_stack(), service="api", headers=HEADERS)


def create_app(application: Application) -> FastAPI:
    app = _Api(
        title="Vitte",
        summary="AI characters on Telegram: REST for integrations",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.application = application
    answer_errors(app)
    for router in (health.router, characters.router):
        app.include_router(router)
    app.include_router(docs.router)
    docs.mount_static(app)
    app.add_api_route("/metrics", metrics, include_in_schema=False)
    return app


async def metrics() -> Response:
    """Prometheus text; nginx does not pass it on."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
