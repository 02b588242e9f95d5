"""Services to routes: one alias for each."""

from typing import Annotated, cast

from fastapi import Depends, Request

from shared.application.characters import CharacterService
from shared.application.health import HealthService
from shared.bootstrap import Application


def _application(request: Request) -> Application:
    return cast(Application, request.app.state.application)


def _characters(request: Request) -> CharacterService:
    return _application(request).characters


def _health(request: Request) -> HealthService:
    return _application(request).health


Characters = Annotated[CharacterService, Depends(_characters)]
Health = Annotated[HealthService, Depends(_health)]
