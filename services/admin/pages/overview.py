"""The first page: how the platform is, at a glance and live."""

import json

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.admin.auth import Admitted, AtDesk
from services.admin.rendering import page
from shared.application.reports import Overview

router = APIRouter()
entrance = APIRouter()


@entrance.get("/")
@entrance.get("/admin")
async def to_overview() -> Response:
    return RedirectResponse("/admin/", 303)


@router.get("/admin/")
async def overview(request: Request, desk: AtDesk, visitor: Admitted) -> Response:
    found = await desk.application.reports.overview()
    return page(request, "overview.html", visitor=visitor, overview=found, chart=_chart(found))


@router.get("/admin/overview/figures")
async def figures(request: Request, desk: AtDesk) -> Response:
    found = await desk.application.reports.overview()
    return page(request, "figures.html", overview=found, chart=_chart(found))


@router.get("/admin/overview/health")
async def health(request: Request, desk: AtDesk) -> Response:
    """Apart from the figures, as one dependency that hangs must not hold them up."""
    return page(request, "health_strip.html", report=await desk.application.health.check())


def _chart(overview: Overview) -> str:
    """Times in seconds, then each series, as the chart wants them."""
    return json.dumps(
        [
            [int(hour.begins.timestamp()) for hour in overview.hours],
            [hour.said for hour in overview.hours],
            [hour.answered for hour in overview.hours],
        ]
    )
