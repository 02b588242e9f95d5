"""Read models of the dashboard: one statement per group of figures, each on an index."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from shared.database.lines import Connection

_TOTALS = text("""
    select (select count(*) from users) as users,
           (select count(*) from users where created_at >= :today) as users_today,
           (select count(*) from dialogs) as dialogs,
           (select count(*) from dialogs where created_at >= :today) as dialogs_today,
           (select count(*) from allowance_usages where day = :day and used > 0) as active_today
""")

_MEMORY_MICROS = "(select coalesce(sum(spent_micros), 0)::int8 from spendings where scope = 'memory' and day = :day)"

_SPENT = text(f"""
    select count(*) as turns,
           coalesce(sum(prompt_tokens), 0)::int8 as prompt_tokens,
           coalesce(sum(completion_tokens), 0)::int8 as completion_tokens,
           coalesce(sum(cost_micros), 0)::int8 as cost_micros,
           {_MEMORY_MICROS} as memory_micros
    from turns where created_at >= :today
""")  # noqa: S608

_REPLIES = text("""
    select count(*) filter (where status = 'finished') as finished,
           count(*) filter (where status = 'interrupted') as interrupted,
           count(*) filter (where status = 'failed') as failed,
           percentile_cont(0.5) within group (order by total_ms) filter (where status = 'finished') as total_p50,
           percentile_cont(0.95) within group (order by total_ms) filter (where status = 'finished') as total_p95,
           percentile_cont(0.5) within group (order by first_piece_ms) filter (where status = 'finished') as first_p50,
           percentile_cont(0.95) within group (order by first_piece_ms) filter (where status = 'finished') as first_p95
    from turns where created_at >= :since
""")

# Who spoke in the last hours and what this day cost, in one walk along the newest turns, and with what memory took.
_LATELY = text(f"""
    select count(distinct user_id) as active_users,
           coalesce(sum(cost_micros) filter (where allowance_day = :day), 0)::int8
               + {_MEMORY_MICROS} as spent_micros
    from turns where created_at >= :since
""")  # noqa: S608

_ERRORS = text("""
    select coalesce(error_code, 'unknown') as code, count(*) as turns from turns
    where created_at >= :since and status = 'failed' group by 1 order by 2 desc, 1 limit :places
""")

# Hour by hour, each a range of the index: grouping by a computed hour would sort all rows of the day.
_MESSAGES_PER_HOUR = text("""
    select h.hour, m.said, m.answered
    from generate_series(cast(:first as timestamptz), cast(:last as timestamptz), interval '1 hour') as h (hour)
    cross join lateral (
        select count(*) filter (where role = 'user') as said, count(*) filter (where role = 'assistant') as answered
        from messages where created_at >= h.hour and created_at < h.hour + interval '1 hour'
    ) m
    order by h.hour
""")

_DEAD_COUNT = text("select count(*) from stored_updates where status = 'dead'")

_DEAD_LETTERS = text("""
    select telegram_bot_id as bot_id, telegram_update_id as update_id, lane, kind, coalesce(error, '') as error, received_at, handled_at,
           octet_length(body) as size, encode(sha256(body), 'hex') as sha256
    from stored_updates
    where status = 'dead' and (cast(:before as timestamptz) is null or received_at < :before)
    order by received_at desc limit :places
""")

_DEAD_LETTER = text("""
    select telegram_bot_id as bot_id, telegram_update_id as update_id, lane, kind, coalesce(error, '') as error, received_at, handled_at,
           octet_length(body) as size, encode(sha256(body), 'hex') as sha256
    from stored_updates where telegram_bot_id = :bot_id and telegram_update_id = :update_id and status = 'dead'
""")


class ReportRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def totals(self, today: datetime, day: date) -> dict[str, Any]:
        return await self._one(_TOTALS, today=today, day=day)

    async def spent(self, today: datetime, day: date) -> dict[str, Any]:
        return await self._one(_SPENT, today=today, day=day)

    async def replies(self, since: datetime) -> dict[str, Any]:
        """Percentiles in milliseconds, of replies that were finished; none without any."""
        return await self._one(_REPLIES, since=since)

    async def lately(self, since: datetime, day: date) -> tuple[int, int]:
        """Users who began a turn since then, and what this day has cost, in micros."""
        row = (await self.connection.execute(_LATELY, {"since": since, "day": day})).one()
        return row[0], row[1]

    async def errors(self, since: datetime, places: int) -> dict[str, int]:
        rows = await self.connection.execute(_ERRORS, {"since": since, "places": places})
        return dict(rows.all())

    async def messages_per_hour(self, first: datetime, last: datetime) -> list[tuple[datetime, int, int]]:
        """Each hour from the first to the last: when it begins, said by users, answered by characters."""
        rows = await self.connection.execute(_MESSAGES_PER_HOUR, {"first": first, "last": last})
        return [tuple(row) for row in rows]

    async def dead_letter_count(self) -> int:
        return int((await self.connection.execute(_DEAD_COUNT)).scalar_one())

    async def dead_letters(self, before: datetime | None, places: int) -> list[dict[str, Any]]:
        """Newest first, and of each body only size and hash."""
        rows = await self.connection.execute(_DEAD_LETTERS, {"before": before, "places": places})
        return [dict(row) for row in rows.mappings()]

    async def find_dead_letter(self, bot_id: int, update_id: int) -> dict[str, Any] | None:
        row = (await self.connection.execute(_DEAD_LETTER, {"bot_id": bot_id, "update_id": update_id})).mappings().first()
        return dict(row) if row else None

    async def _one(self, statement: Any, **values: object) -> dict[str, Any]:
        return dict((await self.connection.execute(statement, values)).mappings().one())
