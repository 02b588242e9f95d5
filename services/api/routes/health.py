"""Whether this process lives, and whether what it stands on answers."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from services.api.dependencies import Health
from shared.application.health import HealthReport

router = APIRouter(prefix="/api/v1/health", tags=["health"])


class Dependency(BaseModel):
    """`code` says what is wrong."""

    status: Literal["ok", "failed"]
    latency_ms: float
    code: str | None = None


class HealthAnswer(BaseModel):
    status: Literal["ok", "unavailable"]
    dependencies: dict[str, Dependency] | None = None


_ELSE: dict[int | str, dict[str, Any]] = {503: {"model": HealthAnswer, "description": "It does not answer"}}


@router.get("", summary="This process is alive", response_model_exclude_none=True)
async def alive() -> HealthAnswer:
    return HealthAnswer(status="ok")


@router.get("/db", summary="PostgreSQL answers", response_model_exclude_none=True, responses=_ELSE)
async def database(health: Health, response: Response) -> HealthAnswer:
    return _show(await health.check("database"), response)


@router.get("/redis", summary="Redis answers", response_model_exclude_none=True, responses=_ELSE)
async def redis(health: Health, response: Response) -> HealthAnswer:
    return _show(await health.check("redis"), response)


def _show(report: HealthReport, response: Response) -> HealthAnswer:
    response.status_code = 200 if report.is_ok else 503
    return HealthAnswer(
        status="ok" if report.is_ok else "unavailable",
        dependencies={
            one.name: Dependency(status="ok" if one.is_ok else "failed", latency_ms=one.latency_ms, code=one.code)
            for one in report.dependencies
        },
    )
