"""How the server itself is, for `make doctor`: nothing of what people wrote."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from shared.database.lines import Connection

_CLOCK = text("select clock_timestamp()")

_CONNECTIONS = text("""
    select coalesce(sum(numbackends), 0)::int,
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    from pg_stat_database
""")

_WRITABLE = text("""
    select not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off',
           to_regclass('stored_updates') is not null,
           coalesce((select bool_and(has_table_privilege(to_regclass('stored_updates'), needed))
                     from unnest(array['select', 'insert', 'update', 'delete']) as needed), false)
""")

_IS_MIGRATED = text("select to_regclass('alembic_version') is not null")
_REVISION = text("select version_num from alembic_version")

_INBOX = text("""
    with waiting as (
        select telegram_bot_id, lane, received_at from stored_updates where status = 'pending'
    ), dead as (
        select handled_at from stored_updates where status = 'dead'
    )
    select (select count(*) from waiting),
           coalesce(extract(epoch from clock_timestamp() - (select min(received_at) from waiting)), 0)::float8,
           (select count(*) from dead),
           (select count(*) from dead where handled_at > clock_timestamp() - interval '24 hours'),
           (select count(*) from lanes where failures > 0 and due_at is not null),
           (select count(*) from lanes where due_at < clock_timestamp() - interval '60 seconds'),
           (select count(*) from lanes l
            where l.due_at is null and exists (select from waiting w where w.telegram_bot_id = l.telegram_bot_id and w.lane = l.lane)),
           coalesce(extract(epoch from clock_timestamp() - (select min(created_at) from outbox where status = 'pending')), 0)::float8
""")


@dataclass(frozen=True, slots=True)
class InboxVitals:
    """Ages in seconds. `dead_lately` is of the last 24 hours. Lanes: that failed and try again, that nobody took for a minute
    though they are due, and that have work and are not due.
    """

    waiting: int
    oldest: float
    dead: int
    dead_lately: int
    lanes_failing: int
    lanes_untaken: int
    lanes_forgotten: int
    oldest_unsent: float


class VitalRows:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def clock(self) -> datetime:
        found: datetime = (await self.connection.execute(_CLOCK)).scalar_one()
        return found

    async def connections(self) -> tuple[int, int]:
        """Used now, and how many there may be."""
        used, most = (await self.connection.execute(_CONNECTIONS)).one()
        return used, most

    async def writable(self) -> tuple[bool, bool, bool]:
        """Whether the server takes writes at all, whether our tables are there, and whether this role may write them."""
        takes, there, may = (await self.connection.execute(_WRITABLE)).one()
        return takes, there, may

    async def revision(self) -> str | None:
        """The migration at which the tables are; none before the first."""
        if not (await self.connection.execute(_IS_MIGRATED)).scalar_one():
            return None
        found: Any = (await self.connection.execute(_REVISION)).scalar()
        return str(found) if found else None

    async def inbox(self) -> InboxVitals:
        return InboxVitals(*(await self.connection.execute(_INBOX)).one())
