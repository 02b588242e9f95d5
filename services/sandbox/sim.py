"""`/sim`: the controls with which people and tests act, look and break things. The table is in docs/sandbox.md."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from services.sandbox.body import read_params
from services.sandbox.errors import ApiError, SimError
from services.sandbox.events import to_json
from services.sandbox.params import Params

JSON = "application/json"


def answer(value: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=to_json(value), status=status, content_type=JSON)


async def read_control(request: web.Request) -> Params:
    try:
        return await read_params(request)
    except ApiError as error:
        raise SimError(error.description) from error


def need_int(params: Params, name: str) -> int:
    number = find_int(params, name)
    if number is None:
        raise SimError(f"{name} is missing")
    return number


def find_int(params: Params, name: str) -> int | None:
    value = params.values.get(name)
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise SimError(f"{name} is a whole number") from None


def need_text(params: Params, name: str) -> str:
    text = params.text(name).strip()
    if not text:
        raise SimError(f"{name} is missing")
    return text


Route = Callable[[web.Request], Awaitable[web.StreamResponse]]


def control(route: Route) -> Route:
    """Turns wrong use into one sentence of JSON."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await route(request)
        except SimError as error:
            return answer({"error": str(error)}, status=error.status)
        except ApiError as error:
            return answer({"error": error.description}, status=400)

    return guarded
