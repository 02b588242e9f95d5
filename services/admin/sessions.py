"""Sessions of the dashboard: a random id in a signed cookie, and what it stands for in Redis, under the id's hash."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadSignature, Signer

from shared.adapters.redis import RedisGate, answering
from shared.application.ports import Clock

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
_PREFIX = "vitte:admin:session:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    operator_id: UUID
    csrf: str
    opened_at: datetime
    used_at: datetime

    def is_over(self, now: datetime) -> bool:
        return now - self.used_at >= IDLE or now - self.opened_at >= LONGEST


class Sessions:
    """Every method may raise `RedisUnavailableError`: without Redis nobody is signed in."""

    def __init__(self, redis: RedisGate, clock: Clock, secret: str) -> None:
        self._redis, self._clock = redis, clock
        self._signer = Signer(secret, salt="vitte.admin.session", digest_method=hashlib.sha256)

    async def open(self, operator_id: UUID) -> str:
        """A new session, always under a new id; answers the cookie's value."""
        session_id, now = secrets.token_urlsafe(32), self._clock.now()
        session = Session(operator_id=operator_id, csrf=secrets.token_urlsafe(32), opened_at=now, used_at=now)
        with answering():
            await self._redis.client.set(_key(session_id), _dumped(session), ex=IDLE)
        return self._signer.sign(session_id).decode()

    async def find(self, cookie: str | None, *, is_use: bool) -> Session | None:
        """The running session of a cookie. Only a use by a person keeps it awake; what a page asks by itself does not."""
        if (key := self._key_of(cookie)) is None:
            return None
        with answering():
            stored = await self._redis.client.get(key)
        if stored is None or (session := _loaded(stored)).is_over(self._clock.now()):
            return None
        if is_use:
            used = Session(operator_id=session.operator_id, csrf=session.csrf, opened_at=session.opened_at, used_at=self._clock.now())
            with answering():
                await self._redis.client.set(key, _dumped(used), ex=IDLE, xx=True)
        return session

    async def close(self, cookie: str | None) -> None:
        if (key := self._key_of(cookie)) is not None:
            with answering():
                await self._redis.client.delete(key)

    def _key_of(self, cookie: str | None) -> str | None:
        try:
            return _key(self._signer.unsign(cookie).decode()) if cookie else None
        except (BadSignature, UnicodeError):
            return None


def _key(session_id: str) -> str:
    return _PREFIX + hashlib.sha256(session_id.encode()).hexdigest()


def _dumped(session: Session) -> str:
    return json.dumps(asdict(session), default=str)


def _loaded(stored: str | bytes) -> Session:
    fields = json.loads(stored)
    return Session(
        operator_id=UUID(fields["operator_id"]),
        csrf=fields["csrf"],
        opened_at=datetime.fromisoformat(fields["opened_at"]),
        used_at=datetime.fromisoformat(fields["used_at"]),
    )
