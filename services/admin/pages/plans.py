"""Plans: what each allows in turns, speed, money and models, adding one, and giving one to somebody."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from services.admin.auth import Admitted, AtDesk, Desk, Visitor
from services.admin.errors import notice_of
from services.admin.rendering import page
from services.admin.typed import micros, whole_number
from shared.domain.billing import FREE_PLAN, TIERS, PlanTerms
from shared.domain.errors import AppError, ConflictError, InvalidInputError, NotFoundError

router = APIRouter()

TIER_NAMES = {"auto": "by task and person", "strong": "always the strong model", "simple": "always the simple model"}
LONGEST_TYPED = 40

SAID: Mapping[str, str] = {
    "plan_exists": "There is a plan with this name already.",
    "holder_not_found": "Nobody with this id or name has written to a bot yet.",
    "several_holders": "Several people have had this name: use the Telegram id.",
    "plan_not_found": "There is no such plan any more.",
}
"""What is wrong with what was typed, said at the form."""
NOT_A_NAME = "Up to 20 small letters, digits and hyphens, a letter first."
NOT_A_HOLDER = "Type a Telegram id such as 123456789 or a name such as @ann, and 1 to 36500 days or nothing."


@router.get("/admin/plans")
async def plans(request: Request, desk: AtDesk, visitor: Admitted, saved: str = "", given: bool = False) -> Response:
    return await _shown(request, desk, visitor, saved=saved, given=given)


@router.post("/admin/plans")
async def add(request: Request, desk: AtDesk, visitor: Admitted) -> Response:
    code = _text(await request.form(), "code")
    try:
        await desk.application.plans.add(code, by=visitor.operator.login)
    except (ConflictError, InvalidInputError) as error:
        return await _shown(request, desk, visitor, wrong=("add", error, NOT_A_NAME), typed={"code": code})
    return RedirectResponse(f"/admin/plans?saved={code}#plan-{code}", 303)


@router.post("/admin/give-plan")
async def give(request: Request, desk: AtDesk, visitor: Admitted) -> Response:
    form = await request.form()
    typed = {field: _text(form, field) for field in ("person", "plan", "days")}
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


async def _shown(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    *,
    saved: str = "",
    given: bool = False,
    wrong: tuple[str, AppError, str] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """`wrong` is which form, what happened, and what is said of a value that is none; `typed` fills the form again."""
    service = desk.application.plans
    found, holders = await service.list(), await service.holders()
    form, error, otherwise = wrong or ("", None, "")
    status = notice_of(type(error))[0] if error else HTTPStatus.OK
    return page(
        request,
        "plans.html",
        status=int(status),
        visitor=visitor,
        plans=found,
        holders=holders,
        free=FREE_PLAN,
        tiers=[(tier, TIER_NAMES[tier]) for tier in TIERS],
        saved=saved if any(plan.code == saved for plan in found) else "",
        given=given,
        wrong={form: SAID.get(error.code, otherwise)} if error else {},
        typed={"code": "", "person": "", "plan": "", "days": "", **(typed or {})},
    )


def _text(form: FormData, field: str) -> str:
    value = form.get(field)
    if not isinstance(value, str) or len(value) > LONGEST_TYPED:
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
