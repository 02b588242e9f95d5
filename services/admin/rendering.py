"""Templates to answers."""

import hashlib
from functools import cache
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from services.admin.auth import Visitor
from services.admin.wording import FILTERS

HERE = Path(__file__).parent
STATIC = HERE / "static"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(FILTERS)
    environment.globals["static"] = _address
    return environment


@cache
def _address(name: str) -> str:
    """The address changes with the content, so that browsers may keep a file for good."""
    return f"/admin/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def page(request: Request, template: str, *, status: int = 200, visitor: Visitor | None = None, **values: object) -> Response:
    text = _environment().get_template(template).render(visitor=visitor, path=request.url.path, **values)
    return HTMLResponse(text, status)


class StaticForGood(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
