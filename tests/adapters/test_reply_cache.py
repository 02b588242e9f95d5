"""Replies kept for a day: found again at once, never in the way."""

from collections.abc import AsyncIterator
from time import perf_counter

import pytest
from redis import Redis

from shared.adapters.redis_door import RedisDoor
from shared.adapters.reply_cache import LARGEST, PREFIX, RedisReplies
from shared.application.ports import CachedReply

HELLO = CachedReply(text="Hello! Ahoj! Привет! 🌿", model="openai:gpt-4o-mini")


@pytest.fixture
async def replies(redis_url: str) -> AsyncIterator[RedisReplies]:
    door = RedisDoor(redis_url, name="cache")
    yield RedisReplies(door)
    await door.aclose()


async def test_what_was_kept_is_found_in_well_under_a_tenth_of_a_second_and_for_a_day(replies: RedisReplies, redis_url: str) -> None:
    assert await replies.find("k" * 64) is None
    await replies.keep("k" * 64, HELLO)
    began = perf_counter()
    assert await replies.find("k" * 64) == HELLO
    assert perf_counter() - began < 0.05
    with Redis.from_url(redis_url) as redis:
        assert [key.decode() for key in redis.scan_iter()] == [PREFIX + "k" * 64]
        assert 86_390 < redis.ttl(PREFIX + "k" * 64) <= 86_400


@pytest.mark.parametrize("text", ["", "x" * LARGEST])
async def test_an_empty_or_huge_reply_is_not_kept(replies: RedisReplies, text: str) -> None:
    await replies.keep("key", CachedReply(text=text))
    assert await replies.find("key") is None


@pytest.mark.parametrize("value", [b"", b"nonsense", b"[1]", b"{}", b"null", b'{"text": "x"}'])
async def test_what_cannot_be_read_is_as_good_as_nothing(replies: RedisReplies, redis_url: str, value: bytes) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.set(PREFIX + "key", value)
    assert await replies.find("key") is None
    await replies.keep("key", HELLO)
    assert await replies.find("key") == HELLO


async def test_switched_off_nothing_is_kept_and_nothing_found(replies: RedisReplies) -> None:
    await replies.keep("key", HELLO)
    off = RedisReplies(replies.door, is_on=False)
    assert await off.find("key") is None


async def test_without_redis_nothing_is_found_and_nobody_notices() -> None:
    door = RedisDoor("redis://127.0.0.1:1/0", name="cache")
    replies = RedisReplies(door)
    began = perf_counter()
    for _ in range(20):
        await replies.keep("key", HELLO)
        assert await replies.find("key") is None
    assert perf_counter() - began < 0.2
    await door.aclose()
