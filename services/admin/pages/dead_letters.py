"""Updates that were given up: what is known of them, and another try. Never what somebody wrote."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.admin.auth import Admitted, AtDesk
from services.admin.rendering import page
from shared.application.reports import DEAD_LETTERS_PER_PAGE

router = APIRouter()


@router.get("/admin/dead-letters")
async def dead_letters(
    request: Request, desk: AtDesk, visitor: Admitted, before: Annotated[datetime | None, Query()] = None, replayed: bool = False
) -> Response:
    letters = await desk.application.reports.dead_letters(before=before)
    older = letters[-1].received_at.isoformat() if len(letters) == DEAD_LETTERS_PER_PAGE else None
    return page(request, "dead_letters.html", visitor=visitor, letters=letters, older=older, before=before, replayed=replayed)


@router.get("/admin/dead-letters/{bot_id}/{update_id}")
async def dead_letter(request: Request, desk: AtDesk, visitor: Admitted, bot_id: int, update_id: int) -> Response:
    letter = await desk.application.reports.dead_letter(bot_id, update_id)
    return page(request, "dead_letter.html", visitor=visitor, letter=letter)


@router.post("/admin/dead-letters/{bot_id}/{update_id}/replay")
async def replay(desk: AtDesk, visitor: Admitted, bot_id: int, update_id: int) -> Response:
    await desk.application.upkeep.replay(bot_id, update_id, by=visitor.operator.login)
    return RedirectResponse("/admin/dead-letters?replayed=true", 303)
