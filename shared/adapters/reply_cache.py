"""Replies that would be asked of a model again word for word, kept in Redis for a day."""

from dataclasses import dataclass

import orjson

from shared.adapters.cache import count
from shared.adapters.redis_door import RedisDoor
from shared.adapters.redis_line import LineBrokenError
from shared.application.ports import CachedReply

PREFIX = "vitte:replies:"
DAY_SECONDS = 86_400
LARGEST = 16_000


@dataclass(frozen=True, slots=True)
class RedisReplies:
    """Redis away or slow, or a value that cannot be read, is as good as nothing found: within 50 ms."""

    door: RedisDoor
    is_on: bool = True

    async def find(self, key: str) -> CachedReply | None:
        if not self.is_on:
            return None
        try:
            value = await self.door.ask(b"GET", (PREFIX + key).encode())
        except LineBrokenError:
            count(("reply",), "away")
            return None
        reply = read_reply(value) if isinstance(value, bytes) else None
        count(("reply",), "hit" if reply else "miss")
        return reply

    async def keep(self, key: str, reply: CachedReply) -> None:
        """One that is empty or very long is not kept."""
        value = orjson.dumps({"text": reply.text, "model": reply.model})
        if not self.is_on or not reply.text or len(value) > LARGEST:
            return
        try:
            await self.door.ask(b"SET", (PREFIX + key).encode(), value, b"EX", b"%d" % DAY_SECONDS)
        except LineBrokenError:
            return


def read_reply(value: bytes) -> CachedReply | None:
    """None for what is no kept reply."""
    try:
        kept = orjson.loads(value)
        return CachedReply(text=str(kept["text"]), model=kept["model"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
