"""For monitors, not for people: health and figures. Open to everybody who reaches this process."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.admin.auth import AtDesk

router = APIRouter()


@router.get("/admin/health")
async def health(desk: AtDesk) -> JSONResponse:
    """Only what the dashboard needs itself; asking a model provider is not for strangers to cause."""
    report = await desk.application.health.check("database", "redis")
    dependencies = {
        one.name: {"status": "ok" if one.is_ok else "failed", "latency_ms": one.latency_ms, **({} if one.is_ok else {"code": one.code})}
        for one in report.dependencies
    }
    body = {"status": "ok" if report.is_ok else "unavailable", "dependencies": dependencies}
    return JSONResponse(body, 200 if report.is_ok else 503)


@router.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
