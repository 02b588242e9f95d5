"""Error kind -> status, and every failure as one form: problem+json with a stable `code`."""

import math
from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from shared.adapters.asgi import PROBLEM_TYPE, problem
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

STATUSES: Mapping[type[AppError], tuple[HTTPStatus, str]] = {
    NotFoundError: (HTTPStatus.NOT_FOUND, "There is no such thing, or it is not yours"),
    InvalidInputError: (HTTPStatus.UNPROCESSABLE_ENTITY, "The request cannot be understood"),
    ConflictError: (HTTPStatus.CONFLICT, "Something changed meanwhile"),
    NotAllowedError: (HTTPStatus.FORBIDDEN, "This is not allowed"),
    AllowanceSpentError: (HTTPStatus.TOO_MANY_REQUESTS, "The allowance is spent"),
    ContentRejectedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "The content was rejected"),
    UnavailableError: (HTTPStatus.SERVICE_UNAVAILABLE, "A part that this needs cannot serve now; try again"),
}
UNKNOWN = (HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side")
_OF_HTTP = {
    404: ("not_found", "There is nothing at this address"),
    405: ("method_not_allowed", "This address does not take this method"),
    413: ("body_too_large", "The request body is too large"),
}

log = structlog.get_logger("api")


def status_of(kind: type[AppError]) -> tuple[HTTPStatus, str]:
    """Status and title of the nearest kind."""
    return next((STATUSES[parent] for parent in kind.__mro__ if parent in STATUSES), UNKNOWN)


def answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)


def _answer(
    status: int, code: str, title: str, *, headers: Mapping[str, str] | None = None, more: Mapping[str, object] | None = None
) -> Response:
    return Response(problem(int(status), code, title, **(more or {})), int(status), dict(headers or {}), PROBLEM_TYPE)


async def _app_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, AppError):
        raise error
    status, title = status_of(type(error))
    headers, more = dict[str, str](), dict[str, object]()
    if isinstance(error, UnavailableError) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, AllowanceSpentError):
        more |= {"limit": error.limit, "resets_at": error.resets_at.isoformat()}
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_failed", code=error.code, error=type(error).__name__)
    return _answer(status, error.code, title, headers=headers, more=more)


async def _invalid(_request: Request, error: Exception) -> Response:
    """Where and why, never the value itself."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    errors = [{"where": ".".join(str(part) for part in one["loc"]), "why": one["msg"]} for one in found]
    return _answer(422, "invalid_input", "The request cannot be understood", more={"errors": errors})


async def _http_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code, title = _OF_HTTP.get(error.status_code, ("http_error", HTTPStatus(error.status_code).phrase))
    return _answer(error.status_code, code, title, headers=error.headers)


async def _unexpected(_request: Request, _error: Exception) -> Response:
    """The error itself is logged by the server, with its traceback."""
    status, title = UNKNOWN
    return _answer(status, AppError.code, title)
