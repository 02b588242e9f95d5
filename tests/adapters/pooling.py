"""Pools for tests: of scripted models, or of servers on loopback."""

from dataclasses import dataclass
from typing import Any

import aiohttp

from shared.adapters.llm import Breakers, CallLimits, ModelPool, OpenAICompatibleModel, Prices, ScriptedModel, parse_prices
from shared.adapters.llm.breaker import Breaker, BreakerRule
from shared.adapters.llm.line import RetryRule
from shared.adapters.llm.member import Member
from shared.application.ports import ChatModel, Piece
from tests.adapters.listening import PROMPT

PRICES = "first:m=1/2, second:m=10/20, third:m=100/200"
QUICK = CallLimits(connect_timeout=0.3, first_token_timeout=0.4, total_timeout=2.0)
NO_RETRY = RetryRule(attempts=1)


@dataclass
class Pooled:
    """`models` in the order of the list, named first:m, second:m, third:m."""

    pool: ModelPool
    breakers: Breakers
    models: list[Any]

    def breaker(self, at: int) -> Breaker:
        return self.pool.members[at].breaker

    async def read(self, **fields: Any) -> list[Piece]:
        return [piece async for piece in self.pool.stream(PROMPT, **fields)]

    async def say(self) -> str:
        return "".join(piece.text for piece in await self.read())


def pooled(
    models: list[Any], *, breakers: Breakers | None = None, rule: BreakerRule | None = None, limits: CallLimits = QUICK, **fields: Any
) -> Pooled:
    breakers = breakers or Breakers()
    rule = rule or BreakerRule()
    members = [Member(model=model, breaker=breakers.of(model.name, rule=rule), limits=limits, beside=breakers.start) for model in models]
    fields.setdefault("retry", NO_RETRY)
    return Pooled(ModelPool(members, breakers, Prices(parse_prices(PRICES)), **fields), breakers, list(models))


def scripted(count: int = 2) -> list[ScriptedModel]:
    return [ScriptedModel(name=f"{name}:m") for name in ("first", "second", "third")[:count]]


def served(*addresses: str, session: aiohttp.ClientSession, limits: CallLimits = QUICK) -> list[ChatModel]:
    return [
        OpenAICompatibleModel(provider=name, model="m", base_url=address, api_key="k", session=session, limits=limits)
        for name, address in zip(("first", "second", "third"), addresses, strict=False)
    ]
