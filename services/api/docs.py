"""The reference of the API in the browser, from files of ours: nothing is fetched from elsewhere."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Vitte API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/static/vendor/swagger-ui/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/api/static/vendor/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/api/static/docs.js"></script>
</body>
</html>
"""

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
async def reference() -> HTMLResponse:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/api")
@router.get("/api/")
async def entrance() -> RedirectResponse:
    return RedirectResponse("/api/docs")


def mount_static(app: FastAPI) -> None:
    app.mount("/api/static", StaticFiles(directory=STATIC), name="static")
