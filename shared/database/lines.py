"""Single statements without SQLAlchemy's cost per execution, which is several times asyncpg's own (docs/adr/0007).

SQLAlchemy still opens, checks and recycles the connections and translates the statements, once each; only running one of them
goes straight to asyncpg.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any, Protocol

import asyncpg
from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import TextClause
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

WAITING = Gauge("vitte_db_waiting", "Statements and transactions that wait for a connection")
WAITED = Histogram(
    "vitte_db_wait_seconds", "From wanting a connection to having it", buckets=(0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5)
)

TRUSTED_SECONDS = 1.0
"""A connection that was used so lately is taken without asking whether it still lives."""

LAST_WORDS = {"08", "57"}
"""Classes of errors after which the server closes the connection."""


class Found(Protocol):
    """What a statement found; a row is read as a tuple or by column."""

    def __iter__(self) -> Iterator[Any]: ...
    def all(self) -> Sequence[Any]: ...
    def first(self) -> Any: ...
    def one(self) -> Any: ...
    def scalar(self) -> Any: ...
    def scalar_one(self) -> Any: ...
    def mappings(self) -> Any: ...


class Connection(Protocol):
    """Runs statements: inside a transaction SQLAlchemy's connection, for a single statement a line."""

    async def execute(self, statement: TextClause, values: Mapping[str, Any] | None = None, /) -> Found: ...


class Rows(list[Any]):
    """The rows of one statement; each is a tuple and a mapping at once."""

    def all(self) -> Sequence[Any]:
        return self

    def first(self) -> Any:
        return self[0] if self else None

    def one(self) -> Any:
        [row] = self
        return row

    def scalar(self) -> Any:
        return self[0][0] if self else None

    def scalar_one(self) -> Any:
        return self.one()[0]

    def mappings(self) -> "Rows":
        return self


@dataclass(slots=True)
class Line:
    """A connection kept for single statements; each of them is a transaction by itself."""

    held: AsyncConnection
    driver: asyncpg.Connection
    sent: Counter
    used_at: float

    @property
    def is_trusted(self) -> bool:
        return monotonic() - self.used_at < TRUSTED_SECONDS and not self.driver.is_closed()

    async def execute(self, statement: TextClause, values: Mapping[str, Any] | None = None, /) -> Found:
        sql, names = _translated(statement.text)
        self.sent.inc()
        return Rows(await self.driver.fetch(sql, *[values[name] for name in names] if values else ()))


class Lines:
    """The connection used last is used first. At most `places` statements run at once; the others wait their turn."""

    def __init__(self, engine: AsyncEngine, places: int) -> None:
        self._engine = engine
        self._idle: list[Line] = []
        self._free = asyncio.Semaphore(places)

    @asynccontextmanager
    async def take(self, sent: Counter, *, patience: float) -> AsyncIterator[Line]:
        """Raises `TimeoutError` when no line becomes free within `patience` seconds."""
        await self._wait(patience)
        try:
            line = await self._open(sent)
            try:
                yield line
            except asyncpg.PostgresError as error:
                if str(error.sqlstate)[:2] in LAST_WORDS:
                    await asyncio.shield(self._drop(line))
                else:
                    await self._keep(line)  # the server has answered, so the connection is in order
                raise
            except BaseException:
                await asyncio.shield(self._drop(line))
                raise
            await self._keep(line)
        finally:
            self._free.release()

    async def aclose(self) -> None:
        while self._idle:
            await self._idle.pop().held.close()

    async def _wait(self, patience: float) -> None:
        if not self._free.locked():
            await self._free.acquire()
            WAITED.observe(0)
            return
        with waiting():
            async with asyncio.timeout(patience):
                await self._free.acquire()

    async def _open(self, sent: Counter) -> Line:
        """One that is known to live, else one from the pool, which asks first."""
        if self._idle:
            line = self._idle.pop()
            if line.is_trusted:
                line.sent = sent
                return line
            await line.held.close()
        held = await self._engine.connect()
        driver = (await held.get_raw_connection()).driver_connection
        return Line(held, driver, sent, monotonic())

    async def _keep(self, line: Line) -> None:
        if line.driver.is_closed():
            await asyncio.shield(self._drop(line))
            return
        line.used_at = monotonic()
        self._idle.append(line)

    async def _drop(self, line: Line) -> None:
        line.driver.terminate()
        await line.held.invalidate()
        await line.held.close()


@contextmanager
def waiting() -> Iterator[None]:
    """Counts one more that waits for a connection, and for how long, also when in vain."""
    began = monotonic()
    with WAITING.track_inprogress():
        try:
            yield
        finally:
            WAITED.observe(monotonic() - began)


_DIALECT: Dialect = make_url("postgresql+asyncpg://").get_dialect()()


@lru_cache(maxsize=512)
def _translated(sql: str) -> tuple[str, tuple[str, ...]]:
    """`:name` parameters become `$1`, `$2`, …; with the names in their order."""
    compiled: Any = TextClause(sql).compile(dialect=_DIALECT)
    return str(compiled), tuple(compiled.positiontup or ())
