"""Paths of the model provider, and the controls that people and tests hold in their hands."""

import orjson
from aiohttp import web

from services.sandbox.model.completions import CONTROLS, complete
from services.sandbox.model.controls import BadControlError, ModelControls
from services.sandbox.model.embeddings import embed
from services.sandbox.model.memory import Mistakes
from services.sandbox.model.wire import MODELS, WireError, check_key, error_response, json_response

_MADE = 1_767_225_600  # when the scripted models "were made": 2026-01-01


def add_routes(app: web.Application) -> None:
    """`/llm/v1/…`, `/sim/model` and `/sim/model/calls`, with controls of their own for each application."""
    app[CONTROLS] = ModelControls()
    app.router.add_post("/llm/v1/chat/completions", complete)
    app.router.add_post("/llm/v1/embeddings", embed)
    app.router.add_get("/llm/v1/models", _models)
    app.router.add_get("/sim/model", _show)
    app.router.add_post("/sim/model", _change)
    app.router.add_get("/sim/model/calls", _calls)


def set_usual_mistakes(app: web.Application, rate: float | None) -> None:
    """What the process starts with and goes back to; None: the rates of small models."""
    controls = app[CONTROLS]
    controls.usual = controls.mistakes = Mistakes() if rate is None else Mistakes(rate, {})


def reset(app: web.Application) -> None:
    """For `/sim/reset`: default speed, no fault, no fixed reply, an empty log."""
    app[CONTROLS].reset()


async def _models(request: web.Request) -> web.Response:
    try:
        check_key(request)
    except WireError as error:
        return error_response(error)
    data = [{"id": name, "object": "model", "created": _MADE, "owned_by": "sandbox"} for name in MODELS]
    return json_response({"object": "list", "data": data})


async def _show(request: web.Request) -> web.Response:
    return json_response(request.app[CONTROLS].shown())


async def _change(request: web.Request) -> web.Response:
    controls = request.app[CONTROLS]
    try:
        wanted = orjson.loads(await request.read())
        if not isinstance(wanted, dict):
            raise BadControlError("the body must be a JSON object")
        controls.change(wanted)
    except (BadControlError, orjson.JSONDecodeError) as error:
        return json_response({"error": str(error)}, status=400)
    return json_response(controls.shown())


async def _calls(request: web.Request) -> web.Response:
    after = request.query.get("after", "0")
    if not after.isdecimal():
        return json_response({"error": "after must be a number"}, status=400)
    calls = request.app[CONTROLS].calls
    return json_response([call.shown() for call in calls if call.n > int(after)])
