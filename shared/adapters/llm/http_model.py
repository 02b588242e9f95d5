"""What all providers over HTTP have in common: one session, one exchange for each reply, its bytes read as they come."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import aiohttp
import orjson
from yarl import URL

from shared.adapters.llm.deltas import Delta
from shared.adapters.llm.exchange import CallLimits, Exchange
from shared.adapters.llm.reply import ReplyReader
from shared.application.ports import Piece, PromptMessage
from shared.domain.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What is asked of the model. `None` leaves it to the provider."""

    max_tokens: int | None = None
    temperature: float | None = None
    max_tokens_field: str = "max_tokens"
    """OpenAI renamed it to `max_completion_tokens` and its newer models refuse the old name."""
    include_usage: bool = True


class HttpModel:
    """A `ChatModel` over HTTP; the subclasses know one provider's words.

    `session` is shared and stays open when the model is closed; without one the model makes its own at first use. Raises
    `InvalidInputError` at construction for an address or a key that can never work.
    """

    reply_path: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        *,
        provider: str,
        model: str,
        base_url: str,
        api_key: str = "",
        session: aiohttp.ClientSession | None = None,
        options: CallOptions | None = None,
        limits: CallLimits | None = None,
    ) -> None:
        self._name, self._model = f"{provider}:{model}", model
        self._base = address(provider, base_url)
        self._key = usable_key(provider, api_key)
        self._session, self._owned = session, session is None
        self._options = options or CallOptions()
        self._limits = limits or CallLimits()
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "vitte", **self._authorization()}

    @property
    def name(self) -> str:
        return self._name

    async def stream(
        self, prompt: Sequence[PromptMessage], *, temperature: float | None = None, max_tokens: int | None = None
    ) -> AsyncGenerator[Piece, None]:
        """See `ChatModel.stream`. A reply that passes `CallLimits.max_reply_chars` is ended there as `LENGTH`."""
        options, limits = self._options, self._limits
        body = self._body(
            prompt, options.temperature if temperature is None else temperature, options.max_tokens if max_tokens is None else max_tokens
        )
        reply = ReplyReader(self._name, self._reader(), max_chars=limits.max_reply_chars, max_event_bytes=limits.max_event_bytes)
        exchange = Exchange(self._name, limits, self._key)
        try:
            await exchange.open(self._connection(), "POST", self._url(*self.reply_path), self._headers, body)
            while not reply.complete:
                chunk = await exchange.read(started=reply.started, finished=reply.finish is not None)
                for text in reply.feed(chunk):
                    yield Piece(text=text)
                    exchange.heard()
            yield reply.last_piece()
            await exchange.settle()
        finally:
            exchange.close()

    async def check(self) -> None:
        exchange = Exchange(self._name, self._limits.for_check(), self._key)
        try:
            await exchange.open(self._connection(), "GET", self._url("models"), self._headers, None)
        finally:
            exchange.close()

    async def aclose(self) -> None:
        if self._owned and self._session is not None:
            await self._session.close()
            self._session = None

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def _body(self, prompt: Sequence[PromptMessage], temperature: float | None, max_tokens: int | None) -> bytes:
        raise NotImplementedError

    def _reader(self) -> Callable[[bytes], Delta]:
        """Reads the events of one reply; raises `GarbageError`."""
        raise NotImplementedError

    def _connection(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = open_session()
        return self._session

    def _url(self, *parts: str) -> URL:
        return self._base.joinpath(*parts).with_query(self._base.query)


def open_session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())


def request_body(request: dict[str, Any]) -> bytes:
    """JSON, also of what somebody wrote with half of a surrogate pair in it, which JSON cannot carry."""
    try:
        return orjson.dumps(request)
    except TypeError:
        return orjson.dumps(_mended(request))


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {key: _mended(item) for key, item in value.items()}
    return [_mended(item) for item in value] if isinstance(value, list) else value


def address(provider: str, base_url: str) -> URL:
    try:
        url = URL(base_url.strip())
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or url.user is not None or url.password is not None:
        raise InvalidInputError(f"the base URL of model provider {provider} must look like https://host/v1, without user or password")
    return url.with_fragment(None)


def usable_key(provider: str, api_key: str) -> str:
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise InvalidInputError(f"the API key of model provider {provider} has characters that no HTTP header can carry")
    return key
