"""Plans: what each allows in turns, speed, money and models."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from services.admin.auth import Admitted, AtDesk
from services.admin.rendering import page
from services.admin.typed import micros, whole_number
from shared.domain.billing import TIERS, PlanTerms
from shared.domain.errors import InvalidInputError

router = APIRouter()

TIER_NAMES = {"auto": "by task and person", "strong": "always the strong model", "simple": "always the simple model"}


@router.get("/admin/plans")
async def plans(request: Request, desk: AtDesk, visitor: Admitted, saved: str = "") -> Response:
    found = await desk.application.plans.list()
    known = saved if any(plan.code == saved for plan in found) else ""
    return page(request, "plans.html", visitor=visitor, plans=found, tiers=[(tier, TIER_NAMES[tier]) for tier in TIERS], saved=known)


@router.post("/admin/plans/{code}")
async def save(request: Request, desk: AtDesk, visitor: Admitted, code: str) -> Response:
    form = await request.form()
    terms = PlanTerms(
        code=code,
        daily_turns=_whole_number(form, "daily_turns"),
        turns_per_minute=_whole_number(form, "turns_per_minute"),
        daily_micros=_micros(form, "daily_dollars"),
        tier=_text(form, "tier"),
        may_choose_model="may_choose_model" in form,
        is_paid="is_paid" in form,
    )
    await desk.application.plans.change(terms, by=visitor.operator.login)
    return RedirectResponse(f"/admin/plans?saved={code}", 303)


def _text(form: FormData, field: str) -> str:
    value = form.get(field)
    if not isinstance(value, str) or len(value) > 20:
        raise InvalidInputError(f"{field} is missing or too long")
    return value.strip()


def _whole_number(form: FormData, field: str) -> int | None:
    """Nothing means without limit."""
    text = _text(form, field)
    return whole_number(text) if text else None


def _micros(form: FormData, field: str) -> int | None:
    """Dollars as somebody types them, in millionths; nothing means without limit."""
    text = _text(form, field)
    return micros(text) if text else None
