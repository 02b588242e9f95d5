"""Error -> notice: what an operator reads when something did not work."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.admin.auth import SignInNeededError
from services.admin.rendering import page
from shared.domain.errors import (
    AllowanceSpentError,
    AppError,
    ConflictError,
    ContentRejectedError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
)

NOTICES: Mapping[type[AppError], tuple[HTTPStatus, str]] = {
    NotFoundError: (HTTPStatus.NOT_FOUND, "There is nothing here, or not any more."),
    InvalidInputError: (HTTPStatus.UNPROCESSABLE_ENTITY, "That value cannot be used. Nothing was changed."),
    ConflictError: (HTTPStatus.CONFLICT, "Somebody was faster, or it was done already. Nothing was changed."),
    NotAllowedError: (HTTPStatus.FORBIDDEN, "That was refused. Nothing was changed."),
    AllowanceSpentError: (HTTPStatus.TOO_MANY_REQUESTS, "The allowance is spent."),
    ContentRejectedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "The content was rejected. Nothing was changed."),
    UnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "Something this page needs does not answer. It tries again by itself."),
}
BY_CODE: Mapping[str, str] = {
    "database_unavailable": "PostgreSQL does not answer. This page tries again by itself.",
    "redis_unavailable": "Redis does not answer, and sessions are kept there. This page tries again by itself.",
    "forged_request": "The form was too old, or did not come from this page. Go back, reload, and try again. Nothing was changed.",
    "owners_only": "Your account may look, but not change anything.",
    "plain_http": "Signing in needs https, or an address of this machine such as http://localhost (an SSH tunnel does it).",
    "not_replayable": "This is no dead letter any more, or one that can never be understood. Nothing was changed.",
    "plan_not_found": "There is no such plan any more. Nothing was changed.",
    "plan_exists": "There is a plan with this name already. Nothing was changed.",
    "holder_not_found": "Nobody with this id or name has written to a bot yet. Nothing was changed.",
    "several_holders": "Several people have had this name: use the Telegram id. Nothing was changed.",
    "plan_held": "Somebody has or had this plan, or it is gone already. Nothing was changed.",
    "dead_letter_not_found": "This dead letter is gone: it was tried again, or it was too old to be kept.",
}
UNKNOWN = (HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side. The log has the details.")

log = structlog.get_logger("admin")


def notice_of(kind: type[AppError]) -> tuple[HTTPStatus, str]:
    status, sentence = next((NOTICES[parent] for parent in kind.__mro__ if parent in NOTICES), UNKNOWN)
    return status, BY_CODE.get(kind.code, sentence)


def answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(SignInNeededError, _to_login)
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def notice(request: Request, status: int, sentence: str, *, retry_after: float | None = None) -> Response:
    """A page of its own; to a part of a page that refreshes itself, only the status."""
    headers = {"Retry-After": str(math.ceil(retry_after))} if retry_after is not None else {}
    if "hx-request" in request.headers:
        return Response(status_code=int(status), headers={**headers, "HX-Reswap": "none"})
    answer = page(
        request, "notice.html", status=int(status), sentence=sentence, code=int(status), again=status == HTTPStatus.SERVICE_UNAVAILABLE
    )
    answer.headers.update(headers)
    return answer


async def _to_login(request: Request, _error: Exception) -> Response:
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/admin/login"})
    if request.method != "GET":
        return RedirectResponse("/admin/login", 303)
    wanted = request.url.path if request.url.path != "/admin/" else ""
    return RedirectResponse("/admin/login" + (f"?next={quote(wanted)}" if wanted else ""), 303)


async def _app_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, AppError):
        raise error
    status, sentence = notice_of(type(error))
    log.warning("request_refused", code=error.code, error=type(error).__name__)
    return notice(request, status, sentence, retry_after=error.retry_after if isinstance(error, UnavailableError) else None)


async def _invalid(request: Request, _error: Exception) -> Response:
    return notice(request, 422, "The form was incomplete. Nothing was changed.")


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    answer = notice(
        request, error.status_code, "There is no such page." if error.status_code == 404 else HTTPStatus(error.status_code).phrase
    )
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, _error: Exception) -> Response:
    """The error itself is logged by the server, with its traceback."""
    return notice(request, *UNKNOWN)
