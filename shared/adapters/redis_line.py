"""One connection to Redis for the hot path: commands go out at once, answers come back in order, and the server tells of changed keys.

A command costs about a third of the CPU of a general client's (docs/adr/0009). It speaks RESP3 and nothing that Redis 6 or Valkey lacks.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from redis.connection import SSLConnection, parse_url

CONNECT_SECONDS = 2.0
Told = Callable[[list[bytes] | None], None]
"""Called with the keys that somebody changed; none when all may have changed."""
_WHERE: Callable[[str], dict[str, Any]] = parse_url


class LineBrokenError(ConnectionError):
    """Redis is away, too slow, or refuses us."""


class RefusedError(Exception):
    """Redis answered with an error; the line is in order."""


class _Incomplete(Exception):
    """More bytes must come before this answer can be read."""


class Sent(NamedTuple):
    answer: asyncio.Future[Any]
    at: float


class RedisLine(asyncio.Protocol):
    """`proven_at` is the loop's time when the latest answered command was sent: until then we know of every change."""

    def __init__(self, told: Told | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self._waiting: deque[Sent] = deque()
        self._buffer = b""
        self._told = told
        self.proven_at = float("-inf")

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    def send(self, *words: bytes) -> asyncio.Future[Any]:
        """The answer comes as bytes, int, list or none; `RefusedError` for an error, `LineBrokenError` when the line breaks."""
        if self._transport is None:
            raise LineBrokenError("the line is closed")
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(Sent(answer, self._loop.time()))
        parts = [b"*%d\r\n" % len(words)]
        parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
        self._transport.write(b"".join(parts))
        return answer

    async def ask(self, *words: bytes, within: float) -> Any:
        """`send` and wait. A line whose answer is late is broken: nobody knows what it would still deliver."""
        answer = self.send(*words)
        alarm = self._loop.call_later(within, self.break_off, "Redis is too slow")
        try:
            return await answer
        finally:
            alarm.cancel()

    def break_off(self, why: str) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
            self._fail(why)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, _error: Exception | None) -> None:
        if self._transport is not None:
            self._transport = None
            self._fail("Redis closed the connection")

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        at = 0
        try:
            while at < len(buffer):
                is_push = buffer[at] == 62
                value, at = _read(buffer, at)
                self._hear(value) if is_push else self._answer(value)
        except _Incomplete:
            pass
        except (ValueError, IndexError):
            self.break_off("Redis answered nonsense")
            return
        self._buffer = buffer[at:]

    def _answer(self, value: Any) -> None:
        sent = self._waiting.popleft()
        self.proven_at = sent.at
        if sent.answer.done():
            return
        if isinstance(value, RefusedError):
            sent.answer.set_exception(value)
        else:
            sent.answer.set_result(value)

    def _hear(self, push: Any) -> None:
        if self._told is not None and push and push[0] == b"invalidate":
            self._told(push[1])

    def _fail(self, why: str) -> None:
        waiting, self._waiting, self._buffer = self._waiting, deque(), b""
        for sent in waiting:
            if not sent.answer.done():
                sent.answer.set_exception(LineBrokenError(why))
                sent.answer.exception()  # somebody who no longer waits shall not be warned about it
        if self._told is not None:
            self._told(None)


async def open_line(url: str, *, told: Told | None = None, prefix: str = "") -> RedisLine:
    """With `prefix` the line is told of every change that others make to keys that begin with it.

    Raises `LineBrokenError`.
    """
    where: dict[str, Any] = _WHERE(url)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            line = await _connect(where, told)
            await _introduce(line, where, prefix)
    except (OSError, TimeoutError, RefusedError) as error:
        raise LineBrokenError(f"{type(error).__name__}: {error}") from error
    return line


async def _connect(where: dict[str, Any], told: Told | None) -> RedisLine:
    loop = asyncio.get_running_loop()
    if "path" in where:
        return (await loop.create_unix_connection(lambda: RedisLine(told), where["path"]))[1]
    trust = _trust(where) if where.get("connection_class") is SSLConnection else None
    host, port = where.get("host", "localhost"), int(where.get("port", 6379))
    return (await loop.create_connection(lambda: RedisLine(told), host, port, ssl=trust))[1]


def _trust(where: dict[str, Any]) -> ssl.SSLContext:
    trust = ssl.create_default_context(cafile=where.get("ssl_ca_certs"))
    if where.get("ssl_cert_reqs") == "none":
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    return trust


async def _introduce(line: RedisLine, where: dict[str, Any], prefix: str) -> None:
    hello = [b"HELLO", b"3"]
    if password := where.get("password"):
        hello += [b"AUTH", str(where.get("username") or "default").encode(), str(password).encode()]
    answers = [line.send(*hello), line.send(b"SELECT", str(where.get("db", 0)).encode())]
    if prefix:
        answers.append(line.send(b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"NOLOOP", b"PREFIX", prefix.encode()))
    try:
        for answer in answers:
            await answer
    except RefusedError:
        line.break_off("Redis refuses us")
        raise


def _read(buffer: bytes, at: int) -> tuple[Any, int]:
    """The value that begins at `at`, and where the next one begins."""
    end = buffer.find(b"\r\n", at)
    if end < 0:
        raise _Incomplete
    kind, head = buffer[at], buffer[at + 1 : end]
    at = end + 2
    if kind in b"$=!":
        return _read_bulk(buffer, at, int(head), is_error=kind == 33)
    if kind in b"*>~":
        return _read_list(buffer, at, int(head))
    if kind == 37:
        return _read_list(buffer, at, 2 * int(head))
    if kind == 58:
        return int(head), at
    if kind == 45:
        return RefusedError(head.decode("utf-8", "replace")), at
    if kind == 95:
        return None, at
    if kind in b"+,#(":
        return head, at
    raise ValueError(f"no answer of Redis begins with {kind}")


def _read_bulk(buffer: bytes, at: int, size: int, *, is_error: bool) -> tuple[Any, int]:
    if size < 0:
        return None, at
    if len(buffer) < at + size + 2:
        raise _Incomplete
    value = buffer[at : at + size]
    return (RefusedError(value.decode("utf-8", "replace")) if is_error else value), at + size + 2


def _read_list(buffer: bytes, at: int, size: int) -> tuple[Any, int]:
    if size < 0:
        return None, at
    values: list[Any] = []
    for _ in range(size):
        value, at = _read(buffer, at)
        values.append(value)
    return values, at
