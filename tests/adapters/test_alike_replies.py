"""Kept replies found by meaning: the nearest one, for a day, without a word of the question in Redis."""

from collections.abc import AsyncIterator
from dataclasses import replace
from time import perf_counter, time

import pytest
from redis import Redis

from shared.adapters.alike_replies import GROUP, MOST_QUESTIONS, VECTOR, RedisAlikeReplies
from shared.adapters.redis_door import RedisDoor
from shared.adapters.reply_cache import PREFIX, RedisReplies
from shared.application.ports import AlikeQuestion, CachedReply
from shared.domain.alike import sketch_bytes, small_vector

NAME, FILM = CachedReply(text="I am Mira.", model="a:b"), CachedReply(text="Amélie", model="a:b")
NO_ORDER = (b"1" * 8, b"2" * 8)


def at(*vector: float, key: int = 1, group: str = "g", order: tuple[bytes, bytes] = NO_ORDER) -> AlikeQuestion:
    return AlikeQuestion(group=group, key=f"{key:064x}", sketch=sketch_bytes(vector), vector=small_vector(vector), order=order)


@pytest.fixture
async def door(redis_url: str) -> AsyncIterator[RedisDoor]:
    door = RedisDoor(redis_url, name="replies")
    yield door
    await door.aclose()


@pytest.fixture
def alike(door: RedisDoor) -> RedisAlikeReplies:
    return RedisAlikeReplies(door)


async def put(alike: RedisAlikeReplies, question: AlikeQuestion, reply: CachedReply) -> None:
    await RedisReplies(alike.door).keep(question.key, reply)
    await alike.keep(question)


async def test_the_nearest_that_is_near_enough_is_found(alike: RedisAlikeReplies) -> None:
    assert await alike.find(at(1, 0, 0), 0.8) is None
    await put(alike, at(1, 0, 0, key=1), NAME)
    await put(alike, at(1, 0.4, 0, key=2), FILM)
    assert await alike.find(at(1, 0.1, 0, key=9), 0.9) == NAME
    assert await alike.find(at(1, 0.3, 0, key=9), 0.9) == FILM
    assert await alike.find(at(1, -0.3, 0, key=9), 0.97) is None
    assert await alike.find(at(0, 0, 1, key=9), 0.8) is None
    assert await alike.find(at(1, 0, 0, key=9), 1.0) == NAME


async def test_another_group_has_replies_of_its_own(alike: RedisAlikeReplies) -> None:
    await put(alike, at(1, 0), NAME)
    assert await alike.find(at(1, 0, group="other"), 0.8) is None


async def test_the_same_words_in_another_order_are_not_near(alike: RedisAlikeReplies) -> None:
    await put(alike, at(1, 0), NAME)
    assert await alike.find(at(1, 0, order=(b"1" * 8, b"3" * 8)), 0.8) is None
    assert await alike.find(at(1, 0, order=(b"3" * 8, b"3" * 8)), 0.8) == NAME


async def test_of_a_group_the_newest_are_kept_for_a_day(alike: RedisAlikeReplies, redis_url: str) -> None:
    await put(alike, at(1, 0, key=7), NAME)
    with Redis.from_url(redis_url) as redis:
        others = {bytes.fromhex(at(0, 1, key=key).key) + at(0, 1).sketch: time() + key for key in range(100, 100 + MOST_QUESTIONS)}
        redis.zadd(f"{GROUP}g", {b"of yesterday": time() - 86_401, **others})
        assert await alike.find(at(1, 0, key=9), 0.8) == NAME
        await alike.keep(at(0, 1, key=100))
        assert redis.zcard(f"{GROUP}g") == MOST_QUESTIONS
        assert await alike.find(at(1, 0, key=9), 0.8) is None
        redis.zrem(f"{GROUP}g", *list(others)[:10])
        await put(alike, at(1, 0, key=7), NAME)
        await put(alike, at(1, 0, key=7), NAME)
        assert await alike.find(at(1, 0, key=9), 0.8) == NAME
        assert redis.zcard(f"{GROUP}g") == MOST_QUESTIONS - 9
        assert all(86_390 < redis.ttl(name) <= 86_400 for name in (f"{GROUP}g", f"{VECTOR}{7:064x}", f"{PREFIX}{7:064x}"))


@pytest.mark.parametrize("gone", [f"{PREFIX}{1:064x}", f"{VECTOR}{1:064x}"])
@pytest.mark.parametrize("value", [None, b"", b"nonsense", b"x" * 18])
async def test_what_redis_has_forgotten_or_mangled_is_as_good_as_nothing(
    alike: RedisAlikeReplies, redis_url: str, gone: str, value: bytes | None
) -> None:
    await put(alike, at(1, 0), NAME)
    with Redis.from_url(redis_url) as redis:
        redis.delete(gone) if value is None else redis.set(gone, value)
        redis.zadd(f"{GROUP}g", {b"short": 1})
    assert await alike.find(at(1, 0, key=9), 0.8) is None


async def test_switched_off_nothing_is_kept_and_nothing_found(alike: RedisAlikeReplies, redis_url: str) -> None:
    await put(alike, at(1, 0), NAME)
    off = replace(alike, is_on=False)
    await off.keep(at(0, 1, key=2, group="h"))
    assert await off.find(at(1, 0), 0.8) is None
    with Redis.from_url(redis_url) as redis:
        assert redis.exists(f"{GROUP}h") == 0


async def test_without_redis_nothing_is_found_and_nobody_notices() -> None:
    door = RedisDoor("redis://127.0.0.1:1/0", name="replies")
    alike, began = RedisAlikeReplies(door), perf_counter()
    for _ in range(20):
        await alike.keep(at(1, 0))
        assert await alike.find(at(1, 0), 0.8) is None
    assert perf_counter() - began < 0.2
    await door.aclose()
