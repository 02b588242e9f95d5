"""How often somebody may try to sign in. Counted here and in Redis; without Redis the own count stays."""

from dataclasses import dataclass, field
from typing import Any

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from shared.adapters.redis import RedisGate
from shared.domain.errors import NotAllowedError

PER_LOGIN_AND_ADDRESS = parse("10 per 5 minutes")
PER_ADDRESS = parse("30 per 5 minutes")
ALTOGETHER = parse("1000 per 5 minutes")
_PREFIX = "vitte:admin:logins"

log = structlog.get_logger("admin")


class TooManyLoginsError(NotAllowedError):
    code = "too_many_logins"


def _own_count() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


@dataclass(frozen=True, slots=True)
class LoginGate:
    shared: MovingWindowRateLimiter
    own: MovingWindowRateLimiter = field(default_factory=_own_count)

    async def pass_or_refuse(self, login: str, address: str) -> None:
        """Counts one attempt. Raises `TooManyLoginsError` before any password is looked at."""
        limits = ((PER_LOGIN_AND_ADDRESS, (login.strip().lower()[:64], address)), (PER_ADDRESS, (address,)), (ALTOGETHER, ()))
        for item, keys in limits:
            if not await self._hit(item, keys):
                log.warning("rate_limit_exceeded", what="admin_login", limit=str(item), address=address)
                raise TooManyLoginsError("too many attempts to sign in")

    async def _hit(self, item: RateLimitItem, keys: tuple[str, ...]) -> bool:
        if not await self.own.hit(item, _PREFIX, *keys):
            return False
        try:
            return await self.shared.hit(item, _PREFIX, *keys)
        except (RedisError, OSError) as error:
            log.warning("rate_limit_counts_alone", error=type(error).__name__)
            return True


def open_gate(redis: RedisGate) -> LoginGate:
    """Counts over the connections that the process has anyway."""
    shared_with_sessions: Any = redis.client.connection_pool
    storage = RedisStorage("async+redis://", implementation="redispy", connection_pool=shared_with_sessions)
    return LoginGate(MovingWindowRateLimiter(storage))
