"""Rules of money: how much a day may cost, in millionths of a US dollar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.errors import AllowanceSpentError

SOFT_PERCENT = 80
"""From this part of a limit on, replies come from the simple models and with a shorter memory of the talk."""
UNPRICED_TURN_MICROS = 1_000
"""Held back for a turn whose models have no known price, so that limits still bound what runs at once."""


class BudgetSpentError(AllowanceSpentError):
    """`scope` says whose money is spent: the user's of their plan, or the bot's. `limit` is in millionths of a US dollar.

    Whoever `may_choose_model` can make tomorrow's last longer.
    """

    code = "budget_spent"

    def __init__(self, *, scope: str, limit: int, resets_at: datetime, may_choose_model: bool = False) -> None:
        super().__init__(limit=limit, resets_at=resets_at)
        self.scope, self.may_choose_model = scope, may_choose_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """A day's money of a user or a bot. `id` is the user's id, or the bot's Telegram id."""

    scope: str
    id: str
    limit_micros: int
    soft_percent: int = SOFT_PERCENT

    @property
    def soft_micros(self) -> int:
        return self.limit_micros * self.soft_percent // 100


def purses_of(limits: Mapping[tuple[str, str], int | None], soft_percent: int = SOFT_PERCENT) -> tuple[Purse, ...]:
    """Those that have a limit: `limits` by scope and id, none without limit. In the order in which they are locked."""
    return tuple(
        Purse(scope=scope, id=owner, limit_micros=limit, soft_percent=soft_percent)
        for (scope, owner), limit in sorted(limits.items())
        if limit is not None
    )


def percent_of(micros: int, limit_micros: int) -> int:
    """The share of a limit that is gone; of nothing all is."""
    return min(100, micros * 100 // limit_micros) if limit_micros else 100


def to_reserve(estimate_micros: int | None) -> int:
    """What an open turn holds back of its purses."""
    return UNPRICED_TURN_MICROS if estimate_micros is None else max(0, estimate_micros)
