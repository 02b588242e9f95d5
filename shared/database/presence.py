"""One connection that stays open: its locks show to the others that this process lives, and it hears their notices.

PostgreSQL frees the locks the moment the connection ends, however the process dies. Needs a direct connection, not a pooler
in transaction mode.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import ExitStack, suppress

import asyncpg
import structlog
from sqlalchemy.engine import make_url

from shared.database.database import DatabaseUnavailableError

CONSUMERS, POLLERS = 0x56495431, 0x56495432
"""Classes of advisory locks: a living consumer, the one poller of a bot."""
CHANNELS = ("vitte_inbox", "vitte_stop", "vitte_gone_on")

BROKEN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The last one comes of asking in the moment in which PostgreSQL hangs up."""

ASKED_EVERY_SECONDS = 15.0
ANSWER_SECONDS = 10.0
KEEPALIVES = {"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""PostgreSQL frees the locks of a host that vanished without a word after half a minute."""

Listener = Callable[[str, str], None]
"""Called with channel and payload."""

log = structlog.get_logger("presence")


class Presence:
    """`consumer` names this process while it is connected."""

    def __init__(self, url: str, *, application_name: str, connect_timeout: float) -> None:
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._application_name = application_name
        self._connect_timeout = connect_timeout
        self._connection: asyncpg.Connection | None = None
        self._lost = asyncio.Event()
        self._turn = asyncio.Lock()
        self._held: set[tuple[int, int]] = set()
        self.consumer = secrets.randbelow(2**31 - 1) + 1

    async def keep(self, listener: Listener, *, pause: float = 0.5) -> None:
        """Connects, and again whenever the connection is lost, until cancelled."""
        while True:
            self._lost = asyncio.Event()
            try:
                await self._connect(listener, self._lost)
                await self._until_lost()
                log.warning("presence_lost")
            except BROKEN as error:
                log.warning("waiting_for_database", error=type(error).__name__)
            finally:
                await self._disconnect()
            await asyncio.sleep(pause)

    async def _until_lost(self) -> None:
        """A network that went away says nothing, so the connection is asked now and then."""
        while not self._lost.is_set():
            try:
                async with asyncio.timeout(ASKED_EVERY_SECONDS):
                    await self._lost.wait()
            except TimeoutError:
                with suppress(DatabaseUnavailableError):
                    await self._ask("select 1")

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and not self._connection.is_closed()

    async def lead(self, bot_id: int) -> bool:
        """Become, or stay, the only poller of this bot."""
        leads = await self._try_lock(POLLERS, bot_id % 2**31)
        if leads:
            self._held.add((POLLERS, bot_id % 2**31))
        return leads

    async def is_alive(self, consumer: int) -> bool:
        """Whether another process still holds its lock. True for ourselves."""
        if consumer == self.consumer:
            return True
        if not await self._try_lock(CONSUMERS, consumer):
            return True
        await self._ask("select pg_advisory_unlock($1, $2)", CONSUMERS, consumer)
        return False

    async def notify(self, channel: str, payload: str) -> None:
        await self._ask("select pg_notify($1, $2)", channel, payload)

    async def _try_lock(self, kind: int, key: int) -> bool:
        if (kind, key) in self._held:
            return True
        return bool(await self._ask("select pg_try_advisory_lock($1, $2)", kind, key))

    async def _ask(self, statement: str, *values: object) -> object:
        connection = self._connection
        if connection is None:
            raise DatabaseUnavailableError("the presence connection is away", retry_after=1.0)
        try:
            async with self._turn:
                return await connection.fetchval(statement, *values)
        except BROKEN as error:
            if connection is self._connection:  # a driver that was interrupted in the middle does not always notice by itself
                self._lost.set()
            raise DatabaseUnavailableError("the presence connection broke", retry_after=1.0) from error

    async def _connect(self, listener: Listener, lost: asyncio.Event) -> None:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=self._connect_timeout,
            command_timeout=ANSWER_SECONDS,
            server_settings={"application_name": self._application_name, **KEEPALIVES},
        )
        with ExitStack() as undo:
            undo.callback(connection.terminate)
            connection.add_termination_listener(lambda _: lost.set())
            await connection.fetchval("select pg_advisory_lock($1, $2)", CONSUMERS, self.consumer)
            for channel in CHANNELS:
                await connection.add_listener(channel, lambda _c, _pid, heard, payload: listener(heard, payload))
            undo.pop_all()
        # Not before it is ready: others would ask on it at the same time, and take us for connected before our lock shows it.
        self._connection = connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            connection.terminate()
