"""Rules of the daily allowance. A day is a UTC day."""

from datetime import UTC, date, datetime, time, timedelta
from math import ceil

from shared.domain.errors import AllowanceSpentError


class DailyTurnsSpentError(AllowanceSpentError):
    code = "daily_turns_spent"


class TooManyTurnsError(AllowanceSpentError):
    """`limit` is for any 60 seconds; `seconds` says when the next one fits."""

    code = "too_many_turns"

    def __init__(self, *, limit: int, resets_at: datetime, seconds: float = 1.0) -> None:
        super().__init__(limit=limit, resets_at=resets_at)
        self.seconds = ceil(seconds)


def allowance_day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def resets_at(now: datetime) -> datetime:
    return datetime.combine(allowance_day(now) + timedelta(days=1), time.min, UTC)


def remaining(used: int, limit: int | None) -> int | None:
    """None means without limit."""
    return None if limit is None else max(0, limit - used)
