"""What operators see: figures and dead letters, never anybody's words."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from shared.application.ports import Clock
from shared.database.database import Database
from shared.domain.allowance import allowance_day
from shared.domain.errors import NotFoundError

CHART_HOURS = 24
ERROR_CODES = 5
DEAD_LETTERS_PER_PAGE = 50


class DeadLetterNotFoundError(NotFoundError):
    code = "dead_letter_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    users: int
    users_today: int
    dialogs: int
    dialogs_today: int
    active_today: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Today's. Cost, of turns and of memory, is in millionths of a US dollar, and counts only what the provider or our price list said."""

    turns: int
    prompt_tokens: int
    completion_tokens: int
    cost_micros: int
    memory_micros: int

    @property
    def all_micros(self) -> int:
        return self.cost_micros + self.memory_micros

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """Of the last hour. Milliseconds are none when nothing was finished."""

    finished: int
    interrupted: int
    failed: int
    total_p50: float | None
    total_p95: float | None
    first_p50: float | None
    first_p95: float | None

    @property
    def failed_share(self) -> float:
        ended = self.finished + self.interrupted + self.failed
        return self.failed / ended if ended else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    begins: datetime
    said: int
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    taken_at: datetime
    totals: Totals
    spent: Spent
    replies: Replies
    errors: dict[str, int]
    hours: tuple[Hour, ...]
    inbox_depth: int
    inbox_oldest_seconds: float
    dead_letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An update that was given up. Of its body only `size` (bytes) and `sha256` are told."""

    bot_id: int
    update_id: int
    lane: str
    kind: str
    error: str
    received_at: datetime
    handled_at: datetime | None
    size: int
    sha256: str

    @property
    def may_be_replayed(self) -> bool:
        """Not when it could not even be read."""
        return self.kind != "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportService:
    database: Database
    clock: Clock

    async def overview(self) -> Overview:
        """The figures of this moment, read on one connection."""
        now = self.clock.now()
        day = allowance_day(now)
        today, hour_ago = datetime.combine(day, time.min, UTC), now - timedelta(hours=1)
        this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        async with self.database.transaction() as tx:
            depth, oldest = await tx.inbox.depth()
            hours = await tx.reports.messages_per_hour(this_hour - timedelta(hours=CHART_HOURS - 1), this_hour)
            return Overview(
                taken_at=now,
                totals=Totals(**await tx.reports.totals(today, day)),
                spent=Spent(**await tx.reports.spent(today, day)),
                replies=Replies(**await tx.reports.replies(hour_ago)),
                errors=await tx.reports.errors(hour_ago, ERROR_CODES),
                hours=tuple(Hour(begins=begins, said=said, answered=answered) for begins, said, answered in hours),
                inbox_depth=depth,
                inbox_oldest_seconds=oldest,
                dead_letters=await tx.reports.dead_letter_count(),
            )

    async def dead_letters(self, *, before: datetime | None = None) -> list[DeadLetter]:
        """Newest first, a page at a time; `before` is where the last page ended."""
        async with self.database.statement() as tx:
            rows = await tx.reports.dead_letters(before, DEAD_LETTERS_PER_PAGE)
        return [DeadLetter(**row) for row in rows]

    async def dead_letter(self, bot_id: int, update_id: int) -> DeadLetter:
        """Raises `DeadLetterNotFoundError`."""
        async with self.database.statement() as tx:
            row = await tx.reports.find_dead_letter(bot_id, update_id)
        if row is None:
            raise DeadLetterNotFoundError("no dead letter with this id")
        return DeadLetter(**row)
