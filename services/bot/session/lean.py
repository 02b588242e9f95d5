"""aiogram's session with its costs cut: JSON bodies instead of forms, results built only where somebody reads them."""

import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, cast

import orjson
from aiogram import Bot
from aiogram.client.default import Default
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError, TelegramServerError
from aiogram.methods import Response, TelegramMethod
from aiogram.types import InputFile, TelegramObject
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar
from pydantic import ValidationError

KEEP_ALIVE_SECONDS = 30.0
DNS_CACHE_SECONDS = 300
_JSON_HEADERS = {"Content-Type": "application/json"}
_SCALARS = frozenset({str, int, bool, float})
_TOKEN_IN_URL = re.compile(r"(/bot)[^/\s'\"<>]+")


class RawCall:
    """A call whose parameters are JSON-ready already; stands where aiogram expects a method (middlewares, errors)."""

    __returning__ = dict
    __slots__ = ("__api_method__", "chat_id", "params")

    def __init__(self, api_method: str, params: Mapping[str, Any]) -> None:
        self.__api_method__ = api_method
        self.params = params
        self.chat_id = params.get("chat_id")


class _FileAttachedError(Exception):
    """This call needs a multipart form."""


def build_api(api_url: str | None) -> TelegramAPIServer:
    return TelegramAPIServer.from_base(api_url.strip()) if api_url else PRODUCTION


def redact(text: str) -> str:
    """An address of the Bot API without the token in it."""
    return _TOKEN_IN_URL.sub(r"\1[redacted]", text)


async def post_raw(bot: Bot, method: str, params: Mapping[str, Any]) -> Any:
    """Makes a call without building aiogram's objects; the ``result`` of the answer as it came (a dict for messages, else mostly True).

    Defaults of the bot are not applied and files cannot be attached. Raises what aiogram raises. Needs a bot on a `LeanSession`.
    """
    return await bot.session(bot, cast(TelegramMethod[Any], RawCall(method, params)))


class LeanSession(AiohttpSession):
    """Differs from aiogram's only in cost and in what its errors tell: no token, no text of a message.

    An empty text is sent (aiogram's form leaves it out): for a draft it means "Thinking…".
    """

    def __init__(self, *, api: TelegramAPIServer = PRODUCTION, limit: int = 100, timeout: float = 60.0) -> None:
        super().__init__(limit=limit, api=api, timeout=timeout, json_loads=orjson.loads, json_dumps=_dumps_text)
        self._connector_init |= {"ttl_dns_cache": DNS_CACHE_SECONDS, "keepalive_timeout": KEEP_ALIVE_SECONDS}
        self._timeout = ClientTimeout(total=timeout)

    async def create_session(self) -> ClientSession:
        if self._should_reset_connector:
            await self.close()
        if self._session is None or self._session.closed:
            self._session = ClientSession(connector=self._connector_type(**self._connector_init), cookie_jar=DummyCookieJar())
            self._should_reset_connector = False
        return self._session

    async def close(self) -> None:
        if self.api.base.startswith("https"):
            await super().close()  # waits a quarter of a second, which only TLS needs
        elif self._session is not None:
            await self._session.close()

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:
        body = _body(bot, method)
        if body is None:
            return await self._upload(bot, method, timeout)
        status, content = await self._post(bot, method, body, timeout)
        return self._result(bot, method, status, content)

    async def _post(self, bot: Bot, method: TelegramMethod[Any], body: bytes, timeout: int | None) -> tuple[int, bytes]:
        session = await self.create_session()
        url = self.api.api_url(token=bot.token, method=method.__api_method__)
        limits = self._timeout if timeout is None else ClientTimeout(total=timeout)
        try:
            async with session.post(url, data=body, headers=_JSON_HEADERS, timeout=limits) as response:
                return response.status, await response.read()
        except TimeoutError:
            failure = "Request timeout error"
        except (ClientError, OSError) as error:
            failure = f"{type(error).__name__}: {redact(str(error))}"
        # Raised here, not above: a chained aiohttp error would carry the address with the token into logs.
        raise TelegramNetworkError(method=method, message=failure)

    async def _upload(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None) -> Any:
        try:
            return await super().make_request(bot, method, timeout)
        except TelegramNetworkError as error:
            failure = error.message
            kind = type(error)
        raise kind(method=method, message=redact(failure))

    def _result(self, bot: Bot, method: TelegramMethod[Any], status: int, content: bytes) -> Any:
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            kind = TelegramServerError if status >= 500 else TelegramNetworkError
            raise kind(method=method, message=f"HTTP {status} with an answer that is no JSON object")
        if status == 200 and answer.get("ok") is True and (isinstance(method, RawCall) or answer.get("result") is True):
            return answer.get("result")
        return self.check_response(bot, method, status, content.decode()).result

    def check_response(self, bot: Bot, method: TelegramMethod[Any], status_code: int, content: str) -> Response[Any]:
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError as error:
            problem = _shape_of(error.original)
        # aiogram's own error quotes the whole answer, and with it what people wrote.
        raise ClientDecodeError(
            "Telegram's answer has an unknown shape", ValueError(problem), f"HTTP {status_code}, {len(content)} characters"
        )

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        """A file's content. Its address holds the token as well, so its failures are retold."""
        try:
            async with aclosing(super().stream_content(url, headers, timeout, chunk_size, raise_for_status)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        except TimeoutError:
            failure = "Download timeout error"
        except (ClientError, OSError) as error:
            failure = f"{type(error).__name__}: {redact(str(error))}"
        raise TelegramNetworkError(method=cast(TelegramMethod[Any], RawCall("file", {})), message=failure)


def _body(bot: Bot, method: TelegramMethod[Any] | RawCall) -> bytes | None:
    """None if a file is attached."""
    try:
        return _dumps(method.params if isinstance(method, RawCall) else _fields(method, bot))
    except _FileAttachedError:
        return None


def _fields(model: TelegramMethod[Any] | TelegramObject, bot: Bot) -> dict[str, Any]:
    values = model.__dict__ | model.model_extra if model.model_extra else model.__dict__
    ready = ((name, _ready(value, bot)) for name, value in values.items() if value is not None)
    return {name: value for name, value in ready if value is not None}


def _ready(value: Any, bot: Bot) -> Any:
    """A parameter as JSON; what is None after defaults are filled in is left out, as aiogram does."""
    if type(value) in _SCALARS:
        return value
    match value:
        case list() | tuple():
            return [ready for item in value if (ready := _ready(item, bot)) is not None]
        case dict():
            return {name: ready for name, item in value.items() if (ready := _ready(item, bot)) is not None}
        case Default():
            return _ready(bot.default[value.name], bot)
        case TelegramObject():
            return _fields(value, bot)
        case InputFile():
            raise _FileAttachedError
        case datetime():
            return round(value.timestamp())
        case timedelta():
            return round((datetime.now(UTC) + value).timestamp())
        case Enum():
            return value.value
    return value


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # a lone surrogate or an integer above 64 bits: Telegram shall say what it thinks of it
        return json.dumps(value).encode()


def _dumps_text(value: Any) -> str:
    return _dumps(value).decode()


def _shape_of(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False, include_url=False)[:5])
    return type(error).__name__
