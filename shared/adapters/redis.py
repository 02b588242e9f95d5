"""The door to Redis: one client per process, and errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.database.database import refuse_inside_transaction
from shared.domain.errors import UnavailableError


class RedisUnavailableError(UnavailableError):
    code = "redis_unavailable"


def open_redis(url: str, *, max_connections: int = 100) -> Redis:
    """Opens nothing yet: the first command connects. One quick retry covers a connection that the server closed meanwhile."""
    return Redis.from_url(
        url,
        decode_responses=True,
        max_connections=max_connections,
        socket_connect_timeout=1.0,
        socket_timeout=2.0,
        socket_keepalive=True,
        health_check_interval=25,
        retry=Retry(NoBackoff(), 1),
    )


class RedisGate:
    def __init__(self, client: Redis) -> None:
        self.client = client

    async def check(self) -> None:
        """Raises `RedisUnavailableError` when Redis does not answer."""
        with answering():
            await self.client.ping()

    async def aclose(self) -> None:
        await self.client.aclose()


@contextmanager
def answering() -> Iterator[None]:
    """Around every command: turns "Redis is away" into `RedisUnavailableError`."""
    refuse_inside_transaction()
    try:
        yield
    except (TimeoutError, RedisError, OSError) as error:
        raise RedisUnavailableError("Redis is away", retry_after=2.0) from error
