"""What waits for a bot: updates with numbers of their own, kept until an offset passes them or a webhook takes them."""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.sandbox.errors import ApiError, conflict

KEPT_RECORDS = 200_000
DAY = 86_400.0
SHORT_LIVED = {
    "callback_query": 150.0,
    "shipping_query": 150.0,
    "pre_checkout_query": 150.0,
    "chosen_inline_result": 600.0,
    "inline_query": 30.0,
}
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
OTHER_POLL = "terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(slots=True, eq=False)
class Update:
    """`lane` is the webhook queue it belongs to; `raw` the exact bytes that are delivered."""

    id: int
    kind: str
    chat_id: int | None
    lane: str
    raw: bytes
    created_at: float
    expires_at: float
    deliveries: int = 0
    acknowledged_at: float | None = None
    gone: bool = False

    def view(self) -> dict[str, Any]:
        return {
            "update_id": self.id,
            "chat_id": self.chat_id,
            "kind": self.kind,
            "created_at": self.created_at,
            "deliveries": self.deliveries,
            "acknowledged_at": self.acknowledged_at,
        }


def first_update_id() -> int:
    """Unpredictable, but above that of an earlier sandbox: a bot that outlives it would confirm lower numbers unread."""
    return int(time.time() - 1_500_000_000) * 4 + secrets.randbelow(4)


Delivery = tuple[Update, bytes]
"""One delivery of an update: its raw text outlives the acknowledgement."""


@dataclass(slots=True, eq=False)
class UpdateQueue:
    bot_id: int
    next_id: int = field(default_factory=first_update_id)
    pending: deque[Update] = field(default_factory=deque)
    records: deque[Update] = field(default_factory=lambda: deque(maxlen=KEPT_RECORDS))
    again: list[Delivery] = field(default_factory=list)
    allowed: frozenset[str] | None = None
    on_update: Callable[[Update], None] | None = None
    _irregular: int = 0
    _settled: int = 0
    _poll: asyncio.Future[bytes | None] | None = None
    _last_offset: int | None = None
    _last_finished: float = 0.0
    _swept_at: float = 0.0

    def allows(self, kind: str) -> bool:
        return kind not in NOT_BY_DEFAULT if self.allowed is None else kind in self.allowed

    def add(self, kind: str, payload: Any, *, chat_id: int | None, lane: str) -> int | None:
        """Queues an update of a kind the bot wants; None when it does not."""
        if not self.allows(kind):
            return None
        raw = orjson.dumps({"update_id": self.next_id, kind: payload})
        return self.put(self.next_id, kind, raw, chat_id=chat_id, lane=lane)

    def put(self, update_id: int, kind: str, raw: bytes, *, chat_id: int | None, lane: str) -> int:
        now = time.time()
        update = Update(update_id, kind, chat_id, lane, raw, now, now + SHORT_LIVED.get(kind, DAY))
        if update_id < self.next_id:
            self._irregular += 1
        else:
            self.next_id = update_id + 1
        self.records.append(update)
        self.pending.append(update)
        if self.on_update is not None:
            self.on_update(update)
        elif self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        return update_id

    def acknowledge(self, update: Update) -> None:
        update.acknowledged_at = update.acknowledged_at or time.time()
        self.forget(update)

    def forget(self, update: Update) -> None:
        update.gone, update.raw = True, b""

    @property
    def waiting(self) -> int:
        return len(self.pending) - self._settled

    def settle(self, update: Update, *, taken: bool) -> None:
        """A webhook took the update, or it expired; the queue is tidied from its head, without a scan."""
        if update.gone:
            return
        if taken:
            self.acknowledge(update)
        else:
            self.forget(update)
        self._settled += 1
        while self.pending and self.pending[0].gone:
            self.pending.popleft()
            self._settled -= 1

    def tidy(self) -> None:
        """Before polling goes on where a webhook ended."""
        self.pending = deque(update for update in self.pending if not update.gone)
        self._settled = 0

    def confirm(self, offset: int) -> None:
        """Forgets every update below `offset`."""
        if not self._irregular:
            while self.pending and self.pending[0].id < offset:
                self.acknowledge(self.pending.popleft())
            return
        kept = deque[Update]()
        for update in self.pending:
            if update.id < offset:
                self.acknowledge(update)
            else:
                kept.append(update)
        self.pending = kept
        self._irregular = sum(1 for before, after in zip(kept, list(kept)[1:], strict=False) if after.id <= before.id)

    def drop(self) -> None:
        """Throws away what waits, unheard."""
        for update in self.pending:
            self.forget(update)
        self._settled = 0
        self.pending.clear()
        self.again.clear()
        self._irregular = 0

    def expire(self) -> None:
        now = time.time()
        if now < self._swept_at + 1:
            return
        self._swept_at = now
        if any(update.expires_at < now for update in self.pending):
            self.pending = deque(update for update in self.pending if update.expires_at >= now)

    def seek(self, offset: int) -> None:
        """A negative offset counts from the end and forgets what is before."""
        if offset < 0:
            while len(self.pending) > -offset:
                self.acknowledge(self.pending.popleft())
        elif offset > 0:
            self.confirm(offset)

    def throttled(self, offset: int, limit: int) -> int:
        """Telegram gives one update at a time to a client that asks for the same offset again within half a second."""
        hurried = offset == self._last_offset and time.monotonic() < self._last_finished + 0.5
        self._last_offset = offset
        return 1 if hurried else limit

    def finished(self) -> None:
        self._last_finished = time.monotonic()

    async def wait(self, seconds: float) -> None:
        """Waits for an update; a newer poll or a new webhook ends this one with a conflict."""
        self._poll = poll = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                reason = await poll
        except TimeoutError:
            return
        finally:
            if self._poll is poll:
                self._poll = None
        if reason is not None:
            raise conflict(reason.decode())

    def interrupt(self, reason: str) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(reason.encode())

    def close(self) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(ApiError(500, "Internal Server Error: restart"))
        self.drop()
