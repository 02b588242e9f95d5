"""The line to Redis: every kind of answer, in any pieces; and what happens when it breaks."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.adapters.redis_door import RedisDoor
from shared.adapters.redis_line import LineBrokenError, RedisLine, RefusedError, open_line

STREAM = b"+OK\r\n:42\r\n$5\r\nhe\r\no\r\n_\r\n$-1\r\n*2\r\n$1\r\na\r\n*1\r\n:7\r\n%1\r\n+k\r\n+v\r\n#t\r\n,1.5\r\n*0\r\n-ERR no\r\n"
ANSWERS = [b"OK", 42, b"he\r\no", None, None, [b"a", [7]], [b"k", b"v"], b"t", b"1.5", []]


class Wire(asyncio.Transport):
    """Takes what is sent, and closes without a network."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def abort(self) -> None:
        return None


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[RedisLine]:
    line = await open_line(redis_url)
    yield line
    line.break_off("closed")


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
async def test_answers_are_read_however_they_are_cut(step: int) -> None:
    line = RedisLine()
    line.connection_made(Wire())
    waiting = [line.send(b"X") for _ in range(len(ANSWERS) + 1)]
    for start in range(0, len(STREAM), step):
        line.data_received(STREAM[start : start + step])
    assert [await answer for answer in waiting[:-1]] == ANSWERS
    with pytest.raises(RefusedError, match="ERR no"):
        await waiting[-1]


@pytest.mark.parametrize("nonsense", [b"HTTP/1.1 400 Bad Request\r\n", b":x\r\n", b"$x\r\n", b"+answer to nobody\r\n+again\r\n"])
async def test_nonsense_breaks_the_line_and_nobody_waits_on(nonsense: bytes) -> None:
    line = RedisLine()
    line.connection_made(Wire())
    waiting = [line.send(b"X")] if nonsense[:1] != b"+" else []
    line.data_received(nonsense)
    assert not line.is_open
    for answer in waiting:
        with pytest.raises(LineBrokenError):
            await answer


async def test_words_of_any_bytes_come_back_as_they_were(line: RedisLine) -> None:
    for value in (b"", b"\r\n", bytes(range(256)), "привет 🌿".encode(), b"x" * 300_000):
        assert await line.ask(b"SET", b"key", value, within=2) == b"OK"
        assert await line.ask(b"GET", b"key", within=2) == value


async def test_many_at_once_get_their_own_answers(line: RedisLine) -> None:
    assert await asyncio.gather(*[line.ask(b"ECHO", b"%d" % number, within=2) for number in range(500)]) == [b"%d" % n for n in range(500)]


async def test_the_line_is_told_of_what_others_change_and_not_of_its_own(redis_url: str) -> None:
    told: list[list[bytes] | None] = []
    listening = await open_line(redis_url, told=told.append, prefix="watched:")
    other = await open_line(redis_url)
    await listening.ask(b"SET", b"watched:own", b"1", within=1)
    await other.ask(b"SET", b"watched:a", b"1", within=1)
    await other.ask(b"SET", b"elsewhere", b"1", within=1)
    await listening.ask(b"PING", within=1)
    assert told == [[b"watched:a"]]
    await other.ask(b"FLUSHALL", within=1)
    await listening.ask(b"PING", within=1)
    assert told[1:] == [None]
    listening.break_off("closed")
    other.break_off("closed")
    assert told[2:] == [None]


async def test_a_wrong_password_or_no_server_is_a_broken_line(redis_url: str) -> None:
    scheme, rest = redis_url.split("://")
    for url in (f"{scheme}://:wrong@{rest.partition('@')[2]}", "redis://127.0.0.1:1/0"):
        with pytest.raises(LineBrokenError):
            await open_line(url)


async def test_a_command_that_redis_refuses_is_an_absence_behind_the_door(redis_url: str) -> None:
    door = RedisDoor(redis_url, name="test")
    with pytest.raises(LineBrokenError, match="WRONGTYPE|ERR"):
        await door.ask(b"NOSUCHCOMMAND")
    await door.aclose()


async def test_a_server_that_lost_its_scripts_gets_them_again(redis_url: str) -> None:
    door = RedisDoor(redis_url, name="test")
    script = b"return tonumber(ARGV[1]) + 1"
    assert await door.run(script, [b"key"], b"1") == 2
    await door.ask(b"SCRIPT", b"FLUSH")
    assert await door.run(script, [b"key"], b"2") == 3
    await door.aclose()
