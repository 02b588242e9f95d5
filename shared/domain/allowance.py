"""Rules of the daily allowance. A day is a UTC day."""

from datetime import UTC, date, datetime, time, timedelta

from shared.domain.errors import AllowanceSpentError


class DailyTurnsSpentError(AllowanceSpentError):
    code = "daily_turns_spent"


def allowance_day(now: datetime) -> date:
    return now.astimezone(UTC).date()


def resets_at(now: datetime) -> datetime:
    return datetime.combine(allowance_day(now) + timedelta(days=1), time.min, UTC)


def remaining(used: int, limit: int | None) -> int | None:
    """None means without limit."""
    return None if limit is None else max(0, limit - used)
