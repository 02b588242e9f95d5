"""What a call costs: the shipped table, and the operator's own prices before it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import structlog
from prometheus_client import Counter

from shared.adapters.llm.price_table import USD_PER_MILLION
from shared.domain.errors import InvalidInputError

UNPRICED = Counter("vitte_model_unpriced_calls_total", "Calls of models whose price is not known", ["model"])
FREE = frozenset({"ollama", "vllm", "sandbox", "scripted"})
"""Providers that send no bill; `LLM_PRICES` may still put a price on their tokens."""

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{3}|latest|preview(-\d{2}-\d{2,4})?)$")
_MAKERS = {"openai": "openai", "google": "gemini", "anthropic": "anthropic"}
_ENTRY = re.compile(r"([a-z0-9_-]+:[^=\s]+)\s*=\s*([0-9.]+)\s*/\s*([0-9.]+)", re.ASCII)
_DEAREST = 100_000
_MILLION = 1_000_000

log = structlog.get_logger("models")


@dataclass(frozen=True, slots=True)
class Price:
    """Micros of a US dollar per million tokens: whole numbers, so that a bill adds up."""

    prompt: int
    completion: int

    def micros(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Rounded up: a call is never free because it was short."""
        return -(-(prompt_tokens * self.prompt + completion_tokens * self.completion) // _MILLION)


_NOTHING = Price(0, 0)


class Prices:
    def __init__(self, own: Mapping[str, Price] | None = None) -> None:
        self._own = own or {}
        self._missed: set[str] = set()

    def find(self, name: str) -> Price | None:
        """Of `provider:model`. Versions by date and the names that OpenRouter gives to others' models are understood."""
        for candidate in _names(name):
            if (price := self._own.get(candidate) or _shipped(candidate)) is not None:
                return price
        return None

    def cost(self, name: str, prompt_tokens: int, completion_tokens: int) -> int | None:
        """Micros of a US dollar; `None` for a model without a price, which is counted, and logged the first time."""
        price = self.find(name)
        if price is not None:
            return price.micros(prompt_tokens, completion_tokens)
        UNPRICED.labels(name).inc()
        if name not in self._missed:
            self._missed.add(name)
            log.warning("model_has_no_price", model=name, hint=f"LLM_PRICES={name}=<prompt>/<completion>")
        return None


def parse_prices(text: str, *, setting: str = "LLM_PRICES") -> dict[str, Price]:
    """`openai:gpt-4o=2.5/10, vllm:mine=0.1/0.1`: dollars per million tokens. Raises `InvalidInputError` naming `setting`."""
    return dict(_entry(part.strip(), setting) for part in text.split(",") if part.strip())


def _entry(part: str, setting: str) -> tuple[str, Price]:
    found = _ENTRY.fullmatch(part)
    if found is None:
        raise InvalidInputError(f"{setting} has {part[:64]!r}; write provider:model=in/out, such as openai:gpt-4o-mini=0.15/0.6")
    return found[1], Price(_micros(found[2], part, setting), _micros(found[3], part, setting))


def _micros(dollars: str, part: str, setting: str) -> int:
    try:
        amount = Decimal(dollars)
    except InvalidOperation:
        raise InvalidInputError(f"{setting} has {part[:64]!r}, where {dollars!r} is no amount of dollars") from None
    if amount > _DEAREST:
        raise InvalidInputError(f"{setting} has {part[:64]!r}; the amounts are dollars for a million tokens")
    return int(amount * _MILLION)


def _names(name: str) -> list[str]:
    """From the exact name to the more general ones."""
    provider, _, model = name.partition(":")
    if provider == "openrouter":
        maker, _, made = model.partition("/")
        return [name, *(_names(f"{_MAKERS[maker]}:{made}") if maker in _MAKERS and not made.endswith(":free") else [])]
    return [name, f"{provider}:{_DATED.sub('', model)}"]


def _shipped(name: str) -> Price | None:
    provider, _, model = name.partition(":")
    if provider in FREE or (provider == "openrouter" and model.endswith(":free")) or model == "sandbox":
        return _NOTHING
    found = USD_PER_MILLION.get(name)
    return Price(*(int(Decimal(dollars) * _MILLION) for dollars in found)) if found else None
