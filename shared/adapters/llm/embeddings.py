"""Texts as vectors, from any server that speaks OpenAI's embeddings."""

from collections.abc import Sequence
from typing import Any, Final

import aiohttp
import orjson

from shared.adapters.llm.exchange import CallLimits, Exchange
from shared.adapters.llm.failures import GARBAGE
from shared.adapters.llm.http_model import address, open_session, request_body, usable_key
from shared.adapters.llm.metrics import MODEL_CALLS, MODEL_COST, MODEL_TOKENS
from shared.adapters.llm.prices import Prices
from shared.application.ports import ModelUnavailableError

LIMITS: Final = CallLimits(first_token_timeout=5.0, total_timeout=10.0)
_MOST_AT_ONCE = 96
"""Gemini takes a hundred in one request, the others more."""
_LARGEST_ANSWER = 32 << 20


class OpenAICompatibleEmbedder:
    """An `Embedder`. `session` as with the models: shared, or made at first use and closed here."""

    def __init__(
        self,
        *,
        provider: str,
        model: str,
        base_url: str,
        api_key: str = "",
        session: aiohttp.ClientSession | None = None,
        prices: Prices | None = None,
        limits: CallLimits = LIMITS,
    ) -> None:
        self._provider, self._model, self._limits = provider, model, limits
        self._base, self._key = address(provider, base_url), usable_key(provider, api_key)
        self._session, self._owned = session, session is None
        self._prices = prices or Prices()
        self._headers = {"Accept-Encoding": "identity", "User-Agent": "vitte"}
        if self._key:
            self._headers["Authorization"] = f"Bearer {self._key}"

    @property
    def name(self) -> str:
        return f"{self._provider}:{self._model}"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        vectors: list[list[float]] = []
        for at in range(0, len(texts), _MOST_AT_ONCE):
            vectors += await self._some(texts[at : at + _MOST_AT_ONCE])
        if len({len(vector) for vector in vectors}) > 1:
            raise self._garbage()
        return vectors

    def estimate_micros(self, tokens: int) -> int:
        price = self._prices.find(self.name)
        return price.micros(tokens, 0) if price else 0

    async def aclose(self) -> None:
        if self._owned and self._session is not None:
            await self._session.close()
            self._session = None

    async def _some(self, texts: Sequence[str]) -> list[list[float]]:
        outcome = "ok"
        try:
            # Nothing but white space is refused by most; a point it must have all the same.
            answer = await self._ask({"model": self._model, "input": [text if text.strip() else "-" for text in texts]})
            return self._vectors(answer, len(texts))
        except ModelUnavailableError as error:
            outcome = error.reason
            raise
        finally:
            MODEL_CALLS.labels(self._provider, self.name, outcome).inc()

    async def _ask(self, request: dict[str, Any]) -> Any:
        if self._session is None:
            self._session = open_session()
        exchange = Exchange(self.name, self._limits, self._key)
        parts: list[bytes] = []
        try:
            url = self._base.joinpath("embeddings").with_query(self._base.query)
            await exchange.open(self._session, "POST", url, self._headers, request_body(request))
            while chunk := await exchange.read(started=True, finished=False):
                parts.append(chunk)
                if sum(map(len, parts)) > _LARGEST_ANSWER:
                    raise self._garbage()
            return orjson.loads(b"".join(parts))
        except orjson.JSONDecodeError:
            raise self._garbage() from None
        finally:
            exchange.close()

    def _vectors(self, answer: Any, wanted: int) -> list[list[float]]:
        """In the order of the texts, whatever the order of the answer."""
        rows = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or len(rows) != wanted:
            raise self._garbage()
        found = {row.get("index", at): row.get("embedding") for at, row in enumerate(rows) if isinstance(row, dict)}
        vectors = [found.get(at) for at in range(wanted)]
        if not all(isinstance(vector, list) and vector and all(isinstance(value, float | int) for value in vector) for vector in vectors):
            raise self._garbage()
        self._bill(answer.get("usage"))
        return [[float(value) for value in vector] for vector in vectors if vector]

    def _bill(self, usage: Any) -> None:
        tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        if isinstance(tokens, int) and tokens >= 0:
            MODEL_TOKENS.labels(self._provider, self.name, "embedding").inc(tokens)
            MODEL_COST.labels(self.name).inc(self._prices.cost(self.name, tokens, 0) or 0)

    def _garbage(self) -> ModelUnavailableError:
        return ModelUnavailableError(f"{self.name} sent something that is no list of embeddings", reason=GARBAGE)
