"""Questions that have a kept reply, found by their meaning. Redis holds no word of them: digests, a sketch, a small vector."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.adapters.cache import count
from shared.adapters.redis_door import RedisDoor
from shared.adapters.redis_line import LineBrokenError
from shared.adapters.reply_cache import DAY_SECONDS, PREFIX, read_reply
from shared.application.ports import AlikeQuestion, CachedReply
from shared.domain.alike import ORDER_BYTES, differ_in_order, likeness, most_differing_bits

GROUP = PREFIX + "alike:"
VECTOR = PREFIX + "vector:"
MOST_QUESTIONS = 300
"""Of a group, the newest: some 90 kB are read for one question."""
LOOKED_AT = 4
"""The nearest by their sketches, whose vectors are compared."""

_ROUNDING = 0.0005
"""A vector of bytes is off by less; so one and the same text is 100 % like itself."""
_KEY_BYTES = 32
_KEEP = b"""
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[4]))
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
"""


@dataclass(frozen=True, slots=True)
class RedisAlikeReplies:
    """Of each group the newest questions of a day. Redis away or slow, or what cannot be read, is as good as nothing found."""

    door: RedisDoor
    is_on: bool = True

    async def find(self, question: AlikeQuestion, least: float) -> CachedReply | None:
        if not self.is_on:
            return None
        try:
            found = await self._find(question, least)
        except LineBrokenError:
            count(("reply_semantic",), "away")
            return None
        count(("reply_semantic",), "hit" if found else "miss")
        return found

    async def keep(self, question: AlikeQuestion) -> None:
        if not self.is_on:
            return
        member, kept = bytes.fromhex(question.key) + question.sketch, b"".join(question.order) + question.vector
        keys = [(GROUP + question.group).encode(), _vector_key(question.key)]
        try:
            await self.door.run(_KEEP, keys, member, kept, b"%d" % DAY_SECONDS, b"%d" % MOST_QUESTIONS)
        except LineBrokenError:
            return

    async def _find(self, question: AlikeQuestion, least: float) -> CachedReply | None:
        members = await self.door.ask(b"ZRANGE", (GROUP + question.group).encode(), b"0", b"-1")
        near = _nearest(question.sketch, members, least) if isinstance(members, list) else []
        if not near:
            return None
        values = await self.door.ask(b"MGET", *map(_vector_key, near), *((PREFIX + key).encode() for key in near))
        if not isinstance(values, list) or len(values) != 2 * len(near):
            return None
        pairs = zip(values[: len(near)], values[len(near) :], strict=True)
        whole = [(vector, reply) for vector, reply in pairs if isinstance(vector, bytes) and isinstance(reply, bytes)]
        return _best(whole, question, least)


def _vector_key(key: str) -> bytes:
    return (VECTOR + key).encode()


def _nearest(sketch: bytes, members: Sequence[object], least: float) -> list[str]:
    """Keys of the replies to questions that may be near enough, the nearest first."""
    most, mine = most_differing_bits(least, 8 * len(sketch)), int.from_bytes(sketch)
    found: list[tuple[int, str]] = []
    for member in members:
        if isinstance(member, bytes) and len(member) == _KEY_BYTES + len(sketch):
            differing = (int.from_bytes(member[_KEY_BYTES:]) ^ mine).bit_count()
            if differing <= most:
                found.append((differing, member[:_KEY_BYTES].hex()))
    return [key for _, key in sorted(found)[:LOOKED_AT]]


def _best(candidates: Sequence[tuple[bytes, bytes]], question: AlikeQuestion, least: float) -> CachedReply | None:
    found: list[tuple[float, bytes]] = []
    for kept, reply in candidates:
        order = kept[:ORDER_BYTES], kept[ORDER_BYTES : 2 * ORDER_BYTES]
        near = likeness(question.vector, kept[2 * ORDER_BYTES :])
        if near >= least - _ROUNDING and not differ_in_order(order, question.order):
            found.append((near, reply))
    return read_reply(max(found)[1]) if found else None
