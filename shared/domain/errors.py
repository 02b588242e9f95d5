"""The error tree.

AppError
├── NotFoundError          also "not yours", on purpose
├── InvalidInputError
├── ConflictError
├── NotAllowedError
├── AllowanceSpentError    limit, resets_at
├── ContentRejectedError   verdict
└── UnavailableError       retry_after (seconds)

A concrete error subclasses one kind, sets its own stable `code` and lives beside its capability. Each edge
owns one small table that turns a code or a kind into a sentence or a status.
"""

from datetime import datetime
from typing import ClassVar


class AppError(Exception):
    """Something that a user, an operator or a caller can be told in product words."""

    code: ClassVar[str] = "internal_error"


class NotFoundError(AppError):
    code = "not_found"


class InvalidInputError(AppError):
    code = "invalid_input"


class ConflictError(AppError):
    code = "conflict"


class NotAllowedError(AppError):
    code = "not_allowed"


class AllowanceSpentError(AppError):
    code = "allowance_spent"

    def __init__(self, *, limit: int, resets_at: datetime) -> None:
        super().__init__(f"allowance of {limit} is spent until {resets_at:%Y-%m-%d %H:%M %Z}")
        self.limit, self.resets_at = limit, resets_at


class ContentRejectedError(AppError):
    code = "content_rejected"

    def __init__(self, *, verdict: str) -> None:
        super().__init__(f"content was rejected: {verdict}")
        self.verdict = verdict


class UnavailableError(AppError):
    """A dependency cannot serve now; nothing was changed and the same call may be made again."""

    code = "unavailable"

    def __init__(self, what: str, *, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after
