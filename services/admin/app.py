"""The dashboard as an ASGI application."""

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from services.admin.auth import Desk, leave_changes_to_owners
from services.admin.errors import answer_errors
from services.admin.pages import dead_letters, login, operations, overview, plans, switches
from services.admin.rendering import STATIC, StaticForGood
from services.admin.security import HEADERS
from shared.adapters.asgi import around

MAX_BODY_BYTES = 64_000


class _Admin(FastAPI):
    def build_middleware_stack(self) -> ASGIApp:
        return around(super().build_middleware_stack(), service="admin", headers=HEADERS, max_body=MAX_BODY_BYTES)


def create_app(desk: Desk) -> FastAPI:
    """Pages are behind the door unless they are named here as open."""
    app = _Admin(title="Vitte admin", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.desk = desk
    answer_errors(app)
    for open_to_all in (overview.entrance, operations.router, login.public, login.leaving):
        app.include_router(open_to_all)
    for behind_the_door in (overview.router, dead_letters.router, plans.router, switches.router):
        app.include_router(behind_the_door, dependencies=[Depends(leave_changes_to_owners)])
    app.mount("/admin/static", StaticForGood(directory=STATIC), name="static")
    return app
