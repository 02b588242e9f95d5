"""Plans: what each allows in turns, speed, money and models, adding one, and giving one to somebody."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from services.admin.auth import Admitted, AtDesk, Desk, Visitor
from services.admin.errors import BY_CODE, notice_of
from services.admin.pages.plan_form import AMOUNTS, PlanForm, form_of, text_of
from services.admin.rendering import page
from services.admin.typed import whole_number
from shared.application.plans import PlanNotFoundError
from shared.domain.billing import FREE_PLAN, TIERS
from shared.domain.errors import AppError, ConflictError, InvalidInputError, NotFoundError

router = APIRouter()

TIER_NAMES = {"auto": "by task and person", "strong": "always the strong model", "simple": "always the simple model"}

NOT_A_NAME = "Up to 20 small letters, digits and hyphens, a letter first. Nothing was changed."
NOT_A_HOLDER = "Type a Telegram id such as 123456789 or a name such as @ann, and 1 to 36500 days or nothing. Nothing was changed."


@router.get("/admin/plans")
async def plans(request: Request, desk: AtDesk, visitor: Admitted, saved: str = "", given: bool = False) -> Response:
    return await _shown(request, desk, visitor, saved=saved, given=given)


@router.post("/admin/plans")
async def add(request: Request, desk: AtDesk, visitor: Admitted) -> Response:
    code = text_of(await request.form(), "code")
    try:
        await desk.application.plans.add(code, by=visitor.operator.login)
    except (ConflictError, InvalidInputError) as error:
        return await _shown(request, desk, visitor, wrong=("add", error, NOT_A_NAME), typed={"code": code})
    return RedirectResponse(f"/admin/plans?saved={code}#plan-{code}", 303)


@router.post("/admin/give-plan")
async def give(request: Request, desk: AtDesk, visitor: Admitted) -> Response:
    form = await request.form()
    typed = {field: text_of(form, field) for field in ("person", "plan", "days")}
    try:
        days = whole_number(typed["days"]) if typed["days"] else None
        await desk.application.plans.give(typed["person"], typed["plan"], days=days, by=visitor.operator.login)
    except (ConflictError, InvalidInputError, NotFoundError) as error:
        return await _shown(request, desk, visitor, wrong=("give", error, NOT_A_HOLDER), typed=typed)
    return RedirectResponse("/admin/plans?given=true#give-plan", 303)


@router.post("/admin/plans/{code}/remove")
async def remove(desk: AtDesk, visitor: Admitted, code: str) -> Response:
    await desk.application.plans.remove(code, by=visitor.operator.login)
    return RedirectResponse("/admin/plans", 303)


@router.post("/admin/plans/{code}")
async def save(request: Request, desk: AtDesk, visitor: Admitted, code: str) -> Response:
    form = await request.form()
    before = next((form_of(plan) for plan in await desk.application.plans.list() if plan.code == code), None)
    if before is None:
        raise PlanNotFoundError("no plan with this code")
    wanted = before.filled(form)
    if wanted.wrong:
        return await _shown(request, desk, visitor, filled=wanted)
    await desk.application.plans.change(wanted.terms, by=visitor.operator.login)
    return RedirectResponse(f"/admin/plans?saved={quote(code)}#plan-{quote(code)}", 303)


async def _shown(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    *,
    saved: str = "",
    given: bool = False,
    wrong: tuple[str, AppError, str] | None = None,
    typed: Mapping[str, str] | None = None,
    filled: PlanForm | None = None,
) -> Response:
    """`wrong` is which form, what happened, and what is said of a value that is none; `typed` fills the form again.

    `filled` is the form of a plan in which something cannot be used.
    """
    service = desk.application.plans
    found, holders = await service.list(), await service.holders()
    form, error, otherwise = wrong or ("", None, "")
    refused = HTTPStatus.UNPROCESSABLE_ENTITY if filled else HTTPStatus.OK
    status = notice_of(type(error))[0] if error else refused
    return page(
        request,
        "plans.html",
        status=int(status),
        visitor=visitor,
        plans=[filled if filled and filled.terms.code == plan.code else form_of(plan) for plan in found],
        amounts=AMOUNTS,
        holders=holders,
        free=FREE_PLAN,
        tiers=[(tier, TIER_NAMES[tier]) for tier in TIERS],
        saved=saved if any(plan.code == saved for plan in found) else "",
        given=given,
        wrong={form: BY_CODE.get(error.code, otherwise)} if error else {},
        typed={"code": "", "person": "", "plan": "", "days": "", **(typed or {})},
    )
