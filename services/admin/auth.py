"""Who is at the door, and what they may do. The routers carry these, so no page can forget them."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from services.admin.gate import LoginGate
from services.admin.security import UNSAFE, ForgedRequestError, cookie_name, refuse_other_origin, refuse_wrong_token, token_of_visit
from services.admin.sessions import Sessions
from shared.application.operators import SignedInOperator
from shared.bootstrap import Application
from shared.domain.errors import NotAllowedError

SESSION_COOKIE = "vitte_admin"
VISIT_COOKIE = "vitte_visit"


class SignInNeededError(NotAllowedError):
    code = "sign_in_needed"


class OwnersOnlyError(NotAllowedError):
    code = "owners_only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the pages work with."""

    application: Application
    sessions: Sessions
    gate: LoginGate
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    operator: SignedInOperator
    csrf: str


def desk_of(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


def session_cookie(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request, SESSION_COOKIE))


async def admit(request: Request) -> Visitor:
    """Signed in; and what changes something comes from our own form. Raises `SignInNeededError`, `ForgedRequestError`."""
    visitor = await find_visitor(request)
    if visitor is None:
        raise SignInNeededError("sign in first")
    if request.method in UNSAFE:
        refuse_other_origin(request)
        await refuse_wrong_token(request, visitor.csrf)
    return visitor


Admitted = Annotated[Visitor, Depends(admit)]


async def leave_changes_to_owners(request: Request, visitor: Admitted) -> None:
    """Raises `OwnersOnlyError`."""
    if request.method in UNSAFE and not visitor.operator.may_change:
        raise OwnersOnlyError("a viewer cannot change anything")


async def find_visitor(request: Request) -> Visitor | None:
    desk = desk_of(request)
    session = await desk.sessions.find(session_cookie(request), is_use="hx-request" not in request.headers)
    operator = await desk.application.operators.find(session.operator_id) if session else None
    return Visitor(operator=operator, csrf=session.csrf) if session and operator else None


async def refuse_forged_login(request: Request) -> None:
    """Raises `ForgedRequestError`."""
    refuse_other_origin(request)
    visit = request.cookies.get(cookie_name(request, VISIT_COOKIE), "")
    if not visit:
        raise ForgedRequestError("the login form was not asked for by this browser")
    await refuse_wrong_token(request, token_of_visit(visit, desk_of(request).secret))


AtDesk = Annotated[Desk, Depends(desk_of)]
