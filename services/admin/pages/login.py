"""Signing in and out."""

import re
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from services.admin.auth import (
    SESSION_COOKIE,
    VISIT_COOKIE,
    AtDesk,
    admit,
    find_visitor,
    refuse_forged_login,
    session_cookie,
)
from services.admin.gate import TooManyLoginsError
from services.admin.rendering import page
from services.admin.security import cookie_name, delete_cookie, fresh_visit, refuse_plain_http, set_cookie, token_of_visit
from services.admin.sessions import LONGEST
from shared.domain.operator import LoginRefusedError

VISIT_SECONDS = 12 * 3600
_OWN_PAGE = re.compile(r"/admin/[a-z0-9/-]*")

public = APIRouter()
leaving = APIRouter(dependencies=[Depends(admit)])
log = structlog.get_logger("admin")


@public.get("/admin/login")
async def ask(request: Request, desk: AtDesk, next: str = "") -> Response:  # noqa: A002 - the parameter's name in the address
    if await find_visitor(request):
        return RedirectResponse("/admin/", 303)
    return _form(request, desk, next=next)


@public.post("/admin/login", dependencies=[Depends(refuse_plain_http), Depends(refuse_forged_login)])
async def enter(
    request: Request,
    desk: AtDesk,
    login: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=2000)],
    next: Annotated[str, Form(max_length=500)] = "",  # noqa: A002
) -> Response:
    address = request.client.host if request.client else "unknown"
    try:
        await desk.gate.pass_or_refuse(login, address)
        operator = await desk.application.operators.log_in(login, password)
    except (LoginRefusedError, TooManyLoginsError) as error:
        log.warning("login_refused", reason=error.code, address=address)
        return _form(request, desk, next=next, login=login, refused=error.code)
    await desk.sessions.close(session_cookie(request))
    answer = RedirectResponse(next if _OWN_PAGE.fullmatch(next) else "/admin/", 303)
    set_cookie(answer, request, SESSION_COOKIE, await desk.sessions.open(operator.id), seconds=int(LONGEST.total_seconds()))
    log.info("logged_in", login=operator.login, address=address)
    return answer


@leaving.post("/admin/logout")
async def leave(request: Request, desk: AtDesk) -> Response:
    await desk.sessions.close(session_cookie(request))
    answer = RedirectResponse("/admin/login", 303)
    delete_cookie(answer, request, SESSION_COOKIE)
    return answer


def _form(request: Request, desk: AtDesk, *, next: str, login: str = "", refused: str = "") -> Response:  # noqa: A002
    visit = request.cookies.get(cookie_name(request, VISIT_COOKIE)) or fresh_visit()
    status = {"": 200, TooManyLoginsError.code: 429}.get(refused, 403)
    token = token_of_visit(visit, desk.secret)
    answer = page(request, "login.html", status=status, csrf=token, next=next, login=login, refused=refused)
    set_cookie(answer, request, VISIT_COOKIE, visit, seconds=VISIT_SECONDS)
    return answer
