"""The only door to PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any, Literal, get_args

import asyncpg
from prometheus_client import Counter, Gauge
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from shared.database.characters import CharacterRows
from shared.database.dialogs import DialogRows
from shared.database.inbox import InboxRows
from shared.database.lines import Connection, Lines, waiting
from shared.database.memories import MemoryRows
from shared.database.memory_reading import MemoryReadingRows
from shared.database.operators import OperatorRows
from shared.database.plans import PlanRows
from shared.database.reports import ReportRows
from shared.database.turns import TurnRows
from shared.database.upkeep import UpkeepRows
from shared.database.users import UserRows
from shared.domain.errors import InvalidInputError, UnavailableError

STATEMENTS = Counter("vitte_db_statements_total", "SQL statements sent to PostgreSQL, by what they are for", ["part"])
CONNECTIONS_IN_USE = Gauge("vitte_db_connections_in_use", "Connections checked out of the pool")

Part = Literal["work", "inbox"]
"""`inbox` is storing, leasing and settling updates, a batch at a time; `work` is everything else."""

_open_transaction: ContextVar[bool] = ContextVar("open_transaction", default=False)

PLACE_SECONDS = 5.0
"""A single statement that waits longer for a connection finds a database in trouble."""
RESERVED = 4
"""Connections of the pool that single statements leave to transactions."""

SQLSTATES_OF_ABSENCE = {"08", "25", "28", "40", "53", "55", "57", "58", "XX"}
"""Connection lost, read-only or rolled back, refused, out of resources, shut down or starting up, broken: the same call may pass later."""
NOT_MIGRATED = "42P01"
"""A table is missing: the migrations have not run yet."""


SQLSTATE_OF_DATA = "22"


class DatabaseUnavailableError(UnavailableError):
    code = "database_unavailable"


class UnstorableValueError(InvalidInputError):
    """PostgreSQL, or its driver, takes a value for none of the column's type. The driver's own words quote it, and are not passed on."""

    code = "unstorable_value"


class NetworkInsideTransactionError(RuntimeError):
    """A programming error: a call to somebody else's system while a transaction is open."""


def refuse_inside_transaction() -> None:
    """Every adapter calls this before it talks to the outside."""
    if _open_transaction.get():
        raise NetworkInsideTransactionError("close the transaction before calling an adapter")


class Transaction:
    """An open connection and the rows that can be reached through it."""

    def __init__(self, connection: Connection | AsyncConnection) -> None:
        self.connection: Connection = connection

    @cached_property
    def session(self) -> AsyncSession:
        """For the cold paths, and only inside a transaction; flushed when the block ends."""
        if not isinstance(self.connection, AsyncConnection):
            raise TypeError("a single statement has no session: open a transaction")
        return AsyncSession(bind=self.connection, expire_on_commit=False)

    @property
    def wrote_objects(self) -> bool:
        return "session" in self.__dict__

    @cached_property
    def users(self) -> UserRows:
        return UserRows(self.connection)

    @cached_property
    def plans(self) -> PlanRows:
        return PlanRows(self.connection)

    @cached_property
    def characters(self) -> CharacterRows:
        return CharacterRows(self.connection)

    @cached_property
    def dialogs(self) -> DialogRows:
        return DialogRows(self.connection)

    @cached_property
    def turns(self) -> TurnRows:
        return TurnRows(self.connection)

    @cached_property
    def memories(self) -> MemoryRows:
        return MemoryRows(self.connection)

    @cached_property
    def memory_reading(self) -> MemoryReadingRows:
        return MemoryReadingRows(self.connection)

    @cached_property
    def inbox(self) -> InboxRows:
        return InboxRows(self.connection)

    @cached_property
    def operators(self) -> OperatorRows:
        return OperatorRows(self.connection)

    @cached_property
    def upkeep(self) -> UpkeepRows:
        return UpkeepRows(self.connection)

    @cached_property
    def reports(self) -> ReportRows:
        return ReportRows(self.connection)


class Database:
    def __init__(self, engine: AsyncEngine, *, pool_size: int = 20) -> None:
        self.engine = engine
        self._lines = Lines(engine, max(1, pool_size - RESERVED))
        self._sent = {part: STATEMENTS.labels(part) for part in get_args(Part)}
        _count_statements(engine, self._sent["work"])

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction: leaving commits, raising rolls back. No network and no `yield` inside.

        Raises `DatabaseUnavailableError` when PostgreSQL is away.
        """
        with _alone(), _translated():
            async with AsyncExitStack() as closing:
                with waiting():
                    connection = await closing.enter_async_context(self.engine.begin())
                tx = Transaction(connection)
                yield tx
                if tx.wrote_objects:
                    await tx.session.flush()

    @asynccontextmanager
    async def statement(self, part: Part = "work") -> AsyncIterator[Transaction]:
        """For exactly one statement, which is a transaction by itself: a round trip instead of three. Same errors.

        It may wait for its turn: statements are so short that this is cheaper than one more connection.
        """
        with _alone(), _translated():
            async with self._lines.take(self._sent[part], patience=PLACE_SECONDS) as line:
                yield Transaction(line)

    async def check(self) -> None:
        """Raises `DatabaseUnavailableError` when PostgreSQL does not answer."""
        async with self.statement() as tx:
            await tx.connection.execute(text("select 1"))

    async def aclose(self) -> None:
        await self._lines.aclose()
        await self.engine.dispose()


@contextmanager
def _alone() -> Iterator[None]:
    if _open_transaction.get():
        raise RuntimeError("transactions do not nest")
    mark = _open_transaction.set(True)
    try:
        yield
    finally:
        _open_transaction.reset(mark)


class _translated:  # noqa: N801 - reads as a word at the one place that uses it
    """Turns "PostgreSQL is away" of any layer into one error of ours; other errors pass."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        cause = error.orig if isinstance(error, DBAPIError) else error
        state = str(getattr(cause, "sqlstate", None) or "")
        closed = isinstance(cause, asyncpg.InterfaceError) and "closed" in str(cause)
        away = (
            closed
            or isinstance(cause, (OSError, PoolTimeoutError, asyncpg.InternalClientError))
            or state[:2] in SQLSTATES_OF_ABSENCE
            or state == NOT_MIGRATED
        )
        if away or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise DatabaseUnavailableError("PostgreSQL is away", retry_after=2.0) from error
        if isinstance(cause, asyncpg.DataError) or state[:2] == SQLSTATE_OF_DATA:
            raise UnstorableValueError(f"a value cannot be stored ({state or 'by the driver'})") from None


def open_engine(
    url: str,
    *,
    pool_size: int,
    max_overflow: int,
    connect_timeout: float,
    pool_recycle: int,
    application_name: str,
    command_timeout: float = 60.0,
) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_recycle=pool_recycle,
        pool_timeout=connect_timeout,
        pool_pre_ping=True,
        pool_use_lifo=True,
        hide_parameters=True,
        connect_args={
            "timeout": connect_timeout,
            "command_timeout": command_timeout,
            "server_settings": {"application_name": application_name, "jit": "off"},
        },
    )


def _count_statements(engine: AsyncEngine, sent: Counter) -> None:
    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def count(*_: Any) -> None:
        sent.inc()

    @event.listens_for(engine.sync_engine, "checkout")
    def taken(*_: Any) -> None:
        CONNECTIONS_IN_USE.inc()

    @event.listens_for(engine.sync_engine, "checkin")
    def given_back(*_: Any) -> None:
        CONNECTIONS_IN_USE.dec()
