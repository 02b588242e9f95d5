"""What the Bot API refuses, in Telegram's words, and what the controls of the sandbox refuse, in ours."""

from typing import Any


class ApiError(Exception):
    """A call that Telegram would refuse; `description` is the sentence a client sees."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


class SimError(Exception):
    """A control of the sandbox that was used wrongly: 400, or 404 when the thing is not there."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def bad_request(reason: str, **parameters: Any) -> ApiError:
    return ApiError(400, f"Bad Request: {reason}", **parameters)


def forbidden(reason: str) -> ApiError:
    return ApiError(403, f"Forbidden: {reason}")


def conflict(reason: str) -> ApiError:
    return ApiError(409, f"Conflict: {reason}")


def too_many_requests(retry_after: int) -> ApiError:
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


def not_here(what: str) -> SimError:
    return SimError(what, status=404)
