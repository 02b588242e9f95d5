"""One HTTP exchange with a provider: its clock, its connection and its failures."""

import asyncio
from dataclasses import dataclass, replace

import aiohttp
from yarl import URL

from shared.adapters.llm.failures import TIMEOUT_FIRST_TEXT, TIMEOUT_TOTAL, answered, failed
from shared.application.ports import ModelUnavailableError
from shared.database.database import refuse_inside_transaction

_ERROR_BODY = 8192
_STALE_WITHIN = 1.0
_SETTLE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Seconds from the start of the request, on the monotonic clock; bytes from the server do not prolong them."""

    connect_timeout: float = 5.0
    first_token_timeout: float = 20.0
    """Until the first visible text. Reasoning models think for much longer: give them their own limit."""
    pause_timeout: float = 30.0
    """Between two visible texts, once there was one."""
    total_timeout: float = 120.0
    usage_timeout: float = 1.0
    """How long the last piece may wait for the usage once the server has said that the reply is finished."""
    max_reply_chars: int = 65_536
    max_event_bytes: int = 131_072

    def for_check(self) -> "CallLimits":
        seconds = min(self.first_token_timeout, 10.0)
        return replace(self, first_token_timeout=seconds, total_timeout=seconds)


class Exchange:
    """Every method raises `ModelUnavailableError` and nothing else; `close` must be called in any case."""

    def __init__(self, name: str, limits: CallLimits, key: str) -> None:
        self._name, self._limits, self._key = name, limits, key
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._total = self._began + limits.total_timeout
        self._first = min(self._began + limits.first_token_timeout, self._total)
        self._finished: float | None = None
        self._silent_from = self._began
        self._response: aiohttp.ClientResponse | None = None

    async def open(self, session: aiohttp.ClientSession, method: str, url: URL, headers: dict[str, str], body: bytes | None) -> None:
        """Sends the request and waits for a status of success."""
        refuse_inside_transaction()
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            async with asyncio.timeout_at(self._first):
                self._response = await self._send(session, method, url, headers, body)
                if not 200 <= self._response.status < 300:
                    raise await self._refusal(self._response)
        except (aiohttp.ClientError, OSError) as error:
            raise self._translated(error, started=False) from None

    async def read(self, *, started: bool, finished: bool) -> bytes:
        """What has arrived, as soon as something has; empty at the end. Trouble after the finish is an end, too."""
        try:
            async with asyncio.timeout_at(self._deadline(started=started, finished=finished)):
                return await self._opened.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            if finished:
                return b""
            raise self._translated(error, started=started) from None

    def heard(self) -> None:
        """There was a visible text: the next one may take its time anew."""
        self._silent_from = self._loop.time()

    async def settle(self) -> None:
        """Reads the few bytes after the reply, so that the connection can serve the next one."""
        try:
            async with asyncio.timeout(_SETTLE):
                while await self._opened.content.readany():
                    pass
        except (aiohttp.ClientError, OSError):
            self.close()

    def close(self) -> None:
        """Cuts the connection, unless it was read to its end and is back in the pool."""
        if self._response is not None:
            self._response.close()

    @property
    def _opened(self) -> aiohttp.ClientResponse:
        if self._response is None:
            raise RuntimeError("the exchange was not opened")
        return self._response

    def _deadline(self, *, started: bool, finished: bool) -> float:
        if finished:
            if self._finished is None:
                self._finished = min(self._loop.time() + self._limits.usage_timeout, self._total)
            return self._finished
        return min(self._total, self._silent_from + self._limits.pause_timeout) if started else self._first

    async def _send(
        self, session: aiohttp.ClientSession, method: str, url: URL, headers: dict[str, str], body: bytes | None
    ) -> aiohttp.ClientResponse:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect_timeout)
        try:
            return await session.request(method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False)
        except aiohttp.ServerDisconnectedError:
            # A kept connection that the server closes just as we use it (vLLM does after 5 s idle) fails at once, unanswered.
            if self._loop.time() - self._began > _STALE_WITHIN:
                raise
            return await session.request(method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False)

    async def _refusal(self, response: aiohttp.ClientResponse) -> ModelUnavailableError:
        body = b""
        try:
            body = await response.content.read(_ERROR_BODY)
        except (aiohttp.ClientError, OSError):
            response.close()
        return answered(self._name, response.status, response.headers, body, key=self._key)

    def _translated(self, error: aiohttp.ClientError | OSError, *, started: bool) -> ModelUnavailableError:
        if isinstance(error, aiohttp.ClientError) or not isinstance(error, TimeoutError):
            return failed(self._name, error, started=started)
        now = self._loop.time()
        if started and now < self._total:
            what = f"fell silent for {now - self._silent_from:.3g} s in mid-reply"
            return ModelUnavailableError(f"{self._name} {what}", reason=TIMEOUT_TOTAL, started=True)
        reason = TIMEOUT_FIRST_TEXT if not started and self._first < self._total else TIMEOUT_TOTAL
        what = "no text" if reason == TIMEOUT_FIRST_TEXT else "no complete answer"
        limit = (self._first if reason == TIMEOUT_FIRST_TEXT else self._total) - self._began
        return ModelUnavailableError(f"{self._name}: {what} within {limit:g} s", reason=reason, started=started)
